"""A vocals stem, or a mix, -> when somebody sings; and a clock that runs only then.

A stem is listened to by its level: what separation leaves behind of the band lies well below the voice. A mix is judged by
`singing.py`, which guesses; its `Voice` is marked as not `trusted`. Times are seconds. Knows nothing of words.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...timeline import Curve
from ..recording import RATE, Recording, examine_recording
from ..singing import HOP, VOICE, VOICE_RATE, measure_singing

FRAME = HOP  # samples at 22,050 Hz: 20 ms
HEARD = 1e-3  # full scale; a stem that stays below -60 dB holds no voice
DEPTH = 0.45  # of the way from the quietest to the loudest in dB: above, somebody sings
LEAST_DEPTH, GREATEST_DEPTH = 14.0, 34.0  # dB below the loudest
SURE = 1.5  # log odds: in a mix that is sung throughout, no more is asked of a moment
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
    """A guess when somebody sings in a mix, float32 [channels, samples], if anybody does: where it is likelier than on the whole."""
    recording = examine_recording(samples, sample_rate)
    if recording.silent:
        return Voice(np.empty((0, 2)), recording.duration, trusted=False)
    odds = measure_singing(recording)
    levels = _levels(recording)
    odds = odds[: len(levels)]
    loud = levels[: len(odds)] > 20 * np.log10(HEARD)
    return Voice(_join((odds > min(float(odds.mean()), SURE)) & loud, recording), recording.duration, trusted=False)


def trace_voice(voice: Voice) -> Curve:
    """The curve `voice` of a stem: how much of the tenth of a second around each moment is sung."""
    moments = np.arange(int(voice.duration * VOICE_RATE) + 1) / VOICE_RATE
    sung = voice.sung_before(moments + 0.5 / VOICE_RATE) - voice.sung_before(moments - 0.5 / VOICE_RATE)
    return Curve(VOICE, VOICE_RATE, tuple(np.round(np.clip(sung * VOICE_RATE, 0, 1), 3).tolist()))


def _levels(recording: Recording) -> np.ndarray:
    """Level in dB of full scale every 20 ms; shape [frames]."""
    gain = 1.0 if recording.silent else recording.peak / 0.9  # `blocks` scales every recording to the same peak
    rest, powers = np.empty(0, np.float32), []
    for block in recording.blocks():
        block = np.concatenate([rest, block])
        count = len(block) // FRAME
        frames = block[: count * FRAME].reshape(count, FRAME)
        rest = block[count * FRAME :]
        powers.append(np.square(frames).mean(axis=1))
    power = np.concatenate(powers) if powers else np.zeros(1)
    return 10 * np.log10(power * gain**2 + 1e-12)


def _spans(levels: np.ndarray, recording: Recording) -> np.ndarray:
    """Where a level stands out, as spans of seconds without short gaps and blips."""
    top, floor = float(np.percentile(levels, 99.5)), float(np.percentile(levels, 5))
    if float(levels.max()) < 20 * np.log10(HEARD):
        return np.empty((0, 2))
    limit = float(np.clip(top - (1 - DEPTH) * (top - floor), top - GREATEST_DEPTH, top - LEAST_DEPTH))
    return _join((levels > limit) & (levels > 20 * np.log10(HEARD)), recording)


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
