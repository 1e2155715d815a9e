"""The report, on films of which everything is known."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_films import BEATS, FPS, RATE, SECONDS, DrawnClip, clicks, in_blocks, lit, pulses, texture, timeline, zoomed
from pack.nodes.engine.film.clip_source import FileClip
from pack.nodes.engine.film.report import FilmReport, Stretch, measure_film
from pack.nodes.engine.film.report_text import write_numbers, write_text
from pack.nodes.engine.film.sound_sync import Heard, find_offset, read_sound
from pack.nodes.engine.film.video_file import MP4, Sound, VideoFileWriter
from pack.nodes.engine.timeline import Timeline, frame_at

FRAMES = 192  # 8 seconds
FRAME = float(1 / FPS)
CUTS = (BEATS[2], BEATS[5], BEATS[8], BEATS[11], BEATS[14])


def report(pictures: list[np.ndarray], song: Timeline | None = None, sound: Any = None, fps: Fraction = FPS) -> FilmReport:
    return measure_film(DrawnClip(pictures, fps), sound, song or timeline(), lambda done, total: None).report


def film_cut_at(frames: list[int], total: int = FRAMES) -> list[np.ndarray]:
    """Another texture from each of the frames on, all of them swaying a little."""
    scenes = [texture(seed) for seed in range(len(frames) + 1)]
    return [zoomed(scenes[sum(number >= frame for frame in frames)], 1.02 + 0.01 * np.sin(number / 9)) for number in range(total)]


# Cuts


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001), Fraction(12)], ids=str)
def test_cuts_on_the_grid_are_all_within_half_a_frame(fps: Fraction) -> None:
    planned = [frame_at(time, fps) for time in CUTS]
    found = report(film_cut_at(planned, frame_at(SECONDS, fps)), timeline(cuts=CUTS), fps=fps)
    assert found.cuts and found.cuts_in_time == 5 and not found.cuts.elsewhere
    for cut, frame in zip(found.cuts.cuts, planned, strict=True):
        assert cut.found == pytest.approx(float(frame / fps))
        assert cut.error == pytest.approx(float(frame / fps) - cut.planned, abs=1e-9)
    assert max(map(abs, found.cut_to_beat)) <= float(1 / fps) / 2 + 1e-9


@pytest.mark.parametrize("late", [-6, -1, 3, 12])
def test_a_cut_some_frames_off_its_beat_is_found_so(late: int) -> None:
    planned = [frame_at(time, FPS) for time in CUTS]
    moved = [*planned[:2], planned[2] + late, *planned[3:]]
    found = report(film_cut_at(moved), timeline(cuts=CUTS))
    assert found.cuts and found.cuts_in_time == 4 and not found.cuts.elsewhere
    assert found.cuts.cuts[2].error == pytest.approx(moved[2] * FRAME - CUTS[2])


def test_a_missing_cut_and_an_unplanned_one_are_told() -> None:
    planned = [frame_at(time, FPS) for time in CUTS]
    extra = frame_at((CUTS[3] + CUTS[4]) / 2, FPS)
    found = report(film_cut_at(sorted([*planned[:1], *planned[2:], extra])), timeline(cuts=CUTS))
    assert found.cuts and [cut.found is None for cut in found.cuts.cuts] == [False, True, False, False, False]
    assert found.cuts.elsewhere == (pytest.approx(extra * FRAME),)


def test_accents_and_flashes_of_exposure_are_no_cuts() -> None:
    light = pulses(BEATS, FRAMES)
    pictures = [lit(zoomed(texture(1), 1.02 + 0.07 * value), 1 + 0.07 * value) for value in light]
    assert report(pictures, timeline(cuts=CUTS)).cuts.errors == ()  # type: ignore[union-attr]


def test_a_timeline_without_shots_is_measured_without_cuts() -> None:
    found = report(film_cut_at([]), replace(timeline(), shots=()))
    assert found.cuts is None and len(found.shots) == 1 and "no shots" in found.remarks[0]
    assert "Cuts:" not in write_text(found)


# Sound


@pytest.mark.parametrize("late", [0.0, 0.04, -1.2])
def test_the_offset_of_the_sound_is_found_to_two_milliseconds(late: float) -> None:
    rhythm = [time for index, time in enumerate(BEATS) if index % 5 != 3 and time < 7.5]
    found = report(film_cut_at([]), timeline(onsets=rhythm), in_blocks(clicks(rhythm, late=late)))
    assert found.sound and found.sound.offset == pytest.approx(late, abs=0.002)
    assert found.sound.followed > 0.75 and found.sound.duration == pytest.approx(SECONDS)


@pytest.mark.parametrize("start", [0.04, -0.2])
def test_a_track_that_begins_off_the_first_frame_is_off(start: float) -> None:
    found = report(film_cut_at([]), timeline(), in_blocks(clicks(BEATS), start))
    assert found.sound and found.sound.offset == pytest.approx(start, abs=0.002) and found.sound.duration == pytest.approx(SECONDS + start)


def test_without_onsets_the_curve_serves() -> None:
    found = report(film_cut_at([]), replace(timeline(), onsets=()), in_blocks(clicks(BEATS, late=0.1)))
    assert found.sound and found.sound.offset == pytest.approx(0.1, abs=0.011)


@pytest.mark.parametrize("sound", [np.zeros((1, 8 * RATE), np.float32), clicks(())], ids=["silence", "noise"])
def test_a_sound_that_does_not_follow_has_no_offset(sound: np.ndarray) -> None:
    found = report(film_cut_at([]), timeline(), in_blocks(sound))
    assert found.sound and found.sound.offset is None and any("does not follow" in text for text in found.remarks)


def write_film(path: Path, late: float = 0.0, seconds: float = SECONDS) -> Path:
    song = Sound(np.repeat(clicks(BEATS, seconds, late), 2, axis=0), RATE)
    with VideoFileWriter(path, 96, 54, FPS, MP4, sound=song) as file:
        for picture in film_cut_at([frame_at(time, FPS) for time in CUTS], round(seconds * FPS)):
            file.write(picture)
    return path


@pytest.mark.slow
def test_a_real_file_is_measured_as_it_plays(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", late=0.04)
    found = measure_film(FileClip(path), read_sound(path), timeline(cuts=CUTS), lambda done, total: None).report
    assert found.cuts_in_time == 5 and found.sound and found.sound.offset == pytest.approx(0.04, abs=0.003)
    assert (found.duration, found.sound.duration) == (pytest.approx(SECONDS), pytest.approx(SECONDS, abs=0.002))


def test_a_part_of_a_file_keeps_its_sound(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4")
    song = timeline(5.0, onsets=[time - 2.0 for time in BEATS if time > 2.0])
    found = measure_film(FileClip(path, 2.0, 5.0), read_sound(path, 2.0, 5.0), song, lambda done, total: None).report
    assert found.sound and found.sound.offset == pytest.approx(0.0, abs=0.003) and found.sound.duration == pytest.approx(5.0, abs=0.01)


# Beats and attacks


def accented(times: tuple[float, ...], how: str, late: int = 0) -> list[np.ndarray]:
    values = np.roll(pulses(times, FRAMES), late)
    scene = texture(3)
    return [lit(scene, 1 + 0.07 * value) if how == "light" else zoomed(scene, 1.02 + 0.035 * value) for value in values]


@pytest.mark.parametrize("how", ["light", "zoom"])
def test_an_accent_on_every_beat_hits_every_beat(how: str) -> None:
    found = report(accented(BEATS, how)).beats
    assert found and found.rate == 1.0 and found.halfway == 0


@pytest.mark.parametrize("how", ["light", "zoom"])
def test_an_accent_on_every_second_beat_hits_half(how: str) -> None:
    found = report(accented(BEATS[::2], how)).beats
    assert found and found.hits == len([time for time in BEATS[::2] if time < SECONDS]) and found.halfway == 0


@pytest.mark.parametrize(("late", "hits"), [(1, True), (3, False)])
def test_an_accent_counts_within_one_frame(late: int, hits: bool) -> None:
    found = report(accented(BEATS, "light", late)).beats
    assert found and (found.rate > 0.4 if hits else found.hits == 0)


def test_cuts_are_accents_and_a_still_picture_has_none() -> None:
    planned = [frame_at(time, FPS) for time in CUTS]
    cut, still = report(film_cut_at(planned), timeline(cuts=CUTS)).beats, report([texture(0)] * FRAMES).beats
    assert cut and cut.hits == 5 and still and still.hits == 0


@pytest.mark.parametrize("late", [0, 2])
def test_the_lag_behind_the_attacks_is_found(late: int) -> None:
    rhythm = tuple(time for index, time in enumerate(BEATS) if index % 5 != 3 and time < 7.5)
    found = report(accented(rhythm, "light", late), timeline(onsets=rhythm)).onsets
    assert found and found.best > 0.6 and found.lag == pytest.approx(late * FRAME, abs=FRAME + 1e-6)
    assert (found.correlation == found.best) == (abs(found.lag) < 1e-9)


def test_beats_that_nobody_trusts_are_not_measured() -> None:
    found = report(film_cut_at([]), replace(timeline(), beat_confidence=0.1))
    assert found.beats is None and any("no beats that can be trusted" in text for text in found.remarks)


def test_few_frames_a_beat_are_told() -> None:
    found = report(film_cut_at([], 32), fps=Fraction(4))
    assert any("quarter of a beat" in text for text in found.remarks)


# Steadiness


@pytest.mark.parametrize("levels", [1, 4, 10])
def test_known_flicker_is_measured(levels: int) -> None:
    base = texture(5, 60, 180).astype(int)
    pictures = [(base + (levels if number % 2 else 0)).astype(np.uint8) for number in range(FRAMES)]
    assert report(pictures).flicker == pytest.approx(levels / 255, rel=0.02)


def test_a_moving_camera_is_not_flicker() -> None:
    moving = [zoomed(texture(6, 0, 250), 1.02 + 0.01 * number) for number in range(60)]
    song = timeline(2.5)
    steady = measure_film(DrawnClip(moving), None, song, lambda done, total: None)
    assert steady.report.flicker < 0.4 * steady.series.steps["change"][1:].mean()
    zoom = steady.series.steps["zoom"][1:]
    assert zoom.mean() == pytest.approx(0.01 / 1.3, rel=0.3)


def test_cuts_are_not_flicker() -> None:
    planned = [frame_at(time, FPS) for time in CUTS]
    assert report(film_cut_at(planned), timeline(cuts=CUTS)).flicker < 0.01


def test_drift_of_colour_contrast_and_sharpness() -> None:
    scene = texture(7, 80, 160)
    first, second = 96, FRAMES - 96
    washed = [np.clip(120 + (scene.astype(float) - 120) * (1 - 0.5 * n / first), 0, 255).astype(np.uint8) for n in range(first)]
    rng = np.random.default_rng(0)
    grain = np.clip(scene + rng.normal(0, 25, scene.shape), 0, 255).astype(np.uint8)
    blurred = [cv2.GaussianBlur(grain, (0, 0), 0.3 + 1.7 * n / second) for n in range(second)]
    shots = report([*washed, *blurred], timeline(cuts=(first * FRAME,))).shots
    assert shots[0].contrast == pytest.approx(-0.4, abs=0.05) and shots[1].sharpness < -0.6  # type: ignore[operator]
    reddening = [np.clip(scene + np.array([40 * n / FRAMES, 0, 0]), 0, 255).astype(np.uint8) for n in range(FRAMES)]
    colour = report(reddening).shots[0].colour
    assert colour and colour > 8
    assert report([scene] * FRAMES).shots[0].colour == 0


def test_frozen_and_black_frames_are_found_to_the_frame() -> None:
    moving = [zoomed(texture(8), 1.02 + 0.004 * number) for number in range(96)]
    dark = [np.full_like(moving[0], 8)] * 24
    found = report([*moving[:60], *[moving[60]] * 36, *moving[61:], *dark, *moving[::-1]], timeline(10.5))
    assert found.frozen[0] == Stretch(pytest.approx(60 * FRAME), pytest.approx(96 * FRAME))
    assert found.black == (Stretch(pytest.approx(131 * FRAME), pytest.approx(155 * FRAME)),)


def test_a_frozen_picture_is_found_in_an_encoded_film(tmp_path: Path) -> None:
    grain = np.random.default_rng(0).normal(0, 20, (54, 96, 3))
    scene = np.clip(texture(9) + grain, 0, 255).astype(np.uint8)
    with VideoFileWriter(tmp_path / "film.mp4", 96, 54, FPS, MP4, quality=60) as file:
        for number in range(FRAMES):
            file.write(zoomed(scene, 1.02 + 0.002 * min(number, 100)))
    (stretch,) = measure_film(FileClip(tmp_path / "film.mp4"), None, timeline(), lambda done, total: None).report.frozen
    assert 100 * FRAME - 1e-6 <= stretch.start < 100 * FRAME + 1, "the encoder goes on refining what stands still for a moment"
    assert stretch.end == pytest.approx(SECONDS)


def test_a_slow_push_is_not_frozen() -> None:
    assert report([zoomed(texture(10), 1 + 0.05 * number / FRAMES) for number in range(FRAMES)]).frozen == ()


# What does not fit, and what is written


def test_what_does_not_fit_is_one_sentence() -> None:
    with pytest.raises(ValueError, match="single frame"):
        report([texture(0)])
    with pytest.raises(ValueError, match="is 8.00 s long, but the timeline beside it 30.00 s"):
        report(film_cut_at([]), timeline(30.0))
    assert "no sound" in " ".join(report(film_cut_at([])).remarks)


def test_text_and_numbers_say_the_same() -> None:
    planned = [frame_at(time, FPS) for time in CUTS]
    found = report(film_cut_at(planned), timeline(cuts=CUTS), in_blocks(clicks(BEATS, late=0.04)))
    text, numbers = write_text(found), json.loads(write_numbers(found))
    assert "5 of 5 planned cuts found within half a frame (21 ms)" in text and "40" in text and "late" in text
    assert numbers["schema"] == "video_report/1" and numbers["cuts"]["within_half_a_frame"] == 5
    assert numbers["sound"]["offset"] == pytest.approx(0.04, abs=0.002) and numbers["flashes"]["general in frame"]["count"] <= 3


def test_a_film_that_flashes_is_warned_of_first() -> None:
    strobe = [lit(texture(0), 0.3 if number // 2 % 2 else 1.2) for number in range(FRAMES)]
    found = report(strobe)
    assert found.flashes["general in frame"].count == 6 and write_text(found).startswith("WARNING: the film flashes")
    assert "WARNING" not in write_text(report(film_cut_at([])))


def test_an_empty_timeline_gives_what_the_film_itself_gives() -> None:
    found = report(film_cut_at([]), Timeline(SECONDS), in_blocks(clicks(BEATS)))
    assert found.beats is None and found.onsets is None and found.sound and found.sound.offset is None
    json.loads(write_numbers(found))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film() -> None:
    class Endless(list):  # type: ignore[type-arg]
        def __iter__(self) -> Any:
            return (texture(number, size=(240, 135)) for number in range(len(self)))

    peaks = []
    for seconds in (2, 6):
        tracemalloc.start()
        measure_film(DrawnClip(Endless([texture(0, size=(240, 135))] * 24 * seconds)), None, timeline(float(seconds)), lambda d, t: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000, "a frame is 97 kB; 96 more of them are 9 MB"


def test_an_interrupt_ends_the_work() -> None:
    def stop(done: int, total: int) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_film(DrawnClip(film_cut_at([])), None, timeline(), stop)


def make_rises(onsets: np.ndarray, strength: float, seconds: float = 60.0) -> Heard:
    """Rises everywhere, as in dense music, a little higher at the onsets."""
    rises = np.abs(np.random.default_rng(1).normal(0, 0.4, int(seconds * 1000)))
    for step in range(8):
        rises[(onsets * 1000).astype(int) + step - 4] += strength
    return Heard(seconds, rises)


def test_sound_of_dense_music_is_found_by_the_one_lag_that_fits() -> None:
    onsets = np.sort(np.random.default_rng(2).uniform(0, 59, 250))
    right, wrong = (Timeline(60.0, onsets=tuple(times.tolist())) for times in (onsets, np.sort(60 - onsets)))
    found = find_offset(make_rises(onsets + 0.2, 0.5), right)
    assert found.offset is not None and abs(found.offset - 0.2) < 0.01
    assert find_offset(make_rises(onsets + 0.2, 0.5), wrong).offset is None


def test_sound_whose_every_lag_speaks_against_it_has_no_offset() -> None:
    """Loud at the start, while the attacks are at the end."""
    rises = np.zeros(60_000)
    rises[:10_000:7] = 1.0
    assert find_offset(Heard(60.0, rises), Timeline(60.0, onsets=tuple(np.linspace(40, 59, 90).tolist()))).offset is None
