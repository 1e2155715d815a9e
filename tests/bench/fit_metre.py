"""Refits `metre.BY_NETWORK` and `BY_ATTACKS`: what the cues of a bar's first beat weigh, how metres compare, and how usual each is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from fitting import FOLDS, deal_folds, fit_logistic, weigh_kinds
from pack.nodes.engine.song.metre import (
    FEWEST_BEATS,
    METRES,
    Bars,
    Hearing,
    Judgement,
    choose_metre,
    compare_metres,
    hear_bars,
    weigh_beats,
)
from tracking import Tracked, measure_f

WITHIN = 0.07  # seconds from a true downbeat
RIGHT = 0.8  # beat F from which a piece can teach bars
BEATS_A_PIECE = 40.0  # weight of one piece's beats together
HELD, HELD_HABIT = 0.03, 2.0  # how much the comparison's weights are held to what they were, and the habits to each other
SENSIBLE = (4.0, 4.0, 3.0, 0.0)
GAIN = 0.005  # of the mean downbeat F, held out, below which the present judgement stays


@dataclass(frozen=True)
class BarExample:
    kind: str
    hearing: Hearing
    first: np.ndarray  # bool, which beats found are first ones
    times: np.ndarray
    downbeats: np.ndarray
    metre: int
    beat_f: float


def describe_bars(tracked: Sequence[Tracked]) -> list[BarExample]:
    """The pieces whose bars are known and whose beats were found well enough to learn from."""
    found = []
    for one in tracked:
        truth = one.example.downbeats
        if len(truth) and len(one.pulse.frames) >= FEWEST_BEATS and one.beat_f >= RIGHT:
            first = np.array([np.min(np.abs(truth - time)) < WITHIN for time in one.times])
            hearing = hear_bars(one.example.spectrum, one.pulse, one.activations)
            found.append(BarExample(one.example.kind, hearing, first, one.times, truth, one.example.metre, one.beat_f))
    return found


def fit_judgement(examples: Sequence[BarExample]) -> Judgement:
    weights = weigh_kinds([example.kind for example in examples])
    cues = np.concatenate([example.hearing.cues for example in examples])
    first = np.concatenate([example.first for example in examples])
    spread = [np.full(len(one.first), weight * BEATS_A_PIECE / len(one.first)) for one, weight in zip(examples, weights, strict=True)]
    slopes, offset = fit_logistic(cues, first, np.concatenate(spread))
    draft = Judgement(tuple(slopes.tolist()), offset, SENSIBLE, dict.fromkeys(METRES, 0.0))
    return _fit_metres(examples, weights, draft)


def _fit_metres(examples: Sequence[BarExample], weights: np.ndarray, draft: Judgement) -> Judgement:
    from scipy.optimize import minimize

    known = [index for index, example in enumerate(examples) if example.metre in METRES]
    facts = np.array([compare_metres(examples[index].hearing, weigh_beats(examples[index].hearing.cues, draft)) for index in known])
    right = np.array([METRES.index(examples[index].metre) for index in known])

    def cost(values: np.ndarray) -> float:
        scores = facts @ values[:4] + values[4:]
        likely = scores[np.arange(len(right)), right] - np.log(np.exp(scores - scores.max(1, keepdims=True)).sum(1)) - scores.max(1)
        held = HELD * np.square(values[:4] - SENSIBLE).sum() + HELD_HABIT * np.square(values[4:]).sum()
        return float(held - weights[known] @ likely)

    values = minimize(cost, np.concatenate([SENSIBLE, np.zeros(len(METRES))])).x
    habits = values[4:] - values[4 + METRES.index(4)]
    return Judgement(draft.cues, draft.offset, tuple(values[:4].tolist()), dict(zip(METRES, habits.tolist(), strict=True)))


def judge_held_out(examples: Sequence[BarExample]) -> list[Bars]:
    """The bars of each piece by a judgement that never heard its fold."""
    folds = deal_folds([example.kind for example in examples])
    fitted = [fit_judgement([one for one, at in zip(examples, folds, strict=True) if at != fold]) for fold in range(FOLDS)]
    return [judge(example, fitted[fold]) for example, fold in zip(examples, folds, strict=True)]


def judge(example: BarExample, judgement: Judgement) -> Bars:
    return choose_metre(example.hearing, weigh_beats(example.hearing.cues, judgement), judgement)


def score_bars(example: BarExample, bars: Bars) -> float:
    return measure_f(example.downbeats, example.times[bars.positions == 1])


def report_metre(examples: Sequence[BarExample], now: Judgement) -> tuple[Judgement, str]:
    """The fitted judgement where it is better on folds that it was not fitted to, else the present one."""
    kinds = [example.kind for example in examples]
    weights, judged = weigh_kinds(kinds), {"now": [judge(example, now) for example in examples], "held out": judge_held_out(examples)}
    lines, means = [], {}
    for name, bars in judged.items():
        scores = np.array([score_bars(example, one) for example, one in zip(examples, bars, strict=True)])
        right = np.array([one.metre == example.metre for example, one in zip(examples, bars, strict=True)])
        by_kind = {kind: f"{scores[[k == kind for k in kinds]].mean():.3f}" for kind in dict.fromkeys(kinds)}
        means[name] = float(np.mean(weights * scores))
        lines.append(f"{name}: downbeat F {means[name]:.3f}, metre {np.mean(weights * right):.3f}, {by_kind}")
    better = means["held out"] > means["now"] + GAIN
    chosen = fit_judgement(examples) if better else now
    cues, metres = (tuple(round(value, 2) for value in values) for values in (chosen.cues, chosen.metres))
    habit = {metre: round(value, 1) for metre, value in chosen.habit.items()}
    told = f"METRE cues {cues} offset {chosen.offset:.2f} metres {metres} habit {habit}"
    return chosen, "\n".join([*lines, told + ("" if better else ", as it is: a fit is no better on what it has not seen")])
