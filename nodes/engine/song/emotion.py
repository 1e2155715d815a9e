"""A spectrum and its beats -> how the song feels over time: valence (sad to happy) and arousal (calm to excited), and the cues behind them.

Two weighted sums of standardised cues. The weights of level, pulse, brightness, entropy, key clarity, mode and of the level's unrest are
those of Eerola, Lartillot & Toiviainen (ISMIR 2009) as published with MIRtoolbox's `miremotion`, fitted there on film music; their
fluctuation is taken as the strength of the attacks, their novelty and spread are not measured. Tempo, density, register, articulation and
roughness follow the order of importance in Eerola, Friberg & Bresin (2013), with weights of our own, set so that pieces that differ in one
cue differ the right way. It is a rough picture of Western popular music, not of what a listener feels: lyrics, culture and memory are not
in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..timeline import Curve, Timeline
from .harmony import find_tuning, fold_tones, judge_key
from .spectrum import FRAME_RATE, HARMONY_EVERY, Spectrum

CURVE_RATE = 4.0  # values a second
STEP = 2.0  # seconds between looks where there are no bars
WINDOW, KEY_WINDOW = 6.0, 12.0  # seconds around a look; a key needs longer
USUAL_TEMPO = 110.0


@dataclass(frozen=True)
class Cue:
    """`usual` and `spread` are mean and deviation over the windows of 16 rendered songs (`tests/bench/bench_emotion.py usual`)."""

    usual: float
    spread: float
    valence: float = 0.0
    arousal: float = 0.0


CUES = {
    "level": Cue(-5.6, 3.1, arousal=0.6664),  # dB against the song's loud parts
    "mastering": Cue(34.9, 3.5, arousal=0.3),  # dB of the spectrum's sum at full scale: says little between songs, but something
    "unrest": Cue(3.6, 1.9, valence=-0.3161),  # deviation of the level, dB
    "pulse": Cue(-3.68, 0.37, valence=0.3, arousal=0.6099),  # attacks, log2
    "brightness": Cue(9.8, 0.34, arousal=0.4486),  # centroid, log2 of Hz
    "entropy": Cue(0.93, 0.03, arousal=0.7056),  # of the spectrum, 0..1
    "clarity": Cue(0.867, 0.054, valence=0.8802),  # of the key, correlation
    "mode": Cue(0.114, 0.123, valence=0.913),  # major against minor, difference of correlations; twice 0.4565: it and clarity share much
    "tempo": Cue(0.1, 0.3, valence=0.2, arousal=0.3),  # octaves against 110 bpm
    "density": Cue(1.6, 0.44, valence=0.5, arousal=0.6),  # attacks a second, log2: does not depend on which layer is called the beat
    "register": Cue(8.74, 0.21, valence=0.4),  # where the tones lie, log2 of Hz
    "roughness": Cue(0.046, 0.013, valence=-0.3),
    "separation": Cue(0.18, 0.066, arousal=0.3),  # of notes: staccato against legato, 0..1
}


def measure_emotion(spectrum: Spectrum, timeline: Timeline, gain: float) -> tuple[Curve, ...]:
    """The curves valence, arousal, brightness, mode and roughness, 0..1 with 0.5 for what is usual, 4 a second.

    Of the timeline its beats and onsets are read, where it has any; `gain` is what the song was multiplied with before it was measured.
    """
    duration, downbeats = timeline.duration, timeline.downbeats
    looks = np.array(downbeats) if len(downbeats) > 1 else np.arange(0, max(duration, STEP), STEP)
    cues = measure_cues(spectrum, timeline, looks, gain)
    standard = {name: np.clip((cues[name] - cue.usual) / cue.spread, -3, 3) for name, cue in CUES.items()}
    rows = {
        "valence": _sum_up(standard, {name: cue.valence for name, cue in CUES.items()}),
        "arousal": _sum_up(standard, {name: cue.arousal for name, cue in CUES.items()}),
        **{name: _bounded(standard[name]) for name in ("brightness", "mode", "roughness")},
    }
    return tuple(draw_curve(name, looks, row, duration) for name, row in rows.items())


def draw_curve(name: str, looks: np.ndarray, values: np.ndarray, duration: float) -> Curve:
    """Values at some looks (seconds) as a curve of the whole song, linear between them."""
    moments = np.arange(int(duration * CURVE_RATE) + 1) / CURVE_RATE
    return Curve(name, CURVE_RATE, tuple(np.round(np.interp(moments, looks, values), 4).tolist()))


def _sum_up(standard: dict[str, np.ndarray], weights: dict[str, float]) -> np.ndarray:
    """The weighted sum in units of its own spread were the cues independent, as 0..1."""
    total = np.sum([weights[name] * values for name, values in standard.items()], axis=0)
    return _bounded(total / np.sqrt(sum(weight**2 for weight in weights.values())))


def _bounded(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(values / 2)


def measure_cues(spectrum: Spectrum, timeline: Timeline, looks: np.ndarray, gain: float) -> dict[str, np.ndarray]:
    """Every cue of `CUES` around each look (seconds): [looks]."""
    level = 10 * np.log10(spectrum.levels[0] + 1e-9)
    loud = float(np.percentile(level, 95))
    frames = np.array([_hear_window(spectrum, level, look) for look in looks])
    chroma = fold_tones(spectrum.tones, find_tuning(spectrum.tones))
    harmony = np.array([judge_key(_around(chroma, look, KEY_WINDOW, FRAME_RATE / HARMONY_EVERY).mean(axis=1)) for look in looks])
    rough = [_around(spectrum.roughness[0], look, WINDOW, FRAME_RATE / HARMONY_EVERY).mean() for look in looks]
    names = ("level", "unrest", "pulse", "brightness", "entropy", "register", "separation")
    cues = dict(zip(names, frames.T, strict=True))
    return {
        **cues,
        "level": cues["level"] - loud,
        "mastering": cues["level"] - 20 * np.log10(gain),
        "clarity": harmony[:, 0],
        "mode": harmony[:, 1],
        "tempo": _local_tempo(np.array([beat.time for beat in timeline.beats]), looks),
        "density": _density(np.array(timeline.onsets), looks),
        "roughness": np.array(rough),
    }


def _hear_window(spectrum: Spectrum, level: np.ndarray, look: float) -> list[float]:
    """Level (dB), its deviation, attacks, brightness, entropy, register and separation around a look."""
    loudness = _around(level, look, WINDOW)
    amplitude = np.expm1(_around(spectrum.mel, look, WINDOW).astype(np.float32)).mean(axis=1) / 10
    share = amplitude / max(float(amplitude.sum()), 1e-9)
    pitches = _band_pitches()
    tones = share * (pitches < TONES_BELOW)
    entropy = float(-(share * np.log(share + 1e-12)).sum() / np.log(len(share)))
    attacks = float(_around(spectrum.flux, look, WINDOW).mean())
    centre = float((share * pitches).sum())
    register = float((tones * pitches).sum() / max(float(tones.sum()), 1e-9))
    quiet = np.percentile(loudness, 90) - loudness
    separation = float(np.tanh(quiet / 20).mean())
    return [float(loudness.mean()), float(loudness.std()), np.log2(attacks + 1e-3), centre, entropy, register, separation]


TONES_BELOW = 11.0  # log2 of Hz, 2 kHz: above lie cymbals and overtones


def _band_pitches() -> np.ndarray:
    """The mel bands' centres, log2 of Hz."""
    import librosa

    from .spectrum import HIGHEST, LOWEST, MEL_BANDS

    return np.log2(np.maximum(librosa.mel_frequencies(MEL_BANDS, fmin=LOWEST, fmax=HIGHEST), 1.0))


def _local_tempo(beats: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """Octaves against 110 beats a minute; 0 where there are no beats."""
    if len(beats) < 3:
        return np.zeros(len(looks))
    tempo = np.log2(60 / np.diff(beats) / USUAL_TEMPO)
    middles = (beats[:-1] + beats[1:]) / 2
    return np.array([np.median(tempo[np.argsort(np.abs(middles - look))[:8]]) for look in looks])


def _density(onsets: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """Attacks a second around each look, log2."""
    first, last = (np.searchsorted(onsets, looks + side * WINDOW / 2) for side in (-1, 1))
    return np.asarray(np.log2((last - first) / WINDOW + 0.1))


def _around(rows: np.ndarray, look: float, seconds: float, rate: float = FRAME_RATE) -> np.ndarray:
    """The last axis of some rows from half a window before a look to half a window after, at least one frame."""
    first = int(np.clip(round((look - seconds / 2) * rate), 0, rows.shape[-1] - 1))
    return rows[..., first : max(first + 1, round((look + seconds / 2) * rate))]
