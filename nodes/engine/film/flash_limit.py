"""No clip and no film flashes more than three times in any one second (WCAG 2.2, 2.3.1; what a flash is, `flashes` says).

Planned brightness is limited before anything is drawn: where accents come too fast, all of the shot's are weakened alike.
Finished frames pass a limiter on their way into a clip, and into the film, where clips meet: one that would end a fourth flash
within a second is mixed with the frame before it, as little as will do. Calm frames pass as they are. Knows nothing of music.
"""

from __future__ import annotations

from copy import deepcopy
from fractions import Fraction

import numpy as np

from .flashes import LIMIT, STEP, FlashCounter, Swings, count_flashes, to_light
from .flicker import shrink

CAUTION = (1.0, 0.8)  # shares of the standard's steps and areas at which frames are counted: encoding adds a little
SHARES = (1.0, 0.7, 0.5, 0.35, 0.2, 0.1, 0.05)  # of a new frame in what is shown, as far as the limit allows
WINDOW = 1.0  # seconds in which flashes are counted
RECOVERY = 1.0  # seconds until frames pass whole again; shorter would let bursts through, one a second
GREYS = np.arange(1, 256) / 255  # pixel values whose light is followed in a planned brightness
HALVINGS = 10


def limit_exposure(exposure: np.ndarray, fps: Fraction) -> np.ndarray:
    """Factors on pixel values, one a frame -> the same, all drawn towards 1 as far as no grey flashes more than `LIMIT` times a second."""
    if _planned_flashes(exposure, fps) <= LIMIT:
        return exposure
    safe, unsafe = 0.0, 1.0
    for _ in range(HALVINGS):
        share = (safe + unsafe) / 2
        if _planned_flashes(1 + share * (exposure - 1), fps) <= LIMIT:
            safe = share
        else:
            unsafe = share
    return 1 + safe * (exposure - 1)


def _planned_flashes(exposure: np.ndarray, fps: Fraction) -> int:
    """The most flashes in any one second of whichever grey flashes most."""
    swings = Swings(min(CAUTION) * STEP)  # as strict as the limiter, which has nothing to do then
    changes: list[list[float]] = [[] for _ in GREYS]
    for number, factor in enumerate(exposure):
        light = to_light((np.clip(GREYS * factor, 0, 1) * 255).astype(np.uint8))
        for grey in np.flatnonzero(np.logical_or(*swings.follow(light))):
            changes[grey].append(float(number / fps))
    return max(count_flashes(times).count for times in changes)


class FlashLimiter:
    """Takes frames in order, uint8 RGB [height, width, 3], and gives what may be shown; keeps one frame. `held` counts those it changed."""

    def __init__(self, fps: Fraction) -> None:
        self._fps, self.held = fps, 0
        self._counters = [FlashCounter(share) for share in CAUTION]
        self._shown: np.ndarray | None = None
        self._number, self._share = 0, 1.0

    def show(self, frame: np.ndarray) -> np.ndarray:
        """The frame itself wherever it may be shown as it is."""
        time, before = float(self._number / self._fps), self._shown
        most = min(1.0, self._share + float(1 / self._fps) / RECOVERY)
        self._number, self._share = self._number + 1, 0.0
        if before is None:
            before = frame
        for share in (most * part for part in SHARES):
            shown = _mix(before, frame, share)
            counters, light = deepcopy(self._counters), to_light(shrink(shown))
            for counter in counters:
                counter.forget(time - WINDOW)
                counter.add(time, light)
            if max(counter.most() for counter in counters) <= LIMIT:
                self._counters, self._shown, self._share = counters, shown, share
                self.held += shown is not frame
                return shown
        self.held += 1
        return before  # nothing changes, so nothing flashes


def _mix(before: np.ndarray, frame: np.ndarray, share: float) -> np.ndarray:
    import cv2

    return frame if share >= 1 else cv2.addWeighted(before, 1 - share, frame, share, 0)
