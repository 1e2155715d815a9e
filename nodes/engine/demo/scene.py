"""What can be in a picture of the built-in model's world, and how likely it is.

In: a random generator. Out: a `Scene`, the plain list of facts that `picture.draw_scene` draws and `captions.write_caption` tells.
It knows nothing of pixels or words. The same facts are the labels that the text encoder learns first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

PLACES = ("beach", "mountains", "forest", "city", "desert", "meadow", "road", "room", "stage", "space")
TIMES = ("day", "sunset", "night", "dawn")
WEATHERS = ("clear", "clouds", "rain", "snow", "fog", "storm")
PALETTES = ("natural", "warm", "cold", "pastel", "neon", "dark", "black and white")
MOODS = ("none", "joyful", "melancholy", "calm", "energetic")
FRAMINGS = ("close", "half", "full", "far")
GENDERS = ("woman", "man")
HAIRS = ("black", "brown", "blonde", "red", "white", "blue", "pink")
LENGTHS = ("long", "short")
CLOTHES = ("red", "blue", "green", "yellow", "white", "black", "pink", "purple")
SKINS = ("light", "medium", "dark")
EXPRESSIONS = ("neutral", "smile", "sad", "eyes closed", "singing")
POSES = ("standing", "dancing", "arms up", "walking")
EXTRAS = ("none", "birds", "balloons", "confetti", "sparks")

INDOORS = ("room", "stage", "space")


@dataclass(frozen=True)
class Figure:
    """One drawn person. `x` is the place across the picture, 0 left to 1 right."""

    framing: str
    gender: str
    hair: str
    length: str
    clothes: str
    skin: str
    expression: str
    pose: str
    x: float = 0.5


@dataclass(frozen=True)
class Scene:
    """All that is drawn. `weather` is "clear" where there is no sky."""

    place: str
    time: str
    weather: str
    palette: str
    mood: str
    extra: str
    figure: Figure | None


# How a mood pulls on the other facts: (palettes, expressions, poses, weathers)
_MOOD_PULL = {
    "joyful": (("natural", "warm", "pastel"), ("smile", "singing"), ("arms up", "dancing"), ("clear",)),
    "melancholy": (("cold", "dark"), ("sad", "eyes closed"), ("standing", "walking"), ("rain", "fog", "clouds")),
    "calm": (("pastel", "natural"), ("eyes closed", "neutral"), ("standing", "walking"), ("clear", "fog")),
    "energetic": (("neon", "warm"), ("singing", "smile"), ("dancing", "arms up"), ("clear", "storm")),
}


def _pick(rng: np.random.Generator, options: tuple[str, ...], weights: tuple[float, ...] | None = None) -> str:
    odds = None if weights is None else np.asarray(weights) / np.sum(weights)
    return str(rng.choice(np.asarray(options, dtype=object), p=odds))


def sample_figure(rng: np.random.Generator) -> Figure:
    """A random person; long hair is likelier for a woman, only so that the plain word gives a plain picture."""
    gender = _pick(rng, GENDERS)
    return Figure(
        framing=_pick(rng, FRAMINGS, (3, 3, 3, 2)),
        gender=gender,
        hair=_pick(rng, HAIRS, (3, 3, 3, 3, 1, 1, 1)),
        length=_pick(rng, LENGTHS, (5, 1) if gender == "woman" else (1, 7)),
        clothes=_pick(rng, CLOTHES, (3, 3, 2, 2, 2, 2, 1, 1)),
        skin=_pick(rng, SKINS, (4, 3, 2)),
        expression=_pick(rng, EXPRESSIONS, (3, 3, 2, 2, 3)),
        pose=_pick(rng, POSES),
        x=0.5 if rng.random() < 0.6 else float(rng.uniform(0.3, 0.7)),
    )


def sample_scene(rng: np.random.Generator) -> Scene:
    """A random scene; two thirds have a person."""
    place = _pick(rng, PLACES)
    scene = Scene(
        place=place,
        time=_pick(rng, TIMES, (4, 3, 3, 1.5)),
        weather="clear" if place in INDOORS else _pick(rng, WEATHERS, (5, 2, 2, 2, 1, 1)),
        palette=_pick(rng, PALETTES, (10, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5)),
        mood=_pick(rng, MOODS, (6, 1, 1, 1, 1)),
        extra=_pick(rng, EXTRAS, (12, 1, 1, 1, 1)),
        figure=sample_figure(rng) if rng.random() < 0.68 else None,
    )
    return _apply_mood(scene, rng)


def _apply_mood(scene: Scene, rng: np.random.Generator) -> Scene:
    if scene.mood == "none":
        return scene
    palettes, expressions, poses, weathers = _MOOD_PULL[scene.mood]
    figure = scene.figure
    if figure is not None:
        figure = replace(figure, expression=_pick(rng, expressions), pose=_pick(rng, poses))
    weather = scene.weather if scene.place in INDOORS or rng.random() < 0.4 else _pick(rng, weathers)
    palette = _pick(rng, palettes) if rng.random() < 0.7 else scene.palette
    return replace(scene, palette=palette, weather=weather, figure=figure)


FACTS: dict[str, tuple[str, ...]] = {
    "place": PLACES, "time": TIMES, "weather": WEATHERS, "palette": PALETTES, "mood": MOODS, "extra": EXTRAS,
    "framing": ("none", *FRAMINGS), "gender": GENDERS, "hair": HAIRS, "length": LENGTHS, "clothes": CLOTHES,
    "skin": SKINS, "expression": EXPRESSIONS, "pose": POSES,
}  # fmt: skip


def list_facts(scene: Scene) -> dict[str, int]:
    """Each fact as an index into `FACTS`; what the scene does not have (a hair colour without a person) is absent."""
    facts = {name: FACTS[name].index(getattr(scene, name)) for name in ("place", "time", "weather", "palette", "mood", "extra")}
    if scene.figure is None:
        return {**facts, "framing": 0}
    names = ("framing", "gender", "hair", "length", "clothes", "skin", "expression", "pose")
    return facts | {name: FACTS[name].index(getattr(scene.figure, name)) for name in names}
