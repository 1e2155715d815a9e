"""VideoAssembler in ComfyUI's own hands: what it takes, where it writes, what core's nodes make of its film."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch
from pack.nodes.engine.timeline import Shot, Timeline, hash_samples

RATE = 22050
SONG = torch.rand(1, 2, RATE * 2, generator=torch.Generator().manual_seed(0)) - 0.5
TIMELINE = Timeline(
    2.0, sample_rate=RATE, audio_sha256=hash_samples(SONG[0].numpy(), RATE), shots=(Shot(0.0, 0.75, "", 0), Shot(0.75, 2.0, "", 1))
)
SETTINGS: dict[str, Any] = {
    "format": "MP4 (H.264 + AAC)", "transition": "cut", "transition_seconds": 0.5, "short_clips": "stop", "lyrics": "none",
    "width": 0, "height": 0, "fps": 24.0, "quality": 80, "filename_prefix": "music_video/film",
}  # fmt: skip


def image(frames: int, value: float = 0.5, channels: int = 3, width: int = 64) -> torch.Tensor:
    return torch.full((frames, 48, width, channels), value)


BATCHES = [image(18, 0.2), image(30, 0.8)]


@pytest.fixture
def output(comfy: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import folder_paths

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    return tmp_path / "output"


@pytest.fixture
def assemble(run_node: Callable[..., Any], output: Path) -> Callable[..., Any]:
    """Runs the node; every input is a list, as ComfyUI hands them to a node that takes lists."""
    from pack.nodes.video_assembler import VideoAssembler

    def run(clips: list[Any], timeline: Timeline = TIMELINE, audio: Any = None, **changes: Any) -> Any:
        sound = audio or {"waveform": SONG, "sample_rate": RATE}
        values = {name: [value] for name, value in (SETTINGS | changes).items()}
        return run_node(VideoAssembler, timeline=[timeline], clips=clips, audio=[sound], **values)

    return run


def video(images: torch.Tensor, fps: Fraction = Fraction(24)) -> Any:
    from comfy_api.latest import InputImpl, Types

    return InputImpl.VideoFromComponents(Types.VideoComponents(images=images, frame_rate=fps))


def test_the_film_is_a_core_video_in_the_output_folder(assemble: Callable[..., Any], output: Path) -> None:
    result = assemble(BATCHES)
    film = result.result[0]
    path = output / "music_video" / "film_00001_.mp4"
    assert film.get_stream_source() == str(path) and os.listdir(path.parent) == [path.name]
    assert (film.get_dimensions(), film.get_frame_count(), film.get_frame_rate()) == ((64, 48), 48, 24)
    shown = result.ui.as_dict() if hasattr(result.ui, "as_dict") else result.ui
    assert shown["images"] == [{"filename": path.name, "subfolder": "music_video", "type": "output"}]
    components = film.get_components()
    levels = components.images.mean(dim=(1, 2, 3))
    assert levels[17] < 0.3 < 0.7 < levels[18] and components.audio["waveform"].shape[1] == 2
    assert assemble(BATCHES).result[0].get_stream_source().endswith("film_00002_.mp4")


def test_videos_and_pictures_mix_and_alpha_lies_on_black(assemble: Callable[..., Any]) -> None:
    clips = [video(image(18, 0.5)), torch.cat([image(30, 1.0), image(30, 0.5, 1)], dim=-1)]
    levels = assemble(clips).result[0].get_components().images.mean(dim=(1, 2, 3))
    assert torch.allclose(levels, torch.full((48,), 0.5), atol=0.02)


def test_a_trimmed_video_keeps_its_trim(assemble: Callable[..., Any]) -> None:
    from comfy_api.latest import InputImpl

    film = assemble(BATCHES).result[0]
    part = InputImpl.VideoFromFile(film.get_stream_source(), start_time=0.75, duration=1.25)
    again = assemble([part, part], short_clips="stop").result[0]
    assert float(again.get_components().images.mean(dim=(1, 2, 3)).min()) > 0.7


def test_save_video_copies_the_packets(assemble: Callable[..., Any], run_node: Callable[..., Any], output: Path) -> None:
    from comfy_extras.nodes_video import SaveVideo

    film = assemble(BATCHES).result[0]
    run_node(SaveVideo, video=film, filename_prefix="copy", format="auto", codec={"codec": "auto"})
    (copy,) = output.glob("copy_*.mp4")
    assert packets(copy) == packets(Path(film.get_stream_source()))


def packets(path: Path) -> list[tuple[str, int | None, bytes]]:
    with av.open(str(path)) as container:
        return sorted((packet.stream.type, packet.pts, bytes(packet)) for packet in container.demux() if packet.size)


def test_the_graph_travels_with_the_film(assemble: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.video_assembler import VideoAssembler

    tags = {"prompt": '{"1": {}}', "workflow": '{"nodes": []}'}
    monkeypatch.setattr(VideoAssembler, "_tags", classmethod(lambda cls, made: tags))
    with av.open(assemble(BATCHES).result[0].get_stream_source()) as container:
        assert {name: container.metadata[name] for name in tags} == tags


def test_the_tags_are_core_s_and_can_be_switched_off(comfy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from comfy.cli_args import args
    from pack.nodes.video_assembler import VideoAssembler

    clone = VideoAssembler.PREPARE_CLASS_CLONE({"hidden_inputs": {}})
    monkeypatch.setattr(clone, "hidden", SimpleNamespace(prompt={"1": {}}, extra_pnginfo={"workflow": {"nodes": []}}), raising=False)
    tags = {name: json.loads(text) for name, text in clone._tags({"made": "1"}).items()}
    assert tags == {"made": 1, "prompt": {"1": {}}, "workflow": {"nodes": []}}
    monkeypatch.setattr(args, "disable_metadata", True)
    assert clone._tags({"made": "1"}) == {}


@pytest.mark.parametrize("prefix", ["../film", "/etc/film", "a/../../film", "..", "", "film\0", "a/", "C:/../../../x/y"])
def test_a_prefix_cannot_leave_the_output_folder(prefix: str, assemble: Callable[..., Any], output: Path) -> None:
    try:
        assemble(BATCHES, filename_prefix=prefix)
    except ValueError as error:
        assert "prefix" in str(error) and "\n" not in str(error) and str(output) not in str(error)
    found = [path for path in output.parent.rglob("*") if path.is_file()]
    assert all(output in path.parents for path in found)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fps": 0.0}, "Pictures have no frame rate"),
        ({"fps": 0.5}, "choose one from 1 to 240"),
        ({"clips": [image(0)] * 2}, "empty"),
        ({"clips": [None, None]}, "empty"),
        ({"clips": [image(18)]}, "There is 1 clip for 2 shots"),
        ({"clips": [image(18), image(9)]}, "Clip 2 lasts"),
        ({"audio": {"waveform": SONG * 0.5, "sample_rate": RATE}}, "another song"),
        ({"audio": {"waveform": SONG[:, :, :0], "sample_rate": RATE}}, "empty"),
    ],
)
def test_bad_input_is_one_sentence_and_no_file(changes: dict[str, Any], words: str, assemble: Callable[..., Any], output: Path) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        assemble(**({"clips": BATCHES} | changes))
    assert "\n" not in str(caught.value) and not [path for path in output.rglob("*") if path.is_file()]


def test_an_interrupt_stops_within_a_frame_and_leaves_nothing(assemble: Callable[..., Any], output: Path) -> None:
    import comfy.model_management

    comfy.model_management.interrupt_current_processing(True)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        assemble(BATCHES)
    assert not [path for path in output.rglob("*") if path.is_file()]


def test_progress_counts_frames(assemble: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import comfy.utils

    seen = []
    monkeypatch.setattr(comfy.utils.ProgressBar, "update_absolute", lambda self, done, total=None, preview=None: seen.append((done, total)))
    assemble(BATCHES)
    assert seen == [(number, 48) for number in range(49)]


def test_half_precision_pictures_are_taken(assemble: Callable[..., Any]) -> None:
    film = assemble([batch.to(torch.float16) for batch in BATCHES]).result[0]
    assert np.isclose(float(film.get_components().images[0].mean()), 0.2, atol=0.02)
