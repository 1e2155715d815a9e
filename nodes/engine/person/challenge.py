"""Frames -> guidance -> outcome: one verification session from its first frame to its verdict.

Settle, then at least five random actions, each revealed only when the last is done and the face is back at neutral, then the dot, then
(if asked for) the screen's colours; the skin and the face are watched all along. L1 is actions, continuity and depth; L2 the dot as well.
What it does not know: a live puppet of one photograph behind a virtual camera passes all of it except the colours.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from random import Random, SystemRandom
from threading import Lock

from .actions import TURNS, Motion, Neutral, read_motion
from .album import Album
from .arrival import Arrivals, decode
from .dialogue import ACTIONS, HINTS, REASONS, ChallengeError, Guidance
from .face import FaceTracker
from .liveness import Sight, Watch
from .outcome import Capture, Outcome, StepResult
from .relief import Turn
from .routine import STEPS, draw_routine, replace_action
from .session_maker import SessionMaker
from .stages import RELAXED_WINDOW, WINDOW, Act, Follow, Light, Report, Return, Settle, Stage

__all__ = ["ACTIONS", "HINTS", "REASONS", "Capture", "Challenge", "ChallengeError", "Guidance", "Outcome", "SessionMaker", "StepResult"]

SWAPS = 2
MISTAKES = 1  # wrong actions that are forgiven
RETRIES = 1  # of the dot, and of the colours
EXTRA_TURNS = 1  # where the turns did not show enough


class Challenge:
    """One session. `receive` is called once for every frame, in order; it may be called from any thread."""

    def __init__(
        self,
        tracker: FaceTracker,
        started: float,
        *,
        relaxed: bool = False,
        colours: bool = False,
        follow: bool = True,
        random: Random | None = None,
    ) -> None:
        """`started`: the server's clock, seconds. `random` is the system's own unless a test wants a certain session."""
        self.session_id, self.nonce = secrets.token_hex(16), secrets.token_hex(32)
        self.outcome: Outcome | None = None
        self.started = self._last_time = started
        self._tracker, self._random = tracker, random or SystemRandom()
        self._window = RELAXED_WINDOW if relaxed else WINDOW
        self._routine = draw_routine(self._random, STEPS)
        self._shown: list[str] = []
        self._extras = [name for name, wanted in (("follow", follow), ("colours", colours)) if wanted]
        self._arrivals, self._watch, self._album = Arrivals(started), Watch(tracker), Album()
        self._stage: Stage = Settle(started)
        self._neutral: Neutral | None = None
        self._turns: list[Turn] = []
        self._results: list[StepResult] = []
        self._step = self._mistakes = self._retries = self._extra_turns = 0
        self._swaps_left = SWAPS
        self._follow = follow
        self._last = Guidance("neutral", steps=self._steps, swaps_left=SWAPS)
        self._lock = Lock()

    @property
    def has_begun(self) -> bool:
        """Whether an action has been revealed."""
        return bool(self._shown)

    def receive(self, jpeg: bytes, sequence: int, nonce: str, received: float) -> Guidance:
        """Judges one frame. `received`: the server's clock in seconds. Raises ChallengeError for breaches of the protocol;
        a frame of another session (wrong nonce) changes nothing here."""
        with self._lock:
            if self.outcome is not None:
                raise ChallengeError("session_over")
            if not secrets.compare_digest(nonce.encode(), self.nonce.encode()):
                raise ChallengeError("wrong_nonce")
            again = self._arrivals.is_repeated(jpeg)
            refusal = self._arrivals.check_order(sequence, received) or self._arrivals.check_picture(jpeg, received)
            if refusal:
                return self._refuse(refusal)
            return self._last if again else self._judge(jpeg, received)

    def swap(self) -> Guidance:
        """Replaces the present action by another, after a moment of rest; at most twice in a session."""
        with self._lock:
            if self.outcome is not None:
                raise ChallengeError("session_over")
            if not isinstance(self._stage, Act):
                raise ChallengeError("nothing_to_swap")
            if not self._swap(self._stage, self._last_time):
                raise ChallengeError("no_swap_left")
            return self._guide(Report())

    def leave(self) -> None:
        """Ends the session where it has not ended; nothing is kept."""
        with self._lock:
            if self.outcome is None:
                self._refuse("left")

    def expire(self) -> None:
        with self._lock:
            if self.outcome is None:
                self._refuse("expired")

    def _judge(self, jpeg: bytes, received: float) -> Guidance:
        try:
            picture = decode(jpeg)
        except ChallengeError:
            refusal = self._arrivals.count_bad()
            if refusal:
                return self._refuse(refusal)
            raise
        self._last_time = received
        sight, hint, refusal = self._watch.see(picture, received)
        motion = read_motion(sight.face, self._neutral) if sight and self._neutral else None
        if sight and motion and not refusal and self._stage.state != "colours":  # coloured light changes the face
            refusal = self._watch.compare(sight, motion.pose)
        if refusal:
            return self._refuse(refusal)
        if sight is None:
            return self._guide(Report(hint=hint, progress=self._last.progress, dot=self._last.dot, colour=self._last.colour))
        if motion and self._stage.state != "colours":
            self._album.offer(jpeg, sight, motion, self._watch)
        guidance = self._advance(sight, motion)
        return replace(guidance, hint=guidance.hint or hint)

    def _advance(self, sight: Sight, motion: Motion | None) -> Guidance:
        stage = self._stage
        report = stage.see(sight, motion)
        if isinstance(stage, Act) and stage.wrong:
            self._mistakes, stage.wrong = self._mistakes + 1, False
            if self._mistakes > MISTAKES:
                return self._refuse("wrong_action")
        if report.ended is None:
            return self._guide(report)
        if isinstance(stage, Settle):
            self._neutral = stage.neutral()
            self._watch.enrol(stage.sights, self._neutral.points)
            return self._reveal(sight)
        if isinstance(stage, Act):
            return self._end_action(stage, report, sight)
        if isinstance(stage, Return):
            return self._reveal(sight) if report.ended == "passed" else self._refuse(report.ended)
        return self._end_extra(stage, report, sight)

    def _end_action(self, stage: Act, report: Report, sight: Sight) -> Guidance:
        if report.ended == "missed":
            return self._guide(Report()) if self._swap(stage, sight.time) else self._refuse("too_late")
        self._results.append(StepResult("action", stage.action, True, round(sight.time - stage.begun, 2)))
        if stage.action in TURNS:
            self._turns.append(stage.turn)
        self._step += 1
        self._stage = Return(sight.time, stage.action, self._watch, stage.turn)
        return self._guide(Report())

    def _end_extra(self, stage: Stage, report: Report, sight: Sight) -> Guidance:
        if report.ended not in ("passed", "missed"):
            return self._refuse(report.ended or "follow_missed")
        if report.ended == "missed":
            self._retries += 1
            if self._retries > RETRIES:
                return self._refuse("follow_missed" if stage.state == "follow" else "colours_unseen")
        else:
            self._results.append(StepResult(stage.state, None, True, round(sight.time - stage.begun, 2)))
            self._extras.pop(0)
            self._step, self._retries = self._step + 1, 0
        self._stage = Return(sight.time, None, self._watch, Turn())
        return self._guide(Report())

    def _reveal(self, sight: Sight) -> Guidance:
        """The next stage: an action, an extra turn if depth is still unknown, the dot, the colours, or the end."""
        solid = [turn.is_solid() for turn in self._turns]
        if self._step == len(self._routine) and not any(solid):
            if self._extra_turns >= EXTRA_TURNS:
                return self._refuse("not_solid")
            self._extra_turns += 1
            self._routine.append(self._random.choice([turn for turn in TURNS if turn != self._routine[-1]]))
        self._watch.mark(sight)
        if self._step < len(self._routine):
            action = self._routine[self._step]
            self._shown.append(action)
            self._stage = Act(action, sight.time, self._window, self._watch)
        elif self._extras:
            self._stage = Follow(sight.time, self._random) if self._extras[0] == "follow" else Light(sight.time, self._random)
        else:
            return self._pass(sight.time)
        return self._guide(Report())

    def _swap(self, stage: Act, time: float) -> bool:
        """Whether there was a swap left and another action that fits."""
        routine = replace_action(self._routine, self._step, self._shown, self._random) if self._swaps_left else None
        if routine is None:
            return False
        self._results.append(StepResult("swapped", stage.action, False, round(time - stage.begun, 2)))
        self._routine, self._swaps_left = routine, self._swaps_left - 1
        self._stage = Return(time, None, self._watch, Turn())
        return True

    @property
    def _steps(self) -> int:
        return len(self._routine) + len(self._extras) + sum(result.kind in ("follow", "colours") for result in self._results)

    def _guide(self, report: Report) -> Guidance:
        stage = self._stage
        self._last = Guidance(
            stage.state,
            stage.action,
            self._step,
            self._steps,
            report.hint,
            round(report.progress, 3),
            report.dot,
            report.colour,
            None,
            self._swaps_left,
        )
        return self._last

    def _pass(self, time: float) -> Guidance:
        kept = [StepResult(kind, None, True, round(time - self.started, 2)) for kind in ("continuity", "relief", "person")]
        level = "L2" if self._follow else "L1"
        self._end(
            Outcome(
                True,
                level,
                None,
                (*self._results, *kept),
                self._album.captures(),
                self._tracker.name,
                self._tracker.models,
                self.session_id,
            )
        )
        return Guidance("done", None, self._step, self._steps, None, 1.0)

    def _refuse(self, reason: str) -> Guidance:
        self._end(Outcome(False, None, reason, tuple(self._results), (), self._tracker.name, self._tracker.models, self.session_id))
        return Guidance("refused", None, self._step, self._steps, reason=reason)

    def _end(self, outcome: Outcome) -> None:
        """From here on nothing of the frames is held but what the outcome hands on."""
        self.outcome = outcome
        self._album, self._watch, self._neutral, self._stage = Album(), Watch(self._tracker), None, Settle(self.started)
