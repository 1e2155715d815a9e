"""A recording -> how likely somebody sings, moment by moment, 0..1, told by what only voices do.

Three cues, each over about a second: pitch that moves with all its overtones together (glides and vibrato, by how far the spectrum must
be shifted along the scale to match itself 40 ms later; after the fluctogram of Sonnleitner, Niedermayer, Widmer & Schlueter 2012), colour
that changes as vowels do (the "vocal variance" of Lehner, Widmer & Sonnleitner 2014), and energy between 300 Hz and 4 kHz that stands out.
All three listen to the middle of a stereo mix, where singers stand.

Their weights were set on eight songs of instruments with a synthetic singer. On eight others (`tests/bench/bench_voice.py`) the area under
the ROC curve is 0.99 for the voice alone, and over a band 0.98, 0.97 and 0.91 with the voice 3 dB above it, level with it and 6 dB below;
14 % of a band alone (with a solo violin, flute or guitar) is taken for singing. No real voice took part: a shouted or heavily treated
one may be missed, and this says nothing of how often. A vocals stem says more (`lyrics/voice.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..timeline import Curve
from .recording import RATE, Progress, Recording, ignore_progress

VOICE = "voice"  # the curve's name
VOICE_RATE = 10.0  # its values a second
HOP, SIZE = 441, 2048  # 20 ms, 93 ms
PIECE, MARGIN = 1024, 10  # frames; a margin's neighbours are needed
WIDTH = 50  # frames of a cue: one second
LOW, HIGH = 300.0, 4000.0  # Hz, where a voice stands out
CENTS, BINS, AROUND = 20.0, 240, 30  # a scale of 4 octaves upwards of LOW, and over how much of it the spectrum is levelled
LATER, SHIFTS = 2, 5  # frames until the spectrum is compared, and how far it may have moved, bins
BAND, BAND_STEP = 40, 20  # bins that move together
ALIKE = 0.5  # least likeness of a shifted band
MELS, COLOURS = 30, 5  # bands of the cepstrum, and its coefficients
HELD = 7  # frames, 140 ms: what is shorter is no vowel
FAINT = 3.0  # amplitude in a band of the cepstrum below which nothing has a colour; a loud band has 100
SIDES = 9  # frames over which the sides are compared with the middle
# usual value, deviation and weight of movement, colour and standing out
CUES = ((0.015, 0.0134, 1.0), (-0.55, 0.33, 1.8), (-7.6, 4.7, 1.6))


def trace_singing(recording: Recording, duration: float, on_progress: Progress = ignore_progress) -> Curve:
    """The curve `voice` from time zero to the end of the song; 0 throughout in silence."""
    count = int(duration * VOICE_RATE) + 1
    if recording.silent:
        return Curve(VOICE, VOICE_RATE, (0.0,) * count)
    odds = measure_singing(recording, on_progress)
    moments = np.arange(count) / VOICE_RATE * RATE / HOP
    likely = 1 / (1 + np.exp(-np.interp(moments, np.arange(len(odds)), odds)))
    return Curve(VOICE, VOICE_RATE, tuple(np.round(likely, 3).tolist()))


def measure_singing(recording: Recording, on_progress: Progress = ignore_progress) -> np.ndarray:
    """Log odds that somebody sings, [frames], every `HOP` samples."""
    cues = measure_cues(recording, on_progress)
    usual, deviation, weight = np.array(CUES).T[..., None]
    return (weight * np.clip((cues - usual) / deviation, -4, 4)).sum(axis=0)


def measure_cues(recording: Recording, on_progress: Progress = ignore_progress) -> np.ndarray:
    """Movement of the pitch, change of colour (log) and standing out (dB) of each frame, [3, frames]."""
    from scipy.ndimage import uniform_filter1d

    total = 1 + round(recording.duration * RATE / HOP)
    parts, filters = [], _Filters()
    for middle, side in _stretches(recording):
        parts.append(filters.describe(middle, side))
        on_progress(min(len(parts) * PIECE, total), total)
    movement, colours, voiced, level = np.split(np.concatenate(parts, axis=1)[:, :total], [1, 1 + COLOURS, 2 + COLOURS])
    variance = uniform_filter1d(colours**2, 40) - uniform_filter1d(colours, 40) ** 2
    colour = np.log(np.sqrt(np.maximum(variance, 1e-6)).mean(axis=0))
    out = voiced[0] - 0.5 * level[0] - 0.5 * float(np.percentile(level, 95))
    return uniform_filter1d(np.stack([movement[0], colour, out]), WIDTH, axis=1)


def _stretches(recording: Recording) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Middle and side as windows, [PIECE + 2 * MARGIN, SIZE] each, with the margins' frames before and after."""
    stereo = len(recording.weights) == 2 and np.count_nonzero(recording.weights) == 2
    sides = replace(recording, weights=np.array([0.5, -0.5]), centre=0.0).blocks() if stereo else None
    buffer = np.zeros((2, SIZE // 2 + MARGIN * HOP), np.float32)
    need = (PIECE + 2 * MARGIN - 1) * HOP + SIZE
    for middle in recording.blocks():
        side = next(sides) if sides is not None else np.zeros_like(middle)
        buffer = np.concatenate([buffer, np.stack([middle, side])], axis=1)
        while buffer.shape[1] >= need:
            yield _windows(buffer[0, :need]), _windows(buffer[1, :need])
            buffer = buffer[:, PIECE * HOP :]
    while buffer.shape[1] > MARGIN * HOP:
        last = np.pad(buffer, ((0, 0), (0, max(0, need - buffer.shape[1]))))
        yield _windows(last[0]), _windows(last[1])
        buffer = buffer[:, PIECE * HOP :]


def _windows(samples: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(samples, SIZE)[::HOP]


class _Filters:
    def __init__(self) -> None:
        import librosa

        self.window = np.hanning(SIZE).astype(np.float32)
        frequencies = np.fft.rfftfreq(SIZE, 1 / RATE)
        self.voiced = (frequencies > LOW) & (frequencies < HIGH)
        place = LOW * 2 ** (np.arange(BINS) * CENTS / 1200) * SIZE / RATE
        self.below = place.astype(int)
        self.share = (place - self.below).astype(np.float32)
        self.mel = librosa.filters.mel(sr=RATE, n_fft=SIZE, n_mels=MELS, fmin=150.0, fmax=8000.0, norm=None).astype(np.float32)

    def describe(self, middle: np.ndarray, side: np.ndarray) -> np.ndarray:
        """Movement, colours, level of the voice's band in the middle and of everything (dB): [3 + COLOURS, PIECE]."""
        from scipy.fft import dct
        from scipy.ndimage import median_filter, uniform_filter1d

        mid, away = (np.abs(np.fft.rfft(windows * self.window, axis=1)).astype(np.float32) for windows in (middle, side))
        apart = uniform_filter1d(away**2, SIDES, axis=0) / (uniform_filter1d(mid**2, SIDES, axis=0) + 1e-9)
        centre = mid * np.clip(1 - apart, 0, 1)
        held = median_filter(np.log(centre @ self.mel.T + FAINT), (HELD, 1))  # drums do not last
        colours = np.asarray(dct(held, axis=1, norm="ortho"))[:, 1 : COLOURS + 1]
        voiced = 10 * np.log10(median_filter(np.square(centre[:, self.voiced]).sum(axis=1), HELD) + 1e-6)
        level = 10 * np.log10(np.square(mid).sum(axis=1) + np.square(away).sum(axis=1) + 1e-6)
        return np.vstack([self._movement(centre), colours.T, voiced, level])[:, MARGIN : MARGIN + PIECE]

    def _movement(self, centre: np.ndarray) -> np.ndarray:
        """How much better bands match themselves a little later when shifted along the scale, all the same way, [frames]."""
        from scipy.ndimage import uniform_filter1d

        scale = np.log1p(100 * (centre[:, self.below] * (1 - self.share) + centre[:, self.below + 1] * self.share))
        peaks = np.maximum(scale - uniform_filter1d(scale, AROUND, axis=1), 0)
        now, later = peaks[:-LATER, SHIFTS : BINS - SHIFTS], peaks[LATER:]
        moved = [later[:, SHIFTS + shift : BINS - SHIFTS + shift] for shift in range(-SHIFTS, SHIFTS + 1)]
        scale_of = np.sqrt(_sum_bands(now**2) * _sum_bands(moved[SHIFTS] ** 2)) + 1.0
        alike = np.stack([_sum_bands(now * part) / scale_of for part in moved])
        best, shift = alike.max(axis=0), alike.argmax(axis=0) - SHIFTS
        gain = np.clip((best - alike[SHIFTS]) * (best > ALIKE), 0, 1)
        together = np.abs((np.sign(shift) * gain).mean(axis=1))
        return np.pad(together, (0, LATER), mode="edge")


def _sum_bands(rows: np.ndarray) -> np.ndarray:
    """Sums over overlapping bands of the scale, [frames, bands]."""
    sums = np.cumsum(np.pad(rows, ((0, 0), (1, 0))), axis=1)
    starts = np.arange(0, rows.shape[1] - BAND + 1, BAND_STEP)
    return np.maximum(sums[:, starts + BAND] - sums[:, starts], 0)
