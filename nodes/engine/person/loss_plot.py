"""The course of a training as a picture: the loss of every step, and that on held-out pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from .training_state import Course

WIDTH, HEIGHT, EDGE = 640, 360, 44  # pixels
BACK, GRID, STEPS, SMOOTH, CHECKS, TEXT = "#1b1d22", "#33363d", "#4a5568", "#7aa2f7", "#e0af68", "#c8ccd4"


def plot_losses(course: Course, steps: int) -> np.ndarray:
    """uint8 RGB [360, 640, 3]."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), BACK)
    draw = ImageDraw.Draw(image)
    smooth = _smooth(course.losses)
    values = [*smooth, *(loss for _, loss in course.checks if np.isfinite(loss))]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    room = max(high - low, 1e-6) * 0.1
    span = (max(steps, 1), low - room, high + room)
    _draw_grid(draw, span)
    _draw_line(draw, list(enumerate(course.losses, 1)), span, STEPS, 1)
    _draw_line(draw, list(enumerate(smooth, 1)), span, SMOOTH, 2)
    _draw_line(draw, course.checks, span, CHECKS, 3)
    for step, loss in course.checks:
        if step == course.best_step:
            x, y = _place(step, loss, span)
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), outline=CHECKS, width=2)
    draw.text((EDGE, 6), "loss of each step", fill=SMOOTH)
    draw.text((EDGE + 150, 6), f"held-out pictures (best at step {course.best_step})", fill=CHECKS)
    return np.asarray(image)


def _smooth(losses: list[float]) -> list[float]:
    """A running mean, so that the eye sees the trend and not the chance of single steps."""
    result: list[float] = []
    for loss in losses:
        result.append(loss if not result else result[-1] + 0.06 * (loss - result[-1]))
    return result


def _place(step: float, loss: float, span: tuple[int, float, float]) -> tuple[float, float]:
    steps, low, high = span
    share = min(max((loss - low) / (high - low), 0.0), 1.0) if np.isfinite(loss) else 1.0
    return EDGE + step / steps * (WIDTH - EDGE - 12), HEIGHT - 28 - share * (HEIGHT - 56)


def _draw_grid(draw: ImageDraw, span: tuple[int, float, float]) -> None:
    steps, low, high = span
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        loss = low + share * (high - low)
        x, y = _place(share * steps, loss, span)
        draw.line((EDGE, y, WIDTH - 12, y), fill=GRID)
        draw.text((4, y - 6), f"{loss:.3g}", fill=TEXT)
        draw.text((x - 8, HEIGHT - 20), f"{share * steps:.0f}", fill=TEXT)


def _draw_line(draw: ImageDraw, points: list[tuple[int, float]], span: tuple[int, float, float], colour: str, width: int) -> None:
    places = [_place(step, loss, span) for step, loss in points]
    if len(places) > 1:
        draw.line([value for place in places for value in place], fill=colour, width=width)
