"""Refits `octave.BY_NETWORK` and `BY_ATTACKS`: what the evidence for one way to count the music weighs.

A conditional logit (McFadden 1974): of a piece's ways to count, those whose beats are right should be likely.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from fitting import FOLDS, deal_folds, weigh_kinds
from pack.nodes.engine.song.octave import choose_count
from tracking import Heard, measure_f, place_beats

AS_GOOD = 0.03  # of F, within which a way to count is as right as the best
HOPELESS = 0.6  # F of the best, below which a piece teaches nothing
RIDGE, WHOLE = 0.3, 40


def fit_weights(pieces: Sequence[Heard]) -> np.ndarray:
    """What each evidence weighs, [16]."""
    from scipy.optimize import minimize

    weights = weigh_kinds([piece.example.kind for piece in pieces], WHOLE)
    spread = np.concatenate([[count.evidence for count in piece.counts] for piece in pieces]).std(axis=0) + 1e-6
    rows = [
        (weight, np.array([count.evidence for count in piece.counts]) / spread, scores >= scores.max() - AS_GOOD)
        for weight, piece in zip(weights, pieces, strict=True)
        if len(scores := score_counts(piece)) > 1 and scores.max() >= HOPELESS
    ]

    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        total, slope = RIDGE * float(values @ values), 2 * RIDGE * values
        for weight, evidence, right in rows:
            chances = np.exp(evidence @ values - (evidence @ values).max())
            chances /= chances.sum()
            good = float(chances[right].sum()) + 1e-12
            total -= weight * np.log(good)
            slope = slope - weight * evidence.T @ (np.where(right, chances, 0) / good - chances)
        return total, slope

    return minimize(cost, np.zeros(len(spread)), jac=True, method="L-BFGS-B").x / spread


def score_counts(piece: Heard) -> np.ndarray:
    """F of each way to count; nothing where there is no beat to find."""
    truth = piece.example.beats
    return np.array([measure_f(truth, place_beats(piece, count.pulse)) for count in piece.counts]) if len(truth) else np.zeros(0)


def weigh_held_out(pieces: Sequence[Heard]) -> list[np.ndarray]:
    """For each piece, weights that were fitted without its fold."""
    folds = deal_folds([piece.example.kind for piece in pieces])
    fitted = [fit_weights([piece for piece, at in zip(pieces, folds, strict=True) if at != fold]) for fold in range(FOLDS)]
    return [fitted[fold] for fold in folds]


def report_octave(pieces: Sequence[Heard], held_out: Sequence[np.ndarray], now: Sequence[float]) -> str:
    known = [(piece, weights) for piece, weights in zip(pieces, held_out, strict=True) if len(piece.example.beats)]
    kinds = [piece.example.kind for piece, _ in known]
    weights, rows = weigh_kinds(kinds), []
    for piece, fitted in known:
        scores, chosen = score_counts(piece), [choose_count(piece.counts, by)[0] for by in (now, fitted)]
        rows.append([scores[0], *(scores[[count is one for count in piece.counts]][0] for one in chosen), scores.max()])
    columns = np.array(rows)
    named = dict(zip(("decoder", "now", "held out", "best"), np.mean(weights[:, None] * columns, axis=0).tolist(), strict=True))
    lines = ["mean F over kinds: " + ", ".join(f"{name} {value:.4f}" for name, value in named.items())]
    for kind in dict.fromkeys(kinds):
        lines.append(f"  {kind}: " + ", ".join(f"{value:.3f}" for value in columns[[k == kind for k in kinds]].mean(axis=0)))
    return "\n".join([*lines, f"OCTAVE {np.round(fit_weights(pieces), 2).tolist()}"])
