"""Video file -> frames, one at a time, and what can be known of it without decoding.

Frames are uint8 RGB [height, width, 3]; times are seconds from the start of the part that is read. A source is a
path or an open BytesIO, as core's VIDEO hands it out. Colours follow the file's tags; without tags they are read as
BT.601, as FFmpeg and so ComfyUI's own nodes write them. Knows nothing of shots or of how films are written.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

Source = str | Path | io.BytesIO


class TimedFrame(NamedTuple):
    time: float
    pixels: np.ndarray  # uint8 RGB [height, width, 3]


@dataclass(frozen=True)
class VideoFacts:
    width: int
    height: int
    fps: Fraction
    frames: int  # counted, within the part asked for
    duration: float  # seconds from the first frame's start to the last frame's end
    has_sound: bool


def read_frames(source: Source, start: float = 0.0, duration: float = 0.0, size: tuple[int, int] | None = None) -> Iterator[np.ndarray]:
    """The frames of a video from `start` seconds on for `duration` seconds (0: to the end), scaled to `size` (width, height) where given.

    ValueError where there is no video to read.
    """
    for frame in read_timed_frames(source, start, duration, size):
        yield frame.pixels


def read_first_frames(sources: Sequence[Source]) -> np.ndarray:
    """The first frame of each video, all of one size: uint8 RGB [videos, height, width, 3]."""
    return np.stack([next(iter(read_frames(source))) for source in sources])


def read_timed_frames(
    source: Source, start: float = 0.0, duration: float = 0.0, size: tuple[int, int] | None = None
) -> Iterator[TimedFrame]:
    """Like `read_frames`, with the time of each frame after `start`."""
    with open_video(source) as container:
        stream = _video_stream(container)
        stream.codec_context.thread_type = "AUTO"
        origin = _origin(stream)
        if start > 0:
            container.seek(int((start + origin) / stream.time_base), stream=stream)
        step = float(1 / _rate(stream))
        expected = 0.0
        for picture in _decode(container, stream, source):
            time = float(picture.pts * stream.time_base) - origin - start if picture.pts is not None else expected
            expected = time + step
            if time < -step / 2:
                continue
            if duration and time >= duration - step / 2:
                return
            yield TimedFrame(max(time, 0.0), _to_rgb(picture, size))


def _decode(container: InputContainer, stream: Any, source: Source) -> Iterator[av.VideoFrame]:
    from av.error import FFmpegError

    try:
        yield from container.decode(stream)
    except FFmpegError as error:
        raise ValueError(f"The video {_name(source)} is damaged ({error.strerror}); make it again.") from error


def probe_video(source: Source, start: float = 0.0, duration: float = 0.0) -> VideoFacts:
    """What a video file is; frames are counted from the file's packets, which needs no decoding."""
    with open_video(source) as container:
        stream = _video_stream(container)
        fps = _rate(stream)
        times = _packet_times(container, stream, fps)
        step = float(1 / fps)
        kept = [time for time in times if time >= start - step / 2 and (not duration or time - start < duration - step / 2)]
        if not kept:
            raise ValueError(f"The video {_name(source)} has no frame in the part that was asked for; choose another part or another file.")
        width, height = _shown_size(container, stream)
        return VideoFacts(width, height, fps, len(kept), max(kept) - min(kept) + step, bool(container.streams.audio))


def _shown_size(container: InputContainer, stream: Any) -> tuple[int, int]:
    """Width and height as shown: the tag that turns a phone's pictures upright comes only with the frame."""
    container.seek(0)
    picture = next(container.decode(stream), None)
    if picture is not None and _quarter_turns(picture) % 2:
        return stream.height, stream.width
    return stream.width, stream.height


def _quarter_turns(picture: av.VideoFrame) -> int:
    """How often the picture must be turned by 90 degrees counterclockwise to stand upright."""
    return round(getattr(picture, "rotation", 0) / 90) % 4


def _packet_times(container: InputContainer, stream: Any, fps: Fraction) -> list[float]:
    origin = _origin(stream)
    times = []
    for packet in container.demux(stream):
        if packet.size and not packet.is_discard:
            known = packet.pts is not None
            times.append(float(packet.pts * stream.time_base) - origin if known else float(len(times) / fps))
    return times


@lru_cache(maxsize=1)
def exact_scaling() -> Any:
    """The scaler's most exact settings: the same bytes on every processor. PyAV before 17 has bicubic only."""
    from av.video.reformatter import Interpolation

    names = ("ACCURATE_RND", "FULL_CHR_H_INP", "FULL_CHR_H_INT", "BITEXACT")
    if not all(hasattr(Interpolation, name) for name in names):
        return Interpolation.BICUBIC
    flags = int(Interpolation.BICUBIC)
    for name in names:
        flags |= int(getattr(Interpolation, name))
    return flags


def open_video(source: Source) -> Any:
    """The file as PyAV's container; ValueError where it cannot be read."""
    import av
    from av.error import FFmpegError

    if isinstance(source, io.BytesIO):
        source = io.BytesIO(source.getvalue())  # its own position: two readers may share one source
    try:
        return av.open(source if isinstance(source, io.BytesIO) else str(source))
    except (OSError, FFmpegError) as error:
        raise ValueError(
            f"The video {_name(source)} cannot be read ({getattr(error, 'strerror', None) or error}); check that it plays."
        ) from error


def read_tags(source: Source) -> dict[str, str]:
    """A file's own tags, their names in small letters: Matroska and WebM write them in large ones."""
    with open_video(source) as container:
        return {name.lower(): text for name, text in container.metadata.items()}


def _video_stream(container: InputContainer) -> Any:
    for stream in container.streams.video:
        if stream.codec_context is not None:
            return stream
    raise ValueError("This file has no picture to read; connect a video.")


def picture_origin(container: InputContainer) -> float:
    """The time in the file at which the first frame is shown: zero of all times here."""
    return _origin(_video_stream(container))


def _origin(stream: Any) -> float:
    return float(stream.start_time * stream.time_base) if stream.start_time is not None else 0.0


def _rate(stream: Any) -> Fraction:
    return Fraction(stream.average_rate or stream.guessed_rate or stream.base_rate or 25)


def _name(source: Source) -> str:
    return "in memory" if isinstance(source, io.BytesIO) else Path(source).name


def _to_rgb(picture: av.VideoFrame, size: tuple[int, int] | None) -> np.ndarray:
    from av.video.reformatter import ColorRange

    turns = _quarter_turns(picture)
    width, height = size or (None, None)
    if turns % 2:
        width, height = height, width
    full = picture.color_range == ColorRange.JPEG or picture.format.name.startswith(("yuvj", "rgb", "bgr", "gbr", "gray"))
    rgb = picture.reformat(
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=picture.colorspace,
        src_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=exact_scaling(),
    )
    return np.rot90(rgb.to_ndarray(), turns) if turns else rgb.to_ndarray()


def scale_frame(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame, uint8 RGB [height, width, 3], in another size (width, height)."""
    import av

    if pixels.shape[:2] == (size[1], size[0]):
        return pixels
    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
    return picture.reformat(width=size[0], height=size[1], format="rgb24", interpolation=exact_scaling()).to_ndarray()
