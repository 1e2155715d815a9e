"""A drawing board for plots: boxes, lines and text in the pixels of the final picture, drawn at twice the size and shrunk.

Knows nothing of what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

SCALE = 2  # drawn larger, then shrunk, for smooth lines
BACKGROUND, LANE, FAINT, TEXT, STRONG = (22, 24, 31), (29, 32, 41), (58, 63, 78), (150, 156, 172), (236, 238, 244)
TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200)  # seconds


class Page:
    """A drawing board in the pixels of the final picture."""

    def __init__(self, width: int, height: int) -> None:
        from PIL import Image, ImageDraw

        self.width, self.height = width, height
        self.image: Image.Image = Image.new("RGB", (width * SCALE, height * SCALE), BACKGROUND)
        self.draw: ImageDraw.ImageDraw = ImageDraw.Draw(self.image)

    def box(self, left: float, top: float, right: float, bottom: float, colour: tuple[int, ...], radius: float = 0) -> None:
        corners = (left * SCALE, top * SCALE, max(left, right) * SCALE, max(top, bottom) * SCALE)
        self.draw.rounded_rectangle(corners, radius * SCALE, fill=colour)

    def line(self, points: Sequence[tuple[float, float]], colour: tuple[int, ...], width: float = 1.0) -> None:
        self.draw.line([(x * SCALE, y * SCALE) for x, y in points], fill=colour, width=max(1, round(width * SCALE)), joint="curve")

    def area(self, points: Sequence[tuple[float, float]], colour: tuple[int, ...]) -> None:
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=colour)

    def text(self, left: float, middle: float, text: str, size: float, colour: tuple[int, ...], anchor: str = "lm") -> float:
        """Writes a line of text; returns where it ends."""
        font = load_font(size)
        self.draw.text((left * SCALE, middle * SCALE), text, fill=colour, font=font, anchor=anchor)
        return left + self.draw.textlength(text, font=font) / SCALE

    def picture(self) -> np.ndarray:
        return np.asarray(self.image.resize((self.width, self.height), 1))  # 1: Lanczos

    def fitting(self, text: str, width: float, size: float) -> str:
        """As much of a text as is at most `width` long."""
        while len(text) > 4 and self.draw.textlength(text, font=load_font(size)) > width * SCALE:
            text = text[:-4].rstrip() + "..."
        return text

    def clock(self, duration: float, left: float, pace: float, middle: float) -> None:
        """Minutes and seconds along a line of time, `pace` pixels a second."""
        step = next((step for step in TIME_STEPS if step * pace >= 60), TIME_STEPS[-1])
        for time in range(0, int(duration) + 1, step):
            x = left + time * pace
            self.text(x, middle, f"{time // 60}:{time % 60:02d}", 11, TEXT, "lm" if x < left + 12 or x > self.width - 40 else "mm")


def load_font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size * SCALE)
