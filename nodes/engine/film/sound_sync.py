"""A film's sound and a Timeline -> how long the sound is, and by how much it is early or late.

The sound is heard in pieces; what stays is how fast its energy rises, a thousand times a second. Where those rises lie
beside the timeline's attacks is found by cross-correlation. Times are seconds from the film's first frame. Knows nothing
of pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..timeline import Timeline
from .video_frames import Source, open_video, picture_origin

STEPS = 1000  # of energy a second
REACH = 8  # steps compared before and after a moment
QUIET = 3e-3  # of the loudest energy: less is no rise
FALL = 30  # steps in which a drawn attack falls to 1/e
LIMIT = 5.0  # seconds that sound may be early or late
ALIKE = 0.95  # of the best correlation: music repeats itself, and the nearest of such lags is meant
RISE, NEAR = 0.5, 0.01  # nats and seconds: such a rise so near to an attack is that attack
FOLLOWED, BY_CHANCE = 0.25, 3.0  # the least share of attacks that must be heard, and how many times as many as elsewhere
CLEAR = 6.0  # deviations: no lag of 204 wrong pairs of song and timeline reached 5.8, the right ones of metal songs 6.7 to 16
FEWEST = 4  # attacks
SHIFTS = (-0.37, -0.29, -0.17, -0.11, 0.13, 0.19, 0.31, 0.41)  # seconds; no rhythm has all of them


class SoundBlock(NamedTuple):
    time: float  # of its first sample
    samples: np.ndarray  # float [channels, samples]
    rate: int


@dataclass(frozen=True)
class Heard:
    duration: float  # until the last sample
    rises: np.ndarray  # growth of energy at each step, nats, 0 and more


@dataclass(frozen=True)
class SoundSync:
    duration: float
    offset: float | None  # sound later than the song: positive; None where it does not follow the timeline
    followed: float  # share of the timeline's attacks that are heard at that offset


def read_sound(source: Source, start: float = 0.0, duration: float = 0.0) -> Iterator[SoundBlock]:
    """The first sound track of a video file, mixed to one channel, from `start` seconds after the first frame on."""
    import av
    from av.error import FFmpegError

    with open_video(source) as container:
        stream: Any = container.streams.audio[0]
        shift = picture_origin(container) + start
        end = float((stream.start_time or 0) + stream.duration) * float(stream.time_base) - shift if stream.duration else np.inf
        end = min(end, duration) if duration else end
        mixer: Any = av.AudioResampler(format="fltp", layout="mono")
        try:
            for frame in container.decode(stream):
                for mixed in mixer.resample(frame):
                    block = SoundBlock(float(mixed.pts * mixed.time_base) - shift, mixed.to_ndarray(), mixed.sample_rate)
                    yield _trim(block, end)
        except FFmpegError as error:
            raise ValueError(f"The sound of the video is damaged ({error.strerror}); make the film again.") from error


def _trim(block: SoundBlock, end: float = np.inf) -> SoundBlock:
    """Without what lies before time zero and after the end: encoders fill their last block."""
    first = max(0, math.ceil(-block.time * block.rate))
    last = block.samples.shape[1] if end == np.inf else max(first, round((end - block.time) * block.rate))
    return SoundBlock(block.time + first / block.rate, block.samples[:, first:last], block.rate)


def hear(blocks: Iterable[SoundBlock]) -> Heard | None:
    """None where there is no sound at all."""
    energy = np.zeros((2, STEPS))
    duration, last = 0.0, 0.0
    for block in map(_trim, blocks):
        if not block.samples.size:
            continue
        mono = np.nan_to_num(block.samples.astype(np.float64)).mean(axis=0)
        waves = mono, np.diff(mono, prepend=last)  # in the slope the highs weigh more
        last = float(mono[-1])
        places = np.floor((block.time + np.arange(len(mono)) / block.rate) * STEPS + 1e-6).astype(int)
        if places[-1] >= energy.shape[1]:
            energy = np.pad(energy, ((0, 0), (0, places[-1] + energy.shape[1])))
        first = places[0]
        for row, wave in zip(energy, waves, strict=True):
            row[first : places[-1] + 1] += np.bincount(places - first, wave**2)
        duration = block.time + len(mono) / block.rate
    return Heard(duration, _find_rises(energy[:, : int(duration * STEPS) + 1])) if duration > 0 else None


def _find_rises(energy: np.ndarray) -> np.ndarray:
    """Log growth of the energy from the `REACH` steps before each moment to those after it, the mean of both rows."""
    sums = np.cumsum(np.pad(energy, ((0, 0), (REACH + 1, REACH))), axis=1)
    blocks = sums[:, REACH:] - sums[:, :-REACH]
    logs = np.log(blocks + QUIET * blocks.max(axis=1, keepdims=True) + 1e-12)
    return np.maximum((logs[:, REACH:] - logs[:, :-REACH]).mean(axis=0), 0)


def find_offset(heard: Heard, timeline: Timeline) -> SoundSync:
    attacks = _mark_attacks(timeline, len(heard.rises))
    if attacks is None or not heard.rises.any():
        return SoundSync(heard.duration, None, 0.0)
    scores = _correlate(heard.rises - heard.rises.mean(), attacks - attacks.mean())
    reach = len(scores) // 2
    best = float(scores.max())
    if best <= 0:
        return SoundSync(heard.duration, None, 0.0)
    tops = np.flatnonzero((scores >= ALIKE * best) & (scores >= np.roll(scores, 1)) & (scores >= np.roll(scores, -1)))
    top = int(tops[np.abs(tops - reach).argmin()])
    offset = (top - reach + _summit(scores, top)) / STEPS
    heard_there = _share_heard(heard.rises, attacks, offset)
    elsewhere = float(np.mean([_share_heard(heard.rises, attacks, offset + shift) for shift in SHIFTS]))
    found = heard_there >= max(FOLLOWED, BY_CHANCE * elsewhere) or _standing_out(scores, top) >= CLEAR
    return SoundSync(heard.duration, offset if found else None, heard_there)


def _standing_out(scores: np.ndarray, top: int) -> float:
    """How many standard deviations of all lags a peak lies above their mean: dense music has rises everywhere, but one lag fits best."""
    return float((scores[top] - scores.mean()) / (scores.std() + 1e-12))


def _share_heard(rises: np.ndarray, attacks: np.ndarray, offset: float) -> float:
    """How much of the attacks, by their weight, lies near a rise once they are moved by an offset."""
    from scipy.ndimage import maximum_filter1d

    strong = maximum_filter1d(rises, 2 * round(NEAR * STEPS) + 1) >= RISE
    places = np.arange(len(attacks)) + round(offset * STEPS)
    inside = (places >= 0) & (places < len(strong))
    return float((attacks[inside] * strong[places[inside]]).sum() / max(attacks[inside].sum(), 1e-9))


def _mark_attacks(timeline: Timeline, steps: int) -> np.ndarray | None:
    """The rises that the timeline's onsets would give, or where there are none its onset curve, `STEPS` values a second."""
    size = max(steps, int(timeline.duration * STEPS) + 1)
    if len(timeline.onsets) >= FEWEST:
        energy = np.zeros((1, size + 10 * FALL))
        fall = np.exp(-np.arange(10 * FALL) / FALL)
        for onset in timeline.onsets:
            place = int(onset * STEPS)
            if place < size:
                energy[0, place : place + len(fall)] += fall
                energy[0, place] -= onset * STEPS - place  # it begins within its first step
        return _find_rises(energy)[:size]
    curve = next((curve for curve in timeline.curves if curve.name == "onset" and any(curve.values)), None)
    if curve is None:
        return None
    return np.interp(np.arange(size) / STEPS, np.arange(len(curve.values)) / curve.rate, curve.values)


def _correlate(heard: np.ndarray, attacks: np.ndarray) -> np.ndarray:
    """Sum of the products for every lag of the sound from -LIMIT to LIMIT."""
    reach = round(LIMIT * STEPS)
    size = 1 << (len(heard) + len(attacks) + 2 * reach).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(attacks, size)), size)
    return np.concatenate([product[-reach:], product[: reach + 1]])


def _summit(scores: np.ndarray, top: int) -> float:
    """Where between the steps a parabola through a peak and its neighbours is highest, -0.5..0.5."""
    if not 0 < top < len(scores) - 1:
        return 0.0
    left, middle, right = scores[top - 1 : top + 2]
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
