"""A spectrum and its bars -> the sections of the song: where something new begins, and which parts are the same.

Every bar is described in four slots, so that its rhythm and its chords count. Bars are compared with each other in four ways; a section
begins where the bars before and after differ (Foote 2000), or where what they repeat changes (Serra et al. 2014). The borders are chosen
together, by dynamic programming with a liking for 4 and 8 bars; then parts that are alike share a letter. It knows nothing of lyrics,
so it cannot tell a verse from a chorus: parts are A, B, C in the order in which they come.
"""

from __future__ import annotations

import numpy as np

from ..timeline import Section
from .spectrum import FRAME_RATE, Spectrum

SLOTS = 4  # of a bar
FEWEST_BARS = 8  # with fewer a song is one section
MOST_UNITS = 2400  # compared with each other; of longer songs several bars count as one
SHORTEST, LONGEST = 2, 40  # bars
COEFFICIENTS = 20  # of the cepstrum, for timbre
BANDS = 8
WEIGHTS = {"timbre": 1.0, "chroma": 0.8, "bands": 1.0, "rhythm": 0.6}
KERNELS = (2, 4, 8)  # bars on each side that are compared for what is new
REPEATS = 0.7  # weight of what is repeated against what is new
LENGTH_LIKING = 0.7  # weight of a section's length against what is heard
BORDER_COST = 0.5
ALIKE = 88  # percentile of the likeness between bars from which two sections are the same ...
SAME = 0.85  # ... or, where nearly all bars are alike, this share of the likeness of the most alike


def find_sections(spectrum: Spectrum, downbeats: np.ndarray, duration: float) -> tuple[Section, ...]:
    """Sections from zero to `duration` (seconds); all borders between them lie on `downbeats` (seconds, ascending).

    Empty where there are no bars to build on, one section "A" for a song of less than eight bars.
    """
    bars = downbeats[(downbeats >= 0) & (downbeats < duration - 0.2)]
    bars = bars[:: -(-len(bars) // MOST_UNITS)] if len(bars) else bars
    if not len(bars):
        return ()
    if len(bars) < FEWEST_BARS:
        return (Section(0.0, duration, "A"),)
    likeness = _compare_bars(spectrum, bars, duration)
    borders = _choose_borders(_novelty(likeness))
    letters = _name_alike(likeness, borders)
    times = [0.0, *bars[borders[1:-1]].tolist(), duration]
    return tuple(Section(start, end, letter) for start, end, letter in zip(times[:-1], times[1:], letters, strict=True))


def _compare_bars(spectrum: Spectrum, bars: np.ndarray, duration: float) -> np.ndarray:
    """How much each two bars are alike, 0..1, float32 [bars, bars]."""
    from scipy.spatial.distance import cdist

    likeness = np.zeros((len(bars), len(bars)), np.float32)
    for name, rows in _describe_bars(spectrum, bars, duration).items():
        apart = cdist(rows, rows, "sqeuclidean").astype(np.float32)
        usual = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
        likeness += WEIGHTS[name] / sum(WEIGHTS.values()) * np.exp(-apart / usual)
    return likeness


def _describe_bars(spectrum: Spectrum, bars: np.ndarray, duration: float) -> dict[str, np.ndarray]:
    """What is heard in the slots of each bar, each [bars, features]."""
    from scipy.fft import dct

    edges = np.append(bars, duration)
    slots = np.concatenate([np.linspace(start, end, SLOTS, endpoint=False) for start, end in zip(edges[:-1], edges[1:], strict=True)])
    mel = _mean_of_slots(spectrum.mel, slots)
    heard = {
        "timbre": _standardised(np.asarray(dct(mel, axis=0, norm="ortho"))[:COEFFICIENTS]),
        "chroma": _unit(_mean_of_slots(spectrum.chroma, slots)),
        "bands": _standardised(np.stack([part.mean(axis=0) for part in np.array_split(mel, BANDS)])),
        "rhythm": _standardised(_mean_of_slots(spectrum.flux, slots)),
    }
    return {name: rows.T.reshape(len(bars), -1) for name, rows in heard.items()}


def _mean_of_slots(rows: np.ndarray, slots: np.ndarray) -> np.ndarray:
    """Means of features [rows, frames] from each slot's start (seconds) to the next, [rows, slots]."""
    starts = np.clip(np.round(slots * FRAME_RATE).astype(int), 0, rows.shape[1] - 1)
    starts = np.maximum.accumulate(starts)
    counts = np.diff(np.append(starts, rows.shape[1]))
    sums = np.add.reduceat(rows, starts, axis=1, dtype=np.float32)  # an empty slot takes the frame at its start
    return sums / np.maximum(counts, 1)


def _standardised(rows: np.ndarray) -> np.ndarray:
    return (rows - rows.mean(axis=1, keepdims=True)) / (rows.std(axis=1, keepdims=True) + 1e-6)


def _unit(columns: np.ndarray) -> np.ndarray:
    return columns / (np.linalg.norm(columns, axis=0, keepdims=True) + 1e-9)


def _novelty(likeness: np.ndarray) -> np.ndarray:
    """How much speaks for a border before each bar, [bars + 1]; 0 is usual, 1 is strong."""
    new = sum(_difference(likeness, kernel) for kernel in KERNELS)
    repeats = np.maximum(_scaled(_change_of_repeats(likeness)), 0)  # early bars have little to repeat: that is nothing against a border
    found = _scaled(np.maximum(new, 0)) + REPEATS * repeats
    found[[0, -1]] = 0
    return found


def _difference(likeness: np.ndarray, size: int) -> np.ndarray:
    """Foote's checkerboard kernel, smooth towards its edges, along the diagonal."""
    places = np.arange(-size, size) + 0.5
    smooth = np.exp(-0.5 * (places / (size * 0.5)) ** 2)
    kernel = np.outer(smooth * np.sign(places), smooth * np.sign(places))
    padded, inside = np.pad(likeness, size), np.pad(np.ones(likeness.shape, bool), size)
    found = np.zeros(len(likeness) + 1)
    for place in range(1, len(likeness)):
        square, weights = (whole[place : place + 2 * size, place : place + 2 * size] for whole in (padded, inside))
        within, across = weights & (kernel > 0), weights & (kernel < 0)
        found[place] = np.average(square[within], weights=kernel[within]) - np.average(square[across], weights=-kernel[across])
    return found


def _change_of_repeats(likeness: np.ndarray) -> np.ndarray:
    """How much changes which earlier bars are repeated, by lag, [bars + 1]."""
    from scipy.ndimage import gaussian_filter1d, uniform_filter1d

    count = len(likeness)
    lags = np.zeros((count, count), np.float32)
    for lag in range(1, count):
        lags[lag, lag:] = uniform_filter1d(np.diagonal(likeness, lag), 4)
    smooth = gaussian_filter1d(lags, 1.2, axis=1)
    change = np.zeros(count + 1)
    change[1:count] = np.linalg.norm(np.diff(smooth, axis=1), axis=0) / np.sqrt(count)
    return change


def _scaled(values: np.ndarray) -> np.ndarray:
    middle = np.median(values)
    return (values - middle) / (np.percentile(values, 95) - middle + 1e-9)


def _choose_borders(novelty: np.ndarray) -> np.ndarray:
    """The bars before which sections begin, and the end: the best way through all of them."""
    bars = len(novelty) - 1
    liking = LENGTH_LIKING * np.array([_like_length(length) for length in range(bars + 1)])
    best, came = np.full(bars + 1, -np.inf), np.zeros(bars + 1, int)
    best[0] = 0.0
    for end in range(1, bars + 1):
        shortest = SHORTEST if end < bars else 1  # the last may be a tail
        starts = np.arange(max(0, end - LONGEST), end - shortest + 1)
        if not len(starts):
            continue
        values = best[starts] + novelty[end] + liking[end - starts] - BORDER_COST
        best[end], came[end] = values.max(), starts[int(values.argmax())]
    path = [bars]
    while path[-1] > 0:
        path.append(int(came[path[-1]]))
    return np.array(path[::-1])


def _like_length(bars: int) -> float:
    """How usual a section of so many bars is: songs are built of fours and eights."""
    odd = 0.5 if bars % 2 else 0.0
    square = 0.0 if bars % 4 == 0 else 0.9
    return -(square + odd + (0.25 if bars % 8 else 0.0) + (1.0 if bars < 4 else 0.0) + 0.08 * max(0, bars - 16))


def _name_alike(likeness: np.ndarray, borders: np.ndarray) -> list[str]:
    """A letter for every section; those alike, bar for bar from their beginnings, share it."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    parts = list(zip(borders[:-1].tolist(), borders[1:].tolist(), strict=True))
    if len(parts) < 2:
        return ["A"] * len(parts)
    apart = 1 - np.array([[_alike(likeness, first, second) for second in parts] for first in parts])
    np.fill_diagonal(apart, 0)
    others = likeness[np.triu_indices(len(likeness), 1)]
    limit = 1 - min(float(np.percentile(others, ALIKE)), SAME * float(np.percentile(others, 99)))
    groups = fcluster(linkage(squareform(np.clip(apart, 0, 1), checks=False), "average"), limit, "distance")
    order = list(dict.fromkeys(groups.tolist()))
    return [_letter(order.index(group)) for group in groups.tolist()]


def _alike(likeness: np.ndarray, first: tuple[int, int], second: tuple[int, int]) -> float:
    length = min(first[1] - first[0], second[1] - second[0])
    steps = np.arange(length)
    return float(likeness[first[0] + steps, second[0] + steps].mean())


def _letter(number: int) -> str:
    """A to Z, then A2, B2 ..."""
    turn, place = divmod(number, 26)
    return chr(ord("A") + place) + (str(turn + 1) if turn else "")
