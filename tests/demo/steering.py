"""How plainly prompts steer the built-in model, in numbers: pictures it makes against pictures that are drawn, by simple statistics.

A `Probe` names two prompts and a number that must differ between their pictures; the same number is taken from drawn
scenes of the two kinds. `measure_probes` gives both. `read_places` asks a nearest-neighbour reader, taught by drawn
pictures only, which place a picture shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pack.nodes.engine.demo.picture import draw_scene
from pack.nodes.engine.demo.scene import PLACES, Figure, Scene, sample_figure, sample_scene

Picture = np.ndarray[Any, np.dtype[np.float32]]
SIZE = (448, 256)
STEPS, GUIDANCE = 8, 4.0
MIDDLE = (slice(80, 256), slice(150, 298))


def brightness(picture: Picture) -> float:
    return float(picture.mean())


def brightness_of_the_head(picture: Picture) -> float:
    return float(picture[20:220, 130:318].mean())


def colourfulness(picture: Picture) -> float:
    return float((picture.max(-1) - picture.min(-1)).mean())


def warmth(picture: Picture) -> float:
    return float((picture[..., 0] - picture[..., 2]).mean())


def greenness(picture: Picture) -> float:
    return float((picture[..., 1] - (picture[..., 0] + picture[..., 2]) / 2).mean())


def redness_in_the_middle(picture: Picture) -> float:
    part = picture[MIDDLE]
    return float((part[..., 0] - part[..., 1:].max(-1)).clip(0).mean())


def blueness_in_the_middle(picture: Picture) -> float:
    part = picture[MIDDLE]
    return float((part[..., 2] - part[..., 0]).clip(0).mean())


def whiteness_of_the_ground(picture: Picture) -> float:
    part = picture[190:]
    return float((part.min(-1) - (part.max(-1) - part.min(-1))).mean())


def skin_in_the_middle(picture: Picture) -> float:
    """The share of pixels whose red, green and blue fall as in a face."""
    red, green, blue = np.moveaxis(picture[40:200, 150:298], -1, 0)
    return float(((red > 0.5) & (red - green > 0.06) & (green - blue > 0.04) & (red - blue < 0.5)).mean())


@dataclass(frozen=True)
class Probe:
    """`more` should have the larger `number`. The facts ("place=beach, time=day") say which scenes are drawn for comparison."""

    name: str
    more: str
    less: str
    number: Callable[[Picture], float]
    more_facts: str
    less_facts: str


def _probe(name: str, number: Callable[[Picture], float], more: tuple[str, str], less: tuple[str, str]) -> Probe:
    return Probe(name, more[0], less[0], number, more[1], less[1])


PROBES = (
    _probe(
        "day is brighter than night", brightness,
        ("mountains by day, clear sky, no people", "place=mountains"),
        ("mountains at night, no people", "place=mountains, time=night"),
    ),
    _probe(
        "a stage is darker than a beach", brightness,
        ("a beach by day, sunny", "place=beach"),
        ("a concert stage with spotlights, empty", "place=stage"),
    ),
    _probe(
        "sunset is warmer than day", warmth,
        ("a meadow at sunset, no people", "place=meadow, time=sunset"),
        ("a meadow by day, clear sky, no people", "place=meadow"),
    ),
    _probe(
        "warm colours are warmer than cold ones", warmth,
        ("a city by day, warm colours, no people", "place=city, palette=warm"),
        ("a city by day, cold colours, no people", "place=city, palette=cold"),
    ),
    _probe(
        "a desert is warmer than the sea", warmth,
        ("a desert by day", "place=desert"),
        ("a beach by day, the ocean", "place=beach"),
    ),
    _probe(
        "a meadow is greener than a desert", greenness,
        ("a green meadow by day, no people", "place=meadow"),
        ("a desert by day, sand dunes, no people", "place=desert"),
    ),
    _probe(
        "black and white has less colour", colourfulness,
        ("a forest by day, natural colours", "place=forest"),
        ("a forest by day, black and white", "place=forest, palette=black and white"),
    ),
    _probe(
        "neon has more colour than pastel", colourfulness,
        ("a city at night, neon colours", "place=city, time=night, palette=neon"),
        ("a city at night, pastel colours", "place=city, time=night, palette=pastel"),
    ),
    _probe(
        "dark is darker", brightness,
        ("a road by day, natural colours", "place=road"),
        ("a road by day, dark colours, low light", "place=road, palette=dark"),
    ),
    _probe(
        "snow whitens the ground", whiteness_of_the_ground,
        ("a forest by day in the snow, no people", "place=forest, weather=snow"),
        ("a forest by day, sunny, no people", "place=forest"),
    ),
    _probe(
        "a storm is darker than clear sky", brightness,
        ("a field of flowers by day, clear sky", "place=meadow"),
        ("a field of flowers in a storm with lightning", "place=meadow, weather=storm"),
    ),
    _probe(
        "a red dress is red", redness_in_the_middle,
        ("medium shot of a woman in a red dress in a forest by day", "framing=half, gender=woman, clothes=red, place=forest"),
        ("medium shot of a woman in a blue dress in a forest by day", "framing=half, gender=woman, clothes=blue, place=forest"),
    ),
    _probe(
        "a blue dress is blue", blueness_in_the_middle,
        ("medium shot of a woman in a blue dress in a room by day", "framing=half, gender=woman, clothes=blue, place=room"),
        ("medium shot of a woman in a red dress in a room by day", "framing=half, gender=woman, clothes=red, place=room"),
    ),
    _probe(
        "a face is there or not", skin_in_the_middle,
        ("close-up portrait of a woman in a forest by day", "framing=close, gender=woman, place=forest"),
        ("a forest by day, no people, empty", "place=forest"),
    ),
    _probe(
        "a close face is larger than a far one", skin_in_the_middle,
        ("close-up portrait of a man in the mountains by day", "framing=close, gender=man, place=mountains"),
        ("wide shot, a man far away in the mountains by day", "framing=far, gender=man, place=mountains"),
    ),
    _probe(
        "fair hair is brighter than black hair", brightness_of_the_head,
        ("close-up portrait of a woman with long blonde hair in a meadow by day", "framing=close, hair=blonde, length=long, place=meadow"),
        ("close-up portrait of a woman with long black hair in a meadow by day", "framing=close, hair=black, length=long, place=meadow"),
    ),
)  # fmt: skip


def draw_example(facts: str, rng: np.random.Generator) -> Picture:
    """A drawn scene with these facts; what they leave open is plain: by day, clear, natural colours, no person."""
    told = dict(fact.split("=") for fact in facts.split(", "))
    scene = replace(sample_scene(rng), time="day", weather="clear", palette="natural", mood="none", extra="none", figure=None)
    scene = replace(scene, **{name: value for name, value in told.items() if name in Scene.__dataclass_fields__})
    if "framing" in told:
        figure = {name: value for name, value in told.items() if name in Figure.__dataclass_fields__}
        scene = replace(scene, figure=replace(sample_figure(rng), x=0.5, **figure))
    return draw_scene(scene, *SIZE, rng).astype(np.float32) / 255


class Painter:
    """The built-in model behind one call, through core's own sampling."""

    def __init__(self) -> None:
        from pack.nodes.engine.demo.load import load_demo_model

        self.model, self.clip, self.vae = load_demo_model()

    def encode(self, prompt: str) -> Any:
        return self.clip.encode_from_tokens_scheduled(self.clip.tokenize(prompt))

    def paint(self, prompt: str, seeds: range, size: tuple[int, int] = SIZE, steps: int = STEPS, cfg: float = GUIDANCE) -> Picture:
        """Float pictures [seeds, height, width, 3] in 0..1; each seed's noise is its own."""
        import comfy.sample
        import torch

        latent = torch.zeros(1, 16, size[1] // 16, size[0] // 16)
        noise = torch.cat([comfy.sample.prepare_noise(latent, seed) for seed in seeds])
        asked = (self.encode(prompt), self.encode(""))
        options = {"disable_pbar": True, "seed": seeds[0]}
        with torch.inference_mode():
            done = comfy.sample.sample(self.model, noise, steps, cfg, "euler", "simple", *asked, torch.zeros_like(noise), **options)
            return self.vae.decode(done).float().cpu().numpy()


@dataclass(frozen=True)
class Finding:
    probe: Probe
    made: tuple[float, float]  # the number for `more` and `less`, mean over seeds
    drawn: tuple[float, float]
    share: float  # of pairs (same seed) that go the right way

    @property
    def strength(self) -> float:
        """The difference in made pictures as a part of that in drawn ones."""
        return (self.made[0] - self.made[1]) / (self.drawn[0] - self.drawn[1])


def measure_probe(painter: Painter, probe: Probe, seeds: range) -> Finding:
    rng = np.random.default_rng(0)
    made = np.array([[probe.number(picture) for picture in painter.paint(prompt, seeds)] for prompt in (probe.more, probe.less)])
    drawn = [float(np.mean([probe.number(draw_example(facts, rng)) for _ in range(12)])) for facts in (probe.more_facts, probe.less_facts)]
    return Finding(probe, (float(made[0].mean()), float(made[1].mean())), (drawn[0], drawn[1]), float((made[0] > made[1]).mean()))


PLACE_PROMPTS = {
    "beach": "a beach by the sea",
    "mountains": "high mountains",
    "forest": "a forest",
    "city": "a city skyline",
    "desert": "a desert",
    "meadow": "a meadow",
    "road": "an open road",
    "room": "a room with a window",
    "stage": "a concert stage with spotlights",
    "space": "outer space with a planet",
}


def _thumbnail(picture: Picture) -> np.ndarray[Any, np.dtype[np.float32]]:
    height, width = 16, 14
    cells = picture.reshape(height, SIZE[1] // height, width, SIZE[0] // width, 3).mean((1, 3))
    return np.concatenate([cells, np.sort(cells, axis=1)]).ravel()


def read_places(pictures: dict[str, Picture]) -> float:
    """The share of pictures [n, height, width, 3] by place that look most like drawn ones of that place (by day)."""
    rng = np.random.default_rng(1)
    examples = [(place, _thumbnail(draw_example(f"place={place}", rng))) for place in PLACES for _ in range(12)]
    known = np.stack([thumbnail for _, thumbnail in examples])
    hits = []
    for place, group in pictures.items():
        for picture in group:
            nearest = int(np.argmin(((known - _thumbnail(picture)) ** 2).sum(1)))
            hits.append(examples[nearest][0] == place)
    return float(np.mean(hits))
