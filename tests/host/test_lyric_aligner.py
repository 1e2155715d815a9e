"""Lyric Aligner on a running ComfyUI: pasted times reach the outputs, and a model that is not there is refused in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.host


def prompt(model: str, lyrics: str) -> dict[str, Any]:
    song = {"class_type": "LoadAudio", "inputs": {"audio": "demo_song.ogg"}}
    timeline = {"class_type": "AudioBeatAnalyzer", "inputs": {"audio": ["1", 0], "metre": "auto", "tempo": "auto"}}
    wishes = {"language": "auto", "model": model, "lyrics": lyrics}
    aligner = {"class_type": "LyricAligner", "inputs": {"timeline": ["2", 0], "audio": ["1", 0], **wishes}}
    return {"1": song, "2": timeline, "3": aligner, "4": {"class_type": "PreviewAny", "inputs": {"source": ["3", 2]}}}


def test_pasted_times_reach_every_output(host: Any) -> None:
    outputs = host.run(prompt("none", "[00:01.00]Hold me\n[00:02.50]\n[99:00.00]never"))
    assert outputs["3"]["music_video_lyrics"] == ["[00:01.00]Hold me\n[00:02.50]\n"]
    assert "1 line begins after the end of the song" in outputs["3"]["music_video_remarks"][0]
    assert outputs["4"]["text"] == ["1\n00:00:01,000 --> 00:00:02,500\nHold me\n"]


def test_a_model_that_is_not_there_is_refused_before_anything_runs(host: Any) -> None:
    answer = host.post("/prompt", {"prompt": prompt("my-model", "Hold me")})
    details = answer["node_errors"]["3"]["errors"][0]["details"]
    assert "There is no Whisper model 'my-model' here" in details and "models/faster-whisper/my-model" in details
    offered = host.get("/object_info/LyricAligner")["LyricAligner"]["input"]["required"]["model"]
    assert "large-v3-turbo" in str(offered)


def test_nothing_to_align_says_what_to_do(host: Any) -> None:
    entry = host.wait(host.queue(prompt("none", "")))
    assert "There are no lyrics to align: paste them into lyrics" in host.error_of(entry)
