"""A `Scene` in words: many ways to say the same, as people write prompts.

In: a scene, a random generator. Out: the prompt, and which facts it tells. A fact that is left out may be anything in the picture.
It knows nothing of tokens or pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .scene import Figure, Scene
from .words import (
    CAMERA_WORDS,
    CLOTHES_WORDS,
    EMPTY_WORDS,
    EXPRESSION_WORDS,
    EXTRA_WORDS,
    FILLERS,
    FRAMING_WORDS,
    GARMENTS,
    HAIR_WORDS,
    MOOD_WORDS,
    PALETTE_WORDS,
    PERSON_WORDS,
    PLACE_WORDS,
    POSE_WORDS,
    SKIN_WORDS,
    TIME_WORDS,
    WEATHER_WORDS,
    Words,
)


@dataclass(frozen=True)
class Caption:
    text: str
    told: frozenset[str]  # names of facts, as in scene.FACTS


class _Writer:
    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene, self.rng = scene, rng
        self.told: set[str] = set()

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def tell(self, fact: str, words: Words, value: str, chance: float) -> list[str]:
        """One phrase for the fact, or none by chance."""
        if value not in words or self.rng.random() >= chance:
            return []
        self.told.add(fact)
        return [self.pick(words[value])]

    def person(self, figure: Figure) -> str:
        """The person in one phrase, e.g. "a woman with long red hair in a blue dress"."""
        noun = self.pick(PERSON_WORDS["any"])
        if self.rng.random() < 0.85:
            self.told.add("gender")
            noun = self.pick(PERSON_WORDS[figure.gender])
        hair = self._hair(figure)
        if hair and self.rng.random() < 0.2:
            phrase = f"a {hair}-haired {noun}" if " " not in hair else f"a {noun}, {hair} hair"
        else:
            phrase = f"{self.pick(('a', 'the', 'one', 'a'))} {noun}" + (f" with {hair} hair" if hair else "")
        clothes = self.tell("clothes", CLOTHES_WORDS, figure.clothes, 0.6)
        if clothes:
            garment = self.pick(GARMENTS[figure.gender if "gender" in self.told else "man"])
            phrase += f"{self.pick((' in a', ' wearing a', ', ', ' in', ' dressed in a', ' with a'))} {clothes[0]} {garment}"
        skin = self.tell("skin", SKIN_WORDS, figure.skin, 0.15)
        return phrase + (f", {skin[0]}" if skin else "")

    def _hair(self, figure: Figure) -> str:
        words = []
        if self.rng.random() < 0.3:
            self.told.add("length")
            words.append(figure.length)
        return " ".join(words + self.tell("hair", HAIR_WORDS, figure.hair, 0.6))

    def action(self, figure: Figure) -> list[str]:
        """What the person does and how the face looks."""
        phrases = self.tell("pose", POSE_WORDS, figure.pose, 0.1 if figure.framing == "close" else 0.6)
        phrases += self.tell("expression", EXPRESSION_WORDS, figure.expression, 0.3 if figure.framing == "far" else 0.7)
        self.rng.shuffle(phrases)
        return phrases

    def surroundings(self) -> list[list[str]]:
        scene = self.scene
        close = scene.figure is not None and scene.figure.framing == "close"
        return [
            self.tell("place", PLACE_WORDS, scene.place, 0.8 if close else 0.93),
            self.tell("time", TIME_WORDS, scene.time, 0.6 if scene.time == "day" else 0.85),
            self.tell("weather", WEATHER_WORDS, scene.weather, 0.3 if scene.weather == "clear" else 0.9),
            self.tell("palette", PALETTE_WORDS, scene.palette, 0.12 if scene.palette == "natural" else 0.93),
            self.tell("mood", MOOD_WORDS, scene.mood, 0.9),
            self.tell("extra", EXTRA_WORDS, scene.extra, 0.92),
        ]


def _lay_out(writer: _Writer, subject: list[str], around: list[list[str]], framing: list[str]) -> str:
    """A sentence, or tags in any order."""
    rng, place, rest = writer.rng, around[0], [phrase for group in around[1:] for phrase in group]
    rest += [writer.pick(FILLERS) for _ in range(int(rng.integers(0, 3)))]
    rng.shuffle(rest)
    if rng.random() < 0.55:
        main = " ".join([*subject, *place, *(rest[:1] if rng.random() < 0.5 else [])])
        parts = [*framing, main, *rest[(1 if main.endswith(tuple(rest[:1]) or ("\0",)) else 0) :]]
        if framing and rng.random() < 0.25:
            parts = [main, *framing, *parts[2:]]
    else:
        parts = [*framing, *subject, *place, *rest]
        rng.shuffle(parts)
    joiner = ", " if rng.random() < 0.88 else (". " if rng.random() < 0.5 else " ")
    return joiner.join(parts)


def write_caption(scene: Scene, rng: np.random.Generator) -> Caption:
    """One of very many prompts for the scene."""
    writer = _Writer(scene, rng)
    around = writer.surroundings()
    if scene.figure is None:
        writer.told.add("framing")
        framing = [writer.pick(EMPTY_WORDS if rng.random() < 0.6 else CAMERA_WORDS)] if rng.random() < 0.65 else []
        return Caption(_lay_out(writer, [], around, framing), frozenset(writer.told))
    framing = writer.tell("framing", FRAMING_WORDS, scene.figure.framing, 0.85)
    subject = [writer.person(scene.figure), *writer.action(scene.figure)]
    return Caption(_lay_out(writer, subject, around, framing), frozenset(writer.told))
