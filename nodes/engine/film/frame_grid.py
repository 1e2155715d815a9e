"""How many frames a video model can make at once, and how a shot is drawn with such lengths.

In: a shot's frames on the film's grid, the film's frame rate and a model's `FrameGrid`. Out: `Piece`s, each of which the model draws
in one go, and which of the model's frames every frame of the film shows. A shot that is too short is drawn at the shortest length
and trimmed; one that is too long is parted on beats. Knows nothing of models, pictures or files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor


@dataclass(frozen=True)
class FrameGrid:
    """The lengths of a video model: first + k * step, from `shortest` to `longest`, in frames of its own."""

    step: int
    first: int
    shortest: int
    longest: int
    fps: Fraction = Fraction(0)  # what its frames last; 0: as the film

    def length_of(self, frames: int) -> int:
        """The smallest length that the model can make and that is not below `frames`; ValueError above the longest."""
        length = next_length(max(frames, self.shortest), self.step, self.first)
        if length > self.longest:
            raise ValueError(f"{frames} frames are more than the {self.longest} that the model makes at once.")
        return length

    def limited(self, most: int) -> FrameGrid:
        """The same grid with no more than `most` frames at once, as far as the shortest allows; 0: as it is."""
        if not most:
            return self
        longest = self.first + (most - self.first) // self.step * self.step
        return FrameGrid(self.step, self.first, self.shortest, min(self.longest, max(longest, self.shortest)), self.fps)


# Step and first frame: the VAE's compression in time. Shortest and longest: what ComfyUI's own nodes for the model allow and propose,
# and its authors' longest. Frames a second: what the model was trained with.
MODEL_GRIDS = {
    "wan": FrameGrid(4, 1, 5, 81, Fraction(16)),
    "wan s2v": FrameGrid(4, 1, 5, 77, Fraction(16)),
    "wan humo": FrameGrid(4, 1, 5, 97, Fraction(25)),
    "wan 2.2 5b": FrameGrid(4, 1, 5, 121, Fraction(24)),
    "hunyuan": FrameGrid(4, 1, 5, 129, Fraction(24)),
    "hunyuan 1.5": FrameGrid(4, 1, 5, 121, Fraction(24)),
    "kandinsky": FrameGrid(4, 1, 5, 121, Fraction(24)),
    "cogvideox": FrameGrid(4, 1, 5, 49, Fraction(8)),
    "cogvideox 1.5": FrameGrid(4, 1, 5, 81, Fraction(16)),
    "ltx": FrameGrid(8, 1, 9, 257, Fraction(25)),
    "cosmos": FrameGrid(8, 1, 9, 121, Fraction(24)),
    "cosmos predict2": FrameGrid(4, 1, 5, 93, Fraction(16)),
    "mochi": FrameGrid(6, 1, 7, 163, Fraction(30)),
    "minimax": FrameGrid(17, 5, 124, 362, Fraction(24)),
}
LENGTHS_OF_UNKNOWN = 20  # a model that is not in the table makes up to so many steps at once


def unknown_grid(step: int) -> FrameGrid:
    """A model of which only its compression in time is known: k * step + 1, at the film's rate."""
    return FrameGrid(step, 1, step + 1, LENGTHS_OF_UNKNOWN * step + 1)


def next_length(frames: int, step: int, first: int) -> int:
    """The smallest first + k * step that is not below `frames`."""
    return first + max(0, -(-(frames - first) // step)) * step


@dataclass(frozen=True)
class Piece:
    """A part of a shot that the model draws in one go."""

    start: int  # frames of the film from the shot's first
    stop: int
    length: int  # frames that the model makes
    shown: tuple[int, ...]  # which of them each frame of the film shows, the nearest in time


def plan_pieces(frames: int, fps: Fraction, grid: FrameGrid, beats: Sequence[int] = (), continues: bool = False) -> tuple[Piece, ...]:
    """A shot of so many frames in the fewest pieces, parted at those of `beats` (frames from the shot's first) that part it most evenly.

    `continues`: every further piece begins with the picture that the one before ended with, which is not shown again.
    """
    rate = (grid.fps or fps) / fps
    lead = 1 if continues else 0
    rooms = _room(rate, grid, 0), max(1, _room(rate, grid, lead))
    edges = [0, *_part(frames, *rooms, beats), frames]
    pieces = []
    for start, stop in zip(edges, edges[1:], strict=False):
        before = lead if start else 0
        shown = tuple(_nearest(frame, rate) for frame in range(before, before + stop - start))
        pieces.append(Piece(start, stop, grid.length_of(shown[-1] + 1), shown))
    return tuple(pieces)


def _nearest(frame: int, rate: Fraction) -> int:
    return floor(frame * rate + Fraction(1, 2))


def _room(rate: Fraction, grid: FrameGrid, lead: int) -> int:
    """How many frames of the film the longest piece shows."""
    return ceil((grid.longest - Fraction(1, 2)) / rate) - lead


def _part(frames: int, first_room: int, room: int, beats: Sequence[int]) -> list[int]:
    """Where the shot is parted, rising: the first piece shows at most `first_room` frames, the others `room`."""
    cuts: list[int] = []
    here, reach = 0, first_room
    while frames - here > reach:
        more = ceil((frames - here - reach) / room)  # pieces after this one
        earliest, latest = max(here + 1, frames - more * room), here + reach
        even = min(max(here + round((frames - here) / (more + 1)), earliest), latest)
        here = min(
            (beat for beat in beats if earliest <= beat <= latest), key=lambda beat, even=even: (abs(beat - even), beat), default=even
        )
        cuts.append(here)
        reach = room
    return cuts
