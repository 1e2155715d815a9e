"""The film, proven on the finished file by decoding it: cuts, sound, sizes, and everything that does not fit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import pytest
from pack.nodes.engine.film.assemble import Film, FilmSettings, assemble_film, film_frames, film_size, plan_parts
from pack.nodes.engine.film.clip_source import FileClip, PictureClip, to_pixels
from pack.nodes.engine.film.flashes import FlashCounter, to_light
from pack.nodes.engine.film.video_file import CLIP, FFV1, FILM_FORMATS, MP4, VideoFileWriter, VideoFormat, probe_video, read_frames
from pack.nodes.engine.timeline import Line, Shot, Timeline, TimelineError, Word, frame_at, frame_span, hash_samples

FPS24, NTSC, NTSC_FILM, FPS12 = Fraction(24), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(12)
SIZE = (64, 36)
LEVELS = (30, 200, 90, 250, 140)  # the brightness of the shots, in turn
RATE = 22050


def make_song(seconds: float, rate: int = RATE, channels: int = 2) -> np.ndarray:
    noise = np.random.default_rng(3).uniform(-0.6, 0.6, (channels, round(seconds * rate)))
    return noise.astype(np.float32)


def make_timeline(*edges: float, lines: tuple[Line, ...] = ()) -> Timeline:
    return Timeline(edges[-1], shots=tuple(Shot(start, end, "", 0) for start, end in pairwise(edges)), lines=lines)


def pictures(level: int, frames: int, fps: Fraction = FPS24, size: tuple[int, int] = SIZE) -> PictureClip:
    return PictureClip(np.full((frames, size[1], size[0], 3), level, dtype=np.uint8), fps)


def counting(frames: int, fps: Fraction = FPS24) -> PictureClip:
    """Frame k of this clip has brightness 4 k."""
    return PictureClip(np.broadcast_to(4 * np.arange(frames, dtype=np.uint8)[:, None, None, None], (frames, 36, 64, 3)), fps)


def clips_for(timeline: Timeline, fps: Fraction) -> list[PictureClip]:
    return [pictures(LEVELS[index % 5], max(1, len(frame_span(shot, fps))), fps) for index, shot in enumerate(timeline.shots)]


def assemble(timeline: Timeline, clips: Any, path: Path, rate: int = RATE, channels: int = 2, **settings: Any) -> Film:
    song = make_song(timeline.duration, rate, channels)
    return assemble_film(timeline, clips, song, rate, path, FilmSettings(**settings), lambda done, total: None)


def levels_of(clips: list[Any], timeline: Timeline, fps: Fraction = FPS24, **options: Any) -> list[float]:
    """The brightness of every frame of the film, before it is encoded."""
    settings = FilmSettings(**options)
    parts = plan_parts(timeline, clips, fps, settings)
    return [float(frame.mean()) for frame in film_frames(parts, fps, SIZE, settings.short_clips)]


class Heard(NamedTuple):
    samples: np.ndarray  # [channels, samples]
    rate: int
    start: float  # when the first of them is heard
    end: float  # when the file says that the track ends


def hear(path: Path) -> Heard:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        blocks, start = [], None
        for block in container.decode(stream):
            start = block.time if start is None else start
            values = block.to_ndarray()
            values = values.reshape(-1, stream.codec_context.layout.nb_channels).T if not block.format.is_planar else values
            blocks.append(values / 2**31 if values.dtype == np.int32 else values)
        end = float(stream.duration * stream.time_base) if stream.duration else container.duration / 1e6
        return Heard(np.concatenate(blocks, axis=1).astype(float), stream.rate, start or 0.0, end)


def lag(heard: np.ndarray, song: np.ndarray) -> float:
    """By how many samples the sound comes later than the song: the peak of their correlation, between samples."""
    size = 1 << 17
    spectrum = np.fft.rfft(heard[: size // 2], size) * np.conj(np.fft.rfft(song[: size // 2], size))
    correlation = np.fft.irfft(spectrum)
    place = int(np.argmax(correlation))
    left, middle, right = correlation[(place - 1) % size], correlation[place], correlation[(place + 1) % size]
    return (place if place < size // 2 else place - size) + 0.5 * (left - right) / (left - 2 * middle + right)


def assert_in_sync(film: Film, timeline: Timeline, rate: int) -> None:
    """On the finished file: cuts within half a frame, sound within 1 ms, both end within a frame."""
    frames = [float(frame.mean()) for frame in read_frames(film.path)]
    assert len(frames) == film.frames == max(1, frame_at(timeline.duration, film.fps))
    assert probe_video(film.path).fps == film.fps
    cuts = [index for index, (left, right) in enumerate(pairwise(frames), start=1) if abs(left - right) > 15]
    assert len(cuts) == len(timeline.shots) - 1
    for cut, shot in zip(cuts, timeline.shots[1:], strict=True):
        assert abs(cut - shot.start * film.fps) <= 0.5 + 1e-9
    song, heard = make_song(timeline.duration, rate), hear(film.path)
    assert heard.rate == rate, "these tests correlate at the song's own rate"
    assert abs(heard.start + lag(heard.samples[0], song[0]) / rate) < 0.001
    assert abs(heard.end - film.frames / film.fps) <= 1 / film.fps
    assert 0 <= heard.samples.shape[1] - song.shape[1] < 1024, "AAC fills its last block, which the file's end cuts off"


EDGES = {8.0: (0.0, 1.013, 2.777, 3.5005, 8.017), 35.0: tuple(np.linspace(0, 35.0321, 19)), 360.0: tuple(np.linspace(0, 360.0123, 151))}


@pytest.mark.slow
@pytest.mark.parametrize("fps", [FPS24, NTSC, NTSC_FILM, FPS12], ids=str)
def test_picture_and_sound_are_in_sync(fps: Fraction, tmp_path: Path) -> None:
    timeline = make_timeline(*EDGES[8.0])
    assert_in_sync(assemble(timeline, clips_for(timeline, fps), tmp_path / "film.mp4", fps=fps), timeline, RATE)


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "rate"), [(8.0, 8000), (8.0, 48000), (8.0, 96000), (35.0, 44100)])
@pytest.mark.parametrize("fps", [FPS24, NTSC, NTSC_FILM, FPS12], ids=str)
def test_sync_at_other_lengths_and_sample_rates(fps: Fraction, seconds: float, rate: int, tmp_path: Path) -> None:
    timeline = make_timeline(*EDGES[seconds])
    assert_in_sync(assemble(timeline, clips_for(timeline, fps), tmp_path / "film.mp4", rate, fps=fps), timeline, rate)


@pytest.mark.slow
@pytest.mark.parametrize("fps", [FPS24, NTSC], ids=str)
def test_sync_holds_for_six_minutes(fps: Fraction, tmp_path: Path) -> None:
    timeline = make_timeline(*EDGES[360.0])
    film = assemble(timeline, clips_for(timeline, fps), tmp_path / "film.mp4", 44100, fps=fps)
    assert_in_sync(film, timeline, 44100)
    song, heard = make_song(timeline.duration, 44100), hear(film.path)
    tail = song.shape[1] - 40000
    assert abs(lag(heard.samples[0, tail : song.shape[1]], song[0, tail:])) < 44.1, "still together at the end"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in FILM_FORMATS.values() if kind is not MP4], ids=lambda kind: kind.name)
def test_other_formats_are_in_sync_too(kind: VideoFormat, tmp_path: Path) -> None:
    timeline = make_timeline(*EDGES[8.0])
    film = assemble(timeline, clips_for(timeline, FPS12), tmp_path / f"film{kind.suffix}", 48000, format=kind, fps=FPS12)
    assert_in_sync(film, timeline, 48000)


def test_every_sample_of_the_song_is_in_the_film_once(tmp_path: Path) -> None:
    timeline = make_timeline(0.0, 1.0, 2.0137)
    film = assemble(timeline, clips_for(timeline, FPS24), tmp_path / "film.mkv", 44100, format=FFV1)
    assert np.array_equal(hear(film.path).samples.astype(np.float32), make_song(2.0137, 44100))


@pytest.mark.parametrize("channels", [1, 6])
def test_mono_and_surround(channels: int, tmp_path: Path) -> None:
    timeline = make_timeline(0.0, 0.6)
    film = assemble(timeline, [pictures(99, 14)], tmp_path / "film.mp4", 48000, channels)
    assert len(hear(film.path).samples) == channels


def test_the_shortest_song_makes_a_film_of_one_frame(tmp_path: Path) -> None:
    timeline = make_timeline(0.0, 0.01)
    film = assemble(timeline, [pictures(99, 1)], tmp_path / "film.mp4")
    assert film.frames == len(list(read_frames(film.path))) == 1


def test_a_clip_of_another_rate_keeps_its_time() -> None:
    timeline = make_timeline(0.0, 1.0)
    for fps, step in ((Fraction(12), 0.5), (Fraction(48), 2), (Fraction(25), 25 / 24)):
        shown = np.array(levels_of([counting(round(fps), fps)], timeline)) / 4
        assert np.abs(shown - np.arange(24) * step).max() <= 1


def test_a_clip_file_is_read_by_its_own_times(tmp_path: Path) -> None:
    with VideoFileWriter(tmp_path / "clip.mp4", *SIZE, NTSC, CLIP) as file:
        for index in range(40):
            file.write(np.full((36, 64, 3), 4 * index, dtype=np.uint8))
    shown = np.array(levels_of([FileClip(tmp_path / "clip.mp4", 0.25)], make_timeline(0.0, 1.0))) / 4
    assert np.abs(shown - (0.25 + np.arange(24) / 24) * float(NTSC)).max() <= 1.1


def test_a_crossfade_is_half_done_on_the_cut() -> None:
    timeline = make_timeline(0.0, 1.0, 2.0)
    shown = levels_of([pictures(0, 24), pictures(200, 24)], timeline, transition="crossfade", transition_seconds=0.5)
    assert len(shown) == 48
    assert shown[:18] == [0.0] * 18 and shown[30:] == [200.0] * 18
    assert (shown[23] + shown[24]) / 2 == pytest.approx(100, abs=1), "the cut lies between these two"
    assert np.all(np.diff(shown[17:31]) > 0)


def test_a_crossfade_plays_on_where_the_clip_is_longer_and_keeps_the_next_clip_on_the_beat() -> None:
    timeline = make_timeline(0.0, 0.5, 1.0)
    shown = levels_of([counting(20), counting(12)], timeline, transition="crossfade", transition_seconds=1 / 3)
    weights = (np.arange(8) + 0.5) / 8
    outgoing, incoming = np.arange(8, 16) * 4, np.maximum(np.arange(-4, 4), 0) * 4
    assert shown[8:16] == pytest.approx(outgoing * (1 - weights) + incoming * weights, abs=1)
    assert shown[16:] == [4.0 * index for index in range(4, 12)]


def test_crossfades_never_reach_into_each_other() -> None:
    timeline = make_timeline(0.0, 0.5, 0.6, 1.2)
    shown = levels_of(clips_for(timeline, FPS24), timeline, transition="crossfade", transition_seconds=9.0)
    assert len(shown) == 29


@pytest.mark.parametrize(
    ("short_clips", "expected"),
    [
        ("hold last frame", [*range(12), *[11] * 12]),
        ("loop", [*range(12), *range(12)]),
        ("slow down", [index // 2 for index in range(24)]),
    ],
)
def test_a_short_clip_by_choice(short_clips: str, expected: list[int]) -> None:
    assert np.array(levels_of([counting(12)], make_timeline(0.0, 1.0), short_clips=short_clips)) / 4 == pytest.approx(expected)


def test_a_short_clip_is_an_error_otherwise() -> None:
    with pytest.raises(ValueError, match=r"Clip 2 lasts 0\.50 s, but its place in the film is 1\.00 s long.* slow down"):
        levels_of([counting(24), counting(12)], make_timeline(0.0, 1.0, 2.0))


def test_one_picture_can_stand_for_a_whole_film() -> None:
    assert levels_of([counting(1)], make_timeline(0.0, 1.0, 2.0), short_clips="hold last frame") == [0.0] * 48


def test_one_clip_as_long_as_the_song_is_the_film() -> None:
    assert levels_of([counting(48)], make_timeline(0.0, 0.7, 2.0), transition="crossfade") == [4.0 * index for index in range(48)]
    assert len(levels_of([counting(48)], Timeline(2.0))) == 48


@pytest.mark.parametrize(
    ("timeline", "clips", "words"),
    [
        (make_timeline(0, 1, 2, 3), 2, "There are 2 clips, but the timeline has 3 shots"),
        (make_timeline(0, 1, 2, 3), 4, "There are 4 clips, but the timeline has 3 shots"),
        (make_timeline(0, 1, 2, 3), 1, "There is 1 clip for 3 shots"),
        (make_timeline(0, 1), 0, "There are no clips"),
        (Timeline(1.0), 2, "has no shots, but there are 2 clips"),
        (Timeline(2.0, shots=(Shot(0, 0.5, "", 0), Shot(1, 2, "", 0))), 2, r"a gap of 0\.50 s between the end of shot 1 and shot 2"),
        (Timeline(2.0, shots=(Shot(0, 1.5, "", 0), Shot(1, 2, "", 0))), 2, r"an overlap of 0\.50 s between the end of shot 1 and shot 2"),
        (Timeline(2.0, shots=(Shot(0.5, 2, "", 0),)), 1, r"a gap of 0\.50 s between the start of the song and shot 1"),
        (Timeline(2.0, shots=(Shot(0, 1.0, "", 0),)), 1, r"a gap of 1\.00 s between the end of shot 1 and the end of the song"),
        (Timeline(2.0, shots=(Shot(0, 1.5, "", 0), Shot(1.5, 1, "", 0), Shot(1, 2, "", 0))), 3, "Shot 2 ends before it starts"),
        (Timeline(1.0, shots=(Shot(0, 2.0, "", 0),)), 1, r"an overlap of 1\.00 s between the end of shot 1 and the end of the song"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence_and_no_file(timeline: Timeline, clips: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        assemble(timeline, [pictures(9, 24)] * clips, tmp_path / "film.mp4")
    assert "\n" not in str(caught.value) and os.listdir(tmp_path) == []


def test_a_timeline_from_another_song_is_refused(tmp_path: Path) -> None:
    timeline = replace(make_timeline(0.0, 1.0), audio_sha256=hash_samples(make_song(1.0) * 0.5, RATE))
    with pytest.raises(TimelineError, match="another song"):
        assemble(timeline, [pictures(9, 24)], tmp_path / "film.mp4")
    longer = make_song(3.0)
    with pytest.raises(TimelineError, match=r"1\.00 s long, but the audio beside it 3\.00 s"):
        assemble_film(make_timeline(0.0, 1.0), [pictures(9, 24)], longer, RATE, tmp_path / "film.mp4", FilmSettings(), lambda *_: None)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, BaseException, RuntimeError])
def test_an_interrupt_leaves_nothing(interrupt: type[BaseException], tmp_path: Path) -> None:
    calls = []

    def stop(done: int, total: int) -> None:
        calls.append((done, total))
        if done == 5:
            raise interrupt

    timeline = make_timeline(0.0, 1.0)
    with pytest.raises(interrupt):
        assemble_film(timeline, [pictures(9, 24)], make_song(1.0), RATE, tmp_path / "film.mp4", FilmSettings(), stop)
    assert calls == [(index, 24) for index in range(6)] and os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("asked", "expected"),
    [((0, 0), (640, 360)), ((320, 0), (320, 180)), ((0, 100), (178, 100)), ((301, 201), (300, 200)), ((1, 1), (2, 2))],
)
def test_the_size_of_the_film_is_even(asked: tuple[int, int], expected: tuple[int, int]) -> None:
    assert film_size([pictures(0, 1, size=(641, 361))], FilmSettings(width=asked[0], height=asked[1])) == expected


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be 99999x2 pixels"):
        film_size([pictures(0, 1)], FilmSettings(width=99999, height=2))


def test_clips_of_another_shape_fill_the_frame_and_lose_their_edges() -> None:
    tall = np.zeros((24, 72, 36, 3), dtype=np.uint8)
    tall[:, 27:45] = 255  # a band a quarter as high as the picture, in the middle
    parts = plan_parts(make_timeline(0.0, 1.0), [PictureClip(tall, FPS24)], FPS24, FilmSettings())
    frame = next(film_frames(parts, FPS24, (64, 36), "stop"))
    assert frame.shape == (36, 64, 3)
    rows = frame.mean(axis=(1, 2)) > 128
    assert rows.sum() in (31, 32, 33) and abs(np.flatnonzero(rows).mean() - 17.5) <= 1, "scaled by 64/36 and cut evenly"


@pytest.mark.parametrize(
    "picture",
    [
        np.full((2, 2, 3), 0.5, np.float32),
        np.full((2, 2, 1), 0.5, np.float16),
        np.full((2, 2, 3), 128, np.uint8),
        np.full((2, 2, 3), 32896, np.uint16),
        np.concatenate([np.ones((2, 2, 3)), np.full((2, 2, 1), 0.5)], axis=-1),
    ],
)
def test_pictures_of_any_depth(picture: np.ndarray) -> None:
    pixels = to_pixels(picture)
    assert pixels.dtype == np.uint8 and pixels.shape == (2, 2, 3) and set(pixels.ravel().tolist()) == {128}


def test_pictures_that_are_no_numbers_are_black_and_never_wrap() -> None:
    assert to_pixels(np.array([[[np.nan, -3.0, 7.0]]], np.float32)).tolist() == [[[0, 0, 255]]]


WORDS = (Word(0.0, 0.5, "hello"), Word(0.5, 1.0, "world"))
LINES = (Line(0.0, 1.0, "hello world", WORDS),)


@pytest.mark.parametrize("kind", list(FILM_FORMATS.values()), ids=lambda kind: kind.name)
def test_lyrics_as_a_track_read_back(kind: VideoFormat, tmp_path: Path) -> None:
    timeline = make_timeline(0.0, 2.0, lines=LINES)
    film = assemble(timeline, [pictures(9, 48)], tmp_path / f"film{kind.suffix}", format=kind, lyrics="subtitle track")
    with av.open(str(film.path)) as container:
        packets = [packet for packet in container.demux(container.streams.subtitles[0]) if packet.size > 2]
        assert [(float(packet.pts * packet.time_base), float(packet.duration * packet.time_base)) for packet in packets] == [(0.0, 1.0)]
    assert film.remarks == ()


def test_burnt_in_lyrics_are_there_while_they_are_sung(tmp_path: Path) -> None:
    timeline = make_timeline(0.0, 2.0, lines=LINES)
    film = assemble(timeline, [pictures(9, 48, size=(320, 180))], tmp_path / "film.mp4", lyrics="burnt in")
    brightest = [int(frame.max()) for frame in read_frames(film.path)]
    assert min(brightest[:24]) > 200 and max(brightest[24:]) < 40


@pytest.mark.parametrize("lyrics", ["burnt in", "subtitle track"])
def test_a_timeline_without_words_is_remarked(lyrics: str, tmp_path: Path) -> None:
    film = assemble(make_timeline(0.0, 0.5), [pictures(9, 12)], tmp_path / "film.mp4", lyrics=lyrics)
    assert "no lyrics" in film.remarks[0]


@pytest.fixture
def open_readers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """How many clip files were open at once, at most."""
    from pack.nodes.engine.film import video_frames

    count, most = 0, 0
    original = video_frames.read_timed_frames

    def counted(*args: Any) -> Iterator[Any]:
        nonlocal count, most
        count += 1
        most = max(most, count)
        try:
            yield from original(*args)
        finally:
            count -= 1

    monkeypatch.setattr("pack.nodes.engine.film.clip_source.read_timed_frames", counted)
    yield lambda: most
    assert count == 0, "every clip is closed again"


def test_two_clips_are_open_at_most(open_readers: Callable[[], int], tmp_path: Path) -> None:
    clips = []
    for index in range(6):
        with VideoFileWriter(tmp_path / f"{index}.mp4", *SIZE, FPS24, CLIP) as file:
            for _ in range(20):
                file.write(np.zeros((36, 64, 3), dtype=np.uint8))
        clips.append(FileClip(tmp_path / f"{index}.mp4"))
    timeline = make_timeline(*(index / 3 for index in range(7)))
    assert len(levels_of(clips, timeline, transition="crossfade", transition_seconds=0.1)) == 48
    assert open_readers() == 2


# Flashes


def flickering(*seconds: float) -> np.ndarray:
    """Two seconds of grey, 48 frames, with flashes at these moments, one frame each."""
    frames = np.full((48, 36, 64, 3), 90, np.uint8)
    frames[[round(24 * second) for second in seconds]] = 200
    return frames


def flashes_in(frames: Any) -> int:
    counter = FlashCounter()
    for number, frame in enumerate(frames):
        counter.add(number / 24, to_light(frame))
    return counter.most()


def test_clips_that_are_safe_alone_make_a_safe_film(tmp_path: Path) -> None:
    halves = [flickering(1.5, 1.65, 1.8), flickering(0.1, 0.25, 0.4)]
    assert [flashes_in(half) for half in halves] == [3, 3] and flashes_in(np.concatenate(halves)) == 6
    film = assemble(make_timeline(0, 2, 4), [PictureClip(half, FPS24) for half in halves], tmp_path / "film.mkv", format=FFV1)
    frames = list(read_frames(film.path))
    assert flashes_in(frames) == 3
    assert any("more than three times a second" in remark for remark in film.remarks)
    assert np.abs(np.array(frames[:48], int) - halves[0]).max() <= 1, "the first three are safe and stay"


def test_a_safe_film_is_not_touched(tmp_path: Path) -> None:
    frames = flickering(0.5, 0.7, 0.9)
    film = assemble(make_timeline(0, 2), [PictureClip(frames, FPS24)], tmp_path / "film.mkv", format=FFV1)
    assert not film.remarks and np.abs(np.array(list(read_frames(film.path)), int) - frames).max() <= 1
