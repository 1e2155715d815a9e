"""Backdrops: sky and place. In: a canvas, a scene's facts, its light, a random generator. Out: paint on the canvas. It knows no people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .canvas import Canvas, Colour, Point, lit, mix
from .light import Light
from .scene import Scene

Random = np.random.Generator
WHITE: Colour = (255, 255, 255)


def _ridge(canvas: Canvas, rng: Random, base: float, height: float, rough: int, smooth: bool) -> list[Point]:
    """The outline of hills (smooth) or peaks, closed along the bottom edge."""
    count = 60 if smooth else rough * 2 + 1
    xs = np.linspace(-0.02, canvas.aspect + 0.02, count)
    if smooth:
        phase = rng.uniform(0, 6.28, 2)
        ys = 0.6 * np.sin(xs * rough * 1.3 + phase[0]) + 0.4 * np.sin(xs * rough * 2.7 + phase[1])
        ys = base - height * (ys * 0.5 + 0.5)
    else:
        peaks = np.where(np.arange(count) % 2 == 1, rng.uniform(0.65, 1, count), rng.uniform(0.1, 0.4, count))
        ys = base - height * peaks
    outline = [(float(x), float(y)) for x, y in zip(xs, ys, strict=True)]
    return [*outline, (canvas.aspect + 0.02, 1.02), (-0.02, 1.02)]


def draw_sky(canvas: Canvas, scene: Scene, light: Light, rng: Random, horizon: float = 0.62) -> None:
    """Sky, sun or moon and stars, clouds."""
    top, middle, low = light.sky
    canvas.gradient(((0, top), (0.55, middle), (1, low)), 0, horizon)
    canvas.gradient(((0, low), (1, low)), horizon, 1)
    clear = scene.weather in ("clear", "clouds")
    if scene.time == "night" and clear:
        _draw_stars(canvas, rng, 50, horizon)
    if clear:
        _draw_sun(canvas, scene, rng, horizon)
    if scene.weather != "clear" or rng.random() < 0.5:
        _draw_clouds(canvas, scene, light, rng, horizon)
    if scene.weather == "storm":
        _draw_lightning(canvas, rng)


def _draw_stars(canvas: Canvas, rng: Random, count: int, horizon: float) -> None:
    for x, y, size in zip(
        rng.uniform(0, canvas.aspect, count), rng.uniform(0, horizon, count), rng.uniform(0.002, 0.006, count), strict=True
    ):
        canvas.ellipse((float(x), float(y)), float(size), float(size), (255, 250, 225), 0.9)


def _draw_sun(canvas: Canvas, scene: Scene, rng: Random, horizon: float) -> None:
    x = float(rng.uniform(0.15, 0.85)) * canvas.aspect
    if scene.time == "night":
        y = 0.2
        canvas.glow((x, y), 0.3, (150, 170, 230), 0.7)
        canvas.ellipse((x, y), 0.075, 0.075, (250, 246, 222))
        canvas.ellipse((x - 0.02, y - 0.015), 0.018, 0.018, (226, 220, 196))
        canvas.ellipse((x + 0.025, y + 0.02), 0.013, 0.013, (226, 220, 196))
        return
    low = scene.time in ("sunset", "dawn")
    y = horizon - 0.1 if low else 0.18
    glow: Colour = (255, 214, 130) if low else (255, 252, 220)
    canvas.glow((x, y), 0.5 if low else 0.32, glow, 0.9)
    canvas.ellipse((x, y), 0.09 if low else 0.065, 0.09 if low else 0.065, (255, 232, 150) if low else (255, 246, 196))


def _draw_clouds(canvas: Canvas, scene: Scene, light: Light, rng: Random, horizon: float) -> None:
    heavy = {"clear": 2, "clouds": 6, "rain": 6, "storm": 8, "snow": 4, "fog": 2}[scene.weather]
    tone = mix(light.sky[1], lit(WHITE, light.ground), 0.65)
    if scene.weather in ("rain", "storm"):
        tone = mix(light.sky[0], (40, 44, 56), 0.35)
    for _ in range(heavy):
        x, y = float(rng.uniform(0, canvas.aspect)), float(rng.uniform(0.05, horizon * 0.6))
        size = float(rng.uniform(0.05, 0.09)) * (1.5 if scene.weather == "storm" else 1)
        for dx, lift in ((-1.5, 0.0), (-0.6, -0.5), (0.4, -0.3), (1.4, 0.0)):
            canvas.ellipse((x + dx * size, y + lift * size), size * 1.1, size * 0.7, tone, 0.85)


def _draw_lightning(canvas: Canvas, rng: Random) -> None:
    x = float(rng.uniform(0.2, 0.8)) * canvas.aspect
    canvas.glow((x, 0.3), 0.35, (190, 190, 255), 0.5)
    canvas.line([(x, 0.06), (x - 0.05, 0.24), (x + 0.02, 0.26), (x - 0.05, 0.5)], 0.014, (255, 255, 235))


def _land(scene: Scene, light: Light, colour: Colour, depth: float = 0.0) -> Colour:
    """Snowed over, lit, and hazy with distance (`depth` 0 near to 1 far)."""
    if scene.weather == "snow":
        colour = mix(colour, (240, 245, 252), 0.78)
    return mix(lit(colour, light.ground), light.haze, depth * light.haze_amount * 1.1)


def _hills(canvas: Canvas, scene: Scene, light: Light, rng: Random, layers: tuple[tuple[float, float, Colour, float], ...]) -> None:
    """Smooth layers of (base, height, colour, depth), far to near."""
    for base, height, colour, depth in layers:
        top = _land(scene, light, colour, depth)
        canvas.shaded(_ridge(canvas, rng, base, height, 3, True), top, mix(top, (0, 0, 0), 0.22))


def _draw_beach(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    horizon = 0.55
    far, near = lit((96, 176, 204), light.ground), lit((22, 108, 160), light.ground)
    canvas.gradient(((0, mix(far, light.sky[2], 0.35)), (1, near)), horizon, 1)
    for step in range(9):
        y = horizon + 0.02 + 0.03 * step
        x = float(rng.uniform(0, canvas.aspect))
        canvas.line([(x, y), (x + 0.1 + 0.02 * step, y)], 0.006, lit((235, 248, 255), light.figure), 0.55)
    xs = np.linspace(0, canvas.aspect, 40)
    shore = [(float(x), 0.8 + 0.025 * float(np.sin(x * 5 + 1))) for x in xs]
    canvas.line([(x, y - 0.012) for x, y in shore], 0.03, lit((244, 250, 252), light.ground))
    sand = _land(scene, light, (240, 214, 160))
    canvas.shaded([*shore, (canvas.aspect, 1), (0, 1)], sand, mix(sand, (120, 80, 40), 0.2))
    if rng.random() < 0.5:
        _draw_palm(canvas, scene, light, 0.12 if rng.random() < 0.5 else canvas.aspect - 0.12)


def _draw_palm(canvas: Canvas, scene: Scene, light: Light, x: float) -> None:
    lean = 0.05 if x < canvas.aspect / 2 else -0.05
    trunk, leaf = _land(scene, light, (120, 84, 54)), _land(scene, light, (40, 130, 70))
    canvas.line([(x, 0.9), (x + lean * 0.4, 0.65), (x + lean, 0.4)], 0.03, trunk)
    for angle in (-160, -125, -55, -20, 10, 170):
        turn = np.radians(angle)
        tip = (x + lean + 0.2 * float(np.cos(turn)), 0.4 + 0.12 * float(np.sin(turn)) + 0.05)
        middle = (x + lean + 0.12 * float(np.cos(turn)), 0.38 + 0.13 * float(np.sin(turn)))
        canvas.line([(x + lean, 0.4), middle, tip], 0.028, leaf, rounded=True)


def _draw_mountains(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    for base, height, colour, depth in ((0.75, 0.5, (116, 128, 164), 0.8), (0.85, 0.42, (86, 98, 128), 0.4)):
        outline = _ridge(canvas, rng, base, height, 3 if canvas.aspect < 1.3 else 4, False)
        face = _land(scene, light, colour, depth)
        canvas.shaded(outline, face, mix(face, (20, 30, 30), 0.3))
        for i in range(1, len(outline) - 3, 2):
            (x0, y0), (x, y), (x1, y1) = outline[i - 1], outline[i], outline[i + 1]
            cap = mix(lit((248, 250, 255), light.ground), light.haze, depth * 0.3)
            left, right = (mixed(x, x0, 0.35), mixed(y, y0, 0.35)), (mixed(x, x1, 0.35), mixed(y, y1, 0.35))
            canvas.polygon([(x, y), right, (mixed(x, x1, 0.12), mixed(y, y1, 0.45)), (x, mixed(y, y1, 0.3)), left], cap)
    _hills(canvas, scene, light, rng, ((0.95, 0.18, (74, 128, 84), 0.1),))


def mixed(start: float, end: float, amount: float) -> float:
    return start + (end - start) * amount


def _draw_pine(canvas: Canvas, x: float, foot: float, size: float, colour: Colour, trunk: Colour) -> None:
    canvas.line([(x, foot), (x, foot - size * 0.3)], size * 0.09, trunk)
    for low, width in ((0.15, 0.27), (0.38, 0.22), (0.6, 0.16)):
        canvas.polygon(
            [(x - size * width, foot - size * low), (x, foot - size * (low + 0.42)), (x + size * width, foot - size * low)], colour
        )
        colour = mix(colour, WHITE, 0.08)


def _draw_forest(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    _hills(canvas, scene, light, rng, ((0.75, 0.1, (84, 128, 96), 0.9),))
    for foot, size, colour, depth, step in (
        (0.72, 0.36, (70, 128, 96), 0.9, 0.12),
        (0.82, 0.52, (44, 108, 70), 0.45, 0.2),
        (0.95, 0.75, (26, 78, 48), 0.0, 0.38),
    ):
        if depth == 0.45:
            _hills(canvas, scene, light, rng, ((0.86, 0.06, (62, 116, 70), 0.4),))
        if depth == 0.0:
            _hills(canvas, scene, light, rng, ((0.92, 0.05, (52, 98, 54), 0.0),))
        for x in np.arange(float(rng.uniform(-0.1, 0.1)), canvas.aspect + 0.1, step):
            if depth == 0.0 and abs(x - canvas.aspect / 2) < canvas.aspect * 0.28:
                continue  # a clearing for whoever stands there
            wobble = float(rng.uniform(-0.03, 0.03))
            _draw_pine(
                canvas,
                float(x) + wobble,
                foot,
                size * float(rng.uniform(0.8, 1.1)),
                _land(scene, light, colour, depth),
                _land(scene, light, (84, 60, 44), depth),
            )


def _draw_city(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    glowing = scene.time in ("night", "sunset") or scene.weather == "storm"
    for foot, height, colour, depth, step in ((0.85, 0.55, (128, 138, 170), 0.8, 0.13), (0.88, 0.45, (84, 88, 120), 0.3, 0.2)):
        for x in np.arange(-0.05, canvas.aspect, step):
            top = foot - height * float(rng.uniform(0.45, 1))
            wall = _land(scene, light, colour, depth)
            right = float(x) + step * 0.9
            canvas.polygon([(float(x), top), (right, top), (right, foot), (float(x), foot)], wall)
            window = (255, 222, 130) if glowing else mix(wall, (225, 240, 255), 0.5)
            for wy in np.arange(top + 0.03, foot - 0.04, 0.055):
                for wx in np.arange(float(x) + 0.02, right - 0.025, 0.04):
                    if rng.random() < (0.55 if glowing else 0.85):
                        canvas.polygon([(wx, wy), (wx + 0.018, wy), (wx + 0.018, wy + 0.028), (wx, wy + 0.028)], window)
    street = _land(scene, light, (104, 106, 116))
    canvas.gradient(((0, street), (1, mix(street, (0, 0, 0), 0.3))), 0.86, 1)
    canvas.line([(0, 0.945), (canvas.aspect, 0.945)], 0.008, lit((240, 230, 180), light.figure), 0.7)


def _draw_desert(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    _hills(
        canvas,
        scene,
        light,
        rng,
        ((0.7, 0.14, (222, 160, 104), 0.6), (0.82, 0.16, (228, 170, 98), 0.25), (0.97, 0.16, (214, 148, 78), 0.0)),
    )
    green = _land(scene, light, (62, 128, 74))
    for x in (0.16, canvas.aspect - 0.2) if rng.random() < 0.6 else (canvas.aspect - 0.14,):
        canvas.line([(x, 0.88), (x, 0.52)], 0.05, green, rounded=True)
        canvas.line([(x, 0.72), (x + 0.08, 0.72), (x + 0.08, 0.6)], 0.034, green, rounded=True)
        canvas.line([(x, 0.78), (x - 0.07, 0.78), (x - 0.07, 0.66)], 0.034, green, rounded=True)


def _draw_meadow(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    _hills(
        canvas, scene, light, rng, ((0.7, 0.12, (132, 186, 120), 0.7), (0.8, 0.12, (112, 184, 86), 0.3), (0.95, 0.14, (88, 168, 62), 0.0))
    )
    if rng.random() < 0.5:
        x = 0.18 if rng.random() < 0.5 else canvas.aspect - 0.18
        canvas.line([(x, 0.8), (x, 0.55)], 0.035, _land(scene, light, (110, 78, 50)))
        crown = _land(scene, light, (66, 142, 62))
        for dx, dy in ((-0.07, 0.0), (0.07, 0.0), (0.0, -0.07)):
            canvas.ellipse((x + dx, 0.5 + dy), 0.1, 0.09, crown)
            crown = mix(crown, WHITE, 0.08)
    for _ in range(40):
        x, y = float(rng.uniform(0, canvas.aspect)), float(rng.uniform(0.87, 0.99))
        petal: Colour = ((250, 90, 110), (255, 220, 90), (250, 250, 250), (190, 120, 230))[int(rng.integers(4))]
        canvas.ellipse((x, y), 0.011, 0.011, lit(petal, light.figure))


def _draw_road(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    _hills(canvas, scene, light, rng, ((0.66, 0.12, (120, 140, 130), 0.8),))
    field = _land(scene, light, (148, 164, 88))
    canvas.gradient(((0, mix(field, light.haze, 0.3)), (1, field)), 0.64, 1)
    x = canvas.aspect / 2
    asphalt = lit((92, 92, 100), light.ground)
    canvas.shaded([(x - 0.015, 0.64), (x + 0.015, 0.64), (x + 0.5, 1), (x - 0.5, 1)], mix(asphalt, light.haze, 0.3), asphalt)
    for y0, y1 in ((0.67, 0.69), (0.72, 0.75), (0.79, 0.84), (0.89, 0.97)):
        half0, half1 = (y0 - 0.64) * 0.045, (y1 - 0.64) * 0.045
        canvas.polygon([(x - half0, y0), (x + half0, y0), (x + half1, y1), (x - half1, y1)], lit((250, 236, 170), light.figure))


def _draw_room(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    wall = lit(((206, 166, 140), (160, 176, 190), (196, 180, 150))[int(rng.integers(3))], light.figure)
    canvas.gradient(((0, mix(wall, (0, 0, 0), 0.2)), (1, wall)), 0, 0.78)
    floor = lit((132, 92, 66), light.figure)
    canvas.gradient(((0, floor), (1, mix(floor, (0, 0, 0), 0.3))), 0.78, 1)
    left = 0.1 if rng.random() < 0.5 else canvas.aspect - 0.44
    canvas.polygon([(left, 0.12), (left + 0.34, 0.12), (left + 0.34, 0.56), (left, 0.56)], (244, 240, 232))
    pane = [(left + 0.02, 0.14), (left + 0.32, 0.14), (left + 0.32, 0.54), (left + 0.02, 0.54)]
    canvas.shaded(pane, light.sky[0], light.sky[2])
    canvas.line([(left + 0.17, 0.14), (left + 0.17, 0.54)], 0.014, (244, 240, 232))
    canvas.line([(left + 0.02, 0.34), (left + 0.32, 0.34)], 0.014, (244, 240, 232))
    x = canvas.aspect - 0.16 if left < 0.2 else 0.16
    canvas.line([(x, 0.82), (x, 0.44)], 0.012, (70, 56, 50))
    canvas.glow((x, 0.4), 0.36, (255, 226, 150), 0.75)
    canvas.polygon([(x - 0.08, 0.46), (x + 0.08, 0.46), (x + 0.045, 0.34), (x - 0.045, 0.34)], (255, 236, 186))


def _draw_stage(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    canvas.gradient(((0, (14, 10, 30)), (0.8, (40, 22, 66)), (1, (24, 14, 40))))
    canvas.gradient(((0, (84, 52, 70)), (1, (40, 22, 38))), 0.8, 1)
    beams = ((255, 80, 160), (90, 160, 255), (255, 200, 90), (150, 90, 255))
    for i, x in enumerate(np.linspace(0.1, canvas.aspect - 0.1, 4)):
        foot = canvas.aspect / 2 + float(rng.uniform(-0.4, 0.4))
        canvas.polygon([(x - 0.015, 0), (x + 0.015, 0), (foot + 0.16, 0.84), (foot - 0.16, 0.84)], beams[i], 0.36)
        canvas.glow((float(x), 0.02), 0.12, mix(beams[i], WHITE, 0.5))
    canvas.ellipse((canvas.aspect / 2, 0.86), 0.4, 0.06, (255, 226, 210), 0.4)
    for x in np.arange(0.02, canvas.aspect, 0.11):
        canvas.ellipse((float(x), 0.99 + float(rng.uniform(-0.015, 0.015))), 0.045, 0.055, (12, 8, 20))


def _draw_space(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    canvas.gradient(((0, (6, 4, 22)), (1, (26, 14, 56))))
    for colour in ((120, 50, 170), (40, 90, 190)):
        canvas.glow((float(rng.uniform(0.1, 0.9)) * canvas.aspect, float(rng.uniform(0.2, 0.7))), 0.5, colour, 0.6)
    _draw_stars(canvas, rng, 90, 1)
    x, y = float(rng.choice((0.2, 0.8))) * canvas.aspect, float(rng.uniform(0.22, 0.36))
    body: Colour = ((226, 140, 90), (110, 170, 220), (200, 120, 190))[int(rng.integers(3))]
    canvas.glow((x, y), 0.3, body, 0.5)
    canvas.ellipse((x, y), 0.14, 0.14, body)
    canvas.ellipse((x + 0.035, y + 0.03), 0.105, 0.105, mix(body, (0, 0, 0), 0.35), 0.5)
    canvas.line([(x - 0.23, y + 0.05), (x + 0.23, y - 0.05)], 0.016, mix(body, WHITE, 0.5), 0.85, rounded=True)
    canvas.shaded(_ridge(canvas, rng, 0.93, 0.08, 2, True), (132, 126, 150), (62, 56, 84))


_PLACES: dict[str, Callable[[Canvas, Scene, Light, Random], None]] = {
    "beach": _draw_beach, "mountains": _draw_mountains, "forest": _draw_forest, "city": _draw_city, "desert": _draw_desert,
    "meadow": _draw_meadow, "road": _draw_road, "room": _draw_room, "stage": _draw_stage, "space": _draw_space,
}  # fmt: skip


def draw_landscape(canvas: Canvas, scene: Scene, light: Light, rng: Random) -> None:
    """The whole backdrop of a scene."""
    if scene.place not in ("room", "stage", "space"):
        draw_sky(canvas, scene, light, rng, 0.55 if scene.place == "beach" else 0.66)
    _PLACES[scene.place](canvas, scene, light, rng)
