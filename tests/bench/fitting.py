"""What every fit of the tracker's settings needs: folds, weights by kind, and a logistic model. Knows nothing of music."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

FOLDS = 5
WHOLE = 8  # pieces


def deal_folds(kinds: Sequence[str]) -> np.ndarray:
    """The fold of each piece, every kind dealt out evenly."""
    seen: Counter[str] = Counter()
    folds = []
    for kind in kinds:
        folds.append(seen[kind] % FOLDS)
        seen[kind] += 1
    return np.array(folds, int)


def weigh_kinds(kinds: Sequence[str], whole: int = WHOLE) -> np.ndarray:
    """A weight for each piece, so that no kind of `whole` pieces or more counts for more than another; 1 on the whole."""
    counts = Counter(kinds)
    weights = np.array([1 / max(counts[kind], whole) for kind in kinds])
    return weights / weights.mean()


def fit_logistic(facts: np.ndarray, right: np.ndarray, weights: np.ndarray, ridge: float = 0.3) -> tuple[np.ndarray, float]:
    """Weights of the facts and the offset; `ridge` holds back the weights, as if every fact had deviation 1."""
    from scipy.optimize import minimize

    scale = facts.std(axis=0) + 1e-9
    columns = np.column_stack([facts / scale, np.ones(len(facts))])
    signs = np.where(right, 1.0, -1.0)

    def cost(values: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (columns @ values)
        slope = columns.T @ (-weights * signs / (1 + np.exp(np.clip(margins, -500, 500))))
        held = np.append(ridge * values[:-1], 0.0)
        return float(weights @ np.logaddexp(0, -margins) + 0.5 * held @ values), slope + held

    best = minimize(cost, np.zeros(columns.shape[1]), jac=True, method="L-BFGS-B").x
    return best[:-1] / scale, float(best[-1])


def predict_held_out(facts: np.ndarray, right: np.ndarray, weights: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Log odds of each row by a model that never saw its fold."""
    odds = np.zeros(len(right))
    for fold in np.unique(folds):
        held = folds == fold
        slopes, offset = fit_logistic(facts[~held], right[~held], weights[~held])
        odds[held] = facts[held] @ slopes + offset
    return odds


def find_caution(odds: np.ndarray, right: np.ndarray, sure: float, share: float) -> float:
    """How much to take off the log odds so that of those called at least so `sure`, this share is right; 0 where they are."""
    order = np.argsort(-odds)
    truth = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(truth >= share)
    least = float(odds[order[enough[-1]]]) if len(enough) else float(odds.max()) + 1e-6
    return max(0.0, least - float(np.log(sure / (1 - sure))))


def measure_surprise(odds: np.ndarray, right: np.ndarray, weights: np.ndarray) -> float:
    """Mean surprise in nats, weighted: the lower, the better the probabilities."""
    return float(weights @ np.logaddexp(0, -np.where(right, odds, -odds)) / weights.sum())
