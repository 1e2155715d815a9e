"""Motion: accents on the beat's own frame, walks from 0 to 1, schedules that miss nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pack.nodes.engine.film.frame_curves import CURVES, accents, frame_values, write_schedule
from pack.nodes.engine.film.given_curves import GivenCurves, read_curves
from pack.nodes.engine.film.motion import MOVEMENTS, PRESETS, plan_motion
from pack.nodes.engine.film.speeds import WALKS
from pack.nodes.engine.timeline import Beat, Curve, Shot, Timeline, TimelineError, frame_at

FPS = Fraction(24)
MADE_HERE = ("beat pulse", "downbeat pulse", "shot progress")  # of beats and shots; the others are the timeline's own


def song(confidence: float = 0.9) -> Timeline:
    beats = tuple(Beat(0.3 + 0.5 * n, n % 4 + 1) for n in range(19))
    onset = np.zeros(500)
    onset[[round(beat.time * 50) for beat in beats]] = 1.0
    return Timeline(
        10.0,
        beats=beats,
        beat_confidence=confidence,
        downbeat_confidence=confidence,
        curves=tuple(Curve(name, 50.0, tuple(onset)) for name in CURVES if name not in MADE_HERE),
        shots=(Shot(0.0, 4.3, "a", 1), Shot(4.3, 10.0, "b", 2)),
    )


def test_accents_peak_on_the_frame_of_the_beat() -> None:
    values = accents(song(), FPS, range(240), downbeats=False)
    peaks = [frame for frame in range(1, 239) if values[frame] > values[frame - 1] and values[frame] > values[frame + 1]]
    assert peaks == [frame_at(beat.time, FPS) for beat in song().beats]
    assert values[peaks] == pytest.approx(1.0)
    assert values[:7].max() == 0.0, "nothing moves before the first beat"


def test_downbeats_are_accented_apart() -> None:
    values = accents(song(), FPS, range(240), downbeats=True)
    assert np.flatnonzero(values == 1.0).tolist() == [frame_at(time, FPS) for time in song().downbeats]


def test_an_untrusted_grid_is_not_shown() -> None:
    values = accents(song(0.1), FPS, range(240), downbeats=False)
    assert np.flatnonzero(values > 0.9).tolist() == [frame_at(beat.time, FPS) for beat in song().beats], "onsets stand in"
    assert not accents(song(0.1), FPS, range(240), downbeats=True).any()


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("name", PRESETS)
def test_every_motion_stays_in_its_range(walk: str, name: str) -> None:
    shot = Shot(4.3, 10.0, "b", 2, name, strength=2.0)
    motion = plan_motion(song(), shot, FPS, walk)
    assert len(motion) == frame_at(10.0, FPS) - frame_at(4.3, FPS)
    assert motion.walk[0] == 0 and motion.walk[-1] == pytest.approx(1) and np.all(np.diff(motion.walk) >= 0)
    assert motion.zoom.min() >= 1 and motion.zoom.max() < 1.6
    assert np.abs(motion.pan).max() <= 1 and np.abs(motion.roll).max() < 0.1
    assert 1 <= motion.exposure.min() and motion.exposure.max() < 1.1, "a tenth and more would count as a flash"


def test_the_onset_walk_steps_where_the_onsets_are() -> None:
    motion = plan_motion(song(), song().shots[1], FPS, "onset")
    steps = np.diff(motion.walk)
    start = frame_at(4.3, FPS)
    on_beat = [frame_at(beat.time, FPS) - start - 1 for beat in song().beats if beat.time > 4.5]
    assert steps[on_beat].min() > 5 * np.median(steps)


def test_silence_still_moves_evenly() -> None:
    silent = Timeline(4.0, curves=(Curve("onset", 50.0, (0.0,) * 200),))
    motion = plan_motion(silent, Shot(0.0, 4.0, "", 0), FPS, "onset")
    assert motion.walk == pytest.approx(np.linspace(0, 1, 96))


def test_one_frame_shots_and_unknown_motions() -> None:
    assert len(plan_motion(song(), Shot(1.0, 1.05, "", 0), FPS)) == 1
    with pytest.raises(ValueError, match="choose one of: pulse"):
        plan_motion(song(), Shot(0.0, 1.0, "", 0, "spin"), FPS)


@pytest.mark.parametrize("name", CURVES)
def test_frame_values_cover_the_film(name: str) -> None:
    values = frame_values(song(), name, FPS)
    assert values.shape == (240,) and values.min() >= 0 and values.max() == pytest.approx(1.0)


def test_an_attack_is_never_lost_between_frames() -> None:
    assert np.flatnonzero(frame_values(song(), "onset", Fraction(12)) == 1.0).size == len(song().beats)
    with pytest.raises(TimelineError, match="no curve"):
        frame_values(Timeline(1.0), "onset", FPS)


def test_a_schedule_read_back_misses_no_value() -> None:
    values = frame_values(song(), "beat pulse", FPS).tolist() + np.linspace(0, 1, 90).tolist() + (np.linspace(0, 1, 400) ** 2).tolist()
    text = write_schedule(values)
    frames, kept = zip(*[(int(part.split(":")[0]), float(part.split("(")[1][:-1])) for part in text.split(", ")], strict=True)
    assert np.abs(np.interp(range(len(values)), frames, kept) - values).max() < 0.005
    assert len(frames) < 0.6 * len(values)
    assert write_schedule([0.5, 0.5, 0.5]) == "0:(0.5), 2:(0.5)" and write_schedule([0.25]) == "0:(0.25)" and write_schedule([]) == ""


# Movements


@pytest.mark.parametrize("name", MOVEMENTS)
def test_every_movement_stays_in_its_range(name: str) -> None:
    for strength in (0.0, 1.0, 2.0):
        motion = plan_motion(song(), Shot(4.3, 10.0, "b", 2, "push", strength=strength), FPS, "even", name)
        assert motion.walk[0] == 0 and motion.walk[-1] == pytest.approx(1) and np.all(np.diff(motion.walk) >= 0)
        assert motion.zoom.min() >= 1 and motion.zoom.max() < 1.6
        assert 1 <= motion.exposure.min() and motion.exposure.max() < 1.1


@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_movement_goes_before_what_shots_and_walk_say(name: str) -> None:
    one = plan_motion(song(), Shot(4.3, 10.0, "b", 2, "push"), FPS, "even", name)
    other = plan_motion(song(), Shot(4.3, 10.0, "b", 2, "sway"), FPS, "onset", name)
    assert one.to_numbers() == other.to_numbers()
    with pytest.raises(ValueError, match="choose one of: storyboard, pulse, drift, cut hard, dream"):
        plan_motion(song(), song().shots[0], FPS, movement="waltz")


def test_cut_hard_has_no_camera_and_jumps_on_every_beat() -> None:
    shot = song().shots[1]
    motion = plan_motion(song(), shot, FPS, movement="cut hard")
    assert np.all(motion.zoom == 1) and not motion.roll.any() and not motion.pan.any() and np.all(motion.exposure == 1)
    steps, start = np.diff(motion.walk), frame_at(shot.start, FPS)
    inside = [(frame_at(beat.time, FPS) - start - 1, beat.position) for beat in song().beats if beat.time > shot.start + 0.1]
    rest = np.delete(steps, [place for place, _ in inside])
    assert min(steps[place] for place, _ in inside) > 8 * rest.max(), "between beats it hardly changes"
    down, other = ([steps[place] for place, position in inside if (position == 1) == first] for first in (True, False))
    assert min(down) > 1.8 * max(other)


def test_jumps_follow_the_attacks_where_no_beats_can_be_trusted() -> None:
    motion = plan_motion(song(0.1), song().shots[1], FPS, movement="cut hard")
    on_beat = [frame_at(beat.time, FPS) - frame_at(4.3, FPS) - 1 for beat in song().beats if beat.time > 4.5]
    assert np.diff(motion.walk)[on_beat].min() > 8 * np.median(np.diff(motion.walk))


def test_dream_is_slow_and_eases_at_both_ends() -> None:
    motion = plan_motion(song(), song().shots[1], FPS, movement="dream")
    speed = np.diff(motion.walk) * len(motion)
    assert speed[0] < 0.4 and speed[-1] < 0.4 and speed.max() < 2.5
    assert np.abs(np.diff(speed)).max() < 0.1, "no accent of the music shows"
    assert np.abs(np.diff(motion.zoom)).max() < 0.004, "nor in the camera"


def test_dream_moves_more_where_the_song_is_louder() -> None:
    loudness = Curve("loudness", 10.0, tuple([0.1] * 40 + [0.9] * 40))
    swell = Timeline(8.0, curves=(loudness, Curve("onset", 10.0, (0.5,) * 80)))
    walk = plan_motion(swell, Shot(0.0, 8.0, "", 1), FPS, movement="dream").walk
    assert walk[96] < 0.3, "half the time, less of the way"


def test_accents_too_fast_to_be_safe_are_weakened() -> None:
    def fast(rate: float) -> Timeline:
        beats = tuple(Beat(n / rate, 1) for n in range(int(8 * rate)))
        return Timeline(8.0, beats=beats, beat_confidence=0.9, downbeat_confidence=0.9, curves=(Curve("onset", 10.0, (0.5,) * 80),))

    slow, quick = (plan_motion(fast(rate), Shot(0.0, 8.0, "", 1, strength=2.0), FPS) for rate in (2.0, 4.0))
    assert slow.exposure.max() == pytest.approx(1.091), "as planned"
    assert 1.02 < quick.exposure.max() < 1.09


# Curves from outside


def ramp(low: float, high: float) -> tuple[float, ...]:
    return tuple(np.linspace(low, high, 240).tolist())


def test_given_curves_take_the_place_of_the_plan() -> None:
    shot = song().shots[1]
    frames = slice(frame_at(shot.start, FPS), 240)
    planned = plan_motion(song(), shot, FPS)
    given = GivenCurves(zoom=ramp(0, 0.5), exposure=ramp(0, -0.5), prompt=ramp(0, 1))
    motion = plan_motion(song(), shot, FPS, given=given)
    assert motion.zoom == pytest.approx(1 + np.array(given.zoom[frames]))
    assert motion.exposure == pytest.approx(1 + np.array(given.exposure[frames]))
    assert motion.prompt == pytest.approx(np.array(given.prompt[frames]))
    assert np.array_equal(motion.walk, planned.walk) and np.array_equal(motion.roll, planned.roll)


def test_a_walk_curve_is_the_speed_of_the_change() -> None:
    shot = Shot(0.0, 10.0, "", 0)

    def walk(*values: float) -> np.ndarray:
        return plan_motion(song(), shot, FPS, given=GivenCurves(walk=values)).walk

    assert walk(*[1.0] * 240) == pytest.approx(np.linspace(0, 1, 240))
    assert walk(*[0.5] * 240) == pytest.approx(np.linspace(0, 0.5, 240))
    assert not walk(*[0.0] * 240).any()
    assert walk(*[4.0] * 240).max() == 1.0
    halves = walk(*[0.0] * 120, *[1.0] * 120)
    assert not halves[:120].any() and halves[-1] == pytest.approx(0.5, abs=0.01)


def test_a_given_exposure_is_made_safe_too() -> None:
    strobe = tuple(0.6 * (frame % 4 < 2) for frame in range(240))
    exposure = plan_motion(song(), Shot(0.0, 10.0, "", 0), FPS, given=GivenCurves(exposure=strobe)).exposure
    assert 1.01 < exposure.max() < 1.07


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (GivenCurves(zoom=(0.1,) * 239), "zoom_curve has 239 values, but the film has 240 frames at 24 a second"),
        (GivenCurves(walk=(0.1,) * 480), "walk_curve has 480 values"),
        (GivenCurves(walk=(0.0,) * 12 + (-0.5,) * 228), "walk_curve is -0.5 at frame 12; it must be from 0 to 100"),
        (GivenCurves(prompt=(0.0,) * 239 + (1.5,)), "prompt_curve is 1.5 at frame 239"),
    ],
)
def test_curves_that_do_not_fit_are_refused(given: GivenCurves, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        given.check(240, FPS)
    GivenCurves(*(ramp(0, 1) for _ in range(4))).check(240, FPS)
    GivenCurves().check(240, FPS)


@pytest.mark.parametrize("values", [0.5, [], ["a"], [None], [float("nan")], [0.1, float("inf")], "12x"])
def test_what_is_no_list_of_numbers_is_refused(values: object) -> None:
    with pytest.raises(ValueError, match="zoom_curve .*connect FLOATS of Timeline Curves"):
        read_curves({"zoom_curve": values})  # type: ignore[dict-item]


def test_a_socket_without_a_link_is_an_empty_curve() -> None:
    assert read_curves({"zoom_curve": None, "walk_curve": [0, 1.5]}) == GivenCurves(walk=(0.0, 1.5))
    assert read_curves({}) == GivenCurves()


def test_the_way_rises_with_walk_and_prompt_and_leads_back_to_both() -> None:
    prompt = tuple(abs((frame % 48) / 24 - 1) for frame in range(240))  # to and fro
    speed = (0.0,) * 60 + (1.0,) * 180
    motion = plan_motion(song(), song().shots[1], FPS, given=GivenCurves(walk=speed, prompt=prompt))
    assert motion.way[0] == 0 and motion.way[-1] == pytest.approx(1) and np.all(np.diff(motion.way) >= 0)
    assert motion.walk_on(motion.way) == pytest.approx(motion.walk)
    assert motion.prompt_on(motion.way) == pytest.approx(motion.prompt)
    still = plan_motion(song(), song().shots[1], FPS, given=GivenCurves(walk=(0.0,) * 240, prompt=(0.25,) * 240))
    assert not still.way.any() and still.prompt_on(still.way) == pytest.approx(0.25) and not still.walk_on(still.way).any()
