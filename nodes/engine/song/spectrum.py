"""A recording -> what its spectrum does over time: attacks, harmony, timbre, loudness.

Frames are `HOP / RATE` = 11.6 ms apart; frame 0 is centred on time zero. Works through the song in pieces, so that
an hour costs no more memory than its features. Knows nothing of beats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .harmony import measure_tones
from .recording import RATE, Progress, Recording
from .roughness import measure_roughness

SIZE, HOP = 2048, 256
FRAME_RATE = RATE / HOP
MEL_BANDS, LOWEST, HIGHEST = 96, 30.0, 10000.0  # Hz
FLUX_EDGES = (0.0, 160.0, 600.0, 2500.0, 1e9)  # Hz: kick and bass, body, snare and voice, cymbals
BASS_CHROMA_BELOW = 260.0  # Hz
LEVEL_EDGES = (0.0, 150.0, 600.0, 2500.0, 1e9)  # Hz: bass, low mids, mids, highs
LAG = 2  # frames between which an attack is sought
STEPS = 4  # energy is also measured this many times a frame, to place attacks to the millisecond
STEP_RATE = FRAME_RATE * STEPS
PIECE = 1024  # frames
HARMONY_EVERY = 8  # frames: harmony changes slowly
INAUDIBLE = 1e-2  # power of a pitch class, over 70 dB below a loud one: rounding, not harmony


@dataclass(frozen=True)
class Spectrum:
    """Features per frame, [rows, frames]; `energy` has STEPS times as many, `roughness` and `tones` one for HARMONY_EVERY frames."""

    flux: np.ndarray  # strength of attacks in 4 bands, >= 0
    mel: np.ndarray  # log mel spectrum, float16
    chroma: np.ndarray  # 12 pitch classes, largest 1
    bass_chroma: np.ndarray  # the same below 260 Hz
    levels: np.ndarray  # power of all that is heard, and of the bass, low mids, mids and highs
    energy: np.ndarray  # of the wave and of its slope (the highs), step n covers HOP / STEPS samples up to (n - 1) * HOP / STEPS
    roughness: np.ndarray  # see `roughness.py`
    tones: np.ndarray  # see `harmony.py`

    @property
    def frames(self) -> int:
        return self.flux.shape[1]


@dataclass(frozen=True)
class _Filters:
    window: np.ndarray
    mel: np.ndarray
    chroma: np.ndarray
    bass_chroma: np.ndarray
    levels: np.ndarray
    flux: np.ndarray  # averages mel bands into flux bands


def measure_spectrum(recording: Recording, on_progress: Progress) -> Spectrum:
    filters = _make_filters()
    total = 1 + round(recording.duration * FRAME_RATE)
    parts: list[Spectrum] = []
    before = np.zeros((MEL_BANDS, LAG), np.float32)
    done = 0
    for windows in _windows(recording):
        power = np.square(np.abs(np.fft.rfft(windows * filters.window, axis=1))).T
        mel = np.log1p(10 * (filters.mel @ np.sqrt(power)))
        joined = np.concatenate([before, mel], axis=1)
        parts.append(_describe(power, joined, _energy(windows), filters, first=done == 0))
        before = joined[:, -LAG:]
        done += mel.shape[1]
        on_progress(min(done, total), total)
    return Spectrum(*(np.concatenate([getattr(part, name) for part in parts], axis=1) for name in Spectrum.__dataclass_fields__))


def _describe(power: np.ndarray, joined: np.ndarray, energy: np.ndarray, filters: _Filters, first: bool) -> Spectrum:
    """Features of one piece; `joined` is its log mel spectrum with the last frames of the piece before."""
    from scipy.ndimage import maximum_filter1d

    # SuperFlux (Boeck & Widmer 2013): the maximum over neighbouring bands forgives vibrato
    rise = np.maximum(joined[:, LAG:] - maximum_filter1d(joined, 3, axis=0)[:, :-LAG], 0)
    if first:
        rise[:, :LAG] = 0
    harmony, frequencies = power[:, ::HARMONY_EVERY], np.fft.rfftfreq(SIZE, 1 / RATE)
    return Spectrum(
        flux=filters.flux @ rise,
        mel=joined[:, LAG:].astype(np.float16),
        chroma=_normalised(filters.chroma @ power),
        bass_chroma=_normalised(filters.bass_chroma @ power),
        levels=filters.levels @ power,
        energy=energy,
        roughness=measure_roughness(harmony, frequencies)[None],
        tones=measure_tones(harmony, frequencies),
    )


def _energy(windows: np.ndarray) -> np.ndarray:
    """Energy in steps of the HOP samples around each window's centre, of the wave and of its slope."""
    middle = windows[:, (SIZE - HOP) // 2 - 1 : (SIZE + HOP) // 2]
    rows = (middle[:, 1:], np.diff(middle, axis=1))
    return np.stack([np.square(row).reshape(len(row), STEPS, -1).sum(axis=2).ravel() for row in rows])


def _normalised(chroma: np.ndarray) -> np.ndarray:
    return chroma / np.maximum(chroma.max(axis=0), INAUDIBLE)


def _windows(recording: Recording) -> Iterator[np.ndarray]:
    """Overlapping stretches of the mono mix, [frames, SIZE], frame k centred on sample k * HOP."""
    buffer = np.zeros(SIZE // 2, np.float32)
    for block in recording.blocks():
        buffer = np.concatenate([buffer, block])
        count = (len(buffer) - SIZE) // HOP + 1
        for first in range(0, count, PIECE):
            yield _slide(buffer, first, min(PIECE, count - first))
        buffer = buffer[max(count, 0) * HOP :]
    buffer = np.pad(buffer, (0, SIZE // 2))
    yield _slide(buffer, 0, max(1, (len(buffer) - SIZE) // HOP + 1)) if len(buffer) >= SIZE else _slide(np.pad(buffer, (0, SIZE)), 0, 1)


def _slide(buffer: np.ndarray, first: int, count: int) -> np.ndarray:
    views = np.lib.stride_tricks.sliding_window_view(buffer, SIZE)
    return views[first * HOP : (first + count) * HOP : HOP]


def _make_filters() -> _Filters:
    import librosa

    f = np.fft.rfftfreq(SIZE, 1 / RATE)
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)).astype(np.float32)
    mel = librosa.filters.mel(sr=RATE, n_fft=SIZE, n_mels=MEL_BANDS, fmin=LOWEST, fmax=HIGHEST, norm=None)
    chroma = librosa.filters.chroma(sr=RATE, n_fft=SIZE, tuning=0.0)
    # how loud we hear each frequency, near the K weighting of ITU-R BS.1770: less rumble, more presence
    heard = (f**2 / (f**2 + 60.0**2)) ** 2 * (1 + 1.5 * f**2 / (f**2 + 1700.0**2))
    centres = librosa.mel_frequencies(MEL_BANDS, fmin=LOWEST, fmax=HIGHEST)
    flux = np.array([(centres >= low) & (centres < high) for low, high in zip(FLUX_EDGES, FLUX_EDGES[1:], strict=False)], np.float32)
    bands = zip(LEVEL_EDGES[1:], LEVEL_EDGES[2:], strict=False)
    return _Filters(
        window=window,
        mel=mel.astype(np.float32),
        chroma=chroma.astype(np.float32),
        bass_chroma=(chroma * (f < BASS_CHROMA_BELOW)).astype(np.float32),
        levels=np.stack([heard, f < LEVEL_EDGES[1], *(heard * (f >= low) * (f < high) for low, high in bands)]).astype(np.float32),
        flux=flux / flux.sum(axis=1, keepdims=True),
    )
