"""What the film shows when: a Timeline and a few wishes -> the same Timeline with shots.

`cuts` says where the shots begin, `moments` what is heard in each, `prompts` what each shows; this puts them together
with the camera's motion and the seeds. Sections with one label share a family of seeds, so that they look alike, and a
chorus moves more. Knows nothing of pictures or models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..timeline import Shot, Timeline, TimelineError
from .cuts import PACES, Limits, choose_cuts
from .intensity import Intensity
from .lexicon import read_words
from .moments import Moment, find_moments
from .motion import PRESETS
from .prompts import Picture, by_level, join_words, write_pictures

BY_MUSIC = "by music"
CHORUS_STRENGTH = 0.15  # beyond what the level gives
CHORUS_LEVEL = 0.25  # beyond the level itself, for the choice of the motion


@dataclass(frozen=True)
class Wishes:
    """What the person asks for."""

    style: str
    scenes: str  # one a line; "a -> b" turns into b within the shot; empty: scenes come from lyrics and emotion
    pace: str = "balanced"  # one of cuts.PACES
    motion: str = BY_MUSIC  # or one of motion.PRESETS
    seed: int = 0
    shortest: float = 0.8
    longest: float = 8.0
    person: str = ""  # the trigger word of who shall be in the film

    @property
    def scene_list(self) -> list[str]:
        return [line.strip() for line in self.scenes.splitlines() if line.strip()]


def write_storyboard(timeline: Timeline, wishes: Wishes) -> Timeline:
    """The timeline with shots from zero to its end; ValueError for wishes that cannot be met."""
    _check_wishes(timeline, wishes)
    intensity = Intensity(timeline)
    cuts = choose_cuts(timeline, Limits(wishes.shortest, wishes.longest, wishes.pace), intensity)
    moments = find_moments(timeline, cuts.edges, intensity)
    pictures = write_pictures(moments, wishes.scene_list, wishes.style, wishes.person)
    shots = [_write_shot(moment, picture, wishes) for moment, picture in zip(moments, pictures, strict=True)]
    return replace(timeline, shots=tell_apart(shots), remarks=add_remarks(timeline.remarks, cuts.remarks))


def _check_wishes(timeline: Timeline, wishes: Wishes) -> None:
    if wishes.pace not in PACES:
        raise ValueError(f"There is no pace '{wishes.pace}'; choose one of: {', '.join(PACES)}.")
    if wishes.motion != BY_MUSIC and wishes.motion not in PRESETS:
        raise ValueError(f"There is no motion '{wishes.motion}'; choose one of: {', '.join([BY_MUSIC, *PRESETS])}.")
    if not 0 < wishes.shortest <= wishes.longest / 2:
        limits = f"'longest' ({wishes.longest:g} s) must be at least twice 'shortest' ({wishes.shortest:g} s)"
        raise ValueError(f"{limits}, or no cut can be placed.")
    if timeline.duration <= 0:
        raise TimelineError("The timeline has no length; connect Audio Beat Analyzer with a song.")


def add_remarks(before: Sequence[str], new: Sequence[str]) -> tuple[str, ...]:
    """All remarks, each once."""
    return tuple(dict.fromkeys([*before, *new]))


def tell_apart(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    """The same shots, but where one has the prompt of the one before, it gets another framing."""
    framings = read_words("grammar")["framings"]["user scene"]
    apart: list[Shot] = []
    for shot in shots:
        if apart and shot.prompt == apart[-1].prompt:
            framing = framings[len(apart) % len(framings)]
            end_prompt = join_words(framing, shot.end_prompt) if shot.end_prompt else ""
            shot = replace(shot, prompt=join_words(framing, shot.prompt), end_prompt=end_prompt)
        apart.append(shot)
    return tuple(apart)


def _write_shot(moment: Moment, picture: Picture, wishes: Wishes) -> Shot:
    motions = by_level(read_words("grammar")["motions by level"], moment.level + CHORUS_LEVEL * moment.chorus)
    return Shot(
        start=moment.start,
        end=moment.end,
        prompt=picture.prompt,
        end_prompt=picture.end_prompt,
        seed=_shot_seed(wishes.seed, moment),
        motion=motions[moment.number % len(motions)] if wishes.motion == BY_MUSIC else wishes.motion,
        strength=round(0.6 + 0.6 * moment.level + CHORUS_STRENGTH * moment.chorus, 3),
    )


def _shot_seed(seed: int, moment: Moment) -> int:
    """Small enough for JavaScript to keep exactly. The same shot of sections with one label begins from the same noise;
    without sections every shot has a seed of its own."""
    family = f"{moment.label}:{moment.step}" if moment.label else f"{moment.number}"
    return int.from_bytes(hashlib.sha256(f"{seed}:{family}".encode()).digest()[:6], "big")
