"""A loop over the shots with core's own nodes in it, on a real server: caching, resuming, memory, and what is said when it is miswired."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pack.nodes.engine.film.video_file import read_frames
from runner.client import output_files

pytestmark = [pytest.mark.host, pytest.mark.slow]
SECONDS = 8.0


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


def with_defaults(host: Any, kind: str, **inputs: Any) -> dict[str, Any]:
    """A node as the page would send it: every widget that is not given has its default."""
    spec = host.get(f"/object_info/{kind}")[kind]["input"]
    values: dict[str, Any] = {}
    for name, (form, *options) in {**spec["required"], **spec.get("optional", {})}.items():
        given = options[0] if options else {}
        if "default" in given:
            values[name] = given["default"]
        elif isinstance(form, list) or form == "COMBO":
            values[name] = (form if isinstance(form, list) else given["options"])[0]
    return node(kind, **{**values, **inputs})


def loop(host: Any, body: dict[str, Any], frames: list[Any], name: str, start: dict[str, Any] | None = None, **end: Any) -> dict[str, Any]:
    """A film whose shots come from `frames`, a link to a node of the body."""
    return {
        "song": node("LoadAudio", audio="demo_song.ogg"),
        "trim": node("TrimAudioDuration", audio=["song", 0], start_index=0.0, duration=SECONDS),
        "listen": with_defaults(host, "AudioBeatAnalyzer", audio=["trim", 0]),
        "plan": with_defaults(host, "StoryboardWriter", timeline=["listen", 0]),
        "start": with_defaults(host, "ShotLoopStart", timeline=["plan", 0], **{"fps": 6.0, **(start or {})}),
        **body,
        "end": with_defaults(host, "ShotLoopEnd", loop=["start", 0], frames=frames, **end),
        "film": with_defaults(
            host, "VideoAssembler", timeline=["plan", 0], clips=["end", 0], audio=["trim", 0], filename_prefix=f"test/{name}"
        ),
    }


def painted(seed: int = 0) -> dict[str, Any]:
    """Pictures of the shot's own length, drawn by the built-in model."""
    return {
        "model": node("DemoModelLoader"),
        "words": node("CLIPTextEncode", clip=["model", 1], text=["start", 2]),
        "latent": node("EmptyLatentImage", width=64, height=64, batch_size=["start", 5]),
        "draw": node(
            "KSampler", model=["model", 0], positive=["words", 0], negative=["words", 0], latent_image=["latent", 0], seed=["start", 4],
            steps=1 + seed, cfg=1.0, sampler_name="euler", scheduler="simple", denoise=1.0),
        "decode": node("VAEDecode", samples=["draw", 0], vae=["model", 2]),
    }  # fmt: skip


def clips_of(host: Any) -> dict[str, int]:
    """Every finished clip and the number of its file on the disk, which changes when it is written again."""
    return {path.name: path.stat().st_ino for path in (host.base / "output" / "music_video" / "clips").glob("*.mp4")}


def film_of(host: Any, outputs: dict[str, Any]) -> Path:
    return next(path for path in output_files(outputs, host.base) if path.suffix == ".mp4")


def plan_of(outputs: dict[str, Any]) -> dict[str, Any]:
    return json.loads("".join(outputs["plan"]["music_video_plan"]))


def failure(host: Any, prompt: dict[str, Any]) -> str:
    entry = host.wait(host.queue(prompt))
    assert entry["status"]["status_str"] == "error"
    return host.error_of(entry)


def test_any_nodes_make_the_film_and_an_edit_redraws_one_shot(host: Any) -> None:
    import av

    before = clips_of(host)
    prompt = loop(host, painted(), ["decode", 0], "loop")
    outputs = host.run(prompt)
    plan = plan_of(outputs)
    made = {name: number for name, number in clips_of(host).items() if name not in before}
    assert len(made) == len(plan["shots"]) >= 2
    with av.open(str(film_of(host, outputs))) as container:
        assert sum(1 for _ in container.decode(video=0)) == SECONDS * 6
    plan["shots"][1]["prompt"] += ", snow"
    prompt["plan"]["inputs"]["edited_plan"] = json.dumps(plan)
    host.run(prompt)
    after = clips_of(host)
    assert len(after) == len(before) + len(made) + 1
    assert all(after[name] == number for name, number in made.items())


def test_previews_in_the_loop_show_every_shot(host: Any) -> None:
    body = {**painted(1), "peek": node("PreviewImage", images=["decode", 0])}
    outputs = host.run(loop(host, body, ["decode", 0], "peek"))
    peeks = [result["images"] for name, result in outputs.items() if name.endswith(".peek")]
    assert len(peeks) == len(plan_of(outputs)["shots"]) and sum(map(len, peeks)) == SECONDS * 6


def test_stopped_and_gone_on_with(host: Any) -> None:
    before = set(clips_of(host))
    slow = {**painted(), "draw": {**painted()["draw"], "inputs": {**painted()["draw"]["inputs"], "steps": 150}}}
    run_id = host.queue(loop(host, slow, ["decode", 0], "stopped"))
    deadline = time.monotonic() + 120
    while set(clips_of(host)) <= before:
        assert time.monotonic() < deadline, "no clip was finished in time"
        time.sleep(0.05)
    host.post("/interrupt", {})
    assert "interrupted" in str(host.wait(run_id, 60)["status"]["messages"])
    kept = {name: number for name, number in clips_of(host).items() if name not in before}
    shots = len(plan_of(host.run(loop(host, slow, ["decode", 0], "stopped")))["shots"])
    after = {name: number for name, number in clips_of(host).items() if name not in before}
    assert 1 <= len(kept) < len(after) == shots
    assert all(after[name] == number for name, number in kept.items())


def test_a_loop_gives_each_shot_its_own_picture_sound_and_length(host: Any) -> None:
    """An image-to-video model's inputs, stood in for by nodes that show what they are given: the keyframe, held for the length."""
    body = {
        "one": node("EmptyImage", width=32, height=32, batch_size=1, color=0xFF0000),
        "two": node("RepeatImageBatch", image=["start", 7], amount=["start", 5]),
        "hear": node("PreviewAudio", audio=["start", 8]),
    }
    start = {"keyframes": ["one", 0], "audio": ["trim", 0], "model_fps": 4.0, "frame_grid": "4n+1"}
    outputs = host.run(loop(host, body, ["two", 0], "picture", start))
    film = next(iter(read_frames(film_of(host, outputs))))
    assert film[16, 16, 0] > 230 and film[16, 16, 1] < 30
    assert sum(name.endswith(".hear") for name in outputs) == len(plan_of(outputs)["shots"])


def test_miswired_loops_are_one_sentence(host: Any) -> None:
    constant = {"one": node("EmptyImage", width=32, height=32, batch_size=1, color=0)}
    held = {"two": node("RepeatImageBatch", image=["start", 7], amount=["start", 5])}
    assert "connect 'keyframes'" in failure(host, loop(host, held, ["two", 0], "none"))
    assert "came for it" in failure(host, loop(host, constant, ["one", 0], "short"))
    leak = loop(host, constant, ["one", 0], "leak", short_clips="hold last frame")
    leak["film"]["inputs"]["quality"] = ["start", 9]
    assert "takes a value of a single shot" in failure(host, leak)


def peak_of(pid: int) -> int:
    """The most memory that a process has had since `forget_peak`, in bytes."""
    return next(int(line.split()[1]) * 1024 for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))


def forget_peak(pid: int) -> int:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_of(pid)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells how much memory a process had at most")
@pytest.mark.parametrize("mode", ["", "--cache-classic", "--cache-lru=1000"])
def test_one_shot_is_in_memory_at_a_time(host: Any, start_host: Callable[..., Any], tmp_path: Path, mode: str) -> None:
    server = start_host(tmp_path / "base", mode) if mode else host
    size, fps = 512, 24
    body = {
        "make": node("EmptyImage", width=size, height=size, batch_size=["start", 5], color=0x336699),
        "turn": node("ImageInvert", image=["make", 0]),
    }
    plain = loop(server, body, ["turn", 0], "warm", {"fps": 1.0})
    server.run(plain)
    before = forget_peak(server.server.process.pid)
    outputs = server.run(loop(server, body, ["turn", 0], "memory", {"fps": float(fps)}))
    grown = peak_of(server.server.process.pid) - before
    lengths = [shot["end"] - shot["start"] for shot in plan_of(outputs)["shots"]]
    second = fps * size * size * 12 * 2  # bytes of one second: both nodes, three floats a pixel
    assert len(lengths) >= 3
    assert grown < max(lengths) * second * 1.25 + 100 * 2**20, f"all shots together are {sum(lengths) * second / 2**20:.0f} MiB"
    if mode:
        server.server.stop()
