"""People. In: a canvas, a `Figure`, the light on it, where the picture's middle is. Out: paint. It knows no places."""

from __future__ import annotations

import numpy as np

from .canvas import Canvas, Colour, Point, lit, mix
from .scene import Figure

HAIR: dict[str, Colour] = {
    "black": (34, 28, 34), "brown": (106, 64, 38), "blonde": (240, 204, 110), "red": (204, 70, 30), "white": (232, 232, 238),
    "blue": (52, 104, 214), "pink": (244, 124, 180),
}  # fmt: skip
CLOTHES: dict[str, Colour] = {
    "red": (214, 34, 44), "blue": (38, 84, 204), "green": (36, 148, 74), "yellow": (250, 206, 40), "white": (244, 244, 246),
    "black": (30, 28, 36), "pink": (246, 128, 178), "purple": (126, 58, 176),
}  # fmt: skip
SKIN: dict[str, Colour] = {"light": (250, 216, 190), "medium": (222, 168, 126), "dark": (132, 84, 58)}
INK: Colour = (38, 26, 32)


class _Paints:
    """A figure's colours under the light of the scene."""

    def __init__(self, figure: Figure, light: Colour) -> None:
        self.skin = lit(SKIN[figure.skin], light)
        self.hair = lit(HAIR[figure.hair], light)
        self.clothes = lit(CLOTHES[figure.clothes], light)
        self.shade = mix(self.clothes, (0, 0, 20), 0.25)
        self.trousers = lit((58, 62, 84), light) if figure.clothes != "black" else lit((120, 110, 100), light)
        self.ink = INK


def draw_figure(canvas: Canvas, figure: Figure, light: Colour) -> None:
    """Draws one person. Close: the face fills the picture; half: from the waist up; full: head to foot; far: small."""
    paints = _Paints(figure, light)
    x = figure.x * canvas.aspect
    if figure.framing == "close":
        _draw_bust(canvas, figure, paints, (x, 0.47), 0.26)
    elif figure.framing == "half":
        _draw_bust(canvas, figure, paints, (x, 0.36), 0.135)
    else:
        _draw_body(canvas, figure, paints, x, *((0.96, 0.8) if figure.framing == "full" else (0.9, 0.36)))


def _draw_bust(canvas: Canvas, figure: Figure, paints: _Paints, head: Point, size: float) -> None:
    """Head, shoulders and chest; `size` is the height of half a head."""
    x, y = head
    _draw_back_hair(canvas, figure, paints, head, size)
    broad = 1.55 if figure.gender == "woman" else 1.85
    shoulder = y + size * 1.5
    if figure.pose in ("arms up", "dancing") and size < 0.2:
        for side in (-1, 1):
            high = y - size * 1.1 if figure.pose == "arms up" or side < 0 else y + size * 1.6
            elbow = (x + side * size * 2.5, y + size * 1.0)
            canvas.line([(x + side * size * broad * 0.85, shoulder + size * 0.35), elbow], size * 0.62, paints.clothes, rounded=True)
            canvas.line([elbow, (x + side * size * 2.7, high)], size * 0.4, paints.skin, rounded=True)
    canvas.line([(x, y + size * 0.6), (x, shoulder + size * 0.15)], size * 0.7, mix(paints.skin, (60, 20, 20), 0.15))
    body = [(x - size * 0.42, shoulder - size * 0.15), (x + size * 0.42, shoulder - size * 0.15), (x + size * broad, shoulder + size * 0.4),
            (x + size * (broad + 0.15), 1.05), (x - size * (broad + 0.15), 1.05), (x - size * broad, shoulder + size * 0.4)]  # fmt: skip
    canvas.shaded(body, paints.clothes, paints.shade)
    canvas.ellipse((x, shoulder - size * 0.1), size * 0.42, size * 0.28, paints.skin)
    _draw_face(canvas, figure, paints, head, size)


def _draw_back_hair(canvas: Canvas, figure: Figure, paints: _Paints, head: Point, size: float) -> None:
    x, y = head
    dark = mix(paints.hair, (0, 0, 0), 0.2)
    if figure.length == "long":
        outline = [
            (x - size * 0.95, y - size * 0.3),
            (x + size * 0.95, y - size * 0.3),
            (x + size * 1.25, y + size * 2.1),
            (x - size * 1.25, y + size * 2.1),
        ]
        canvas.shaded(outline, paints.hair, dark)
        canvas.ellipse((x, y + size * 2.0), size * 1.25, size * 0.35, dark)
    canvas.ellipse((x, y - size * 0.22), size * 1.0, size * 1.0, paints.hair)


def _draw_face(canvas: Canvas, figure: Figure, paints: _Paints, head: Point, size: float) -> None:
    x, y = head
    canvas.ellipse((x, y), size * 0.8, size, paints.skin)
    canvas.glow((x - size * 0.25, y - size * 0.1), size * 0.7, mix(paints.skin, (255, 255, 255), 0.4), 0.5)
    blush = mix(paints.skin, (240, 90, 90), 0.3)
    for side in (-1, 1):
        canvas.glow((x + side * size * 0.45, y + size * 0.3), size * 0.3, blush, 0.8)
    _draw_fringe(canvas, figure, paints, head, size)
    _draw_eyes(canvas, figure, paints, head, size)
    canvas.line(
        [(x, y + size * 0.08), (x - size * 0.06, y + size * 0.26), (x + size * 0.03, y + size * 0.28)],
        size * 0.035,
        mix(paints.skin, (90, 30, 20), 0.45),
    )
    _draw_mouth(canvas, figure, paints, (x, y + size * 0.55), size)


def _draw_fringe(canvas: Canvas, figure: Figure, paints: _Paints, head: Point, size: float) -> None:
    x, y = head
    turns = np.radians(np.linspace(180, 360, 24))
    top = [(x + size * 0.92 * float(np.cos(t)), y - size * 0.2 + size * 0.95 * float(np.sin(t))) for t in turns]
    low = 0.15 if figure.length == "long" else -0.25
    part = -0.25 if figure.length == "long" else 0.2
    canvas.polygon(
        [
            *top,
            (x + size * 0.8, y + size * low),
            (x + size * 0.55, y - size * 0.38),
            (x + size * part, y - size * 0.62),
            (x - size * 0.6, y - size * 0.3),
            (x - size * 0.8, y + size * low),
        ],
        paints.hair,
    )
    canvas.arc((x, y - size * 0.25), size * 0.62, size * 0.7, 215, 265, mix(paints.hair, (255, 255, 255), 0.35), size * 0.06)


def _draw_eyes(canvas: Canvas, figure: Figure, paints: _Paints, head: Point, size: float) -> None:
    x, y = head
    tilt = {"sad": 0.1, "smile": 0.02}.get(figure.expression, 0.0)
    for side in (-1, 1):
        ex, ey = x + side * size * 0.34, y + size * 0.02
        inner, outer = (ex - side * size * 0.15, ey - size * (0.24 + tilt)), (ex + side * size * 0.17, ey - size * (0.25 - tilt))
        canvas.line([inner, outer], size * 0.05, mix(paints.hair, paints.ink, 0.5))
        if figure.expression == "eyes closed":
            canvas.arc((ex, ey - size * 0.02), size * 0.15, size * 0.11, 10, 170, paints.ink, size * 0.05)
            continue
        canvas.ellipse((ex, ey), size * 0.16, size * 0.115, (250, 250, 250))
        canvas.ellipse((ex, ey + size * 0.01), size * 0.085, size * 0.1, (54, 44, 60))
        canvas.ellipse((ex - size * 0.03, ey - size * 0.03), size * 0.03, size * 0.03, (255, 255, 255))
        canvas.arc((ex, ey), size * 0.17, size * 0.125, 185, 355, paints.ink, size * 0.04)


def _draw_mouth(canvas: Canvas, figure: Figure, paints: _Paints, mouth: Point, size: float) -> None:
    x, y = mouth
    lip = mix(paints.skin, (190, 30, 50), 0.7)
    if figure.expression == "smile":
        canvas.polygon(
            [(x + size * 0.28 * float(np.cos(t)), y - size * 0.08 + size * 0.24 * float(np.sin(t))) for t in np.linspace(0, np.pi, 14)],
            (150, 30, 44),
        )
        canvas.polygon(
            [(x - size * 0.24, y - size * 0.07), (x + size * 0.24, y - size * 0.07), (x + size * 0.18, y), (x - size * 0.18, y)],
            (255, 255, 255),
        )
    elif figure.expression == "sad":
        canvas.arc((x, y + size * 0.14), size * 0.2, size * 0.17, 200, 340, lip, size * 0.07)
    elif figure.expression == "singing":
        canvas.ellipse((x, y + size * 0.03), size * 0.2, size * 0.25, lip)
        canvas.ellipse((x, y + size * 0.03), size * 0.15, size * 0.2, (90, 16, 30))
    else:
        canvas.ellipse((x, y), size * 0.19, size * 0.05, lip)


def _draw_body(canvas: Canvas, figure: Figure, paints: _Paints, x: float, foot: float, height: float) -> None:
    """Head to foot; everything is measured in tenths of the height."""
    unit = height / 10
    lean = unit * 0.5 if figure.pose == "dancing" else 0.0
    hip, chest, head = (x, foot - unit * 4.6), (x + lean, foot - unit * 7.6), (x + lean * 1.3, foot - unit * 8.9)
    canvas.ellipse((x, foot), unit * 2.2, unit * 0.35, (0, 0, 0), 0.3)
    spread = {"standing": (0.45, 0.45), "walking": (1.1, 0.9), "dancing": (1.3, 0.5), "arms up": (0.7, 0.7)}[figure.pose]
    dress = figure.gender == "woman"
    leg = paints.skin if dress else paints.trousers
    for side, step in zip((-1, 1), spread, strict=True):
        lift = unit * 0.9 if figure.pose == "dancing" and side > 0 else 0.0
        knee = (x + side * unit * step * 0.8 + (unit * 0.5 if lift else 0), foot - unit * 2.3 - lift)
        end = (x + side * unit * step, foot - lift)
        canvas.line([(hip[0] + side * unit * 0.35, hip[1]), knee, end], unit * 0.62, leg, rounded=True)
        canvas.ellipse((end[0] + side * unit * 0.15, end[1]), unit * 0.45, unit * 0.25, paints.ink)
    if figure.length == "long":
        canvas.ellipse((head[0], head[1] + unit * 0.75), unit * 0.95, unit * 1.6, mix(paints.hair, (0, 0, 0), 0.15))
    _draw_arms(canvas, figure, paints, chest, unit)
    hem = (foot - unit * 2.7, 1.75) if dress else (foot - unit * 4.3, 0.85)
    body = [
        (chest[0] - unit, chest[1]),
        (chest[0] + unit, chest[1]),
        (hip[0] + unit * 0.72, hip[1] - unit * 0.8),
        (hip[0] + unit * hem[1], hem[0]),
        (hip[0] - unit * hem[1], hem[0]),
        (hip[0] - unit * 0.72, hip[1] - unit * 0.8),
    ]
    canvas.shaded(body, paints.clothes, paints.shade)
    canvas.line([(chest[0], chest[1] + unit * 0.1), head], unit * 0.5, paints.skin)
    _draw_small_head(canvas, figure, paints, head, unit)


def _draw_arms(canvas: Canvas, figure: Figure, paints: _Paints, chest: Point, unit: float) -> None:
    reach = {
        "standing": (((1.35, 1.6), (1.3, 3.2)), ((1.35, 1.6), (1.3, 3.2))),
        "walking": (((1.6, 1.5), (1.1, 2.8)), ((1.5, 1.5), (2.2, 2.6))),
        "dancing": (((2.0, -0.6), (2.2, -2.2)), ((2.0, 1.0), (3.0, 0.2))),
        "arms up": (((1.9, -0.9), (2.2, -2.8)), ((1.9, -0.9), (2.2, -2.8))),
    }[figure.pose]
    for side, (elbow, hand) in zip((-1, 1), reach, strict=True):
        shoulder = (chest[0] + side * unit * 0.8, chest[1] + unit * 0.3)
        joint = (chest[0] + side * unit * elbow[0], chest[1] + unit * elbow[1])
        canvas.line([shoulder, joint], unit * 0.55, paints.clothes, rounded=True)
        canvas.line([joint, (chest[0] + side * unit * hand[0], chest[1] + unit * hand[1])], unit * 0.42, paints.skin, rounded=True)


def _draw_small_head(canvas: Canvas, figure: Figure, paints: _Paints, head: Point, unit: float) -> None:
    x, y = head
    canvas.ellipse((x, y - unit * 0.12), unit * 0.95, unit * 1.05, paints.hair)
    canvas.ellipse((x, y + unit * 0.1), unit * 0.72, unit * 0.88, paints.skin)
    canvas.polygon(
        [
            (x + unit * 0.8 * float(np.cos(t)), y - unit * 0.1 + unit * 0.95 * float(np.sin(t)))
            for t in np.linspace(np.pi * 1.08, np.pi * 1.92, 12)
        ],
        paints.hair,
    )
    for side in (-1, 1):
        canvas.ellipse(
            (x + side * unit * 0.3, y + unit * 0.05), unit * 0.1, unit * (0.04 if figure.expression == "eyes closed" else 0.11), paints.ink
        )
    mouth = (x, y + unit * 0.5)
    if figure.expression in ("smile", "singing"):
        canvas.ellipse(mouth, unit * 0.2, unit * (0.12 if figure.expression == "smile" else 0.22), (160, 30, 44))
    else:
        canvas.line([(x - unit * 0.18, mouth[1]), (x + unit * 0.18, mouth[1])], unit * 0.08, (150, 50, 50))
