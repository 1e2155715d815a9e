"""Refits `confidence.BY_NETWORK` and `BY_ATTACKS`: how far beats and bars can be trusted, and shows whether held-out pieces bear it out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from fit_metre import RIGHT, BarExample, judge, judge_held_out, score_bars
from fitting import deal_folds, find_caution, fit_logistic, measure_surprise, predict_held_out, weigh_kinds
from pack.nodes.engine.song.beats import average_peak
from pack.nodes.engine.song.confidence import ENOUGH, FEWEST_BEATS, describe_facts
from pack.nodes.engine.song.metre import Judgement
from tracking import Tracked

SURE, SHARE = 0.8, 0.95  # of what is called so sure, this share has to be right


def report_beats(tracked: Sequence[Tracked]) -> str:
    """Held out are whole kinds of music: what is called sure should be so in music of a kind that nobody thought of, too."""
    told = [one for one in tracked if len(one.pulse.frames) >= FEWEST_BEATS]
    kinds = [one.example.kind for one in told]
    weights, folds = weigh_kinds(kinds), np.unique(kinds, return_inverse=True)[1]
    facts = np.array([_describe(one) for one in told])
    right = np.array([one.beat_f >= RIGHT for one in told])
    odds = predict_held_out(facts, right, weights, folds)
    music = np.array([len(one.example.beats) > 0 for one in told])
    caution = find_caution(odds[music], right[music], SURE, SHARE)
    slopes, offset = fit_logistic(facts, right, weights)
    lines = [f"beats: surprise {measure_surprise(odds, right, weights):.4f}, caution {caution:.2f}"]
    lines += _tell(kinds, odds - caution, right)
    return "\n".join([*lines, f"BEATS {np.round(slopes, 2).tolist()} offset {offset - caution:.2f}"])


def report_bars(examples: Sequence[BarExample], kept: Judgement | None) -> str:
    """The bars' trust is fitted to what held-out judgements come to, or the one that was kept: those of the fit are better than life."""
    kinds = [example.kind for example in examples]
    weights, bars = weigh_kinds(kinds), [judge(example, kept) for example in examples] if kept else judge_held_out(examples)
    facts = np.clip([[one.margin, one.contrast] for one in bars], -ENOUGH, ENOUGH)
    right = np.array([score_bars(example, one) >= RIGHT for example, one in zip(examples, bars, strict=True)])
    odds = predict_held_out(facts, right, weights, deal_folds(kinds))
    slopes, offset = fit_logistic(facts, right, weights)
    lines = [f"bars: surprise {measure_surprise(odds, right, weights):.4f}", *_tell(kinds, odds, right)]
    return "\n".join([*lines, f"BARS {np.round(slopes, 2).tolist()} offset {offset:.2f}"])


def _describe(one: Tracked) -> np.ndarray:
    strength = average_peak(one.attack, one.pulse.frames)
    return describe_facts(one.pulse, one.activations, strength, one.chance)


def _tell(kinds: Sequence[str], odds: np.ndarray, right: np.ndarray) -> list[str]:
    """Per kind: pieces, how many of them are right, how many are called sure, and how many of those are right."""
    called, names = 1 / (1 + np.exp(-odds)), np.array(kinds)
    lines = [f"  called {low:.1f}+: {np.sum(called >= low)}, right {np.mean(right[called >= low]):.3f}"
             for low in (0.3, 0.6, SURE) if np.any(called >= low)]  # fmt: skip
    for kind in dict.fromkeys(kinds):
        rows = names == kind
        sure = rows & (called >= SURE)
        share = f"{right[sure].mean():.2f}" if sure.any() else "-"
        counts = f"{rows.sum()}, right {right[rows].mean():.2f}, sure {sure.sum()}, right {share}"
        lines.append(f"  {kind}: {counts}, highest {called[rows].max():.2f}")
    return lines
