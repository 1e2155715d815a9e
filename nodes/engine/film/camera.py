"""The camera over a shot's pictures: zoom, pan, roll and exposure as `motion` plans them. Knows nothing of models or files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .motion import Motion

if TYPE_CHECKING:
    import numpy as np
    import torch


def move_camera(pictures: torch.Tensor, motion: Motion, start: int) -> np.ndarray:
    """Zoom, pan, roll and exposure on pictures [frames, height, width, 3] in 0..1 -> uint8 array of that shape.

    `start` is the place of the first picture in the shot. The sampling positions are those of the camera, so
    a zoom of 2 reads the middle half of the picture.
    """
    import cv2
    import numpy as np

    count, height, width = (int(size) for size in pictures.shape[:3])
    part = slice(start, start + count)
    frames = np.nan_to_num(pictures.float().cpu().numpy())  # a new array: what the model gave stays as it was
    if np.any(motion.zoom[part] != 1) or np.any(motion.roll[part] != 0):
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        for frame, view in zip(frames, to_pixels(camera_views(motion, part, width / height), width, height), strict=True):
            frame[:] = cv2.warpAffine(frame, view, (width, height), flags=how, borderMode=cv2.BORDER_REFLECT)
    frames *= motion.exposure[part].astype(np.float32).reshape(-1, 1, 1, 1) * 255
    return np.clip(frames + 0.5, 0, 255, out=frames).astype(np.uint8)


def camera_views(motion: Motion, part: slice, aspect: float) -> np.ndarray:
    """Where the corners of each frame lie in its picture, as matrices [frames, 2, 3] on coordinates -1..1.

    `aspect` is width over height: a roll must turn in pixels, not in those coordinates.
    """
    import numpy as np

    zoom, roll, pan = motion.zoom[part], motion.roll[part], motion.pan[part]
    views = np.zeros((len(zoom), 2, 3), dtype=np.float32)
    views[:, 0, 0] = views[:, 1, 1] = np.cos(roll) / zoom
    views[:, 0, 1], views[:, 1, 0] = -np.sin(roll) / zoom / aspect, np.sin(roll) / zoom * aspect
    views[:, 0, 2] = pan * (1 - 1 / zoom)
    return views


def to_pixels(views: np.ndarray, width: int, height: int) -> np.ndarray:
    """`camera_views` for pixel centres counted from the upper left one, float64 [frames, 2, 3]."""
    import numpy as np

    half = np.array([width / 2, height / 2])
    centre = half - 0.5
    turned = views[:, :, :2] * half[:, None] / half
    shifts = centre + views[:, :, 2] * half - turned @ centre
    return np.concatenate([turned, shifts[:, :, None]], axis=2).astype(np.float64)
