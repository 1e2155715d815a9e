"""A song and its spectrum -> how much each moment sounds like a beat, by the listener that is chosen or the best there is.

Beat This! where its package and a checkpoint are installed; else the built-in beat network, which needs torch (ComfyUI always has
it); else the attacks alone. All answer on the clock of the attacks, which run `EARLY` ahead of what is heard; `attacks.py` puts the
beats found right.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .activations import Activations, hear_attacks
from .attacks import EARLY
from .beat_this_model import (
    ANSWER_RATE,
    MISSING_PACKAGE,
    ListenerError,
    explain_missing,
    find_checkpoint,
    hear_with_beat_this,
    is_installed,
)
from .clap_mood import BUILT_IN as BUILT_IN_MOOD
from .recording import Progress, Recording
from .spectrum import FRAME_RATE, Spectrum

if TYPE_CHECKING:
    from .network import BeatNetwork

WEIGHTS = Path(__file__).parent / "weights" / "beat_network.safetensors"
WEIGHTS_SHA256 = "c102161598a1f01fee9fbde8c0635fe4a6d3b088ec4d9d7c37b22abc5eacdcd8"
UNSURE, SURE = 0.005, 0.95  # likelihoods beyond these are not believed


AUTO, BUILT_IN, BEAT_THIS, ATTACKS = "auto", "built-in", "beat_this", "attacks"


@dataclass(frozen=True)
class Listening:
    """Who shall hear the beats and judge the mood, and the folders in which Beat This! and CLAP may lie."""

    listener: str = AUTO
    places: tuple[Path, ...] = ()
    mood: str = BUILT_IN_MOOD
    mood_places: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Heard:
    activations: Activations
    remarks: tuple[str, ...] = ()


LISTENERS = (AUTO, BUILT_IN, BEAT_THIS, ATTACKS)


def hear_beats(spectrum: Spectrum, recording: Recording, listening: Listening, on_progress: Progress) -> Heard:
    """Likelihoods of beats, and of downbeats where a network listens. ListenerError where the chosen listener cannot be used."""
    attacks = hear_attacks(spectrum)
    if listening.listener not in LISTENERS:
        raise ListenerError(f"The listener is '{listening.listener}'; choose one of: {', '.join(LISTENERS)}.")
    if listening.listener == ATTACKS:
        return Heard(attacks)
    remarks = ()
    checkpoint = None if listening.listener == BUILT_IN else _find_beat_this(listening)
    if checkpoint is not None:
        try:
            likelihoods = hear_with_beat_this(recording, checkpoint, on_progress)
            return Heard(_put_on_clock(likelihoods, 0.0, FRAME_RATE / ANSWER_RATE, attacks))
        except ListenerError as error:
            if listening.listener == BEAT_THIS:
                raise
            remarks = (f"The built-in listener heard this song instead of Beat This!: {error}",)
    if importlib.util.find_spec("torch") is None:
        return Heard(attacks, remarks)
    return Heard(hear_with_network(spectrum, attacks, on_progress), remarks)


def _find_beat_this(listening: Listening) -> Path | None:
    """The checkpoint to use; None where there is none and none was asked for."""
    installed, checkpoint = is_installed(), find_checkpoint(listening.places)
    if listening.listener == BEAT_THIS and not installed:
        raise ListenerError(MISSING_PACKAGE)
    if listening.listener == BEAT_THIS and checkpoint is None:
        raise ListenerError(explain_missing())
    return checkpoint if installed else None


def hear_with_network(spectrum: Spectrum, attacks: Activations, on_progress: Progress) -> Activations:
    """The built-in network's likelihoods; ValueError where its weights are missing or damaged."""
    import torch

    from .network import PACE, listen

    likelihoods = listen(_load_network(), torch.from_numpy(spectrum.mel), on_progress).numpy()
    return _put_on_clock(likelihoods, 0.5 * PACE - 0.5, PACE, attacks)


def _put_on_clock(likelihoods: np.ndarray, first: float, apart: float, attacks: Activations) -> Activations:
    """Likelihoods of beat and downbeat, [2, n], the first at frame `first` of the spectrum and `apart` frames from one to the next."""
    moments = first + np.arange(likelihoods.shape[1]) * apart
    places = np.arange(len(attacks.beat)) + EARLY * FRAME_RATE
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
