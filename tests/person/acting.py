"""Sessions played by a performer: who sits there, what the camera does to the picture, and the loop between camera and session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from pack.nodes.engine.person.challenge import Challenge, Guidance, Outcome
from performer import Act, encode

AMOUNTS: dict[str, tuple[str, float]] = {
    "turn_right": ("yaw", 28),
    "turn_left": ("yaw", -28),
    "look_down": ("pitch", 18),
    "look_up": ("pitch", -18),
    "tilt_right": ("roll", -22),
    "tilt_left": ("roll", 22),
    "close_eyes": ("blink", 1),
    "open_mouth": ("mouth", 0.8),
    "smile": ("smile", 1),
    "raise_brows": ("brows", 1),
    "come_closer": ("scale", 0.45),
}
RESTING = Act()


@dataclass(frozen=True)
class Camera:
    """What a camera and the way to the server do to a picture. `light` dims it, `side` is how uneven the light is (0..1), `screen` how
    much of the light on the face comes from the screen."""

    fps: float = 12
    width: int = 640
    noise: float = 2.5
    blur: float = 0.0
    light: float = 1.0
    side: float = 0.0
    quality: int = 80
    screen: float = 0.15

    def shoot(self, picture: np.ndarray, random: np.random.Generator, colour: str | None = None) -> bytes:
        values = picture.astype(np.float32) * self.light
        if colour:
            shine = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
            values = 255 * ((values / 255) ** 2.2 * (1 + self.screen * shine)) ** (1 / 2.2)
        if self.side:
            values = values * np.linspace(1 + self.side, 1 - self.side, values.shape[1], dtype=np.float32)[None, :, None]
        if self.width != values.shape[1]:
            height = round(values.shape[0] * self.width / values.shape[1])
            shrink = self.width < values.shape[1]
            values = cv2.resize(values, (self.width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_CUBIC)
        if self.blur:
            values = cv2.GaussianBlur(values, (0, 0), self.blur)
        values = values + self.noise * grain(values.shape[:2], random)
        return encode(np.clip(values, 0, 255).astype(np.uint8), self.quality)


@lru_cache(maxsize=1)
def _grain_field() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, (1600, 2000, 3)).astype(np.float32)


def grain(shape: tuple[int, int], random: np.random.Generator) -> np.ndarray:
    """Noise of a sensor, float32 [H, W, 3] of deviation 1: a piece of one large field, at another place each time."""
    whole_field = _grain_field()
    y, x = (int(random.integers(0, whole - part)) for whole, part in zip(whole_field.shape, shape, strict=False))
    return whole_field[y : y + shape[0], x : x + shape[1]]


def ease(part: float) -> float:
    """Minimum jerk from 0 to 1."""
    part = min(max(part, 0.0), 1.0)
    return part**3 * (10 - 15 * part + 6 * part * part)


@dataclass
class Actor:
    """A person who does what the page shows: reads, reacts after 0.35 to 0.9 s, moves within 0.3 to 0.6 s, sways and blinks."""

    random: np.random.Generator
    gain: float = 1.0
    _from: Act = RESTING
    _to: Act = RESTING
    _start: float = 0.0
    _length: float = 0.4
    _shown: tuple[str, str | None, int] = ("neutral", None, 0)
    _dots: list[tuple[float, float, float]] = field(default_factory=list)
    _next_blink: float = 2.0
    _phases: np.ndarray = field(default_factory=lambda: np.zeros((5, 3)))
    _lag: float = 0.4

    def __post_init__(self) -> None:
        self._phases = self.random.uniform(0, 2 * np.pi, (5, 3))
        self._lag = float(self.random.uniform(0.25, 0.55))

    def perform(self, guidance: Guidance, time: float) -> Act:
        """What the head does at `time`, having been shown `guidance` by the last answer."""
        shown = (guidance.state, guidance.action, guidance.step)
        if shown != self._shown:
            self._react(shown, time)
        act = self._between(time)
        if guidance.state == "follow" and guidance.dot:
            act = self._follow(guidance.dot, time, act)
        return self._live(act, time)

    def _react(self, shown: tuple[str, str | None, int], time: float) -> None:
        self._from, self._shown = self._between(time), shown
        self._to, self._dots = RESTING, []
        if shown[1]:
            name, amount = AMOUNTS[shown[1]]
            scatter = 1.0 if name == "blink" else float(self.random.uniform(0.85, 1.15)) * self.gain
            leak = {axis: float(self.random.normal(0, 2)) for axis in ("yaw", "pitch", "roll") if axis != name}
            self._to = RESTING.with_(**leak).with_(**{name: amount * scatter + (name == "scale")})
        self._start = time + float(self.random.uniform(0.35, 0.9) if shown[1] else self.random.uniform(0.25, 0.5))
        self._length = float(self.random.uniform(0.3, 0.6))

    def _between(self, time: float) -> Act:
        part = ease((time - self._start) / self._length)
        return Act(**{name: value + (getattr(self._to, name) - value) * part for name, value in self._from.__dict__.items()})

    def _follow(self, dot: tuple[float, float], time: float, act: Act) -> Act:
        self._dots.append((time, (dot[0] - 0.5) / 0.38, (dot[1] - 0.5) / 0.38))
        times, xs, ys = zip(*self._dots, strict=True)
        then = time - self._lag
        return act.with_(
            yaw=act.yaw + 18 * self.gain * np.interp(then, times, xs), pitch=act.pitch + 10 * self.gain * np.interp(then, times, ys)
        )

    def _live(self, act: Act, time: float) -> Act:
        """Sway, and a blink of a quarter of a second now and then."""
        sway = [float(np.sin(2 * np.pi * rate * time + self._phases[i]).mean()) for i, rate in enumerate((0.31, 0.23, 0.17, 0.29, 0.37))]
        if time > self._next_blink + 0.24:
            self._next_blink = time + float(self.random.uniform(2, 6))
        blink = max(act.blink, min(max(1 - abs(time - self._next_blink - 0.12) / 0.12, 0.0), 1.0))
        return act.with_(
            yaw=act.yaw + 1.5 * sway[0], pitch=act.pitch + 1.5 * sway[1], roll=act.roll + sway[2], x=4 * sway[3], y=3 * sway[4], blink=blink
        )


Film = Callable[[Guidance, float], np.ndarray]  # what is before the camera: (what the page shows, time) -> picture


def play(
    challenge: Challenge, film: Film, camera: Camera, seed: int, *, delay: float = 0.08, longest: float = 125, start: float = 0.0
) -> tuple[Outcome | None, list[Guidance]]:
    """Runs a session on a pretended clock; what the page shows reaches the person `delay` after the frame that it answers."""
    random = np.random.default_rng(seed)
    shown: list[tuple[float, Guidance]] = []
    guidance, time, sequence = Guidance("neutral"), start, 0
    while challenge.outcome is None and time < start + longest:
        seen = next((answer for since, answer in reversed(shown) if since + delay <= time), Guidance("neutral"))
        lit = seen.colour if seen.state == "colours" else None
        guidance = challenge.receive(camera.shoot(film(seen, time), random, lit), sequence, challenge.nonce, time)
        shown.append((time, guidance))
        sequence += 1
        time += (1 / camera.fps) * float(random.uniform(0.9, 1.1))
    return challenge.outcome, [answer for _, answer in shown]
