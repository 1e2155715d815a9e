"""What holds for every storyboard, whatever the song: tried on random timelines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pack.nodes.engine.film.cuts import PACES
from pack.nodes.engine.film.edit_list import write_edl, write_otio
from pack.nodes.engine.film.motion import PRESETS
from pack.nodes.engine.film.plan import apply_plan, write_csv, write_plan
from pack.nodes.engine.film.screenplay import apply_screenplay, write_brief
from pack.nodes.engine.film.storyboard import BY_MUSIC, Wishes, write_storyboard
from pack.nodes.engine.timeline import Beat, Curve, Line, Section, Shot, Timeline, TimelineError, Word, read_fps

LONGEST_WORD = 1.5
unit = st.floats(0, 1)
TEXTS = st.sampled_from(["the sea at night", "海を歩く", "我爱你", "I cry", "la la", "", "x" * 40])
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def lines(draw: Any, duration: float) -> tuple[Line, ...]:
    """Lines whose words follow each other with or without rests, some lines without timed words."""
    found, time = [], draw(st.floats(0, 5))
    while time < duration - 3 and len(found) < 12:
        words, start = [], time
        for _ in range(draw(st.integers(0, 6))):
            end = time + draw(st.floats(0.05, LONGEST_WORD))
            words.append(Word(time, end, draw(TEXTS), draw(unit)))
            time = end + draw(st.sampled_from([0.0, 0.05, 0.7]))
        end = words[-1].end if words else time + draw(st.floats(0.5, 3))
        if end > duration:
            break
        found.append(Line(start, end, draw(TEXTS), tuple(words)))
        time = end + draw(st.floats(0, 6))
    return tuple(found)


@st.composite
def songs(draw: Any) -> Timeline:
    duration = draw(st.floats(0.3, 90))
    step, pickup = draw(st.floats(0.3, 1.2)), draw(st.integers(0, 3))
    beats = tuple(Beat(0.1 + step * n, (n - pickup) % 4 + 1) for n in range(int(max(duration - 0.1, 0) / step)))
    count = max(1, int(duration * 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    names = draw(st.sets(st.sampled_from(["loudness", "valence", "arousal"])))
    curves = tuple(Curve(name, 4.0, tuple(rng.random(count).tolist())) for name in sorted(names))
    borders = sorted({0.0, duration, *draw(st.lists(st.floats(0.1, duration), max_size=5))})
    labels = st.sampled_from(["A", "B", "verse", "chorus", "サビ", ""])
    sections = tuple(Section(start, end, draw(labels)) for start, end in zip(borders, borders[1:], strict=False))
    return Timeline(
        duration,
        tempo=60 / step,
        metre=4,
        beats=draw(st.sampled_from([(), beats])),
        beat_confidence=draw(unit),
        downbeat_confidence=draw(unit),
        onsets=tuple(np.sort(rng.random(draw(st.integers(0, 200))) * duration).tolist()),
        curves=curves,
        sections=draw(st.sampled_from([(), sections])),
        lines=draw(lines(duration)),
    )


@st.composite
def wishes(draw: Any) -> Wishes:
    shortest = draw(st.floats(0.2, 3))
    return Wishes(
        style=draw(st.sampled_from(["", "ink drawing"])),
        scenes=draw(st.sampled_from(["", "a sea", "a sea\na sea", "a sea\n{person} in a city -> a forest\na hill"])),
        pace=draw(st.sampled_from(sorted(PACES))),
        motion=draw(st.sampled_from([BY_MUSIC, *PRESETS])),
        seed=draw(st.integers(0, 2**53)),
        shortest=shortest,
        longest=2 * shortest + draw(st.floats(0, 10)),
        person=draw(st.sampled_from(["", "zuqvex"])),
    )


def cuts_within_words(timeline: Timeline) -> list[float]:
    words = [word for line in timeline.lines for word in line.words]
    return [shot.start for shot in timeline.shots[1:] if any(word.start + 1e-5 < shot.start < word.end - 1e-5 for word in words)]


def check_cover(planned: Timeline, wished: Wishes) -> None:
    shots = planned.shots
    assert shots[0].start == 0.0 and shots[-1].end == planned.duration
    assert all(before.end == after.start for before, after in zip(shots, shots[1:], strict=False))
    lengths = [shot.end - shot.start for shot in shots]
    assert all(length > 0 for length in lengths)
    if planned.duration >= wished.shortest:
        assert min(lengths) >= wished.shortest - 1e-5 and max(lengths) <= wished.longest + 1e-5


@pytest.mark.slow
@QUICK
@given(songs(), wishes())
def test_every_storyboard_keeps_its_promises(song: Timeline, wished: Wishes) -> None:
    planned = write_storyboard(song, wished)
    check_cover(planned, wished)
    assert all(before.prompt != after.prompt for before, after in zip(planned.shots, planned.shots[1:], strict=False))
    assert all(shot.prompt and shot.motion in PRESETS and 0 <= shot.strength <= 2 and 0 <= shot.seed < 2**48 for shot in planned.shots)
    assert not any("{" in shot.prompt + shot.end_prompt for shot in planned.shots)
    words = [word for line in song.lines for word in line.words]
    guessed = bool(words) and max(word.confidence for word in words) <= 0.3
    inside = [] if guessed else cuts_within_words(planned)
    # Words are at most 1.5 s long: where the limits leave that much room twice, a place between words can always be found.
    if wished.longest - 2 * wished.shortest >= 2 * LONGEST_WORD:
        assert not inside
    assert bool(inside) == any("inside a sung word" in remark for remark in planned.remarks)
    assert write_storyboard(song, wished) == planned
    assert replace(planned, shots=(), remarks=song.remarks) == song


@QUICK
@given(songs(), wishes())
def test_every_plan_comes_back_as_it_was(song: Timeline, wished: Wishes) -> None:
    planned = write_storyboard(song, wished)
    assert apply_plan(song, write_plan(planned)).shots == planned.shots
    assert apply_plan(song, write_csv(planned)).shots == planned.shots


PROMPTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60).filter(
    lambda text: "{person}" not in text
)


@QUICK
@given(PROMPTS, PROMPTS)
def test_any_text_survives_csv(prompt: str, end_prompt: str) -> None:
    shot = Shot(0.0, 5.0, prompt, 2**62, "sway", end_prompt, 0.123456789)
    song = Timeline(5.0, shots=(shot,))
    assert apply_plan(song, write_csv(song)).shots == (shot,)


@QUICK
@given(st.text(max_size=200))
def test_any_text_in_the_plan_box_is_a_plan_or_one_sentence(text: str) -> None:
    for plan in (text, "start,end,prompt,seed\n" + text, '{"schema": "plan/1", "shots": [' + text):
        try:
            apply_plan(Timeline(5.0), plan)
        except TimelineError as error:
            assert str(error).count("\n") == 0 and len(str(error)) < 400


@QUICK
@given(songs(), wishes(), st.text(max_size=300))
def test_any_answer_leaves_a_storyboard(song: Timeline, wished: Wishes, answer: str) -> None:
    planned = write_storyboard(song, wished)
    assert f"from 1 to {len(planned.shots)}," in write_brief(planned, wished)
    for text in (answer, '{"shots": [{"shot": 1, "prompt": "' + answer, f"Shot 1: {answer}\nShot 2: {answer}"):
        directed = apply_screenplay(planned, text, wished.style, wished.person)
        assert [(shot.start, shot.end, shot.seed) for shot in directed.shots] == [
            (shot.start, shot.end, shot.seed) for shot in planned.shots
        ]
        assert all(before.prompt != after.prompt for before, after in zip(directed.shots, directed.shots[1:], strict=False))
        assert all(shot.prompt and shot.motion in PRESETS for shot in directed.shots)


@settings(QUICK, max_examples=15)
@given(songs(), wishes(), st.sampled_from([12.0, 23.976, 24.0, 25.0, 29.97, 30.0, 59.94, 60.0]))
def test_every_edit_list_is_as_long_as_the_song(song: Timeline, wished: Wishes, fps: float) -> None:
    otio = pytest.importorskip("opentimelineio")
    planned, rate = write_storyboard(song, wished), read_fps(fps)
    read = otio.adapters.read_from_string(write_otio(planned, rate), "otio_json")
    frames = round(float(rate) * song.duration)
    assert abs(read.tracks[0].duration().value - frames) <= 1 and read.tracks[0].duration().rate == float(rate)
    assert write_edl(planned, rate).count("FROM CLIP NAME") == len(list(read.tracks[0].find_clips()))
