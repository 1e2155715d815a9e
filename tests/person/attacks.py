"""What stands before the camera in an attack: prints, tubes, screens, recordings, clips on prompt, other people, cut-outs.

Every attacker reacts to the page as well as such an attack can: a print is tilted, brought closer and swung to the side when asked to.
A film is a function (guidance, time) -> uint8 RGB picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from acting import Actor, Film
from pack.nodes.engine.person.challenge import Guidance
from performer import FOCAL, HEIGHT, WIDTH, Act, Performer, Surface, draw_at, rotation

SHEET = (150.0, 30.0, 490.0, 460.0)  # the part of the picture that is printed
WHOLE = (0.0, 0.0, WIDTH - 1.0, HEIGHT - 1.0)
GRID = 25


def live(performer: Performer, random: np.random.Generator) -> Film:
    """No attack in itself: someone who does what is asked. From one photograph it is a puppet."""
    actor = Actor(random)
    return lambda guidance, time: performer.render(actor.perform(guidance, time))


def room(seed: int = 3) -> np.ndarray:
    """A blurred room to hold a print up in."""
    random = np.random.default_rng(seed)
    rough = cv2.GaussianBlur(random.uniform(60, 190, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.float32), (0, 0), 3)
    return cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


ROOM = room()


def hold_sheet(photograph: np.ndarray, act: Act, bend: float = 0.0, box: tuple[float, float, float, float] = SHEET) -> np.ndarray:
    """A picture on paper before the camera: flat, or bent about an upright axis by `bend` degrees over its width, moved as `act` says."""
    u, v = np.meshgrid(np.linspace(box[0], box[2], GRID), np.linspace(box[1], box[3], GRID))
    x, y, z = u - (box[0] + box[2]) / 2, v - (box[1] + box[3]) / 2, np.zeros_like(u)
    if bend:
        radius = (box[2] - box[0]) / np.deg2rad(bend)
        x, z = radius * np.sin(x / radius), radius * (1 - np.cos(x / radius))
    corners = np.stack([x, y, z], axis=-1).reshape(-1, 3) @ rotation(act.yaw, act.pitch, act.roll).T
    corners = corners + [act.x, act.y, FOCAL / act.scale]
    positions = FOCAL * corners[:, :2] / corners[:, 2:] + [WIDTH / 2, HEIGHT / 2]
    cells = [row * GRID + column for row in range(GRID - 1) for column in range(GRID - 1)]
    faces = np.array([face for k in cells for face in ((k, k + 1, k + GRID), (k + 1, k + GRID + 1, k + GRID))])
    sources = np.stack([u.ravel(), v.ravel()], axis=1)
    surface = Surface(positions, corners[:, 2], sources, np.ones(len(sources)), faces, np.zeros(len(faces), bool))
    where, _, solid = draw_at(surface, 0.5)
    paper = cv2.remap(photograph, where, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
    share = cv2.GaussianBlur(solid, (0, 0), 0.8)[..., None]
    return np.clip(paper * share + ROOM * (1 - share), 0, 255).astype(np.uint8)


def still_print(photograph: np.ndarray, random: np.random.Generator) -> Film:
    """Held still, as still as a hand is."""
    phases = random.uniform(0, 6.28, 5)

    def film(guidance: Guidance, time: float) -> np.ndarray:
        sway = np.sin(time * np.array([1.1, 0.9, 0.7, 1.3, 1.7]) + phases)
        return hold_sheet(photograph, Act(yaw=sway[0], pitch=sway[1], roll=0.6 * sway[2], x=2 * sway[3], y=2 * sway[4]))

    return film


def waved_print(photograph: np.ndarray, random: np.random.Generator, bend: float = 0.0) -> Film:
    """Swung from side to side all the time, once it has been taken for a face."""
    wide, quick = random.uniform(20, 50), random.uniform(0.25, 0.6)

    def film(guidance: Guidance, time: float) -> np.ndarray:
        swing = min(max((time - 1.8) / 2, 0), 1) * np.sin(2 * np.pi * quick * time)
        return hold_sheet(photograph, Act(yaw=wide * swing, pitch=6 * swing), bend)

    return film


def acting_print(photograph: np.ndarray, random: np.random.Generator, bend: float = 0.0, gain: float = 1.8) -> Film:
    """Turned, tilted and brought closer as the page asks; further than a head, because a print shows less."""
    actor = Actor(random)

    def film(guidance: Guidance, time: float) -> np.ndarray:
        act = actor.perform(guidance, time)
        return hold_sheet(photograph, act.with_(yaw=gain * act.yaw, pitch=gain * act.pitch), bend)

    return film


def cut_out_print(performer: Performer, random: np.random.Generator) -> Film:
    """A print with holes behind which the attacker's own eyes and mouth act."""
    actor = Actor(random)

    def film(guidance: Guidance, time: float) -> np.ndarray:
        act = actor.perform(guidance, time)
        face = performer.render(Act(mouth=act.mouth, blink=act.blink, smile=act.smile, brows=act.brows))
        return hold_sheet(face, Act(yaw=1.8 * act.yaw, pitch=1.8 * act.pitch, roll=act.roll, scale=act.scale, x=act.x, y=act.y))

    return film


@dataclass(frozen=True)
class Recording:
    """A session that passed once: its pictures, their times and what the page showed."""

    who: str
    times: Sequence[float]
    jpegs: Sequence[bytes]
    shown: Sequence[Guidance]

    def picture(self, index: int) -> np.ndarray:
        found = cv2.imdecode(np.frombuffer(self.jpegs[index], np.uint8), cv2.IMREAD_COLOR)
        assert found is not None
        return np.ascontiguousarray(found[..., ::-1])

    def at(self, time: float) -> int:
        return min(int(np.searchsorted(self.times, time)), len(self.times) - 1)

    def spans(self, state: str, action: str | None = None) -> list[tuple[int, int]]:
        """Frames (first, last) during which the page showed this."""
        wanted = [shown.state == state and (action is None or shown.action == action) for shown in self.shown]
        edges = np.flatnonzero(np.diff([0, *map(int, wanted), 0]))
        return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def replay(recording: Recording, lead: float = 0.0) -> Film:
    """The recording, from its beginning to its end, whatever the page asks."""
    return lambda guidance, time: recording.picture(recording.at(time - lead))


def on_screen(film: Film, random: np.random.Generator) -> Film:
    """A film shown on a screen that stands before the camera."""
    phases, zoom = random.uniform(0, 6.28, 4), random.uniform(1.0, 1.15)

    def shown(guidance: Guidance, time: float) -> np.ndarray:
        sway = np.sin(time * np.array([0.5, 0.4, 0.7, 0.6]) + phases)
        glow = np.clip(film(guidance, time) * 0.95 + 8, 0, 255).astype(np.uint8)
        return hold_sheet(glow, Act(yaw=sway[0], pitch=sway[1], x=sway[2], y=sway[3], scale=zoom), box=WHOLE)

    return shown


def clip_library(recordings: Sequence[Recording]) -> Film:
    """Plays, on every prompt, a clip in which the same person did just that; between prompts a resting clip; for the dot an old walk."""
    state = {"shown": None, "clip": (0, 0, 1), "since": 0.0}

    def choose(guidance: Guidance) -> tuple[int, int, int]:
        for number, recording in enumerate(recordings):
            spans = recording.spans(guidance.state, guidance.action)
            if spans and guidance.state in ("action", "follow"):
                return number, spans[0][0], min(spans[0][1] + 12, len(recording.jpegs) - 1)  # and the way back
        first, last = recordings[0].spans("neutral")[0]
        return 0, first, last

    def film(guidance: Guidance, time: float) -> np.ndarray:
        shown = (guidance.state, guidance.action, guidance.step)
        if guidance.state != "neutral" and shown != state["shown"]:
            state.update(shown=shown, clip=choose(guidance), since=time)
        elif state["shown"] is None:
            state.update(shown=("neutral", None, 0), clip=choose(guidance), since=time)
        number, first, last = state["clip"]  # type: ignore[misc]
        recording = recordings[number]
        index = recording.at(recording.times[first] + time - float(state["since"] or 0.0))  # type: ignore[arg-type]
        if index > last:  # rest: to and fro over the first second, which never stands still
            rest_first, rest_last = recordings[0].spans("neutral")[0]
            span = max(rest_last - rest_first, 1)
            swing = (index - last) % (2 * span)
            return recordings[0].picture(rest_first + (swing if swing < span else 2 * span - swing))
        return recording.picture(index)

    return film


def beside(film: Film, other: Callable[[float], np.ndarray], since: float = 0.0) -> Film:
    """A second, smaller person at the left of the picture from `since` on."""

    def both(guidance: Guidance, time: float) -> np.ndarray:
        picture = film(guidance, time)
        if time >= since:
            guest = cv2.resize(other(time), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            picture = picture.copy()
            picture[150 : 150 + guest.shape[0], 0:190] = guest[:, 65:255]
        return picture

    return both


def exchange(
    first: Performer, second: Performer, random: np.random.Generator, at: Callable[[Guidance, float], bool], gap: float = 0.0
) -> Film:
    """One person acts, and from the moment that `at` says so another goes on in the same pose (after an empty room of `gap` seconds)."""
    actor = Actor(random)
    state: dict[str, float] = {}

    def film(guidance: Guidance, time: float) -> np.ndarray:
        act = actor.perform(guidance, time)
        if "since" not in state and at(guidance, time):
            state["since"] = time
        if "since" not in state:
            return first.render(act)
        return second.render(act) if time >= state["since"] + gap else ROOM.astype(np.uint8)

    return film
