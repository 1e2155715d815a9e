"""Beat This! as a listener: its own classes with random weights, on our clock, never fetched, and explained where it is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.song import beat_this_model
from pack.nodes.engine.song.analysis import analyse_song
from pack.nodes.engine.song.beat_this_model import ANSWER_RATE, HOP, PIECE, ListenerError, find_checkpoint, hear_with_beat_this
from pack.nodes.engine.song.listening import Listening
from pack.nodes.engine.song.recording import RATE, examine_recording, ignore_progress

needs_package = pytest.mark.skipif(importlib.util.find_spec("beat_this") is None, reason="the package beat-this is not installed here")


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small Beat This! with random weights in its authors' format, in a folder as ComfyUI has it; fetching is an error."""
    import torch
    from beat_this.model.beat_tracker import BeatThis

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    beat_this_model._load.cache_clear()
    torch.manual_seed(1)
    shape = {"transformer_dim": 32, "n_layers": 1, "stem_dim": 16, "head_dim": 16}
    state = {f"model.{name}": value for name, value in BeatThis(**shape).state_dict().items()}
    file = tmp_path / "beat_this" / "small0.ckpt"
    file.parent.mkdir()
    torch.save({"state_dict": state, "hyper_parameters": {**shape, "lr": 0.1}}, file)
    return file


def listen_to_attacks(spectra: Any) -> dict[str, Any]:
    """Stands for a trained network: [songs, frames, 128] -> logits that rise where the spectrum does."""
    import torch

    rise = torch.nn.functional.pad((spectra[:, 1:] - spectra[:, :-1]).clamp(min=0).mean(dim=2), (1, 0))
    logits = 20 * (rise - 0.25)
    return {"beat": logits, "downbeat": logits - 3}


@needs_package
def test_the_real_network_answers(checkpoint: Path, drum_loops: ModuleType) -> None:
    loop = drum_loops.drum_loop(120, duration=8)
    steps: list[tuple[int, int]] = []
    heard = hear_with_beat_this(examine_recording(loop.samples, drum_loops.RATE), checkpoint, lambda *step: steps.append(step))
    assert heard.shape == (2, 1 + round(loop.samples.shape[1] / RATE * ANSWER_RATE))
    assert ((heard > 0) & (heard < 1)).all() and heard.std() > 0 and steps[-1][0] == steps[-1][1]
    timeline = analyse_song(loop.samples, drum_loops.RATE, listening=Listening("beat_this", (checkpoint.parent,)))
    assert timeline.duration > 8 and timeline.remarks != ("",)


@needs_package
def test_its_beats_lie_where_they_are(checkpoint: Path, drum_loops: ModuleType, beat_score: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a network that hears attacks in place of the untrained one, beats come out to the few milliseconds that ours have."""
    network = beat_this_model._load(str(checkpoint), checkpoint.stat().st_mtime_ns)
    monkeypatch.setattr(network, "model", listen_to_attacks)
    loop = drum_loops.drum_loop(112, duration=70, pattern="floor", hats=1)
    timeline = analyse_song(loop.samples, drum_loops.RATE, listening=Listening("auto", (checkpoint.parent,)))
    found = np.array([beat.time for beat in timeline.beats])
    assert beat_score(loop.beats, found) >= 0.97
    errors = [found[np.abs(found - beat).argmin()] - beat for beat in loop.beats[2:-2]]
    assert abs(np.median(errors)) < 0.005 and timeline.remarks == ()


@needs_package
@pytest.mark.parametrize("frames", [40, PIECE - 1, PIECE, PIECE + 17, 3 * PIECE + 40])
def test_pieces_make_no_difference(frames: int, checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = beat_this_model._load(str(checkpoint), checkpoint.stat().st_mtime_ns)
    monkeypatch.setattr(network, "model", listen_to_attacks)
    song = np.random.default_rng(0).standard_normal(frames * HOP).astype(np.float32)
    song *= np.arange(len(song)) % 9000 < 2500
    recording = examine_recording(song[None], RATE)
    whole = network(np.concatenate(list(recording.blocks())), RATE)[0].numpy()
    heard = hear_with_beat_this(recording, checkpoint, ignore_progress)[0]
    assert abs(len(heard) - len(whole)) <= 1
    count = min(len(heard), len(whole)) - 3  # the very end depends on what lies beyond
    assert np.allclose(heard[:count], 1 / (1 + np.exp(-np.clip(whole[:count], -30, 30))), atol=1e-3)


@needs_package
def test_a_damaged_checkpoint_is_named(checkpoint: Path, drum_loops: ModuleType) -> None:
    samples = drum_loops.drum_loop(120, duration=6).samples
    checkpoint.write_bytes(b"no checkpoint")
    with pytest.raises(ListenerError, match="small0.ckpt is no checkpoint of Beat This!"):
        analyse_song(samples, drum_loops.RATE, listening=Listening("beat_this", (checkpoint.parent,)))
    timeline = analyse_song(samples, drum_loops.RATE, listening=Listening("auto", (checkpoint.parent,)))
    assert timeline.beats and timeline.remarks[0].startswith("The built-in listener heard this song instead of Beat This!")


def test_what_is_missing_is_said_in_a_sentence(drum_loops: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    samples = drum_loops.click_track(120, duration=5).samples
    find = importlib.util.find_spec
    for installed, message in ((False, "pip install beat-this"), (True, "put final0.ckpt .* into models/beat_this")):
        spec = find("json") if installed else None
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest, spec=spec: spec if name == "beat_this" else find(name, *rest))
        with pytest.raises(ListenerError, match=message):
            analyse_song(samples, drum_loops.RATE, listening=Listening("beat_this", (tmp_path,)))
        assert analyse_song(samples, drum_loops.RATE, listening=Listening("auto", (tmp_path,))).remarks == ()
    with pytest.raises(ListenerError, match="choose one of: auto, built-in, beat_this, attacks"):
        analyse_song(samples, drum_loops.RATE, listening=Listening("madmom"))


def test_the_usual_checkpoint_comes_first(tmp_path: Path) -> None:
    ours, cache = tmp_path / "beat_this", tmp_path / "checkpoints"
    assert find_checkpoint((ours, cache)) is None
    for folder, names in ((ours, ("a.ckpt", "final0.ckpt", "notes.txt")), (cache, ("resnet.ckpt", "beat_this-final1.ckpt"))):
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(b"x")
    (ours / "empty.ckpt").touch()
    assert find_checkpoint((ours, cache)) == ours / "final0.ckpt"
    assert find_checkpoint((cache,)) == cache / "beat_this-final1.ckpt"


def test_a_listener_can_be_chosen(drum_loops: ModuleType, beat_score: Any) -> None:
    loop = drum_loops.drum_loop(112, duration=10)
    by = {name: analyse_song(loop.samples, drum_loops.RATE, listening=Listening(name)) for name in ("auto", "built-in", "attacks")}
    assert by["auto"] == by["built-in"] != by["attacks"]
    assert beat_score(loop.beats, [beat.time for beat in by["attacks"].beats]) > 0.95
