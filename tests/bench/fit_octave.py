"""Refits the thresholds of `octave.py` for the network: which beats are off-beats, and which beats were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from examples import Example
from fitting import FOLDS, deal_folds, weigh_kinds
from pack.nodes.engine.song import octave
from pack.nodes.engine.song.activations import Activations
from pack.nodes.engine.song.attacks import place_attacks
from pack.nodes.engine.song.beats import SLOWEST, Pulse, average_peak, find_related_pulse, trim_pulse
from pack.nodes.engine.song.curves import measure_attack
from pack.nodes.engine.song.recording import ignore_progress
from tracking import measure_f

CLEAR = (0.6, 0.8, 1.0, 1.2, 1.5, 9.0)
LESS = (0.6, 0.7, 0.8, 0.9, 0.945, 0.98, 2.0)
SLOW = (60.0, 75.0, 90.0, 100.0, 110.0)
HALF = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 9.0)
GAIN = 0.002  # of the mean F, held out, below which the present thresholds stay


@dataclass(frozen=True)
class Thresholds:
    clear: float = octave.CLEAR_OFF_BEAT
    less: float = octave.LESS_LIKELY
    slow: float = octave.SLOW
    half: float = octave.HALF_AS_LIKELY


@dataclass(frozen=True)
class Choice:
    """One piece's three paces and what the rules ask about them."""

    kind: str
    tempo: float
    alternation: float
    less: float  # how likely the weaker beats are, against the others
    between: float  # and the moments between beats, against the beats
    double_alternation: float
    plain_f: float
    half_f: float
    double_f: float


def describe_choice(example: Example, activations: Activations, pulse: Pulse) -> Choice | None:
    """None where there are too few beats to judge."""
    if len(pulse.frames) < octave.FEWEST_BEATS or not len(example.beats):
        return None
    spectrum, attack = example.spectrum, measure_attack(example.spectrum)

    def score(beats: Pulse) -> float:
        return measure_f(example.beats, np.sort(place_attacks(trim_pulse(beats, attack).times, spectrum)))

    phases = sorted(average_peak(activations.beat, pulse.frames[phase::2]) for phase in range(2))
    between = average_peak(activations.beat, (pulse.frames[:-1] + pulse.frames[1:]) // 2)
    half = find_related_pulse(activations, pulse, 0.5, ignore_progress) if pulse.tempo >= 2 * SLOWEST else pulse
    double = find_related_pulse(activations, pulse, 2.0, ignore_progress) if pulse.tempo < max(SLOW) else pulse
    alternations = [octave.measure_alternation(spectrum, place_attacks(beats.times, spectrum)) for beats in (pulse, double)]
    return Choice(
        example.kind, pulse.tempo, alternations[0], phases[0] / phases[1], between / average_peak(activations.beat, pulse.frames),
        alternations[1], score(pulse), score(half), score(double),
    )  # fmt: skip


def score_choice(choice: Choice, at: Thresholds) -> float:
    """The F that the rules of `choose_octave` come to with these thresholds."""
    if choice.tempo < at.slow and choice.between > at.half:
        return choice.plain_f if choice.double_alternation >= at.clear else choice.double_f
    if choice.tempo >= 2 * SLOWEST and choice.alternation >= at.clear and choice.less < at.less:
        return choice.half_f
    return choice.plain_f


def fit_thresholds(choices: Sequence[Choice]) -> Thresholds:
    """Those of the grid with the best mean F."""
    weights = weigh_kinds([choice.kind for choice in choices])

    def rate(at: Thresholds) -> float:
        return float(np.mean(weights * [score_choice(choice, at) for choice in choices]))

    halving = max((replace(Thresholds(), clear=clear, less=less) for clear, less in product(CLEAR, LESS)), key=rate)
    return max((replace(halving, slow=slow, half=half) for slow, half in product(SLOW, HALF)), key=rate)


def set_thresholds(at: Thresholds) -> None:
    """For this run, so that what is fitted afterwards stands on them."""
    octave.CLEAR_OFF_BEAT, octave.LESS_LIKELY, octave.SLOW, octave.HALF_AS_LIKELY = at.clear, at.less, at.slow, at.half


def report_octave(choices: Sequence[Choice]) -> tuple[Thresholds, str]:
    """The fitted thresholds where they are better on folds that they were not fitted to, else the present ones."""
    kinds = [choice.kind for choice in choices]
    folds, weights = deal_folds(kinds), weigh_kinds(kinds)
    fitted = [fit_thresholds([choice for choice, at in zip(choices, folds, strict=True) if at != fold]) for fold in range(FOLDS)]
    held = np.array([score_choice(choice, fitted[fold]) for choice, fold in zip(choices, folds, strict=True)])
    now = np.array([score_choice(choice, Thresholds()) for choice in choices])
    plain = np.array([choice.plain_f for choice in choices])
    best = np.array([max(choice.plain_f, choice.half_f, choice.double_f) for choice in choices])
    means = [f"{name} {np.mean(weights * f):.4f}" for name, f in (("none", plain), ("now", now), ("held out", held), ("oracle", best))]
    rows = [f"  {kind}: now {now[[k == kind for k in kinds]].mean():.3f}, held out {held[[k == kind for k in kinds]].mean():.3f}"
            for kind in dict.fromkeys(kinds)]  # fmt: skip
    better = np.mean(weights * held) > np.mean(weights * now) + GAIN
    chosen = fit_thresholds(choices) if better else Thresholds()
    told = f"OCTAVE {chosen}" + ("" if better else ", as they are: a fit is no better on what it has not seen")
    return chosen, "\n".join(["mean F over kinds: " + ", ".join(means), *rows, told])
