"""How the frames of a shot share their work: anchors on its way are drawn, the frames between them are blended and finished alone.

In: where each frame lies on the shot's way (0..1) and a function that draws pictures at places of the way. Out: stretches of
the shot, each of which gives any of its frames a start. The first anchors stand on the accents of the music; more join where
neighbours stray too far apart for a blend. What a film costs therefore follows from how much its picture changes, hardly from its
frames a second. Knows nothing of models, prompts or files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .noise import slerp_pairs

if TYPE_CHECKING:
    import torch

LONGEST_STRETCH = 240  # frames whose anchors are in memory at once
BUDGET = 0.22  # of the evaluations of a shot drawn frame by frame; those whose pictures stray take more, a film about a quarter
WIDEST = 8.0  # frames from anchor to anchor, where the last steps of every frame leave no room in the budget
# Errors of blends, as a share of the picture's spread; 0.02 is about a grey level of 255 (bench_walk.py).
FINE, COARSE = 0.01, 0.08  # needs no anchor more; must not stay
BEND = 0.4  # error of a blend by the square of the stray, as measured
LEAP = 0.8  # stray of two pictures between which a blend would be a double exposure


class Part(NamedTuple):
    """Pictures on their way out of the noise: [pictures, ...]."""

    latents: torch.Tensor  # as the sampler hands them from step to step
    guess: torch.Tensor  # the clean pictures that the model sees in them so far


Draw = Callable[[np.ndarray], Part]  # pictures at places of the way, after the shared steps


@dataclass(frozen=True)
class Sharing:
    trunk: int  # steps that only anchors take
    tail: int  # steps that every frame takes alone
    spacing: float  # frames from anchor to anchor


def plan_sharing(steps: int, share: float) -> Sharing | None:
    """Which steps are shared, and how close the anchors may stand within the budget; None where nothing is shared."""
    tail = int((1 - share) * steps + 1e-6)
    if steps < 1 or tail >= steps:
        return None
    room = BUDGET * steps - tail
    return Sharing(steps - tail, tail, min(WIDEST, (steps - tail) / room) if room > 0 else WIDEST)


@dataclass(frozen=True)
class Stretch:
    """A part of the shot whose anchors are drawn."""

    frames: range  # of the shot
    places: np.ndarray  # of these frames on the way
    anchors: np.ndarray  # their places, rising
    parts: Part

    def start_frames(self, first: int, last: int) -> Part:
        """Blends of the anchors for some frames, counted from the stretch's own first."""
        left = np.clip(np.searchsorted(self.anchors, self.places[first:last], side="right") - 1, 0, max(0, len(self.anchors) - 2))
        right = np.minimum(left + 1, len(self.anchors) - 1)
        way = self.anchors[right] - self.anchors[left]
        weights = np.divide(self.places[first:last] - self.anchors[left], way, out=np.zeros(last - first), where=way > 0)
        return blend(_choose(self.parts, left), _choose(self.parts, right), weights)


def walk_stretches(walk: np.ndarray, sharing: Sharing, draw: Draw, turns: np.ndarray | None = None) -> Iterator[Stretch]:
    """The shot's stretches in order; a long shot's next one begins with the last anchor of the one before.

    Where the way has `turns`, places at which the picture may begin to go back, each gets an anchor, and frames keep their places;
    without them (None) frames are paced so that the picture itself changes as evenly as the walk.
    """
    edges = np.linspace(0, len(walk) - 1, 1 + max(1, -(-len(walk) // LONGEST_STRETCH))).round().astype(int)
    edge: Part | None = None
    for number, (start, stop) in enumerate(zip(edges, edges[1:], strict=False)):
        part = np.asarray(walk[start : stop + 1], dtype=float)
        anchors, parts = _draw_anchors(part, sharing, draw, edge, turns)
        edge = _choose(parts, np.array([len(anchors) - 1]))
        skip = 1 if number else 0  # the frame that both stretches hold belongs to the first
        places = _pace(part, anchors, parts) if turns is None else part
        yield Stretch(range(start + skip, stop + 1), places[skip:], anchors, parts)


def _draw_anchors(walk: np.ndarray, sharing: Sharing, draw: Draw, edge: Part | None, turns: np.ndarray | None) -> tuple[np.ndarray, Part]:
    budget = max(2, int(len(walk) / sharing.spacing))
    anchors = place_anchors(walk, 2 * sharing.spacing)
    if turns is not None:
        anchors = _rising(np.concatenate([anchors, turns[(turns > walk[0]) & (turns < walk[-1])]]))
    known = np.zeros(len(anchors), dtype=bool)
    known[0] = edge is not None
    drawn = draw(anchors[~known]) if not known.all() else None
    parts = _join(edge, drawn)
    while True:
        added = _more_anchors(walk, anchors, parts, budget)
        if not len(added):
            return anchors, parts
        order = np.argsort(np.concatenate([anchors, added]), kind="stable")
        anchors = np.concatenate([anchors, added])[order]
        parts = _choose(_join(parts, draw(added)), order)
        budget = 0  # from now on only what strays too far


def place_anchors(walk: np.ndarray, spacing: float) -> np.ndarray:
    """Places at even parts of the way, moved to the strongest attacks near them; the first and the last always."""
    gaps = max(1, int(len(walk) / spacing))
    strength, reach = np.diff(walk, prepend=walk[:1]), int(spacing // 4)
    frames = []
    for place in np.linspace(walk[0], walk[-1], gaps + 1)[1:-1]:
        frame = int(np.argmin(np.abs(walk - place)))
        near = range(max(1, frame - reach), min(len(walk) - 1, frame + reach + 1))
        frames.append(max(near, key=lambda other, frame=frame: (strength[other], -abs(other - frame)), default=frame))
    return _rising(np.concatenate([walk[:1], walk[frames], walk[-1:]]) if frames else walk[[0, -1]])


def _rising(places: np.ndarray) -> np.ndarray:
    places = np.unique(places)
    return places[np.diff(places, prepend=-1.0) > 1e-6]


def _more_anchors(walk: np.ndarray, anchors: np.ndarray, parts: Part, budget: int) -> np.ndarray:
    """Places for more anchors: while the budget lasts where blends would err most, beyond it only where they would stray."""
    errors = blend_errors(anchors, parts)
    room = np.diff(np.searchsorted(walk, anchors))  # no more anchors than frames
    pieces = np.ones(len(errors), dtype=int)
    while len(errors):
        left = np.where(pieces < room, errors / pieces**2, 0.0)
        worst, count = int(np.argmax(left)), len(anchors) + int((pieces - 1).sum())
        if count >= len(walk) or left[worst] <= (FINE if count < budget else COARSE):
            break
        pieces[worst] += 1
    inner = [np.linspace(a, b, n + 1)[1:-1] for a, b, n in zip(anchors, anchors[1:], pieces, strict=False)]
    return np.concatenate(inner) if inner else np.zeros(0)


def blend_errors(anchors: np.ndarray, parts: Part) -> np.ndarray:
    """How far a blend in each gap would be from the picture drawn there, judged by how the way bends at the gap's two ends.

    An anchor's distance from the chord between its neighbours shows the bend, of which a straight line over a gap of width h misses
    h^2 / 8. Of the two ends the straighter one counts: beside a leap the way may be straight.
    """
    gaps, bends, strays = np.diff(anchors), np.full(len(anchors), np.inf), _strays(parts)
    if len(anchors) < 3:
        return BEND * strays**2
    for place in range(1, len(anchors) - 1):
        before, after = gaps[place - 1], gaps[place]
        chord = parts.guess[place - 1].lerp(parts.guess[place + 1], float(before / (before + after)))
        bends[place] = 2 * stray(parts.guess[place], chord) / (before * after)
    errors = np.minimum(bends[:-1], bends[1:]) * gaps**2 / 8
    return np.where(strays > LEAP, np.maximum(errors, BEND * strays**2), errors)


def _pace(walk: np.ndarray, anchors: np.ndarray, parts: Part) -> np.ndarray:
    """Where each frame lies on the way so that the picture, and not only its noise, changes as the music moves.

    Prompts and noise change a picture by fits and starts. Measured along the anchors, it moves evenly with the walk.
    """
    passed = np.concatenate([[0.0], np.cumsum(_strays(parts))])
    if passed[-1] < 1e-6 or walk[-1] - walk[0] < 1e-6:
        return walk
    return np.interp((walk - walk[0]) / (walk[-1] - walk[0]) * passed[-1], passed, anchors)


def _strays(parts: Part) -> np.ndarray:
    return np.array([stray(a, b) for a, b in zip(parts.guess, parts.guess[1:], strict=False)])


def stray(first: torch.Tensor, last: torch.Tensor) -> float:
    """How far two pictures lie apart, as a share of their own spread; about 1.4 for two that have nothing in common."""
    spread = (first.std() + last.std()) / 2
    return float((first - last).square().mean().sqrt() / spread.clamp_min(1e-8))


def blend(first: Part, last: Part, weights: np.ndarray) -> Part:
    """Pictures between pairs: what the model sees in a straight line, with the spread of each channel kept, and the noise along an arc.

    So the noise keeps the strength that the sampler expects at this step, and the blend is not flatter than its neighbours.
    """
    import torch

    weight = torch.as_tensor(weights, dtype=first.guess.dtype).reshape(-1, *[1] * (first.guess.ndim - 1))
    guess, axes = torch.lerp(first.guess, last.guess, weight), tuple(range(2, first.guess.ndim))
    spread = torch.lerp(first.guess.std(axes, keepdim=True), last.guess.std(axes, keepdim=True), weight)
    mean = guess.mean(axes, keepdim=True)
    guess = mean + (guess - mean) * spread / guess.std(axes, keepdim=True).clamp_min(1e-8)
    return Part(guess + slerp_pairs(first.latents - first.guess, last.latents - last.guess, weights), guess)


def _choose(parts: Part, places: np.ndarray) -> Part:
    return Part(parts.latents[places], parts.guess[places])


def _join(first: Part | None, last: Part | None) -> Part:
    import torch

    both = [part for part in (first, last) if part is not None]
    return Part(torch.cat([part.latents for part in both]), torch.cat([part.guess for part in both]))
