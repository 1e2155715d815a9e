"""StoryboardWriter, TimelineCurves and the sockets: thin, but they are what other nodes connect to."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pack.nodes.engine.timeline import Beat, Curve, Timeline, TimelineError

SONG = Timeline(
    20.0,
    beats=tuple(Beat(0.5 * n, n % 4 + 1) for n in range(40)),
    beat_confidence=0.9,
    downbeat_confidence=0.9,
    curves=tuple(Curve(name, 50.0, (0.25, 0.75) * 500) for name in ("onset", "loudness", "bass")),
)
WISHES: dict[str, Any] = {
    "style": "ink", "prompts": "a sea\na city", "pace": "balanced", "motion": "by music", "seed": 1, "shortest": 0.8, "longest": 8.0,
}  # fmt: skip


def test_the_plan_goes_out_to_the_page_and_comes_back_edited(run_node: Callable[..., Any]) -> None:
    from pack.nodes.storyboard_writer import StoryboardWriter

    first = run_node(StoryboardWriter, timeline=SONG, **WISHES)
    planned, plan, _ = first.result
    assert first.ui["music_video_plan"] == [plan] and planned.shots
    data = json.loads(plan)
    data["shots"][0]["prompt"] = "mine"
    edited, _, _ = run_node(StoryboardWriter, timeline=SONG, **WISHES, edited_plan=json.dumps(data)).result
    assert edited.shots[0].prompt == "mine" and edited.shots[1:] == planned.shots[1:]
    with pytest.raises(TimelineError, match="no JSON"):
        run_node(StoryboardWriter, timeline=SONG, **WISHES, edited_plan="{")


def test_a_language_model_writes_the_shots_between_two_writers(run_node: Callable[..., Any]) -> None:
    from pack.nodes.storyboard_writer import StoryboardWriter

    planned, _, brief = run_node(StoryboardWriter, timeline=SONG, **WISHES).result
    assert f"from 1 to {len(planned.shots)}," in brief
    other = {**WISHES, "pace": "lively", "prompts": ""}
    directed, plan, _ = run_node(StoryboardWriter, timeline=planned, **other, person="zuqvex", screenplay="Shot 1: {person} at sea").result
    assert directed.shots[0].prompt == "zuqvex person at sea, ink" and directed.shots[1:] == planned.shots[1:]
    assert "zuqvex person at sea" in plan and "shots 2 to" in directed.remarks[-1]
    alone, _, _ = run_node(StoryboardWriter, timeline=SONG, **WISHES, screenplay="Shot 2: a hill").result
    assert [shot.start for shot in alone.shots] == [shot.start for shot in planned.shots] and alone.shots[1].prompt == "a hill, ink"
    silent, _, _ = run_node(StoryboardWriter, timeline=planned, **WISHES, screenplay="").result
    assert silent.shots == planned.shots and "not understood" in silent.remarks[-1]


def test_a_storyboard_leaves_as_text_and_comes_back(run_node: Callable[..., Any]) -> None:
    from pack.nodes.storyboard_export import FORMATS, StoryboardExport
    from pack.nodes.storyboard_writer import StoryboardWriter

    planned, plan, _ = run_node(StoryboardWriter, timeline=SONG, **WISHES).result
    texts = {kind: run_node(StoryboardExport, timeline=planned, format=kind, fps=29.97).result[0] for kind in FORMATS}
    assert texts["json"] == plan and texts["edl"].startswith("TITLE:") and json.loads(texts["otio"])["OTIO_SCHEMA"] == "Timeline.1"
    again, _, _ = run_node(StoryboardWriter, timeline=SONG, **WISHES, edited_plan=texts["csv"]).result
    assert again.shots == planned.shots
    with pytest.raises(ValueError, match="no shots yet"):
        run_node(StoryboardExport, timeline=SONG, format="edl", fps=24.0)


def test_curves_come_in_the_three_forms_that_other_packs_take(run_node: Callable[..., Any]) -> None:
    from pack.nodes.timeline_curves import TimelineCurves

    floats, values, schedule = run_node(TimelineCurves, timeline=SONG, fps=24.0, curve="downbeat pulse", low=1.0, high=3.0).result
    assert floats == values and len(floats) == 480 and max(floats) == 3.0 and min(floats) == pytest.approx(1.0, abs=0.01)
    assert schedule.startswith("0:(3), ") and schedule.endswith(")")


def test_core_prints_a_timeline_as_its_json(comfy: SimpleNamespace) -> None:
    from comfy_extras.nodes_preview_any import PreviewAny

    assert Timeline.from_json(PreviewAny().main(SONG)["result"][0]) == SONG


@pytest.mark.parametrize(("waveform", "says"), [(None, "no sound"), ((0, 2, 100), "empty"), ((1, 2, 0), "empty"), ((1, 0, 9), "empty")])
def test_audio_without_samples_is_one_sentence(comfy: SimpleNamespace, waveform: tuple[int, ...] | None, says: str) -> None:
    from pack.nodes.sockets import read_audio

    with pytest.raises(ValueError, match=says):
        read_audio(None if waveform is None else {"waveform": torch.zeros(waveform), "sample_rate": 44100})


def test_pictures_become_an_image(comfy: SimpleNamespace) -> None:
    from pack.nodes.sockets import to_image

    frames = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), dtype=np.uint8)
    image = to_image(frames)
    assert image.dtype == torch.float32 and np.array_equal((image * 255).round().byte().numpy(), frames)
    assert torch.equal(to_image(frames[0]), image[:1]), "one frame is a batch of one"
