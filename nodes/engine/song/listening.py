"""A spectrum -> how much each moment sounds like a beat, by the best listener there is.

The built-in beat network where torch is installed (ComfyUI always has it), else the attacks alone. Both answer on the
clock of the attacks, which run `EARLY` ahead of what is heard; `attacks.py` puts the beats found right.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .activations import Activations, hear_attacks
from .attacks import EARLY
from .recording import Progress
from .spectrum import FRAME_RATE, Spectrum

if TYPE_CHECKING:
    from .network import BeatNetwork

WEIGHTS = Path(__file__).parent / "weights" / "beat_network.safetensors"
WEIGHTS_SHA256 = "60e473605ebcdf27cb62f78e7f4090d074244b32fae165b533ebf596114f325a"
UNSURE, SURE = 0.005, 0.95  # likelihoods beyond these are not believed


def hear_beats(spectrum: Spectrum, on_progress: Progress) -> Activations:
    """Likelihoods of beats, and of downbeats where the network listens."""
    attacks = hear_attacks(spectrum)
    if importlib.util.find_spec("torch") is None:
        return attacks
    return hear_with_network(spectrum, attacks, on_progress)


def hear_with_network(spectrum: Spectrum, attacks: Activations, on_progress: Progress) -> Activations:
    """The network's likelihoods; ValueError where its weights are missing or damaged."""
    import torch

    from .network import PACE, listen

    likelihoods = listen(_load_network(), torch.from_numpy(spectrum.mel), on_progress).numpy()
    moments = (np.arange(likelihoods.shape[1]) + 0.5 - 0.5 / PACE) * PACE  # frames of the spectrum
    places = np.arange(spectrum.frames) + EARLY * FRAME_RATE
    beat, downbeat = (np.interp(places, moments, row) for row in likelihoods)
    strength = beat * (0.1 + np.clip(attacks.strength / (np.percentile(attacks.strength, 98) + 1e-9), 0, 1))
    return Activations(FRAME_RATE, np.clip(beat, UNSURE, SURE), strength, np.clip(downbeat, UNSURE, SURE))


@lru_cache(maxsize=1)
def _load_network() -> BeatNetwork:
    import torch
    from safetensors.torch import load

    from .network import BeatNetwork

    content = WEIGHTS.read_bytes() if WEIGHTS.is_file() else b""
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise ValueError(f"The beat network's weights are missing or damaged ({WEIGHTS.name}): install the pack again.")
    with torch.device("cpu"):
        network = BeatNetwork()
        network.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in load(content).items()})
    return network.eval()
