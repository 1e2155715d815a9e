"""The beat network: the same in pieces as in one, honest about damaged weights, and not needed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from pack.nodes.engine.song import listening, network
from pack.nodes.engine.song.activations import hear_attacks
from pack.nodes.engine.song.analysis import analyse_song
from pack.nodes.engine.song.attacks import EARLY
from pack.nodes.engine.song.recording import examine_recording, ignore_progress
from pack.nodes.engine.song.spectrum import FRAME_RATE, measure_spectrum


@pytest.fixture(scope="module")
def loop(drum_loops):
    return drum_loops.drum_loop(112, metre=3, duration=20, pickup=1)


@pytest.fixture(scope="module")
def recording(loop, drum_loops):
    return examine_recording(loop.samples, drum_loops.RATE)


@pytest.fixture(scope="module")
def spectrum(recording):
    return measure_spectrum(recording, ignore_progress)


def test_the_network_hears_beats_and_downbeats(loop, recording, spectrum):
    heard = listening.hear_beats(spectrum, recording, listening.Listening(), ignore_progress).activations
    frames = np.round((loop.beats - EARLY) * FRAME_RATE).astype(int)
    between = np.round((loop.beats[:-1] + np.diff(loop.beats) / 3 - EARLY) * FRAME_RATE).astype(int)
    near = [heard.beat[max(frame - 2, 0) : frame + 3].max() for frame in frames]
    assert np.median(near) > 0.5 > 3 * np.median(heard.beat[between])
    assert heard.downbeat is not None
    downbeats = np.array([heard.downbeat[max(frame - 2, 0) : frame + 3].max() for frame in frames])
    assert downbeats[loop.positions == 1].mean() > downbeats[loop.positions != 1].mean() + 0.2


@pytest.mark.parametrize("frames", [1001, 1000, 7, 2])
def test_pieces_make_no_difference(frames, monkeypatch):
    import torch

    torch.manual_seed(3)
    net, mel = network.BeatNetwork().eval(), torch.randn(96, frames)
    with torch.inference_mode():
        whole = net(mel[None])[0].sigmoid()
    monkeypatch.setattr(network, "PIECE", 64)
    steps: list[tuple[int, int]] = []
    parts = network.listen(net, mel, lambda *step: steps.append(step))
    assert parts.shape == whole.shape == (2, frames // network.PACE)
    assert torch.allclose(parts, whole, atol=1e-5)
    assert steps[-1][0] == steps[-1][1] == len(steps)


def test_damaged_weights_are_refused(recording, spectrum, monkeypatch, tmp_path):
    damaged = tmp_path / "beat_network.safetensors"
    damaged.write_bytes(listening.WEIGHTS.read_bytes()[:-1] + b"?")
    monkeypatch.setattr(listening, "WEIGHTS", damaged)
    listening._load_network.cache_clear()
    with pytest.raises(ValueError, match="install the pack again"):
        listening.hear_beats(spectrum, recording, listening.Listening(), ignore_progress)
    damaged.unlink()
    with pytest.raises(ValueError, match="install the pack again"):
        listening.hear_beats(spectrum, recording, listening.Listening(), ignore_progress)
    listening._load_network.cache_clear()


def test_without_torch_the_attacks_suffice(loop, recording, spectrum, drum_loops, beat_score, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    heard = listening.hear_beats(spectrum, recording, listening.Listening(), ignore_progress).activations
    assert heard.downbeat is None
    assert np.array_equal(heard.beat, hear_attacks(spectrum).beat)
    timeline = analyse_song(loop.samples, drum_loops.RATE)
    assert beat_score(loop.beats, [beat.time for beat in timeline.beats]) >= 0.97
    assert timeline.metre == 3 and timeline.beat_confidence > 0.6


def test_weights_are_small():
    assert listening.WEIGHTS.stat().st_size < 400_000
