"""The kinds of video file that the pack writes, as data: container, codecs, pixel format and encoder settings.

Quality is one number from 1 (small file) to 100 (best picture) for every kind; each kind says what it makes of it.
Knows nothing of frames, sound samples or files.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Encoders cut a picture into as many parts as there are threads, so the file depends on their number: it is
# fixed here, not taken from the machine, and the same film is the same bytes everywhere.
THREADS = 4

AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)


@dataclass(frozen=True)
class VideoFormat:
    name: str
    suffix: str
    container: str  # FFmpeg's name of the muxer
    video_codec: str
    pixel_format: str
    audio_codec: str
    subtitle_codec: str
    video_options: Callable[[int], dict[str, str]]  # from the quality, 1..100
    container_options: tuple[tuple[str, str], ...] = ()
    audio_rates: tuple[int, ...] = ()  # Hz that the audio codec can take; empty: any
    audio_bits_per_channel: int = 0  # bits per second; 0: the codec has no such setting

    @property
    def is_rgb(self) -> bool:
        return self.pixel_format.startswith(("rgb", "bgr", "gbr"))

    def nearest_rate(self, rate: int) -> int:
        """The rate in Hz to encode a song of `rate` at: its own where the codec can, else the next that loses nothing, else 48 kHz."""
        if not self.audio_rates or rate in self.audio_rates:
            return rate
        return next((known for known in self.audio_rates if rate < known <= 48000), 48000)


def _h264(quality: int) -> dict[str, str]:
    """Without B-frames: with them x264's AVX-512 code gives other bytes each time. They would save 7 % of the file."""
    return {"preset": "fast", "crf": f"{min(51.0, 8 + (100 - quality) / 2):g}", "bf": "0"}  # 80 is crf 18


def _h264_clip(quality: int) -> dict[str, str]:
    return {"preset": "superfast", "crf": "10"}  # visually lossless: a clip is encoded once more into the film


def _vp9(quality: int) -> dict[str, str]:
    crf = min(63.0, 15 + (100 - quality) * 0.75)  # 80 is crf 30
    return {"crf": f"{crf:.0f}", "b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1", "lag-in-frames": "16"}


def _prores(quality: int) -> dict[str, str]:
    profile = 3 if quality >= 75 else 2 if quality >= 50 else 1 if quality >= 25 else 0  # HQ, standard, LT, proxy
    return {"profile": str(profile), "vendor": "apl0"}


def _ffv1(quality: int) -> dict[str, str]:
    return {"level": "3", "slices": "4", "slicecrc": "1"}  # lossless whatever the quality


# faststart puts the index before the pictures, so that a browser plays while it loads;
# use_metadata_tags keeps ComfyUI's own tags (prompt, workflow).
_FASTSTART = (("movflags", "+use_metadata_tags+faststart"),)

MP4 = VideoFormat(
    "MP4 (H.264 + AAC)", ".mp4", "mp4", "libx264", "yuv420p", "aac", "mov_text",
    _h264, _FASTSTART, AAC_RATES, 96000,
)  # fmt: skip
WEBM = VideoFormat(
    "WebM (VP9 + Opus)", ".webm", "webm", "libvpx-vp9", "yuv420p", "libopus", "webvtt",
    _vp9, (), (48000,), 80000,
)  # fmt: skip
PRORES = VideoFormat(
    "MOV (ProRes + PCM)", ".mov", "mov", "prores_ks", "yuv422p10le", "pcm_s24le", "mov_text",
    _prores, _FASTSTART,
)  # fmt: skip
FFV1 = VideoFormat(
    "MKV (FFV1 + PCM, lossless)", ".mkv", "matroska", "ffv1", "bgr0", "pcm_f32le", "subrip",
    _ffv1,
)  # fmt: skip
CLIP = VideoFormat(
    "clip", ".mp4", "mp4", "libx264", "yuv420p", "aac", "mov_text",
    _h264_clip, _FASTSTART, AAC_RATES, 96000,
)  # fmt: skip

FILM_FORMATS = {kind.name: kind for kind in (MP4, WEBM, PRORES, FFV1)}
