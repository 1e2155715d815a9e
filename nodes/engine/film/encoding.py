"""Frames, samples and words -> what FFmpeg's encoders take: open streams, coloured pictures, sound frames, subtitle packets.

The one place that knows PyAV's encoder settings. Knows nothing of files, times in the film or what the frames show.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .sound import Sound
from .video_formats import THREADS, VideoFormat
from .video_frames import exact_scaling

if TYPE_CHECKING:
    import av
    from av.container import OutputContainer
    from av.packet import Packet

BT709 = 1  # of ITU-T H.273, for primaries, transfer and matrix alike
LIMITED, FULL = 1, 2  # FFmpeg's colour ranges
MILLISECONDS = Fraction(1, 1000)  # the finest time that every subtitle format keeps

# mov_text takes the look of its text from the header of an ASS file.
_SUBTITLE_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\nPlayResX: 384\r\nPlayResY: 288\r\n\r\n[V4+ Styles]\r\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, "
    b"ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\r\n"
    b"Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\r\n\r\n"
    b"[Events]\r\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)


class Cue(NamedTuple):
    """A subtitle: what is read from `start` to `end` seconds."""

    start: float
    end: float
    text: str


def add_video(container: OutputContainer, kind: VideoFormat, width: int, height: int, fps: Fraction, quality: int) -> Any:
    stream: Any = container.add_stream(kind.video_codec, rate=fps, options=kind.video_options(quality))
    stream.width, stream.height, stream.pix_fmt = width, height, kind.pixel_format
    context = stream.codec_context
    context.time_base = 1 / fps
    context.thread_count = THREADS
    context.gop_size = max(1, round(fps * 2))  # a key frame every two seconds: quick seeking
    _be_exact(context)
    if kind.is_rgb:
        context.color_range = FULL
    else:
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
    return stream


def add_audio(container: OutputContainer, kind: VideoFormat, sound: Sound) -> Any:
    stream: Any = container.add_stream(kind.audio_codec, rate=kind.nearest_rate(sound.rate), layout=sound.layout)
    if kind.audio_bits_per_channel:
        stream.bit_rate = kind.audio_bits_per_channel * len(sound.samples)
    _be_exact(stream.codec_context)
    return stream


def add_subtitles(container: OutputContainer, kind: VideoFormat) -> Any:
    """ValueError where this PyAV cannot write subtitles."""
    try:
        stream: Any = container.add_stream(kind.subtitle_codec)
        context = stream.codec_context
        context.subtitle_header = _SUBTITLE_HEADER
        context.time_base = stream.time_base = MILLISECONDS
        context.open()
    except (AttributeError, NotImplementedError, TypeError) as error:
        raise ValueError("This PyAV cannot write a subtitle track; update it (pip install -U av) or choose burnt-in lyrics.") from error
    return stream


def _be_exact(context: Any) -> None:
    from av.codec.context import Flags

    context.flags |= int(Flags.bitexact)


def to_picture(frame: np.ndarray, kind: VideoFormat) -> av.VideoFrame:
    """A frame, uint8 RGB [height, width, 3], in the format's own pixels."""
    import av
    from av.video.reformatter import ColorRange, Colorspace

    picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    if kind.is_rgb:
        return picture.reformat(format=kind.pixel_format)
    picture = picture.reformat(
        format=kind.pixel_format,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=exact_scaling(),
    )
    for tag in ("color_primaries", "color_trc"):
        if hasattr(picture, tag):  # PyAV 17 and later; ProRes takes its tags from the frames
            setattr(picture, tag, BT709)
    return picture


def to_sound_frame(block: np.ndarray, sound: Sound, start: int) -> av.AudioFrame:
    """A block of the song, [channels, samples], whose first sample is number `start`."""
    import av

    frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=sound.layout)
    frame.sample_rate = sound.rate
    frame.pts, frame.time_base = start, Fraction(1, sound.rate)
    return frame


def to_subtitle_packets(cues: Sequence[Cue], stream: Any, kind: VideoFormat) -> list[Packet]:
    """The cues in order of time, none reaching into the next: mov_text shows one at a time."""
    from av.packet import Packet

    ordered = sorted(cues)
    packets = []
    for cue, following in zip(ordered, [*ordered[1:], None], strict=True):
        end = cue.end if following is None else min(cue.end, following.start)
        start, stop = round(cue.start / MILLISECONDS), round(end / MILLISECONDS)
        if stop <= start or not cue.text.strip():
            continue
        packet = Packet(_subtitle_bytes(cue.text, kind.subtitle_codec))
        packet.time_base, packet.pts, packet.dts, packet.duration = MILLISECONDS, start, start, stop - start
        packet.stream = stream
        packets.append(packet)
    return packets


def _subtitle_bytes(text: str, codec: str) -> bytes:
    if codec == "webvtt":
        return escape(text, quote=False).encode()
    data = text.encode()
    return len(data).to_bytes(2, "big") + data if codec == "mov_text" else data
