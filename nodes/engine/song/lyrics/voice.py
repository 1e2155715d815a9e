"""A vocals stem, or a mix, -> when somebody sings; and a clock that runs only then.

A stem is listened to by its level: what separation leaves behind of the band lies well below the voice. A mix says little (energy in
the voice's band that stands out); its `Voice` is marked as not `trusted`. Times are seconds. Knows nothing of words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..recording import RATE, Recording, examine_recording

FRAME = 441  # samples at 22,050 Hz: 20 ms
HEARD = 1e-3  # full scale; a stem that stays below -60 dB holds no voice
DEPTH = 0.45  # of the way from the quietest to the loudest in dB: above, somebody sings
LEAST_DEPTH, GREATEST_DEPTH = 14.0, 34.0  # dB below the loudest
SMOOTH = 25  # frames, half a second: in a mix single frames say nothing
FAINT = 50.0  # dB below a mix's loudest: no band, no voice
PAUSE = 0.2  # seconds; shorter gaps are consonants and breaths within a phrase
BLIP = 0.06  # seconds; shorter sounds are clicks and bleed
FIRST, LAST = "first", "last"


@dataclass(frozen=True)
class Voice:
    """When somebody sings: spans of seconds, shape [n, 2], in order and apart."""

    spans: np.ndarray
    duration: float
    trusted: bool = True  # False: heard in a mix, a guess
    _times: np.ndarray = field(init=False, repr=False)
    _sung: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        spans = np.asarray(self.spans, float).reshape(-1, 2)
        lengths = np.zeros(spans.size)
        lengths[1::2] = spans[:, 1] - spans[:, 0]
        object.__setattr__(self, "spans", spans)
        object.__setattr__(self, "_times", spans.ravel())
        object.__setattr__(self, "_sung", np.cumsum(lengths))

    @property
    def seconds(self) -> float:
        """How long somebody sings in all."""
        return float(self._sung[-1]) if len(self._sung) else 0.0

    def sung_before(self, time: np.ndarray | float) -> np.ndarray:
        """Seconds of singing before a time."""
        if not len(self._times):
            return np.zeros(np.shape(time))
        return np.asarray(np.interp(time, self._times, self._sung))

    def time_at(self, sung: np.ndarray | float, edge: str = FIRST) -> np.ndarray:
        """The time by which so many seconds were sung; at a pause its end (`first` of what follows) or its start (`last`)."""
        if not len(self._times):
            return np.asarray(sung, float)
        sung = np.clip(np.round(sung, 9), 0, self._sung[-1])
        starts, ends = self._sung[::2], np.round(self._sung[1::2], 9)
        span = np.searchsorted(ends, sung, side="right" if edge == FIRST else "left")
        span = np.minimum(span, len(ends) - 1)
        return self.spans[span, 0] + np.clip(sung - starts[span], 0, None)

    def hold(self, start: float, end: float) -> tuple[float, float]:
        """A stretch cut to the span of singing that it shares most with; one that shares none becomes a moment at the nearest."""
        if not len(self.spans):
            return start, end
        shared = np.minimum(self.spans[:, 1], end) - np.maximum(self.spans[:, 0], start)
        first, last = self.spans[int(shared.argmax())]
        return float(np.clip(start, first, last)), float(np.clip(end, first, last))


def everywhere(duration: float) -> Voice:
    """Where nothing is known: somebody may sing at any time."""
    return Voice(np.array([[0.0, duration]]), duration, trusted=False)


def hear_stem(samples: np.ndarray, sample_rate: int) -> Voice:
    """When somebody sings in a vocals stem, float32 [channels, samples]; ValueError for a stem that is no sound."""
    recording = examine_recording(samples, sample_rate)
    return Voice(_spans(_levels(recording), recording), recording.duration)


def hear_anything(samples: np.ndarray, sample_rate: int) -> Voice:
    """Where a mix, float32 [channels, samples], is not silent: nobody sings elsewhere, which is all that it says."""
    recording = examine_recording(samples, sample_rate)
    levels = _levels(recording)
    on = levels > max(float(np.percentile(levels, 99.5)) - FAINT, 20 * np.log10(HEARD))
    return Voice(_join(on, recording), recording.duration, trusted=False)


def hear_mix(samples: np.ndarray, sample_rate: int) -> Voice:
    """A guess when somebody sings in a mix, float32 [channels, samples]: its middle stands out between 300 Hz and 4 kHz."""
    middle = np.atleast_2d(samples)
    recording = examine_recording(middle, sample_rate)
    levels = _levels(recording, low=300.0, high=4000.0) - 0.5 * _levels(recording)
    smooth = np.convolve(np.pad(levels, SMOOTH // 2, mode="edge"), np.ones(SMOOTH) / SMOOTH, mode="valid")
    return Voice(_spans(smooth, recording, heard=_levels(recording)), recording.duration, trusted=False)


def _levels(recording: Recording, low: float = 0.0, high: float = RATE / 2) -> np.ndarray:
    """Level in dB of full scale every 20 ms, within a band of frequencies; shape [frames]."""
    gain = 1.0 if recording.silent else recording.peak / 0.9  # `blocks` scales every recording to the same peak
    rest, powers = np.empty(0, np.float32), []
    for block in recording.blocks():
        block = np.concatenate([rest, block])
        count = len(block) // FRAME
        frames = block[: count * FRAME].reshape(count, FRAME)
        rest = block[count * FRAME :]
        if low > 0:
            spectrum = np.fft.rfft(frames * np.hanning(FRAME).astype(np.float32), axis=1)
            band = slice(int(low * FRAME / RATE), int(high * FRAME / RATE) + 1)
            powers.append(np.square(np.abs(spectrum[:, band])).sum(axis=1) * (2 / FRAME**2))
        else:
            powers.append(np.square(frames).mean(axis=1))
    power = np.concatenate(powers) if powers else np.zeros(1)
    return 10 * np.log10(power * gain**2 + 1e-12)


def _spans(levels: np.ndarray, recording: Recording, heard: np.ndarray | None = None) -> np.ndarray:
    """Where a level stands out, as spans of seconds without short gaps and blips."""
    loudness = levels if heard is None else heard
    top = float(np.percentile(levels, 99.5))
    if float(loudness.max()) < 20 * np.log10(HEARD):
        return np.empty((0, 2))
    floor = float(np.percentile(levels, 5))
    limit = float(np.clip(top - (1 - DEPTH) * (top - floor), top - GREATEST_DEPTH, top - LEAST_DEPTH))
    if heard is not None:  # a contrast in dB, not a level: its own middle is the border
        limit = (top + float(np.percentile(levels, 25))) / 2
    return _join((levels > limit) & (loudness > 20 * np.log10(HEARD)), recording)


def _join(on: np.ndarray, recording: Recording) -> np.ndarray:
    """Frames that are on as spans of seconds, short gaps closed and blips left out."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    seconds = edges.reshape(-1, 2) * (FRAME / RATE)
    return drop_blips(join_spans(seconds, PAUSE), BLIP).clip(0, recording.duration)


def join_spans(spans: np.ndarray, pause: float) -> np.ndarray:
    """Spans, shape [n, 2], of which those less than `pause` seconds apart are one."""
    if len(spans) < 2:
        return spans
    apart = spans[1:, 0] - spans[:-1, 1] >= pause
    return np.stack([spans[np.concatenate([[True], apart]), 0], spans[np.concatenate([apart, [True]]), 1]], axis=1)


def drop_blips(spans: np.ndarray, shortest: float) -> np.ndarray:
    return spans[spans[:, 1] - spans[:, 0] >= shortest]
