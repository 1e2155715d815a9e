"""The storyboard: cuts where the music has them, shots that fit its loudness, plans that survive an editor."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pack.nodes.engine.film.cuts import PACES
from pack.nodes.engine.film.intensity import CHORUS_LIFT, Intensity
from pack.nodes.engine.film.motion import PRESETS
from pack.nodes.engine.film.plan import apply_plan, write_plan
from pack.nodes.engine.film.storyboard import Wishes, write_storyboard
from pack.nodes.engine.timeline import Beat, Curve, Line, Section, Timeline, TimelineError, Word

WISHES = Wishes("ink drawing", "a sea\na city\na forest at dawn -> a forest at night")


def song(duration: float = 64.3, confidence: float = 0.9, bars: float = 0.9) -> Timeline:
    """120 bpm in 4/4 with a pickup of one beat; the first half calm, the second loud."""
    beats = tuple(Beat(0.2 + 0.5 * n, (n - 1) % 4 + 1) for n in range(int((duration - 0.2) / 0.5)))
    count = round(duration * 50)
    loud = np.where(np.arange(count) < count / 2, 0.2, 0.9)
    return Timeline(
        duration,
        beats=beats,
        beat_confidence=confidence,
        downbeat_confidence=bars,
        onsets=tuple(beat.time + 0.01 for beat in beats),
        curves=(Curve("loudness", 50.0, tuple(loud)),),
    )


def test_person_stands_where_the_scenes_say() -> None:
    scenes = "photo of {person} by the sea -> {person} in a city\na forest"
    shots = write_storyboard(song(), Wishes("", scenes, person="zuqvex")).shots
    assert all("photo of zuqvex person by the sea" in shot.prompt and "zuqvex person in a city" in shot.end_prompt for shot in shots[::2])
    assert not any("zuqvex" in shot.prompt for shot in shots[1::2])
    assert all("portrait" in shot.prompt for shot in shots[::2]) and not any("portrait" in shot.prompt for shot in shots[1::2])
    assert "photo of a person by the sea" in write_storyboard(song(), Wishes("", scenes)).shots[0].prompt


def test_person_whom_no_scene_mentions_is_in_every_one() -> None:
    shots = write_storyboard(song(), replace(WISHES, person="zuqvex")).shots
    assert all("zuqvex person" in shot.prompt for shot in shots)
    assert all("zuqvex person" in shot.end_prompt for shot in shots if shot.end_prompt) and any(shot.end_prompt for shot in shots)


def test_person_stands_in_an_edited_plan() -> None:
    plan = write_plan(write_storyboard(song(), WISHES)).replace("a sea", "{person} at sea")
    assert any("zuqvex person at sea" in shot.prompt for shot in apply_plan(song(), plan, "zuqvex").shots)
    assert any("a person at sea" in shot.prompt for shot in apply_plan(song(), plan).shots)


def check_whole(timeline: Timeline, wishes: Wishes) -> None:
    shots = timeline.shots
    assert shots[0].start == 0 and shots[-1].end == timeline.duration
    assert all(before.end == after.start for before, after in zip(shots, shots[1:], strict=False))
    lengths = [shot.end - shot.start for shot in shots]
    assert max(lengths) <= wishes.longest + 1e-6 and (len(shots) == 1 or min(lengths) >= wishes.shortest - 1e-6)
    assert all(before.prompt != after.prompt for before, after in zip(shots, shots[1:], strict=False))
    assert all(shot.motion in PRESETS for shot in shots)
    assert len({shot.seed for shot in shots}) == len(shots)


def cuts(timeline: Timeline) -> list[float]:
    return [shot.start for shot in timeline.shots[1:]]


@pytest.mark.parametrize("pace", PACES)
def test_cuts_lie_on_downbeats_and_loud_passages_cut_faster(pace: str) -> None:
    wishes = replace(WISHES, pace=pace)
    planned = write_storyboard(song(), wishes)
    check_whole(planned, wishes)
    assert set(cuts(planned)) <= set(song().downbeats)
    middle = song().duration / 2
    calm = [shot.end - shot.start for shot in planned.shots if shot.end < middle]
    loud = [shot.end - shot.start for shot in planned.shots if shot.start > middle]
    assert np.mean(calm) > 1.5 * np.mean(loud)
    assert planned.remarks == ()


def test_the_song_itself_is_left_as_it_was() -> None:
    timeline = song()
    before = timeline.to_json()
    write_storyboard(timeline, WISHES)
    assert timeline.to_json() == before


def test_uncertain_bars_cut_on_beats_and_say_so() -> None:
    planned = write_storyboard(song(bars=0.1), WISHES)
    check_whole(planned, WISHES)
    assert set(cuts(planned)) <= {beat.time for beat in song().beats}
    assert "bars" in planned.remarks[0]


def test_no_beats_cut_on_onsets_and_say_so() -> None:
    planned = write_storyboard(song(confidence=0.1), WISHES)
    check_whole(planned, WISHES)
    assert set(cuts(planned)) <= set(song().onsets)
    assert "new sounds" in planned.remarks[0]


def test_strong_onsets_are_preferred() -> None:
    onsets = tuple(round(0.5 * n, 3) for n in range(1, 120))
    strong = {onset for number, onset in enumerate(onsets) if number % 7 == 3}
    heights = np.zeros(6000)
    for onset in onsets:
        heights[round(onset * 100)] = 1.0 if onset in strong else 0.2
    planned = write_storyboard(Timeline(60.0, onsets=onsets, curves=(Curve("onset", 100.0, tuple(heights)),)), WISHES)
    assert len(strong & set(cuts(planned))) > 0.9 * len(cuts(planned))
    flat = write_storyboard(Timeline(60.0, onsets=onsets), WISHES)
    assert len(strong & set(cuts(flat))) < 0.5 * len(cuts(flat))


@pytest.mark.parametrize("duration", [0.2, 1.0, 9.0, 3600.0])
def test_a_drone_is_cut_by_time_and_says_so(duration: float) -> None:
    planned = write_storyboard(Timeline(duration), WISHES)
    check_whole(planned, replace(WISHES, shortest=min(WISHES.shortest, duration)))
    assert "by time" in planned.remarks[0]


@pytest.mark.parametrize("bar", range(4, 20))
def test_a_section_border_is_a_cut(bar: int) -> None:
    border = song().downbeats[bar]
    planned = write_storyboard(replace(song(), curves=(), sections=(Section(0, border, "A"), Section(border, 64.3, "B"))), WISHES)
    assert border in cuts(planned)


@pytest.mark.parametrize("confidence", [0.0, 0.9])
def test_a_border_apart_from_beats_is_a_cut_where_beats_are_not_trusted(confidence: float) -> None:
    timeline = replace(song(confidence=confidence), onsets=(), sections=(Section(0, 30.123, "A"), Section(30.123, 64.3, "B")))
    near = min(cuts(write_storyboard(timeline, WISHES)), key=lambda cut: abs(cut - 30.123))
    assert near == (30.123 if confidence == 0 else min(song().downbeats, key=lambda bar: abs(bar - 30.123)))


def sung(*words: tuple[float, float]) -> Timeline:
    timed = tuple(Word(start, end, "la") for start, end in words)
    return replace(song(), lines=(Line(timed[0].start, timed[-1].end, "la", timed),))


def test_a_word_over_a_downbeat_moves_the_cut_to_another_downbeat() -> None:
    cut = cuts(write_storyboard(song(), WISHES))[2]
    moved = cuts(write_storyboard(sung((cut - 0.2, cut + 0.2)), WISHES))
    assert cut not in moved and set(moved) <= set(song().downbeats)
    apart = tuple(line for start, end in ((cut - 0.4, cut), (cut, cut + 0.4)) for line in sung((start, end)).lines)
    assert cut in cuts(write_storyboard(replace(song(), lines=apart), WISHES)), "between two words is no word"


def test_a_border_within_a_word_is_cut_at_the_next_bar() -> None:
    border = song().downbeats[9]
    timeline = replace(sung((border - 0.3, border + 0.3)), sections=(Section(0, border, "A"), Section(border, 64.3, "B")))
    near = min(cuts(write_storyboard(timeline, WISHES)), key=lambda cut: abs(cut - border))
    assert near != border and near in (song().downbeats[8], song().downbeats[10])


def test_singing_without_a_rest_on_any_bar_is_cut_between_words() -> None:
    bars = song().downbeats
    held = [(bar - 0.9, bar + 0.9) for bar in bars]
    planned = write_storyboard(sung(*held), WISHES)
    check_whole(planned, WISHES)
    assert not [cut for cut in cuts(planned) if any(start < cut < end for start, end in held)]
    assert planned.remarks == ()


def test_a_word_longer_than_the_longest_shot_is_cut_and_a_remark_says_where() -> None:
    planned = write_storyboard(sung((20.0, 40.0)), WISHES)
    check_whole(planned, WISHES)
    assert "inside a sung word" in planned.remarks[0] and "longest" in planned.remarks[0]


def test_one_word_that_is_too_long_leaves_the_others_whole() -> None:
    held = [(bar - 0.9, bar + 0.9) for bar in song().downbeats if not 18 < bar < 42]
    planned = write_storyboard(
        sung(*[word for word in held if word[1] < 20], (20.0, 40.0), *[word for word in held if word[0] > 40]), WISHES
    )
    check_whole(planned, WISHES)
    broken = [cut for cut in cuts(planned) if any(start < cut < end for start, end in held)]
    assert broken == [] and any(20 < cut < 40 for cut in cuts(planned))


def test_words_that_were_only_guessed_do_not_keep_cuts_off_the_bars() -> None:
    """A draft spreads the words over all of the singing; held to it, no bar would be left."""
    held = sung(*[(bar - 0.9, bar + 0.9) for bar in song().downbeats])
    guessed = tuple(replace(line, words=tuple(replace(word, confidence=0.3) for word in line.words)) for line in held.lines)
    planned = write_storyboard(replace(held, lines=guessed), WISHES)
    assert set(cuts(planned)) <= set(song().downbeats) and "draft" in planned.remarks[0]


def test_lines_without_timed_words_are_rather_not_cut() -> None:
    lines = tuple(Line(bar + 0.5, bar + 3.5, "a line") for bar in song().downbeats[::4])
    within = [sum(any(line.start < cut < line.end for line in lines) for cut in cuts(write_storyboard(timeline, WISHES)))
              for timeline in (song(), replace(song(), lines=lines))]  # fmt: skip
    assert within[1] < within[0]


@pytest.mark.parametrize("shortest", [0.1, 0.8])
def test_six_minutes_are_planned_within_a_second(full_song: Callable[..., Timeline], shortest: float) -> None:
    """For one core; the bench measures some hundredths of a second."""
    timeline, wishes = full_song(360.0), Wishes("ink", "", "lively", shortest=shortest, longest=60.0)
    start = time.process_time()
    planned = write_storyboard(timeline, wishes)
    assert time.process_time() - start < 1
    assert len(planned.shots) > 40


def test_excitement_shortens_shots() -> None:
    """Two songs as loud as each other, one felt as excited."""
    calm, excited = (
        len(write_storyboard(Timeline(64.0, curves=(Curve("arousal", 1.0, (value,) * 64),)), WISHES).shots) for value in (0.1, 0.9)
    )
    assert excited > 1.1 * calm


def test_a_chorus_is_stronger_than_a_verse_as_loud() -> None:
    level = Intensity(replace(song(), curves=(), sections=(Section(0, 30, "verse"), Section(30, 64.3, "Chorus 1"))))
    assert level.between(35, 60) == pytest.approx(level.between(5, 25) + CHORUS_LIFT)


def test_a_timeline_in_disorder_is_planned_all_the_same() -> None:
    """Sections that overlap or stand in any order, lines and words outside the song or backwards, empty curves."""
    words = (Word(70, 90, "a"), Word(-5, 1, "b"), Word(9, 8, "c"), Word(30, 30, "d"))
    timeline = replace(
        song(),
        sections=(Section(40, 50, "B"), Section(0, 45, "A"), Section(60, 200, "chorus"), Section(10, 5, "A"), Section(-3, -1, "")),
        lines=(Line(70, 90, "a", words), Line(-5, -1, "b"), Line(20, 10, "c"), Line(5, 6, " ")),
        curves=(Curve("loudness", 50.0, ()), Curve("valence", 1.0, (0.9,)), Curve("arousal", 1.0, ())),
    )
    for scenes in ("", "a sea"):
        check_whole(write_storyboard(timeline, replace(WISHES, scenes=scenes)), WISHES)


def test_sections_are_as_strong_as_they_are_loud_throughout() -> None:
    """A quiet moment within a loud section is not as calm as one within a quiet section."""
    loud = np.full(6430, 0.9)
    loud[4000:5000] = 0.2
    loud[:3000] = 0.2
    timeline = replace(song(), curves=(Curve("loudness", 100.0, tuple(loud)),))
    parted = Intensity(replace(timeline, sections=(Section(0, 30, "verse"), Section(30, 64.3, "bridge"))))
    assert parted.between(42, 48) > Intensity(timeline).between(42, 48) + 0.1
    assert parted.between(10, 20) == pytest.approx(Intensity(timeline).between(10, 20), abs=0.01)


def test_gaps_between_bars_are_filled_within_the_longest_shot() -> None:
    """A song with a long break: no downbeats for 30 s."""
    timeline = replace(song(), beats=tuple(beat for beat in song().beats if not 15 < beat.time < 45))
    check_whole(write_storyboard(timeline, WISHES), WISHES)


def test_prompts_come_from_the_scenes_the_style_and_the_loudness() -> None:
    planned = write_storyboard(song(), WISHES)
    first, third = planned.shots[0], planned.shots[2]
    assert first.prompt == "wide shot, a sea, ink drawing, calm, soft light" and first.end_prompt == ""
    assert "a forest at dawn" in third.prompt and "a forest at night" in third.end_prompt
    assert "energetic" in planned.shots[-1].prompt


def test_the_same_wishes_give_the_same_plan_and_another_seed_only_other_seeds() -> None:
    one, same, other = (write_storyboard(song(), replace(WISHES, seed=seed)) for seed in (1, 1, 2))
    assert one == same
    assert [replace(shot, seed=0) for shot in one.shots if shot.motion] == [replace(shot, seed=0) for shot in other.shots]
    assert not {shot.seed for shot in one.shots} & {shot.seed for shot in other.shots}


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        (Wishes("", "a", motion="spin"), "no motion"),
        (Wishes("", "a", pace="frantic"), "no pace"),
        (Wishes("", "a", shortest=3, longest=4), "at least twice"),
    ],
)
def test_impossible_wishes_are_one_sentence(wishes: Wishes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        write_storyboard(song(), wishes)


def test_a_plan_comes_back_as_it_was_and_an_edit_is_taken() -> None:
    planned = write_storyboard(song(), WISHES)
    assert apply_plan(song(), write_plan(planned)).shots == planned.shots
    data = json.loads(write_plan(planned))
    data["shots"][1]["prompt"] = "my own words"
    edited = apply_plan(song(), json.dumps(data))
    assert edited.shots[1].prompt == "my own words" and edited.shots[2] == planned.shots[2]


def test_rounded_edges_are_closed() -> None:
    data = json.loads(write_plan(write_storyboard(song(), WISHES)))
    for shot in data["shots"]:
        shot["start"], shot["end"] = round(shot["start"], 3) + 0.001, round(shot["end"], 3)
    shots = apply_plan(song(), json.dumps(data)).shots
    assert shots[0].start == 0 and shots[-1].end == 64.3
    assert all(before.end == after.start for before, after in zip(shots, shots[1:], strict=False))


def edit(**changes: object) -> str:
    shots = [{"start": 0, "end": 30, "prompt": "a", "seed": 1}, {"start": 30, "end": 64.3, "prompt": "b", "seed": 2}]
    shots[1].update(changes)
    return json.dumps({"schema": "plan/1", "shots": shots})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no json", "no JSON"),
        (edit(start=29), "Shot 2 overlaps"),
        (edit(start=31), "Shot 2 leaves a gap"),
        (edit(end=60), "last shot ends at 60.000 s"),
        (edit(end=70), "last shot ends at 70.000 s"),
        (edit(colour="red"), "unknown field 'colour'"),
        (edit(motion="spin"), "choose one of: pulse"),
        (edit(seed=-1), "whole number from 0"),
        (edit(strength=9), "from 0 to 2"),
        (edit(prompt=7), "text in quotes"),
        ('{"schema": "plan/1", "shots": []}', "at least one shot"),
        ('{"schema": "plan/1", "shots": [{"start":0,"end":64.3,"prompt":"a","seed":1}], "x": 1}', "nothing else"),
        ('{"schema": "timeline/1", "shots": []}', "plan/1"),
        (
            '{"schema": "plan/1", "shots": [{"start":0,"end":-1,"prompt":"a","seed":1},{"start":-1,"end":64.3,"prompt":"a","seed":1}]}',
            "before it",
        ),
    ],
)
def test_a_broken_plan_is_one_sentence_that_names_the_shot(text: str, says: str) -> None:
    with pytest.raises(TimelineError, match=says):
        apply_plan(song(), text)
