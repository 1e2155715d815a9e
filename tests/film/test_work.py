"""What is told beside what was measured: what drawing took, kept with each clip and added up into the film; whom shots look like."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_films import BEATS, FPS, texture, timeline
from pack.nodes.engine.film.assemble import FilmSettings, assemble_film
from pack.nodes.engine.film.clip_cache import ClipCache
from pack.nodes.engine.film.clip_source import FileClip, PictureClip
from pack.nodes.engine.film.report import FilmReport, ShotLikeness, measure_film
from pack.nodes.engine.film.report_text import write_numbers, write_text
from pack.nodes.engine.film.video_file import CLIP, FILM_FORMATS, VideoFileWriter
from pack.nodes.engine.film.work import FilmWork, add_work, read_clip_work, read_receipts, read_work, tag_receipts
from test_render import SHOTS, PaintModel, render
from test_render import TIMELINE as SONG

IDS = ("0" * 32, "a" * 32)


def clips_of(folder: Path, model: PaintModel | None = None) -> list[FileClip]:
    return [FileClip(str(clip.path)) for clip in render(folder, model)]


def pictures(frames: int, size: int = 32) -> PictureClip:
    return PictureClip(np.zeros((frames, size, 2 * size, 3), np.uint8), Fraction(12))


def write_film(path: Path, kind: str = "MP4 (H.264 + AAC)", tags: dict[str, str] | None = None) -> FileClip:
    with VideoFileWriter(path, 64, 32, Fraction(12), FILM_FORMATS[kind], metadata=tags) as file:
        for _ in range(3):
            file.write(np.zeros((32, 64, 3), np.uint8))
    return FileClip(path)


def test_every_clip_keeps_what_its_drawing_took(tmp_path: Path) -> None:
    model = PaintModel()
    kept = [read_clip_work(clip.path) for clip in render(tmp_path, model)]
    assert [work and work.evaluations for work in kept] == [26, 22, 26], "two a frame"
    assert all(work and 0 < work.seconds < 60 for work in kept)


def test_a_clip_that_is_used_again_keeps_the_numbers_of_its_making(tmp_path: Path) -> None:
    before = [read_clip_work(clip.path) for clip in render(tmp_path)]
    model = PaintModel()
    assert [read_clip_work(clip.path) for clip in render(tmp_path, model)] == before and model.evaluations == 0


def test_numbers_go_with_their_clip(tmp_path: Path) -> None:
    first, *others = render(tmp_path)
    first.path.unlink()
    ClipCache(tmp_path).prepare()
    assert read_clip_work(first.path) is None and all(read_clip_work(clip.path) for clip in others)


def test_a_folder_that_takes_no_numbers_leaves_no_clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Path, *_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match=r"No space left on device\); make room there") as caught:
        render(tmp_path)
    assert "\n" not in str(caught.value) and not os.listdir(tmp_path)


def test_a_film_sums_what_is_known_and_tells_of_how_much(tmp_path: Path) -> None:
    clips = clips_of(tmp_path)
    whole = add_work(clips)
    assert (whole.evaluations, whole.known, whole.clips, whole.covered) == (74, 3, 3, pytest.approx(37 / 12))
    assert whole.seconds == pytest.approx(sum(work.seconds for clip in clips if (work := read_clip_work(Path(str(clip.source))))))
    part = add_work([clips[0], pictures(12), FileClip(write_film(tmp_path / "own.mp4").source)])
    assert (part.evaluations, part.known, part.clips, part.covered) == (26, 1, 3, pytest.approx(13 / 12))
    assert add_work([pictures(3)]).to_tag() == {}


@pytest.mark.parametrize("kind", FILM_FORMATS)
def test_a_films_tags_hold_its_evaluations_and_consents_but_no_seconds(tmp_path: Path, kind: str) -> None:
    work = FilmWork(74, 2, 3, 2.5, seconds=9.0)
    film = write_film(tmp_path / f"film{FILM_FORMATS[kind].suffix}", kind, work.to_tag() | tag_receipts(IDS))
    assert read_work(film) == replace(work, seconds=None) and read_receipts([film]) == IDS
    plain = write_film(tmp_path / f"plain{FILM_FORMATS[kind].suffix}", kind, {"comment": "a nice film"})
    assert read_work(plain) is None and read_receipts([plain]) == ()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"evaluations": "many", "known": 1, "clips": 1, "covered": 1}',
                                  '{"evaluations": 1, "known": 1, "clips": 1, "covered": 0}'])  # fmt: skip
def test_a_tag_that_is_no_such_number_is_passed_over(tmp_path: Path, text: str) -> None:
    assert read_work(write_film(tmp_path / "film.mp4", tags={"music_video_work": text})) is None


def test_two_renders_join_to_the_same_bytes_though_their_seconds_differ(tmp_path: Path) -> None:
    song = replace(SONG, duration=1.0, shots=(replace(SHOTS[0], end=1.0),))
    samples, films = np.zeros((1, 22050), np.float32), []
    for name, late in (("one", 0.0), ("two", 3.0)):
        [clip] = render(tmp_path / name, timeline=song)
        beside = clip.path.with_name(f"{clip.path.name}.json")
        beside.write_text(json.dumps(json.loads(beside.read_text()) | {"seconds": late}))
        work = add_work([FileClip(clip.path)])
        path = tmp_path / f"{name}.mp4"
        assemble_film(song, [FileClip(clip.path)], samples, 22050, path, FilmSettings(), lambda *_: None, work.to_tag())
        films.append((path.read_bytes(), work.seconds))
    assert films[0][0] == films[1][0] and films[0][1] != films[1][1]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> FilmReport:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with VideoFileWriter(path, 96, 54, FPS, CLIP) as file:
        for number in range(round(4 * FPS)):
            file.write(texture(number // 24))
    song = timeline(4.0, cuts=(BEATS[2],))
    return measure_film(FileClip(path), None, song, lambda *_: None).report


SPENT = {
    FilmWork(640, 2, 2, 4.0, 10.0): "(160 for a second of film) and 10.0 s of drawing (2.5 s for a second of film)",
    FilmWork(640, 1, 3, 2.0): "(320 for a second of film), for the 1 of 3 clips that tell",
}


@pytest.mark.parametrize(("work", "line"), SPENT.items())
def test_the_report_tells_what_was_spent(report: FilmReport, work: FilmWork, line: str) -> None:
    told = replace(report, work=work)
    assert f"Work: 640 model evaluations {line}" in write_text(told).splitlines()
    numbers = json.loads(write_numbers(told))["work"]
    assert numbers["evaluations_per_second"] == 640 / work.covered
    assert numbers["seconds_per_second"] == (None if work.seconds is None else 2.5)


def test_a_film_that_tells_nothing_has_no_such_line(report: FilmReport) -> None:
    assert "Work:" not in write_text(report) and json.loads(write_numbers(report))["work"] is None


def test_the_report_names_the_shots_that_are_least_like_somebody(report: FilmReport) -> None:
    shots = [ShotLikeness(shot, 1, 7, 7, 0.9 - 0.1 * shot) for shot in range(1, 7)] + [ShotLikeness(7, 1, 7, 0, None)]
    told = write_text(replace(report, likeness=tuple(shots))).splitlines()
    start = next(
        place for place, line in enumerate(told) if line.startswith("Likeness: 0.55 in the middle of 6 shots; no face found in 1 (")
    )
    assert [line.split(",")[0] for line in told[start + 1 : start + 5]] == [
        f"  shot {shot}: {0.9 - 0.1 * shot:.2f}" for shot in (6, 5, 4, 3)
    ]
    assert not told[start + 5].startswith("  shot")


def test_several_people_have_a_line_each(report: FilmReport) -> None:
    text = write_text(replace(report, likeness=(ShotLikeness(1, 1, 7, 7, 0.8), ShotLikeness(1, 2, 7, 0, None))))
    assert "Likeness of person 1: 0.80 in the middle of 1 shot (" in text and "Likeness of person 2: no face found in 1 shot" in text
