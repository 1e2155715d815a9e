"""The Timeline: JSON both ways, and the one grid that no cut may leave."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pack.nodes.engine.timeline import (
    Beat,
    Curve,
    Line,
    Section,
    Shot,
    Timeline,
    TimelineError,
    Word,
    frame_at,
    frame_span,
    hash_samples,
    read_fps,
    require_song,
)

RATES = (12, 16, 23.976, 24, 25, 29.97, 30, 60)
SAMPLE_RATES = (8000, 22050, 44100, 48000, 96000, 192000)


def full_timeline() -> Timeline:
    return Timeline(
        duration=4.5,
        sample_rate=44100,
        audio_sha256="ab" * 32,
        tempo=120.0,
        metre=3,
        beat_confidence=0.9,
        downbeat_confidence=0.8,
        beats=(Beat(0.25, 3), Beat(0.75, 1)),
        onsets=(0.25, 0.8),
        curves=(Curve("onset", 50.0, (0.0, 0.5, 1.0)),),
        sections=(Section(0.0, 4.5, "A"),),
        lines=(
            Line(
                0.2,
                1.0,
                "夜の海",
                (Word(0.2, 0.6, "夜の", 0.4), Word(0.6, 1.0, "海")),
            ),
        ),
        shots=(Shot(0.0, 4.5, 'a "quoted" sea', 7, "drift", "night", 0.5),),
        remarks=("A sentence.",),
    )


def test_json_round_trip_keeps_everything() -> None:
    timeline = full_timeline()
    assert Timeline.from_json(timeline.to_json()) == timeline
    assert Timeline.from_json(Timeline(1.0).to_json()) == Timeline(1.0)


def test_its_text_is_tagged_json_with_one_line_a_shot() -> None:
    text = str(full_timeline())
    assert json.loads(text)["schema"] == "timeline/1"
    assert sum('"prompt"' in line for line in text.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "nested"),
        ("[]", "no object"),
        ('{"duration": 1}', "schema"),
        ('{"schema": "timeline/2", "duration": 1}', "timeline/1"),
        ('{"schema": "timeline/1"}', "lacks the field 'duration'"),
        ('{"schema": "timeline/1", "duration": "long"}', "finite number"),
        ('{"schema": "timeline/1", "duration": NaN}', "finite number"),
        ('{"schema": "timeline/1", "duration": true}', "finite number"),
        ('{"schema": "timeline/1", "duration": -1}', "negative"),
        ('{"schema": "timeline/1", "duration": 1, "mood": 2}', "unknown field 'mood'"),
        ('{"schema": "timeline/1", "duration": 1, "beats": {}}', "must be a list"),
        ('{"schema": "timeline/1", "duration": 1, "beats": [{"time": 1}]}', r"beats\[0\] lacks the field 'position'"),
        ('{"schema": "timeline/1", "duration": 1, "beats": [3]}', r"beats\[0\] must be an object"),
        ('{"schema": "timeline/1", "duration": 1, "shots": [{"start":0,"end":1,"prompt":3,"seed":1}]}', "text in quotes"),
        ('{"schema": "timeline/1", "duration": 1, "metre": 3.5}', "whole number"),
    ],
)
def test_bad_json_is_one_sentence_that_names_the_place(text: str, says: str) -> None:
    with pytest.raises(TimelineError, match=says):
        Timeline.from_json(text)


def test_frame_rates_are_exact() -> None:
    assert [read_fps(fps) for fps in (23.976, 29.97, 59.94)] == [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)]
    assert [read_fps(fps) for fps in (12, 24, 25, 12.5)] == [12, 24, 25, Fraction(25, 2)]
    for bad in (0, -1, float("nan"), float("inf"), 500):
        with pytest.raises(ValueError, match="frame rate"):
            read_fps(bad)


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[float], float]:
    """Cut times (at least 0.2 s apart) and the song's duration as a whole number of samples."""
    gaps = draw(st.lists(st.floats(0.2, 30.0, allow_nan=False), min_size=1, max_size=80))
    rate = draw(st.sampled_from(SAMPLE_RATES))
    edges = np.cumsum([0.0, *gaps])
    return edges[:-1].tolist(), round(float(edges[-1]) * rate) / rate


FRAME_RATES = st.sampled_from([read_fps(rate) for rate in RATES])
RUN = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True}


@settings(max_examples=300, **RUN)
@given(plan=plans(), fps=FRAME_RATES)
def test_no_plan_leaves_the_grid(plan: tuple[list[float], float], fps: Fraction) -> None:
    check_grid(*plan, fps)


@pytest.mark.slow
@settings(max_examples=10_000, **RUN)
@given(plan=plans(), fps=FRAME_RATES)
def test_none_of_ten_thousand_plans_leaves_the_grid(plan: tuple[list[float], float], fps: Fraction) -> None:
    check_grid(*plan, fps)


def check_grid(cuts: list[float], duration: float, fps: Fraction) -> None:
    edges = [*cuts, duration]
    spans = [frame_span(Shot(start, end, "", 0), fps) for start, end in zip(edges, edges[1:], strict=False)]
    for cut, span in zip(cuts, spans, strict=True):
        assert abs(span.start / fps - Fraction(cut)) <= Fraction(1, 2) / fps
    assert all(before.stop == after.start for before, after in zip(spans, spans[1:], strict=False))
    assert sum(len(span) for span in spans) == frame_at(duration, fps)
    assert abs(frame_at(duration, fps) / fps - Fraction(duration)) < 1 / fps


def test_curve_is_linear_between_its_values_and_constant_beyond() -> None:
    curve = Curve("onset", 2.0, (0.0, 1.0, 0.5))
    assert [curve.at(time) for time in (-1, 0, 0.25, 0.5, 0.75, 9)] == [0, 0, 0.5, 1, 0.75, 0.5]
    assert Curve("empty", 2.0, ()).at(1.0) == 0.0


def test_a_missing_curve_names_those_there_are() -> None:
    with pytest.raises(TimelineError, match="it has: onset"):
        full_timeline().curve("bass")


def test_another_song_is_refused_and_the_same_one_is_not() -> None:
    rng = np.random.default_rng(0)
    song, other = rng.standard_normal((2, 2, 4410)).astype(np.float32)
    timeline = Timeline(0.1, 44100, hash_samples(song, 44100))
    require_song(timeline, song, 44100)
    require_song(timeline, np.asfortranarray(song), 44100)
    for samples, rate in ((other, 44100), (song, 48000), (song[:1], 44100)):
        with pytest.raises(TimelineError, match="another song"):
            require_song(timeline, samples, rate)
