"""A frame and the one before it -> how much changed, how much of that is camera and motion, and what is left: flicker.

Motion is dense optical flow (Farneback 2003) at a fixed small size; the frame before is moved along it and the mean
difference to the frame is the warped-frame error (Lai et al. 2018, "Learning Blind Video Temporal Consistency", there
squared and with occlusions left out). All measures are shares of full scale, 0..1. Knows nothing of films or cuts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SMALL = 192  # pixels of the longer side
GAINS = (0.8, 1.25)  # a change of brightness that a camera's exposure may explain


class Step(NamedTuple):
    """What happens from one frame to the next."""

    change: float  # mean difference of the pixels
    flicker: float  # the same, motion taken out
    jump: float  # the same, motion and exposure taken out: high where another picture begins
    zoom: float  # how much closer the camera came, as a share; negative: it drew back
    gain: float  # factor on the brightness


STANDSTILL = Step(0.0, 0.0, 0.0, 0.0, 1.0)


class FrameComparer:
    """Takes the frames of a film in order, uint8 RGB [height, width, 3] of one size, at most `SMALL` pixels long."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._grey_before: np.ndarray | None = None

    def compare(self, frame: np.ndarray) -> Step:
        """The step from the frame given last time to this one; `STANDSTILL` for the first."""
        import cv2

        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        before, grey_before = self._before, self._grey_before
        self._before, self._grey_before = frame, grey
        if before is None or grey_before is None:
            return STANDSTILL
        plain = cv2.absdiff(frame, before)
        if not plain.any():
            return STANDSTILL
        flow = cv2.calcOpticalFlowFarneback(grey, grey_before, None, 0.5, 3, 15, 3, 5, 1.1, 0)  # type: ignore[call-overload]
        moved, valid = _move(before, flow)
        gain = _fit_gain(frame, moved, valid)
        return Step(
            change=float(plain.mean()) / 255,
            flicker=_mean(cv2.absdiff(frame, moved), valid),
            jump=_mean(cv2.absdiff(frame, cv2.convertScaleAbs(moved, alpha=float(np.clip(gain, *GAINS)))), valid),
            zoom=_fit_zoom(flow, grey),
            gain=gain,
        )


def shrink(frame: np.ndarray, longest: int = SMALL) -> np.ndarray:
    """The frame with a longer side of at most `longest` pixels; every pixel of it counts (area average)."""
    import cv2

    height, width = frame.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return frame
    return cv2.resize(frame, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)


def _move(before: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The frame before, moved along the flow, and a mask (255) of what came from inside of it."""
    import cv2

    height, width = before.shape[:2]
    places = flow + np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    inside = cv2.inRange(places, (0.0, 0.0), (width - 1.0, height - 1.0))  # type: ignore[call-overload]
    moved = cv2.remap(before, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return moved, inside if inside.any() else np.full_like(inside, 255)


def _mean(pixels: np.ndarray, valid: np.ndarray) -> float:
    import cv2

    return sum(cv2.mean(pixels, valid)[:3]) / 3 / 255


def _fit_gain(frame: np.ndarray, moved: np.ndarray, valid: np.ndarray) -> float:
    level = 1 / 255  # keeps black pictures from dividing by nothing
    return (_mean(frame, valid) + level) / (_mean(moved, valid) + level)


def _fit_zoom(flow: np.ndarray, grey: np.ndarray) -> float:
    """The zoom that explains the flow best in the least squares, where there is texture to see it by."""
    import cv2

    height, width = grey.shape
    texture = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    x, y = np.arange(width, dtype=np.float32) - (width - 1) / 2, (np.arange(height, dtype=np.float32) - (height - 1) / 2)[:, None]
    weight = float((texture * (x * x + y * y)).sum())
    if weight <= 0:
        return 0.0
    slope = float((texture * (x * flow[..., 0] + y * flow[..., 1])).sum()) / weight
    return float(1 / max(1 + slope, 0.2) - 1)  # the flow looks back: a pixel came from nearer the middle
