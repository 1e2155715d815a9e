"""Frames and sound -> one finished video file, or none at all.

`VideoFileWriter` writes under a temporary name beside the final one and renames only when everything is on
the disk, so a final name never holds half a film. Its bytes depend on nothing but what is written: no dates,
no random ids, a fixed number of encoder threads. Frames are uint8 RGB [height, width, 3] and stay at one constant
rate; they are stored as BT.709 in limited range and tagged so. Memory does not grow with the length of the film.
Knows nothing of timelines, shots or ComfyUI.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from .encoding import Cue, add_audio, add_subtitles, add_video, to_picture, to_sound_frame, to_subtitle_packets
from .sound import Sound
from .video_formats import CLIP, FFV1, FILM_FORMATS, MP4, PRORES, WEBM, VideoFormat
from .video_frames import VideoFacts, probe_video, read_frames

__all__ = [
    "CLIP", "FFV1", "FILM_FORMATS", "MP4", "PRORES", "WEBM", "Cue", "Sound",
    "VideoFacts", "VideoFileError", "VideoFileWriter", "VideoFormat", "probe_video", "read_frames",
]  # fmt: skip

ABANDONED_AFTER = 24 * 3600.0  # a temporary file that old belongs to a process that was killed


class VideoFileError(OSError):
    """A video file that could not be written; the message says why and what to do."""


class VideoFileWriter:
    """Writes one video file: `with VideoFileWriter(path, 640, 360, Fraction(24), CLIP) as clip: clip.write(frame)`.

    `quality` is 1..100, `sound` starts with the first frame, `metadata` are the file's tags, `subtitles` a track of words.
    Leaving the `with` block normally finishes the file under `path`; leaving it by any exception, an interrupt
    too, removes what was written and leaves a file that had that name as it was.
    Raises ValueError for an odd or empty size, VideoFileError where the disk is full or the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        fps: Fraction,
        video_format: VideoFormat = CLIP,
        quality: int = 80,
        sound: Sound | None = None,
        metadata: Mapping[str, str] | None = None,
        subtitles: Sequence[Cue] = (),
    ) -> None:
        _check_size(width, height)
        self.path, self.width, self.height = Path(path), width, height
        self.fps, self.format, self.quality = Fraction(fps), video_format, quality
        self.frames = 0  # written so far
        self._sound, self._metadata, self._cues = sound, dict(metadata or {}), tuple(subtitles)
        self._blocks: Iterator[np.ndarray] = sound.blocks() if sound else iter(())
        self._samples = 0
        self._temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}-{id(self):x}.part")

    def __enter__(self) -> VideoFileWriter:
        with self._explain_errors():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(self.path)
            try:
                self._open()
            except BaseException:
                self._discard()
                raise
        return self

    def write(self, frame: np.ndarray) -> None:
        """Appends one frame, uint8 RGB [height, width, 3]."""
        if frame.shape != (self.height, self.width, 3) or frame.dtype != np.uint8:
            raise ValueError(
                f"A frame is {frame.dtype} {list(frame.shape)}, but this file takes uint8 "
                f"[{self.height}, {self.width}, 3]; convert it first."
            )
        picture = to_picture(frame, self.format)
        picture.pts, picture.time_base = self.frames, 1 / self.fps
        with self._explain_errors():
            self._mux(self._video, picture)
            self.frames += 1
            self._write_sound(self.frames / self.fps)
            self._write_subtitles(self.frames / self.fps)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            with self._explain_errors():
                self._finish()
        except BaseException:
            self._discard()
            raise

    def _open(self) -> None:
        import av

        options = {"fflags": "+bitexact", **dict(self.format.container_options)}  # bitexact: no dates, versions or random ids
        # Opened by Python first: FFmpeg's own message for a folder that cannot be written names no reason.
        self._temporary.open("xb").close()
        self._container = av.open(str(self._temporary), "w", format=self.format.container, options=options)
        for name, text in self._metadata.items():
            self._container.metadata[name] = text
        self._video = add_video(self._container, self.format, self.width, self.height, self.fps, self.quality)
        self._audio = add_audio(self._container, self.format, self._sound) if self._sound else None
        self._subtitles: deque[Any] = deque()
        if self._cues:
            self._subtitles.extend(to_subtitle_packets(self._cues, add_subtitles(self._container, self.format), self.format))

    def _mux(self, stream: Any, frame: Any) -> None:
        for packet in stream.encode(frame):
            self._container.mux(packet)

    def _write_sound(self, until: Fraction | None) -> None:
        """Encodes the song up to a time (all of it for None), so that sound and pictures alternate in the file."""
        if self._sound is None or self._audio is None:
            return
        while until is None or self._samples < until * self._sound.rate:
            block = next(self._blocks, None)
            if block is None:
                return
            self._mux(self._audio, to_sound_frame(block, self._sound, self._samples))
            self._samples += block.shape[1]

    def _write_subtitles(self, until: Fraction | None) -> None:
        while self._subtitles and (until is None or self._subtitles[0].pts * self._subtitles[0].time_base < until):
            self._container.mux(self._subtitles.popleft())

    def _finish(self) -> None:
        if not self.frames:
            raise ValueError(f"No frame was written to {self.path.name}; a video needs one at least.")
        self._write_sound(None)
        self._write_subtitles(None)
        self._mux(self._video, None)
        if self._audio is not None:
            self._mux(self._audio, None)
        self._container.close()
        _sync(self._temporary)
        os.replace(self._temporary, self.path)
        _sync_folder(self.path.parent)

    def _discard(self) -> None:
        if hasattr(self, "_container"):
            with suppress(Exception):  # closing writes the index, which fails again on a full disk; the file goes anyway
                self._container.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        from av.error import FFmpegError

        try:
            yield
        except VideoFileError:
            raise
        except (OSError, FFmpegError) as error:
            raise VideoFileError(_explain(self.path, error)) from error


def _check_size(width: int, height: int) -> None:
    if width < 2 or height < 2 or width % 2 or height % 2:
        raise ValueError(
            f"A video cannot be {width}x{height} pixels: width and height must be even and at least 2; choose the next even size."
        )


def _explain(path: Path, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"The disk ran full while {path.name} was written; nothing was left behind. Free some space there and run again."
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"The folder for {path.name} cannot be written to; allow it or choose another output folder."
    if code in (errno.ENAMETOOLONG, errno.EINVAL, errno.ENOTDIR, errno.EISDIR, errno.ENOENT, errno.EEXIST):
        return f"The file {path.name} cannot be made in that place ({os.strerror(code)}); choose another name or folder."
    reason = getattr(error, "strerror", None) or str(error)
    return f"The video {path.name} could not be written ({reason}); nothing was left behind."


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes the new name survive a power cut, where the system lets a folder be opened (Windows does not)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_abandoned(path: Path) -> None:
    for place in path.parent.iterdir():
        if place.name.startswith(f".{path.name}.") and place.name.endswith(".part"):
            with suppress(OSError):
                if time.time() - place.stat().st_mtime > ABANDONED_AFTER:
                    place.unlink()
