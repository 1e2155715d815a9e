"""The stages of a session, one at a time: settle, act, come back, follow the dot, be lit by the screen.

Each is shown every frame and says how far it is. Times are the server's clock; a stage begins with the frame whose answer revealed it,
so an action that is seen sooner than a person can react was not a reaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from .actions import TURNS, Motion, Neutral, find_neutral, name_action
from .follow import FEWEST, LEAD, SECONDS, TAIL, DotPath, draw_path, judge_follow
from .liveness import Sight, Watch, placement_hint
from .relief import Turn
from .screen_light import FEWEST as FEWEST_LIT
from .screen_light import SECONDS as LIT_SECONDS
from .screen_light import TAIL as LIT_TAIL
from .screen_light import ColourRow, draw_colours, judge_light, read_skin

SETTLE, SETTLE_FRAMES, STILL = 1.0, 7, 0.045
HOLD, HOLD_FRAMES = 0.25, 2
JOIN = 0.35  # a shorter pause does not break a hold
REACTION = 0.15
WINDOW, RELAXED_WINDOW = 4.5, 9.0
OTHER_HOLD = 0.4  # another action held this long is a wrong one
RESTING, REST, REST_PATIENCE, REMIND = 0.7, 0.3, 9.0, 1.2


@dataclass(frozen=True)
class Report:
    """How far a stage is: `ended` None, "passed", "missed", or a refusal's code."""

    ended: str | None = None
    progress: float = 0.0
    hint: str | None = None
    dot: tuple[float, float] | None = None
    colour: str | None = None


class Stage(Protocol):
    @property
    def state(self) -> str: ...

    @property
    def action(self) -> str | None: ...

    @property
    def begun(self) -> float: ...

    def see(self, sight: Sight, motion: Motion | None) -> Report: ...


class Settle:
    """The first second: a still face, looking ahead, well placed and lit. It becomes the neutral face."""

    state, action = "neutral", None

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.sights: list[Sight] = []

    def see(self, sight: Sight, motion: Motion | None) -> Report:
        hint = placement_hint(sight)
        if hint is None and sight.steady > STILL:
            hint = "hold_still"
        if hint:
            self.sights.clear()
            return Report(hint=hint)
        self.sights.append(sight)
        lasted = sight.time - self.sights[0].time
        if lasted >= SETTLE and len(self.sights) >= SETTLE_FRAMES:
            return Report("passed", 1.0)
        return Report(progress=min(lasted / SETTLE, 0.99))

    def neutral(self) -> Neutral:
        return find_neutral([sight.face for sight in self.sights])


@dataclass
class Act:
    """One action within its window. A turn also gathers what it shows of depth."""

    action: str
    begun: float
    window: float
    watch: Watch
    turn: Turn = field(default_factory=Turn)
    wrong: bool = False  # another action, or this one before anyone could react
    state: str = "action"
    _since: float | None = None
    _last: float = 0.0
    _frames: int = 0
    _other_since: float | None = None

    def see(self, sight: Sight, motion: Motion | None) -> Report:
        if motion is None:
            return self._out_of_time(sight.time)
        read_depth(self.turn, self.action, self.watch, sight, motion)
        named = name_action(motion.done)
        self._note_other(named, sight.time)
        if named == self.action:
            return self._hold(sight.time)
        if self._since is not None and sight.time - self._last > JOIN:
            self._since, self._frames = None, 0
        return self._out_of_time(sight.time)

    def _hold(self, time: float) -> Report:
        if self._since is None:
            self._since, self._frames = time, 0
            self.wrong |= time - self.begun < REACTION
        self._last, self._frames = time, self._frames + 1
        held = time - self._since
        if held >= HOLD and self._frames >= HOLD_FRAMES:
            return Report("passed", 1.0)
        return Report(progress=min(held / HOLD, 0.99))

    def _note_other(self, named: str | None, time: float) -> None:
        if named in (None, self.action):
            self._other_since = None
        elif self._other_since is None:
            self._other_since = time
        elif time - self._other_since >= OTHER_HOLD:
            self.wrong, self._other_since = True, time

    def _out_of_time(self, time: float) -> Report:
        late = self._since is None and time - self.begun > self.window
        return Report("missed" if late else None)


@dataclass
class Return:
    """Back to neutral, held for a moment. The way back from a turn still shows depth."""

    begun: float
    after: str | None
    watch: Watch
    turn: Turn
    action: str | None = None
    state: str = "neutral"
    _since: float | None = None

    def see(self, sight: Sight, motion: Motion | None) -> Report:
        waited = sight.time - self.begun
        if motion is not None and self.after:
            read_depth(self.turn, self.after, self.watch, sight, motion)
        if motion is None or max(motion.done.values()) > RESTING:
            self._since = None
            return Report("too_late" if waited > REST_PATIENCE else None, hint="back_to_middle" if waited > REMIND else None)
        self._since = sight.time if self._since is None else self._since
        rested = sight.time - self._since
        return Report("passed", 1.0) if rested >= REST else Report(progress=rested / REST)


class Follow:
    """The nose follows the dot."""

    state, action = "follow", None

    def __init__(self, begun: float, random: Random) -> None:
        self.begun = begun
        self._path: DotPath = draw_path(random)
        self._times: list[float] = []
        self._angles: list[tuple[float, float]] = []

    def see(self, sight: Sight, motion: Motion | None) -> Report:
        time = sight.time - self.begun - LEAD
        if motion is not None and time >= 0:
            self._times.append(time)
            self._angles.append((motion.pose.yaw, motion.pose.pitch))
        if time >= SECONDS + TAIL:
            if len(self._times) < FEWEST:
                return Report("connection_slow")
            return Report("passed" if judge_follow(self._path, self._times, self._angles) else "missed", 1.0)
        progress = min(max(time, 0.0) / (SECONDS + TAIL), 0.99)
        return Report(progress=progress, dot=self._path.on_preview(max(time, 0.0)))


class Light:
    """The screen lights the face."""

    state, action = "colours", None

    def __init__(self, begun: float, random: Random) -> None:
        self.begun = begun
        self._row: ColourRow = draw_colours(random)
        self._times: list[float] = []
        self._skin: list = []

    def see(self, sight: Sight, motion: Motion | None) -> Report:
        time = sight.time - self.begun
        if motion is not None:
            self._times.append(time)
            self._skin.append(read_skin(sight.picture, sight.face))
        if time >= LIT_SECONDS + LIT_TAIL:
            if len(self._times) < FEWEST_LIT:
                return Report("connection_slow")
            return Report("passed" if judge_light(self._row, self._times, self._skin) else "missed", 1.0)
        return Report(progress=min(time / (LIT_SECONDS + LIT_TAIL), 0.99), colour=self._row.at(time))


def read_depth(turn: Turn, action: str, watch: Watch, sight: Sight, motion: Motion) -> None:
    """Adds what this frame of a turn says of depth."""
    if action in TURNS and abs(motion.pose.yaw) >= 12:
        reading = watch.skin.read(sight.face, motion.pose.yaw)
        if reading:
            turn.readings.append(reading)
