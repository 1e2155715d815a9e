"""The main job on a real server: a song in, a film out; stopped, killed and gone on with."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runner.client import output_files

pytestmark = [pytest.mark.host, pytest.mark.slow]
SMALL = {"width": 128, "height": 64, "fps": 6, "steps": 2, "cfg": 1}
ROOT = Path(__file__).resolve().parents[2]
DEMO = json.loads((ROOT / "workflows" / "assets" / "demo_song.json").read_text(encoding="utf-8"))


def id_of(prompt: dict[str, Any], kind: str) -> str:
    return next(node_id for node_id, node in prompt.items() if node["class_type"] == kind)


def quickstart(host: Any, name: str, seconds: float = 0.0, **sampler: Any) -> dict[str, Any]:
    """The template as it stands, but small, saved under a name of its own, and only the song's first seconds if any are given."""
    prompt = host.template("quickstart")
    if seconds:
        song = id_of(prompt, "LoadAudio")
        for node in prompt.values():
            node["inputs"].update({name: ["trim", 0] for name, value in node["inputs"].items() if value == [song, 0]})
        inputs = {"audio": [song, 0], "start_index": 0.0, "duration": seconds}
        prompt["trim"] = {"class_type": "TrimAudioDuration", "inputs": inputs, "_meta": {"title": "Trim"}}
    prompt[id_of(prompt, "BeatSyncedSampler")]["inputs"].update({**SMALL, **sampler})
    prompt[id_of(prompt, "VideoAssembler")]["inputs"]["filename_prefix"] = f"test/{name}"
    return prompt


def film_of(host: Any, outputs: dict[str, Any]) -> Path:
    return next(path for path in output_files(outputs, host.base) if path.suffix == ".mp4")


def pictures(path: Path) -> str:
    """One hash of everything one can see and hear, so that the date in a file's header does not matter."""
    import av

    digest = hashlib.sha256()
    with av.open(str(path)) as container:
        for packet in container.demux():
            digest.update(bytes(packet))
    return digest.hexdigest()


def clips_of(host: Any) -> dict[str, int]:
    """Every finished clip and the number of its file on the disk, which changes when it is written again."""
    return {path.name: path.stat().st_ino for path in (host.base / "output" / "music_video" / "clips").glob("*.mp4")}


def wait_for_clips(host: Any, number: int, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while len(clips_of(host)) < number:
        assert time.monotonic() < deadline, "no clip was finished in time"
        time.sleep(0.05)


def test_a_song_becomes_a_film(host: Any) -> None:
    import av

    prompt = quickstart(host, "film", DEMO["duration"])  # trimmed to itself: nodes that another test left in the cache would show nothing
    prompt["90"] = {"class_type": "PreviewAny", "inputs": {"source": [id_of(prompt, "StoryboardWriter"), 0]}, "_meta": {"title": "Text"}}
    outputs = host.run(prompt)
    with av.open(str(film_of(host, outputs))) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        frames = sum(1 for _ in container.decode(video))
        assert (video.width, video.height, video.average_rate, sound.codec_context.name) == (128, 64, 6, "aac")
        assert abs(frames / 6 - DEMO["duration"]) < 1 / 6
    plan = json.loads("".join(outputs["90"]["text"]))
    assert plan["schema"] == "timeline/1"
    assert abs(plan["duration"] - DEMO["duration"]) < 0.01
    assert len(plan["shots"]) >= 4
    assert json.loads("".join(outputs[id_of(prompt, "StoryboardWriter")]["music_video_plan"]))["shots"]
    assert any(item["type"] == "temp" for item in outputs[id_of(prompt, "AudioBeatAnalyzer")]["images"])


def test_one_edited_shot_is_one_new_clip(host: Any) -> None:
    prompt = quickstart(host, "edit", 8, seed=11)
    writer = id_of(prompt, "StoryboardWriter")
    plan = json.loads("".join(host.run(prompt)[writer]["music_video_plan"]))
    before = clips_of(host)
    plan["shots"][1]["prompt"] += ", snow"
    prompt[writer]["inputs"]["edited_plan"] = json.dumps(plan)
    host.run(prompt)
    after = clips_of(host)
    assert len(after) == len(before) + 1
    assert all(after[name] == number for name, number in before.items())


def test_a_broken_plan_is_one_sentence(host: Any) -> None:
    prompt = quickstart(host, "broken", 8)
    prompt[id_of(prompt, "StoryboardWriter")]["inputs"]["edited_plan"] = "{"
    entry = host.wait(host.queue(prompt))
    said = host.error_of(entry)
    assert entry["status"]["status_str"] == "error"
    assert "JSON" in said and "Traceback" not in said


def test_interrupt_stops_within_seconds(host: Any) -> None:
    prompt = quickstart(host, "stopped", 8, width=256, height=256, steps=50, batch_frames=1, seed=12)
    run_id = host.queue(prompt)
    time.sleep(8)  # the song's analysis is cached from the tests before, so the sampler is at work
    assert host.get("/queue")["queue_running"]
    started = time.monotonic()
    host.post("/interrupt", {})
    entry = host.wait(run_id, 60)
    assert time.monotonic() - started < 15
    assert "interrupted" in str(entry["status"]["messages"])


@pytest.fixture
def fresh_host(start_host: Callable[..., Any], tmp_path: Path) -> Any:
    return start_host(tmp_path / "base")


def test_a_killed_render_goes_on_where_it_was(host: Any, fresh_host: Any, start_host: Callable[..., Any]) -> None:
    """Killed as by a power cut after its first clip; a new server finds it, and the film is the same to the last bit."""
    whole = film_of(host, host.run(quickstart(host, "whole", 8, seed=13)))
    fresh_host.queue(quickstart(fresh_host, "again", 8, seed=13))
    wait_for_clips(fresh_host, 1)
    fresh_host.server.kill()
    kept = clips_of(fresh_host)
    second = start_host(fresh_host.base)
    again = film_of(second, second.run(quickstart(second, "again", 8, seed=13)))
    after = clips_of(second)
    second.server.stop()
    assert len(after) > len(kept) >= 1
    assert all(after[name] == number for name, number in kept.items())
    assert pictures(again) == pictures(whole)


def test_curves_of_the_song_move_the_film(host: Any) -> None:
    """Timeline Curves feeds the sampler's curves as the editor links them; a curve at another frame rate is one clear sentence."""

    def film(name: str, fps: int) -> dict[str, Any]:
        prompt = quickstart(host, name, 4.0, movement="cut hard")
        timeline = prompt[id_of(prompt, "BeatSyncedSampler")]["inputs"]["timeline"]
        inputs = {"timeline": timeline, "fps": fps, "curve": "beat pulse", "low": 0.0, "high": 0.1}
        prompt["curve"] = {"class_type": "TimelineCurves", "inputs": inputs, "_meta": {"title": "Curve"}}
        prompt[id_of(prompt, "BeatSyncedSampler")]["inputs"]["zoom_curve"] = ["curve", 0]
        return prompt

    assert film_of(host, host.run(film("curves", SMALL["fps"]))).is_file()
    entry = host.wait(host.queue(film("other curves", 12)))
    assert "zoom_curve has 48 values, but the film has 24 frames at 6 a second" in host.error_of(entry)
