"""VideoReport in ComfyUI's own hands: VIDEOs from files, in memory and trimmed; what it hands on and shows."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "film"))

from drawn_films import BEATS, FPS, RATE, SECONDS, clicks, texture, timeline  # noqa: E402
from pack.nodes.engine.film.video_file import MP4, Sound, VideoFileWriter  # noqa: E402

CUTS = (BEATS[4], BEATS[8], BEATS[12])
SCENES = [texture(seed) for seed in range(4)]


def frames(seconds: float = SECONDS) -> list[np.ndarray]:
    return [SCENES[sum(number >= round(cut * FPS) for cut in CUTS)] for number in range(round(seconds * FPS))]


@pytest.fixture(scope="module")
def film(comfy: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with VideoFileWriter(path, 96, 54, FPS, MP4, sound=Sound(clicks(BEATS), RATE)) as file:
        for frame in frames():
            file.write(frame)
    return path


@pytest.fixture
def report(run_node: Callable[..., Any]) -> Callable[..., Any]:
    from pack.nodes.video_report import VideoReport

    return lambda video, song: run_node(VideoReport, video=video, timeline=song)


def test_a_film_gives_text_numbers_and_a_plot(film: Path, report: Callable[..., Any]) -> None:
    from comfy_api.latest import InputImpl

    result = report(InputImpl.VideoFromFile(str(film)), timeline(cuts=CUTS))
    text, numbers, plot = result.result
    measured = json.loads(numbers)
    assert "3 of 3 planned cuts" in text and measured["cuts"]["within_half_a_frame"] == 3
    assert measured["sound"]["offset"] == pytest.approx(0.0, abs=0.003)
    assert plot.shape == (1, 470, 900, 3) and plot.dtype == torch.float32 and plot.std() > 0.05
    assert result.ui["text"] == (text,) and result.ui["images"][0]["type"] == "temp"


def test_a_video_in_memory_is_measured_too(report: Callable[..., Any]) -> None:
    from comfy_api.latest import InputImpl, Types

    images = torch.from_numpy(np.stack(frames()).astype(np.float32) / 255)
    audio: Any = {"waveform": torch.from_numpy(clicks(BEATS, late=0.04))[None], "sample_rate": RATE}
    for sound, offset in ((audio, 0.04), (None, None)):
        video = InputImpl.VideoFromComponents(Types.VideoComponents(images=images, audio=sound, frame_rate=Fraction(24)))
        measured = json.loads(report(video, timeline(cuts=CUTS)).result[1])
        assert measured["cuts"]["found"] == 3
        assert (measured["sound"] and measured["sound"]["offset"]) == (offset and pytest.approx(offset, abs=0.003))


def test_what_does_not_fit_is_one_sentence(film: Path, report: Callable[..., Any]) -> None:
    from comfy_api.latest import InputImpl

    with pytest.raises(ValueError, match="connect the timeline that this film was made from") as caught:
        report(InputImpl.VideoFromFile(str(film)), timeline(60.0))
    assert "\n" not in str(caught.value)
