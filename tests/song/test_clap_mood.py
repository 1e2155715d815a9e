"""CLAP as the judge of the mood: its own classes with random weights in its own format, on our clock, explained where it is missing."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.song import clap_mood
from pack.nodes.engine.song.analysis import analyse_song
from pack.nodes.engine.song.clap_mood import AROUSAL, CLAP, VALENCE, MoodError, find_clap, hear_mood
from pack.nodes.engine.song.listening import Listening
from pack.nodes.engine.song.recording import examine_recording, ignore_progress

RATE = 44100


@pytest.fixture(scope="module")
def clap_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """models/clap with a small CLAP in it, in the format that its authors share it in."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "clap" / "tiny"
    words = ByteLevelBPETokenizer()
    words.train_from_iterator([text for pair in VALENCE + AROUSAL for text in pair], 300, special_tokens=["<s>", "<pad>", "</s>", "<unk>"])
    RobertaTokenizerFast(tokenizer_object=words._tokenizer).save_pretrained(folder)
    torch.manual_seed(1)
    text = {"vocab_size": 400, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    audio = {"patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [2, 2], "hidden_size": 16, "num_hidden_layers": 2}
    ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=16)).save_pretrained(folder)
    ClapFeatureExtractor(truncation="rand_trunc").save_pretrained(folder)
    return folder.parent


class Listener:
    """Stands for a trained network: what sounds loud fits the first text of every pair, what does not the second."""

    logit_scale_a: Any

    def __init__(self) -> None:
        import torch

        self.logit_scale_a = torch.tensor(2.0)

    def get_text_features(self, *, texts: list[str]) -> Any:
        import torch

        first = {pair[0] for pair in VALENCE + AROUSAL}
        return torch.tensor([[1.0, 0.0] if text in first else [0.0, 1.0] for text in texts])

    def get_audio_features(self, *, input_features: Any, is_longer: Any) -> Any:
        import torch

        loud = (16 * input_features[..., 0].abs().mean()).clamp(0, 1)
        return torch.stack([loud, 1 - loud])[None]


class Words:
    def __call__(self, texts: list[str], **options: Any) -> dict[str, list[str]]:
        return {"texts": texts}


class Ears:
    sampling_rate, max_length_s = 8000, 10

    def __call__(self, samples: np.ndarray, sampling_rate: int, return_tensors: str) -> dict[str, Any]:
        import torch

        assert sampling_rate == self.sampling_rate and return_tensors == "pt" and len(samples) <= 80000
        return {"input_features": torch.from_numpy(samples)[None, None, :, None], "is_longer": torch.zeros(1, 1, dtype=torch.bool)}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clap_mood, "_load", lambda folder: (Listener(), Ears(), Words()))


@pytest.mark.slow
def test_the_real_network_judges_a_song(clap_folder: Path, drum_loops: ModuleType) -> None:
    loop = drum_loops.drum_loop(120, duration=31)
    steps: list[tuple[int, int]] = []
    choice = Listening(mood=CLAP, mood_places=(clap_folder,))
    timeline = analyse_song(loop.samples, drum_loops.RATE, on_progress=lambda *step: steps.append(step), listening=choice)
    plain = analyse_song(loop.samples, drum_loops.RATE)
    assert [curve.name for curve in timeline.curves] == [curve.name for curve in plain.curves]
    assert timeline.beats == plain.beats and timeline.sections == plain.sections
    changed = {new.name for new, old in zip(timeline.curves, plain.curves, strict=True) if new != old}
    assert changed == {"valence", "arousal"}
    for curve in timeline.curves:
        assert all(0 <= value <= 1 for value in curve.values)
    assert len({len(curve.values) for curve in timeline.curves if curve.name in ("valence", "arousal", "mode")}) == 1
    assert steps == sorted(steps) and steps[-1] == (100, 100) and any(50 < done < 100 for done, _ in steps)
    assert analyse_song(loop.samples, drum_loops.RATE, listening=choice) == timeline


def test_texts_are_told_apart(clap_folder: Path) -> None:
    """The tokenizer and the text side are the folder's own: other texts, other answers."""
    model, _, tokenizer = clap_mood._load(clap_folder / "tiny")
    embedded = clap_mood._embed_texts(model, tokenizer, [pair[0] for pair in VALENCE])
    assert embedded.shape == (3, 16) and np.allclose(embedded.detach().norm(dim=-1), 1, atol=1e-5)
    assert len({tuple(row) for row in embedded.tolist()}) == 3


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize("seconds", [0.5, 7.0, 10.0, 12.5, 15.0, 21.0, 63.7])
def test_windows_cover_the_song_and_lie_where_they_are(seconds: float, tmp_path: Path) -> None:
    """Silence, then noise from two thirds on: the curve rises there, within a window's half."""
    samples = np.random.default_rng(0).standard_normal((1, round(seconds * RATE))).astype(np.float32) * 0.3
    samples[:, : samples.shape[1] * 2 // 3] *= 0.01
    ends: list[int] = []
    moments, valence, arousal = hear_mood(examine_recording(samples, RATE), tmp_path, lambda done, total: ends.append(done))
    assert (np.diff(moments) > 0).all() and (np.diff(moments) <= 5.01).all()
    assert moments[0] == pytest.approx(min(seconds, 10) / 2, abs=0.01) and moments[-1] == pytest.approx(
        seconds - min(seconds, 10) / 2, abs=0.01
    )
    assert ends[-1] == round(seconds)
    assert np.array_equal(valence, arousal) and (np.diff(valence) >= -1e-3).all()
    if seconds > 30:
        assert valence[moments < seconds * 2 / 3 - 5].max() < 0.1 < 0.9 < valence[moments > seconds * 2 / 3 + 5].min()


@pytest.mark.usefixtures("trained")
def test_blocks_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.engine.song import recording

    song = examine_recording(np.random.default_rng(1).standard_normal((2, 40 * RATE)).astype(np.float32), RATE)
    whole = hear_mood(song, tmp_path, ignore_progress)
    monkeypatch.setattr(recording, "BLOCK", 9999)
    pieces = hear_mood(song, tmp_path, ignore_progress)
    assert np.allclose(whole, pieces, atol=1e-4)


def test_what_is_missing_is_said_before_anything_is_heard(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    song = np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32)
    with pytest.raises(MoodError, match="put a folder with all files of laion/larger_clap_music"):
        analyse_song(
            song, RATE, on_progress=lambda *step: heard.append(step), listening=Listening(mood=CLAP, mood_places=(tmp_path / "no",))
        )
    assert not heard
    with pytest.raises(MoodError, match="choose one of: built-in, clap"):
        find_clap("happy", ())
    assert find_clap("built-in", (tmp_path,)) is None


def test_only_a_folder_with_a_clap_counts(clap_folder: Path, tmp_path: Path) -> None:
    for name, config in (("other", '{"model_type": "bert"}'), ("broken", "{"), ("list", "[]")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(config)
        (tmp_path / name / "model.safetensors").write_bytes(b"")
    with pytest.raises(MoodError):
        find_clap(CLAP, (tmp_path,))
    assert find_clap(CLAP, (tmp_path, clap_folder)) == clap_folder / "tiny"
    assert find_clap(CLAP, (clap_folder / "tiny",)) == clap_folder / "tiny"  # its files may lie in models/clap itself


def test_a_damaged_model_is_one_sentence(clap_folder: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "clap" / "cut"
    shutil.copytree(clap_folder / "tiny", folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    song = examine_recording(np.random.default_rng(0).standard_normal((1, RATE)).astype(np.float32), RATE)
    with pytest.raises(MoodError, match="models/clap/cut is no complete CLAP"):
        hear_mood(song, folder, ignore_progress)
