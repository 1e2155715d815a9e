"""The video file itself: exact, repeatable, whole or absent."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from pack.nodes.engine.film.encoding import Cue
from pack.nodes.engine.film.sound import Sound, prepare_sound
from pack.nodes.engine.film.video_file import (
    CLIP,
    FFV1,
    FILM_FORMATS,
    MP4,
    PRORES,
    WEBM,
    VideoFileError,
    VideoFileWriter,
    VideoFormat,
    probe_video,
    read_frames,
)

WIDTH, HEIGHT = 64, 48
ALL = [CLIP, *FILM_FORMATS.values()]
NTSC = Fraction(30000, 1001)


def plain(colour: tuple[int, int, int], width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def noise(rate: int = 44100, seconds: float = 0.5, channels: int = 2) -> Sound:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (channels, round(rate * seconds)))
    return Sound(samples.astype(np.float32), rate)


def write(path: Path, kind: VideoFormat = CLIP, frames: int = 12, fps: Fraction = NTSC, **options: Any) -> Path:
    with VideoFileWriter(path, WIDTH, HEIGHT, fps, kind, **options) as file:
        for index in range(frames):
            file.write(plain((20 * index % 256, 255 - 20 * index % 256, 60)))
    return path


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_rate_count_and_colour_tags_are_exact(kind: VideoFormat, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{kind.suffix}", kind, sound=noise())
    facts = probe_video(path)
    assert (facts.width, facts.height, facts.fps, facts.frames, facts.has_sound) == (WIDTH, HEIGHT, NTSC, 12, True)
    assert facts.duration == pytest.approx(12 / 30 * 1.001, abs=0.001)
    assert len(list(read_frames(path))) == 12
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        tags = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)
    assert tags[0] == 2 if kind is FFV1 else tags == (1, 1, 1, 1)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_colours_come_back(kind: VideoFormat, tmp_path: Path) -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (200, 120, 30)]
    with VideoFileWriter(tmp_path / f"a{kind.suffix}", WIDTH, HEIGHT, Fraction(24), kind, 100) as file:
        for colour in colours:
            file.write(plain(colour))
    for colour, found in zip(colours, read_frames(tmp_path / f"a{kind.suffix}"), strict=True):
        assert np.abs(found.astype(int) - colour).max() <= (0 if kind is FFV1 else 2)


def test_ffv1_and_its_sound_are_lossless(tmp_path: Path) -> None:
    frames = np.random.default_rng(2).integers(0, 256, (3, HEIGHT, WIDTH, 3), dtype=np.uint8)
    sound = noise(192000, 0.125)
    with VideoFileWriter(tmp_path / "a.mkv", WIDTH, HEIGHT, Fraction(24), FFV1, sound=sound) as file:
        for frame in frames:
            file.write(frame)
    assert np.array_equal(list(read_frames(tmp_path / "a.mkv")), frames)
    with av.open(str(tmp_path / "a.mkv")) as container:
        heard = np.concatenate([block.to_ndarray().reshape(-1, 2).T for block in container.decode(audio=0)], axis=1)
    assert np.array_equal(heard, sound.samples)


def test_a_clip_is_visually_lossless(tmp_path: Path) -> None:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    frame = np.stack([128 + 100 * np.sin(x / 9), 128 + 100 * np.cos(y / 7), 128 + 60 * np.sin((x + y) / 11)], axis=-1).astype(np.uint8)
    with VideoFileWriter(tmp_path / "a.mp4", WIDTH, HEIGHT, Fraction(24)) as file:
        file.write(frame)
    error = np.mean((next(read_frames(tmp_path / "a.mp4")).astype(float) - frame) ** 2)
    assert 10 * np.log10(255**2 / error) > 38


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_the_same_frames_give_the_same_bytes(kind: VideoFormat, tmp_path: Path) -> None:
    options: dict[str, Any] = {"sound": noise(), "metadata": {"prompt": "{}"}, "subtitles": [Cue(0.1, 0.3, "la")]}
    first = write(tmp_path / f"a{kind.suffix}", kind, **options).read_bytes()
    assert write(tmp_path / f"b{kind.suffix}", kind, **options).read_bytes() == first


@pytest.mark.slow
def test_a_film_of_many_frames_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    """Short ones always were; what reads memory that nobody wrote (x264 with B-frames on AVX-512) shows in long ones, now and then."""
    import cv2
    from av.video.frame import PictureType

    def film(name: str) -> bytes:
        with VideoFileWriter(tmp_path / name, 448, 256, Fraction(12), MP4) as file:
            for shot in range(4):
                rng = np.random.default_rng(shot)
                scene = cv2.resize(rng.integers(0, 255, (16, 30, 3), dtype=np.uint8), (600, 350), interpolation=cv2.INTER_CUBIC)
                for step in range(35):
                    move = np.array([[1 + step / 200, 0, -step / 2], [0, 1 + step / 200, -step / 3]], np.float32)
                    seen = cv2.warpAffine(scene, move, (448, 256)) + rng.integers(-3, 4, (256, 448, 3))
                    file.write(seen.clip(0, 255).astype(np.uint8))
        return (tmp_path / name).read_bytes()

    assert len({film(f"{number}.mp4") for number in range(6)}) == 1
    with av.open(str(tmp_path / "0.mp4")) as container:
        kinds = {frame.pict_type for frame in container.decode(video=0)}
    assert kinds == {PictureType.I, PictureType.P}


@pytest.mark.slow
def test_another_process_writes_the_same_bytes(tmp_path: Path) -> None:
    here = write(tmp_path / "here.mp4", sound=noise()).read_bytes()
    script = (
        f"import sys; sys.path[:0] = {[str(Path(__file__).parent.parent), str(Path(__file__).parent)]!r}\n"
        f"import conftest\nfrom test_video_file import *\nwrite(Path({str(tmp_path / 'there.mp4')!r}), sound=noise())"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert (tmp_path / "there.mp4").read_bytes() == here


@pytest.mark.parametrize("kind", [CLIP, MP4, PRORES], ids=lambda kind: kind.name)
def test_the_index_comes_before_the_pictures(kind: VideoFormat, tmp_path: Path) -> None:
    boxes = list(top_boxes(write(tmp_path / "a.mp4", kind, sound=noise()).read_bytes()))
    assert boxes.index(b"moov") < boxes.index(b"mdat")


def top_boxes(data: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(data):
        yield data[place + 4 : place + 8]
        place += int.from_bytes(data[place : place + 4], "big")


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="an independent check, where FFmpeg's own tools are at hand")
@pytest.mark.parametrize("kind", [MP4, WEBM], ids=lambda kind: kind.name)
def test_ffprobe_agrees(kind: VideoFormat, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{kind.suffix}", kind, sound=noise(), metadata={"prompt": '{"1": 2}'})
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    video, audio = found["streams"]
    assert (video["avg_frame_rate"], video["r_frame_rate"], video["nb_read_frames"]) == ("30000/1001", "30000/1001", "12")
    assert kind is FFV1 or (video["color_space"], video["color_range"], video["color_primaries"]) == ("bt709", "tv", "bt709")
    assert audio["codec_type"] == "audio" and float(audio["start_time"]) == pytest.approx(0, abs=0.008)  # Opus: 6.5 ms of priming
    assert {name.lower(): text for name, text in found["format"]["tags"].items()}["prompt"] == '{"1": 2}'
    if shutil.which("ffmpeg"):
        played = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"], capture_output=True, text=True)
        assert played.returncode == 0 and not played.stderr


@pytest.mark.parametrize("kind", list(FILM_FORMATS.values()), ids=lambda kind: kind.name)
def test_subtitles_read_back_with_their_times(kind: VideoFormat, tmp_path: Path) -> None:
    cues = [Cue(0.25, 2.0, "d'\u00e9t\u00e9 & <b>"), Cue(1.0, 1.5, "\u591c\u7a7a"), Cue(1.6, 1.6, "nothing")]
    path = write(tmp_path / f"a{kind.suffix}", kind, 48, Fraction(24), subtitles=cues)
    with av.open(str(path)) as container:
        stream = container.streams.subtitles[0]
        packets = [packet for packet in container.demux(stream) if packet.size > 2]
        times = [(float(packet.pts * packet.time_base), float(packet.duration * packet.time_base)) for packet in packets]
        texts = [subtitle.dialogue.decode() for packet in packets for subtitle in packet.decode()]
    assert times == [(0.25, 0.75), (1.0, 0.5)]
    assert "\u591c\u7a7a" in texts[-1] and "d'\u00e9t\u00e9 & " in texts[0]


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (22050, 2), (192000, 2), *((48000, channels) for channels in range(3, 8))])
@pytest.mark.parametrize("kind", [MP4, WEBM], ids=lambda kind: kind.name)
def test_sound_of_any_rate_fits_the_codec(kind: VideoFormat, channels: int, rate: int, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{kind.suffix}", kind, sound=noise(rate, 0.4, channels))
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.layout.nb_channels == channels
        heard = sum(block.samples for block in container.decode(stream))
        assert heard / stream.rate == pytest.approx(0.4, abs=2048 / stream.rate)


@pytest.mark.parametrize(("width", "height"), [(63, 48), (64, 47), (0, 48), (64, -2)])
def test_odd_sizes_are_refused(width: int, height: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be even"):
        VideoFileWriter(tmp_path / "a.mp4", width, height, Fraction(24))


@pytest.mark.parametrize("frame", [plain((0, 0, 0), 32), plain((0, 0, 0)).astype(np.float32), plain((0, 0, 0))[..., 0]])
def test_a_frame_that_does_not_fit_leaves_nothing(frame: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="A frame is"), VideoFileWriter(tmp_path / "a.mp4", WIDTH, HEIGHT, Fraction(24)) as file:
        file.write(frame)
    assert os.listdir(tmp_path) == []


def test_no_frames_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No frame"), VideoFileWriter(tmp_path / "a.mp4", WIDTH, HEIGHT, Fraction(24)):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, RuntimeError, BaseException])
def test_an_interrupt_leaves_the_old_file_alone(interrupt: type[BaseException], tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"old")
    with pytest.raises(interrupt), VideoFileWriter(tmp_path / "a.mp4", WIDTH, HEIGHT, Fraction(24), sound=noise()) as file:
        file.write(plain((1, 2, 3)))
        raise interrupt
    assert os.listdir(tmp_path) == ["a.mp4"] and (tmp_path / "a.mp4").read_bytes() == b"old"


def test_the_final_name_appears_only_when_the_file_is_whole(tmp_path: Path) -> None:
    with VideoFileWriter(tmp_path / "new" / "a.mp4", WIDTH, HEIGHT, Fraction(24)) as file:
        file.write(plain((1, 2, 3)))
        assert not (tmp_path / "new" / "a.mp4").exists()
    assert os.listdir(tmp_path / "new") == ["a.mp4"]


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".a.mp4.1-a.part", tmp_path / ".a.mp4.2-b.part"
    old.write_bytes(b"")
    fresh.write_bytes(b"")
    os.utime(old, (1, 1))
    write(tmp_path / "a.mp4", frames=1)
    assert sorted(os.listdir(tmp_path)) == [fresh.name, "a.mp4"]


@contextmanager
def limited_disk(size: int) -> Iterator[None]:
    """Makes every file that grows beyond `size` bytes fail as a full disk does; the log of the tests, too, so keep it short."""
    resource = pytest.importorskip("resource")
    import signal

    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("missing", [1, 10**9])
@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(kind: VideoFormat, missing: int, tmp_path: Path) -> None:
    path = write(tmp_path / f"a{kind.suffix}", kind, sound=noise())
    size = path.stat().st_size
    path.write_bytes(b"old")
    with limited_disk(max(0, size - missing)), pytest.raises(VideoFileError, match="disk ran full"):
        write(path, kind, sound=noise())
    assert os.listdir(tmp_path) == [path.name] and path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("code", "words"), [(errno.ENOSPC, "disk ran full"), (errno.EACCES, "cannot be written to"), (errno.EIO, "could not be written")]
)
def test_failing_to_sync_is_explained(code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(VideoFileError, match=words):
        write(tmp_path / "a.mp4")
    assert os.listdir(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(VideoFileError, match="choose another output folder"):
        write(tmp_path / "a.mp4")


def test_a_file_in_the_folders_place_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(VideoFileError, match="cannot be"):
        write(tmp_path / "file" / "a.mp4")
    with pytest.raises(VideoFileError, match="choose another name"):
        write(tmp_path / ("a" * 300 + ".mp4"))


def test_part_of_a_video_is_read_from_memory_and_in_another_size(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", frames=48, fps=Fraction(24))
    source = BytesIO(path.read_bytes())
    part = list(read_frames(source, start=0.5, duration=1.0, size=(32, 24)))
    assert len(part) == 24 and part[0].shape == (24, 32, 3)
    whole = list(read_frames(source, size=(32, 24)))
    assert np.array_equal(part[0], whole[12]) and np.array_equal(part[-1], whole[35])
    facts = probe_video(source, 0.5, 1.0)
    assert (facts.frames, facts.duration) == (24, pytest.approx(1.0))


@pytest.mark.parametrize("data", [b"", b"this is no video" * 100])
def test_what_is_no_video_is_explained(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(data)
    for source in (tmp_path / "a.mp4", BytesIO(data), tmp_path / "missing.mp4"):
        with pytest.raises(ValueError, match="cannot be read"):
            probe_video(source)


def test_a_part_beyond_the_end_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no frame in the part"):
        probe_video(write(tmp_path / "a.mp4"), start=60.0)


def test_a_song_over_full_scale_is_turned_down_and_said_so() -> None:
    samples = np.array([[0.5, -2.0, 1.0]], dtype=np.float32)
    prepared = prepare_sound(samples, 44100)
    assert np.array_equal(prepared.sound.samples, [[0.25, -1.0, 0.5]])
    assert "6.0 dB" in prepared.remarks[0] and samples.min() == -2.0


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (np.zeros((2, 0)), 44100, "empty"),
        (np.zeros(100), 44100, "empty"),
        (np.array([[0.0, np.nan]]), 44100, "no numbers"),
        (np.array([[0.0, -np.inf]]), 44100, "no numbers"),
        (np.zeros((8, 10)), 44100, "8 channels"),
        (np.zeros((1, 10)), 0, "sample rate"),
    ],
)
def test_samples_that_are_no_song_are_refused(samples: np.ndarray, rate: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        prepare_sound(samples.astype(np.float32), rate)
