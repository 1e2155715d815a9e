"""Motion: accents on the beat's own frame, walks from 0 to 1, schedules that miss nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pack.nodes.engine.film.frame_curves import CURVES, accents, frame_values, write_schedule
from pack.nodes.engine.film.given_curves import GivenCurves, read_curve
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
