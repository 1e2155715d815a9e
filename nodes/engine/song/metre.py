"""Beats and their spectrum -> bars: how many beats, and which beat is the first.

Nine cues say how much each beat sounds like the start of a bar (a new chord, a new bass note, another timbre, a kick),
and a tenth is what the beat network says; a logistic model turns them into evidence; a Viterbi path through the places of
the bar follows it, so the song may start with a pickup and lose a beat on the way. The metre is the one whose bars explain
the evidence and the repetition best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .activations import Activations
from .beats import Pulse
from .recording import Progress, ignore_progress
from .spectrum import Spectrum

METRES = (2, 3, 4, 5, 6, 7)
LOUDNESS = 8  # which of the cues it is
ACCENT = 0.25  # weight of a beat's loudness in the pattern that repeats
SUREST = 4.0  # nats that one beat may say
SLIP = 8.0  # the price, in nats, of a bar that is longer or shorter than the others
VARIATION = 0.3  # added to the deviation of the network's log odds: where it hears no difference there is none
GIVEN = 3.0  # nats of margin for a metre that was given, not heard
FEWEST_BEATS = 6
BARE = 1e-4  # of the power of beats, 40 dB less: silence


@dataclass(frozen=True)
class Judgement:
    """What the cues weigh; set on music with known bars, apart for each listener (`tests/bench/fit_beats.py` refits the network's)."""

    # chord change over 1 and over 2 beats, bass note change, timbre change, attacks in four bands from low to high,
    # loudness, the network's log odds
    cues: tuple[float, ...]
    offset: float
    # how the metres compare: evidence at first places, attacks repeating after one bar, after two bars, chords repeating after one
    metres: tuple[float, float, float, float]
    habit: dict[int, float]  # how usual each is, beside that


BY_ATTACKS = Judgement(
    (0.42, 0.70, 0.20, 0.52, 1.12, -0.18, -0.20, 0.0, 0.60),
    -0.60,
    (3.3, 2.8, 1.9, -0.7),
    {2: -0.4, 3: -0.1, 4: 0.0, 5: -0.4, 6: -1.2, 7: -0.4},
)
BY_NETWORK = Judgement(
    (-0.09, 0.74, -0.14, 0.70, 0.23, -0.10, 0.04, 0.23, 0.48, 2.77),
    -2.25,
    (6.6, 5.2, 3.7, -3.2),
    {2: -0.1, 3: -0.1, 4: 0.0, 5: -1.3, 6: -2.6, 7: -1.5},
)


@dataclass(frozen=True)
class Bars:
    positions: np.ndarray  # int, place of each beat in its bar from 1; 0 where unknown
    metre: int  # 0 where unknown
    margin: float = 0.0  # how much better this metre is than the next, in nats a beat
    contrast: float = 0.0  # how much more evidence the first beats have than the others, in nats


def describe_beats(spectrum: Spectrum, frames: np.ndarray, on_progress: Progress = ignore_progress) -> np.ndarray:
    """The nine cues of each beat, [beats, 9], each with mean 0 and deviation 1 over the song."""
    periods = np.append(np.diff(frames), round(float(np.median(np.diff(frames)))))
    rows = []
    for frame, period in zip(frames.tolist(), periods.tolist(), strict=True):
        rows.append(_describe_beat(spectrum, frame, period))
        on_progress(len(rows), len(frames))
    cues = np.array(rows)
    return (cues - cues.mean(axis=0)) / (cues.std(axis=0) + 1e-6)


def _describe_beat(spectrum: Spectrum, frame: int, period: int) -> list[float]:
    near = int(0.95 * period)
    change = [
        _distance(_mean(spectrum.chroma, frame - near, frame - 1), _mean(spectrum.chroma, frame + 1, frame + near)),
        _distance(_mean(spectrum.chroma, frame - 2 * period, frame - 1), _mean(spectrum.chroma, frame + 1, frame + 2 * period)),
        _distance(_mean(spectrum.bass_chroma, frame - near, frame - 1), _mean(spectrum.bass_chroma, frame + 1, frame + near)),
        _distance(_mean(spectrum.mel, frame - near, frame - 1), _mean(spectrum.mel, frame + 1, frame + near)),
    ]
    struck = spectrum.flux[:, max(0, frame - 2) : frame + 4].max(axis=1, initial=0).tolist()
    return [*change, *struck, _loudness(spectrum, frame)]


def _loudness(spectrum: Spectrum, frame: int) -> float:
    """Loudest moment of the 70 ms in which a beat that starts here sounds (power law of loudness)."""
    return _level(spectrum, frame) ** 0.3


def _level(spectrum: Spectrum, frame: int) -> float:
    return float(spectrum.levels[0, max(0, frame) : frame + 7].max(initial=0))


def _mean(rows: np.ndarray, first: int, end: int) -> np.ndarray:
    first = min(max(first, 0), rows.shape[1] - 1)
    return rows[:, first : max(min(end, rows.shape[1]), first + 1)].mean(axis=1, dtype=np.float32)


def _distance(before: np.ndarray, after: np.ndarray) -> float:
    """Cosine distance; two silences are alike."""
    size = float(np.linalg.norm(before) * np.linalg.norm(after))
    return 1.0 - float(before @ after) / size if size > 1e-9 else 0.0


@dataclass(frozen=True)
class Hearing:
    """What a song tells of its bars, before it is weighed."""

    cues: np.ndarray  # of each beat, [beats, 9], or 10 with the network
    attacks: np.ndarray  # pattern of each beat, [beats, 17]
    chords: np.ndarray  # [beats, 12]


def find_bars(
    spectrum: Spectrum,
    pulse: Pulse,
    activations: Activations,
    metres: Sequence[int] = METRES,
    on_progress: Progress = ignore_progress,
) -> Bars:
    """The place of each beat in its bar, for the likeliest of some metres; unknown for less than six beats."""
    if len(pulse.frames) < FEWEST_BEATS:
        return Bars(np.zeros(len(pulse.frames), int), 0)
    judgement = BY_ATTACKS if activations.downbeat is None else BY_NETWORK
    hearing = hear_bars(spectrum, pulse, activations, on_progress)
    return choose_metre(hearing, weigh_beats(hearing.cues, judgement), judgement, metres)


def hear_bars(spectrum: Spectrum, pulse: Pulse, activations: Activations, on_progress: Progress = ignore_progress) -> Hearing:
    cues = describe_beats(spectrum, pulse.frames, on_progress)
    attacks, chords = _describe_patterns(spectrum, pulse.frames)
    accents = np.clip(cues[:, LOUDNESS] - np.median(cues[:, LOUDNESS]), -2, 2)[:, None]  # a metronome has nothing else
    if activations.downbeat is not None:
        heard = _weigh_downbeats(activations.downbeat, pulse.frames)
        cues = np.hstack([cues, heard * (not _is_metronome(spectrum, pulse.frames))])
    return Hearing(cues, np.hstack([attacks, ACCENT * (accents - accents.mean())]), chords)


def weigh_beats(cues: np.ndarray, judgement: Judgement) -> np.ndarray:
    """The evidence, in nats, that each beat is a first one."""
    evidence = np.clip(cues @ judgement.cues + judgement.offset, -SUREST, SUREST)
    evidence[0] = 0.0  # there is nothing before it to compare it with
    return evidence


def compare_metres(hearing: Hearing, evidence: np.ndarray, metres: Sequence[int] = METRES) -> np.ndarray:
    """What speaks for each metre, [metres, 4], in the order of `Judgement.metres`."""
    rows = []
    for metre in metres:
        repeats = (_repetition(hearing.attacks, metre), _repetition(hearing.attacks, 2 * metre), _repetition(hearing.chords, metre))
        rows.append([_follow(evidence, metre)[0], *repeats])
    return np.array(rows)


def choose_metre(hearing: Hearing, evidence: np.ndarray, judgement: Judgement, metres: Sequence[int] = METRES) -> Bars:
    scores = compare_metres(hearing, evidence, metres) @ judgement.metres + [judgement.habit[metre] for metre in metres]
    ranking = np.argsort(-scores, kind="stable")
    metre = metres[ranking[0]]
    places = _follow(evidence, metre)[1]
    margin = float(scores[ranking[0]] - scores[ranking[1]]) if len(ranking) > 1 else GIVEN
    return Bars(places + 1, metre, margin, _contrast(evidence, places, metre))


def _weigh_downbeats(downbeat: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The network's log odds that each beat is a first one, [beats, 1], with mean 0 and a deviation of nearly 1 over the song."""
    heard = np.array([downbeat[max(0, frame - 2) : frame + 3].max(initial=0.0) for frame in frames.tolist()])
    odds = np.log(np.maximum(heard, 1e-3) / np.maximum(1 - heard, 1e-3))
    return ((odds - odds.mean()) / (odds.std() + VARIATION))[:, None]


def _is_metronome(spectrum: Spectrum, frames: np.ndarray) -> bool:
    """Whether nothing sounds between the beats; there the network, which knows music, takes the accent for a snare."""
    between = frames[:-1] + np.diff(frames) * 3 // 5
    return bool(np.median(spectrum.levels[0, between]) < BARE * np.median([_level(spectrum, frame) for frame in frames.tolist()]))


def _describe_patterns(spectrum: Spectrum, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What happens in each beat: attacks in four bands at its four quarters [beats, 16], and pitch classes [beats, 12]."""
    periods = np.append(np.diff(frames), round(float(np.median(np.diff(frames)))))
    attacks, chords = [], []
    for frame, period in zip(frames.tolist(), periods.tolist(), strict=True):
        starts = [max(0, int(frame + quarter * period / 4) - 2) for quarter in range(4)]
        attacks.append(np.sqrt([spectrum.flux[:, start : start + 6].max(axis=1, initial=0) for start in starts]).ravel())
        chords.append(_mean(spectrum.chroma, frame + 1, int(frame + 0.95 * period)))
    return np.array(attacks) - np.mean(attacks, axis=0), np.array(chords) - np.mean(chords, axis=0)


def _repetition(patterns: np.ndarray, lag: int) -> float:
    """Correlation, -1..1, of each beat's pattern with the one `lag` beats on."""
    if len(patterns) <= lag + 2:
        return 0.0
    before, after = patterns[:-lag], patterns[lag:]
    return float((before * after).sum() / np.sqrt((before**2).sum() * (after**2).sum() + 1e-9))


def _contrast(evidence: np.ndarray, places: np.ndarray, metre: int) -> float:
    """How much more evidence the first places have than the best of the other places, in nats."""
    means = [float(evidence[places == place].mean()) if (places == place).any() else -np.inf for place in range(metre)]
    return means[0] - max(means[1:])


def _follow(evidence: np.ndarray, metre: int) -> tuple[float, np.ndarray]:
    """The best path of places 0..metre-1 and its mean score; each first place earns its beat's evidence."""
    scores = np.full(metre, 0.0)
    scores[0] = evidence[0]
    origins = np.zeros((len(evidence), metre), int)
    for beat in range(1, len(evidence)):
        follow = np.roll(scores, 1)
        slip = scores.max() - SLIP
        origins[beat] = np.where(slip > follow, scores.argmax(), (np.arange(metre) - 1) % metre)
        scores = np.maximum(follow, slip)
        scores[0] += evidence[beat]
    places = [int(scores.argmax())]
    for beat in range(len(evidence) - 1, 0, -1):
        places.append(int(origins[beat, places[-1]]))
    return float(scores.max()) / len(evidence), np.array(places[::-1])
