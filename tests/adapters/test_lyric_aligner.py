"""LyricAligner as ComfyUI runs it: without a model, with the wrong song, with models that are not there, with one that is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pack.nodes.engine.song.lyrics.aligner import MIX_DRAFT, STEM_DRAFT
from pack.nodes.engine.song.lyrics.sheet import LyricError
from pack.nodes.engine.song.lyrics.whisper_models import RecogniserError
from pack.nodes.engine.timeline import Timeline, TimelineError, hash_samples

sys.path.append(str(Path(__file__).resolve().parents[1] / "song"))

RATE = 16000
LRC = "[00:01.00]<00:01.00>Hold <00:01.50>me<00:02.00>\n[00:04.00]<00:04.00>tonight<00:05.00>\n"


def sound(seconds: float = 9.0, seed: int = 0) -> dict[str, Any]:
    noise = 0.1 * np.random.default_rng(seed).standard_normal((1, 2, int(seconds * RATE)))
    return {"waveform": torch.from_numpy(noise.astype(np.float32)), "sample_rate": RATE}


def timeline_of(audio: dict[str, Any]) -> Timeline:
    samples = audio["waveform"][0].numpy()
    return Timeline(samples.shape[1] / RATE, RATE, hash_samples(samples, RATE), remarks=("heard before",))


@pytest.fixture
def align(run_node: Callable[..., Any]) -> Callable[..., Any]:
    from pack.nodes.lyric_aligner import LyricAligner

    def run(**inputs: Any) -> Any:
        audio = sound()
        return run_node(LyricAligner, **{"timeline": timeline_of(audio), "audio": audio, "language": "auto", "model": "none", **inputs})

    return run


def test_pasted_times_go_through_as_they_are(align: Callable[..., Any]) -> None:
    output = align(lyrics=LRC)
    timeline, lrc, srt, ass = output.result
    assert [word.start for line in timeline.lines for word in line.words] == [1.0, 1.5, 4.0]
    assert lrc == LRC and srt.startswith("1\n00:00:01,000 --> 00:00:02,000\nHold me\n") and "{\\k50}Hold {\\k50}me" in ass
    assert output.ui == {"music_video_lyrics": [LRC], "music_video_remarks": []} and timeline.remarks == ("heard before",)


@pytest.mark.slow
def test_text_without_a_model_is_a_draft_that_says_so(align: Callable[..., Any]) -> None:
    output = align(lyrics="Hold me\ntonight")
    assert len(output.result[0].lines) == 2 and output.ui["music_video_remarks"] == [MIX_DRAFT]
    assert align(lyrics="Hold me\ntonight", vocals=sound(seed=1)).ui["music_video_remarks"] == [STEM_DRAFT]


def test_nothing_to_align_is_one_sentence(align: Callable[..., Any]) -> None:
    with pytest.raises(LyricError, match="There are no lyrics to align"):
        align()


def test_another_song_beside_the_timeline_is_refused(align: Callable[..., Any]) -> None:
    with pytest.raises(TimelineError, match="made from another song"):
        align(timeline=timeline_of(sound(seed=5)), lyrics=LRC)


def test_edits_are_laid_over(align: Callable[..., Any]) -> None:
    edits = '{"schema": "lyric-edits/1", "edits": [{"line": 1, "word": 1, "text": "hold", "start": 1.25}]}'
    assert align(lyrics=LRC, edits=edits).result[0].lines[0].words[0].start == 1.25


def test_a_model_that_is_not_there_is_one_sentence(comfy: SimpleNamespace) -> None:
    from pack.nodes.lyric_aligner import LyricAligner

    validate = LyricAligner.validate_inputs
    assert validate("none") is True and validate("large-v3") is True and validate(None) is True
    assert "no Whisper model '../../secret' here" in str(validate("../../secret"))
    assert "no Whisper model 'my-model' here" in str(validate("my-model")) and "models/faster-whisper/my-model" in str(validate("my-model"))


def models_folder(comfy: SimpleNamespace) -> Path:
    return Path(comfy.folder_paths.models_dir) / "whisper"


@pytest.fixture
def broken(comfy: SimpleNamespace) -> Any:
    folder = models_folder(comfy) / "broken"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"x")
    yield folder
    (folder / "model.bin").unlink()
    folder.rmdir()


def test_models_that_lie_there_are_offered(align: Callable[..., Any], broken: Path) -> None:
    from pack.nodes.lyric_aligner import LyricAligner
    from pack.nodes.whisper_folder import list_choices

    assert list_choices()[0] == "none" and "broken" in list_choices() and list_choices().count("small") == 1
    assert LyricAligner.validate_inputs("broken") is True
    with pytest.raises(RecogniserError, match="models/whisper/broken is not whole"):
        align(lyrics="Hold me", model="broken")
    assert align(lyrics=LRC, model="broken").result[1] == LRC, "pasted times need no model"


def test_a_size_is_fetched_once_it_is_needed(align: Callable[..., Any], comfy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes import whisper_folder

    said, fetched = [], []

    def fetch(name: str, root: Path) -> Path:
        fetched.append((name, root))
        raise RecogniserError("no connection")

    monkeypatch.setattr(whisper_folder, "fetch_model", fetch)
    monkeypatch.setattr(whisper_folder, "show_status", lambda node_id, text: said.append(text))
    align(lyrics=LRC, model="tiny")
    assert not fetched
    with pytest.raises(RecogniserError, match="no connection"):
        align(lyrics="Hold me", model="tiny")
    root = Path(comfy.folder_paths.models_dir) / "faster-whisper"
    assert fetched == [("tiny", root)] and "75 MB" in said[0]
    (root / "tiny").mkdir(parents=True)
    (root / "tiny" / "model.bin").write_bytes(b"the rest never came")
    try:
        with pytest.raises(RecogniserError, match="no connection"):
            align(lyrics="Hold me", model="tiny")
    finally:
        (root / "tiny" / "model.bin").unlink()
        (root / "tiny").rmdir()
    assert len(fetched) == 2, "a fetch that was cut short goes on"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_model_that_lies_there_is_heard(align: Callable[..., Any], comfy: SimpleNamespace) -> None:
    pytest.importorskip("faster_whisper")
    import tiny_whisper

    tiny_whisper.build(models_folder(comfy) / "seven words", "carry me home over the silver water")
    output = align(lyrics="Carry me home\nover the silver water", model="seven words")
    assert [line.text for line in output.result[0].lines] == ["Carry me home", "over the silver water"]
    assert output.ui["music_video_remarks"] == []


def test_a_run_can_be_interrupted(align: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import comfy.model_management as management

    management.interrupt_current_processing(True)
    with pytest.raises(management.InterruptProcessingException):
        align(lyrics="Hold me")
