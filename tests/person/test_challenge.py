"""A session's order of events and its refusals, with scripted faces; real pictures are judged in test_sessions.py."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from acting import AMOUNTS
from pack.nodes.engine.person import challenge as module
from pack.nodes.engine.person.challenge import ACTIONS, HINTS, REASONS, Challenge, ChallengeError, Guidance
from pack.nodes.engine.person.dialogue import STATES
from pack.nodes.engine.person.likeness import Likeness
from pack.nodes.engine.person.mesh_tracker import MeshTracker
from pack.nodes.engine.person.relief import SkinTrack, Turn
from performer import Act, Performer
from scripted import ScriptedTracker, Stills


class Sitting:
    """A session with a scripted face, ten frames a second."""

    def __init__(self, portrait: np.ndarray, tracker: ScriptedTracker, **options: object) -> None:
        self.tracker, self.stills = tracker, Stills(portrait)
        self.challenge = Challenge(tracker, 0.0, **options)  # type: ignore[arg-type]
        self.time, self.sequence, self.shown = 0.0, 0, [Guidance("neutral")]

    def show(self, act: Act, frames: int = 1) -> Guidance:
        self.tracker.act = act
        for _ in range(frames):
            if self.challenge.outcome is None:
                guidance = self.challenge.receive(self.stills.next(), self.sequence, self.challenge.nonce, self.time)
                self.shown.append(guidance)
                self.time, self.sequence = self.time + 0.1, self.sequence + 1
        return self.shown[-1]

    def wait_for(self, state: str) -> Guidance:
        for _ in range(40):
            if self.shown[-1].state in (state, "refused", "done"):
                break
            self.show(Act())
        return self.shown[-1]

    def obey(self) -> Guidance:
        """Does the action that is asked for, after a moment, and comes back."""
        action = self.wait_for("action").action
        self.show(Act(), 4)
        self.show(act_for(action), 5)
        return self.show(Act(), 2)

    def obey_all(self) -> Guidance:
        while self.wait_for("action").state == "action" and len(self.shown) < 900:
            self.obey()
            if self.wait_for_next() in ("follow", "colours", "done", "refused"):
                break
        return self.shown[-1]

    def wait_for_next(self) -> str:
        for _ in range(20):
            if self.shown[-1].state not in ("neutral",):
                break
            self.show(Act())
        return self.shown[-1].state

    def follow(self, gain: float = 1.0) -> Guidance:
        dots: list[tuple[float, float]] = []
        while self.shown[-1].state == "follow":
            dots.append(self.shown[-1].dot or (0.5, 0.5))
            x, y = dots[max(0, len(dots) - 4)]
            self.show(Act(yaw=18 * gain * (x - 0.5) / 0.38, pitch=10 * gain * (y - 0.5) / 0.38))
        return self.shown[-1]


def act_for(action: str | None) -> Act:
    axis, amount = AMOUNTS[action or ""]
    return Act().with_(**{axis: amount + (axis == "scale")})


@pytest.fixture
def portrait(astronaut: Performer) -> np.ndarray:
    return astronaut.render()[::2, ::2].copy()


@pytest.fixture
def tracker(portrait: np.ndarray) -> ScriptedTracker:
    rest = MeshTracker().find(portrait)
    assert rest is not None
    return ScriptedTracker(rest)


@pytest.fixture
def sitting(portrait: np.ndarray, tracker: ScriptedTracker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sitting]:
    """The pictures stand still while the scripted face moves, so likeness, skin and depth are not asked here."""
    monkeypatch.setattr(Likeness, "distance", lambda *_: 0.1)
    monkeypatch.setattr(SkinTrack, "follow", lambda *_: 1.0)
    monkeypatch.setattr(Turn, "is_solid", lambda turn: bool(turn is not None))
    yield Sitting(portrait, tracker, random=Random(5))


def test_a_whole_session(sitting: Sitting) -> None:
    assert sitting.obey_all().state == "follow"
    assert sitting.follow().state == "neutral"
    assert sitting.wait_for("done").state == "done"
    outcome = sitting.challenge.outcome
    assert outcome is not None and outcome.passed and outcome.level == "L2" and outcome.reason is None
    actions = [step.action for step in outcome.steps if step.kind == "action"]
    assert len(actions) == 5 and set(actions) <= set(ACTIONS)
    assert {step.kind for step in outcome.steps} == {"action", "follow", "continuity", "relief", "person"}
    assert outcome.captures and all(capture.picture.shape == (240, 320, 3) for capture in outcome.captures)
    assert outcome.tracker == "script" and outcome.session_id == sitting.challenge.session_id
    with pytest.raises(ChallengeError) as error:
        sitting.challenge.receive(b"", 0, sitting.challenge.nonce, sitting.time)
    assert error.value.code == "session_over"


def test_without_the_dot_it_is_level_one(portrait: np.ndarray, tracker: ScriptedTracker, sitting: Sitting) -> None:
    first = Sitting(portrait, tracker, follow=False, random=Random(6))
    assert first.obey_all().state == "done"
    assert first.challenge.outcome is not None and first.challenge.outcome.level == "L1"


@pytest.mark.slow
def test_guidance_is_plain_and_reveals_one_action_at_a_time(sitting: Sitting) -> None:
    sitting.obey_all()
    sitting.follow()
    for guidance in sitting.shown:
        plain = guidance.to_json()
        assert guidance.state in STATES and guidance.hint in (None, *HINTS) and 0 <= guidance.progress <= 1
        assert (guidance.action is not None) == (guidance.state == "action")
        assert (guidance.dot is not None) <= (guidance.state == "follow")
        assert "score" not in plain and set(plain) >= {"state", "action", "step", "steps", "hint", "progress", "dot", "colour", "reason"}
    revealed = [guidance.action for guidance in sitting.shown if guidance.action]
    assert len(set(revealed)) == 5


@pytest.mark.slow
def test_paper_is_refused_after_one_more_turn(portrait: np.ndarray, tracker: ScriptedTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Likeness, "distance", lambda *_: 0.1)
    flat = Sitting(portrait, tracker, random=Random(5))  # the pictures do not turn with the face: no depth in them
    assert flat.obey_all().reason == "not_solid"
    assert flat.shown[-1].steps == 7
    assert flat.challenge.outcome is not None and not flat.challenge.outcome.captures


def test_an_action_that_was_there_before_it_was_asked_is_not_taken(sitting: Sitting) -> None:
    asked = sitting.wait_for("action")
    wanted = act_for(asked.action)
    sitting.show(wanted, 1)  # within a tenth of a second
    assert sitting.challenge._mistakes == 1


def test_wrong_actions_are_forgiven_once(sitting: Sitting) -> None:
    asked = sitting.wait_for("action").action
    wrong = next(action for action in ("tilt_left", "look_up") if action != asked)
    sitting.show(Act(), 3)
    assert sitting.show(act_for(wrong), 6).state == "action"
    assert sitting.show(Act(), 3).state == "action"
    assert sitting.show(act_for(wrong), 8).reason == "wrong_action"


@pytest.mark.slow
def test_a_step_that_takes_too_long_is_swapped_and_then_refused(sitting: Sitting) -> None:
    sitting.wait_for("action")
    swaps = []
    for _ in range(260):
        swaps.append(sitting.show(Act()).swaps_left)
        if sitting.shown[-1].reason:
            break
    assert sitting.shown[-1].reason == "too_late" and {2, 1, 0} <= set(swaps)


@pytest.mark.slow
def test_relaxed_windows_are_longer(portrait: np.ndarray, tracker: ScriptedTracker, sitting: Sitting) -> None:
    calm = Sitting(portrait, tracker, relaxed=True, random=Random(5))
    for one in (sitting, calm):
        one.wait_for("action")
        one.show(Act(), 60)
    assert calm.shown[-1].swaps_left == 2 and sitting.shown[-1].swaps_left == 1


@pytest.mark.slow
def test_two_actions_may_be_swapped_between_frames(sitting: Sitting) -> None:
    with pytest.raises(ChallengeError, match="no action to swap"):
        sitting.challenge.swap()
    seen = []
    for left in (1, 0):
        seen.append(sitting.wait_for("action").action)
        guidance = sitting.challenge.swap()
        assert guidance.state == "neutral" and guidance.swaps_left == left
        sitting.shown.append(guidance)
    assert sitting.wait_for("action").action not in seen
    with pytest.raises(ChallengeError) as error:
        sitting.challenge.swap()
    assert error.value.code == "no_swap_left"
    assert sitting.obey_all().state == "follow"


@pytest.mark.slow
def test_the_dot_may_be_tried_twice(sitting: Sitting) -> None:
    sitting.obey_all()
    assert sitting.follow(gain=0).state == "neutral"
    assert sitting.wait_for("follow").state == "follow"
    assert sitting.follow(gain=0).reason == "follow_missed"


def test_too_few_frames_for_the_dot_are_the_connections_fault(sitting: Sitting) -> None:
    sitting.obey_all()
    while sitting.shown[-1].state == "follow":
        sitting.time += 0.5
        sitting.show(Act())
    assert sitting.shown[-1].reason == "connection_slow"


def test_nobody_and_somebody_else_in_the_picture(sitting: Sitting) -> None:
    sitting.tracker.faces = 2
    assert sitting.show(Act(), 8).hint == "one_person"
    sitting.tracker.faces = 0
    assert sitting.show(Act(), 15).hint == "face_camera"
    sitting.tracker.faces = 1
    assert sitting.wait_for("action").state == "action"
    sitting.tracker.faces = 2
    assert sitting.show(Act(), 10).reason == "two_faces"


def test_a_face_that_leaves_is_refused_after_a_second(sitting: Sitting) -> None:
    sitting.wait_for("action")
    sitting.tracker.faces = 0
    assert sitting.show(Act(), 8).hint == "face_camera"
    assert sitting.show(Act(), 4).reason == "face_lost"


def test_another_face_is_refused(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    sitting.wait_for("action")
    monkeypatch.setattr(Likeness, "distance", lambda *_: 0.9)
    assert sitting.show(Act(), 15).reason == "person_changed"


def test_a_cut_is_refused(portrait: np.ndarray, tracker: ScriptedTracker, hopper: Performer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Likeness, "distance", lambda *_: 0.1)
    cut = Sitting(portrait, tracker, random=Random(5))
    cut.wait_for("action")
    cut.stills = Stills(hopper.render()[::2, ::2].copy())
    assert cut.show(Act(), 2).reason == "picture_jumped"


@pytest.mark.parametrize(("breach", "code"), [("wrong_nonce", "wrong_nonce"), ("text", "not_a_picture")])
def test_breaches_that_do_not_end_a_session(sitting: Sitting, breach: str, code: str) -> None:
    jpeg, nonce = (sitting.stills.next(), "0" * 64) if breach == "wrong_nonce" else (b"hello, this is no picture", sitting.challenge.nonce)
    with pytest.raises(ChallengeError) as error:
        sitting.challenge.receive(jpeg, 0, nonce, 0.0)
    assert error.value.code == code and str(error.value) == REASONS[code]
    sitting.sequence = 0 if breach == "wrong_nonce" else 1
    sitting.time = 0.1
    assert sitting.wait_for("action").state == "action"


@pytest.mark.parametrize(("sequence", "time", "reason"), [(5, 0.5, "out_of_order"), (3, 9.0, "connection_slow"), (3, 121.0, "expired")])
def test_frames_out_of_turn_end_a_session(sitting: Sitting, sequence: int, time: float, reason: str) -> None:
    sitting.show(Act(), 3)
    guidance = sitting.challenge.receive(sitting.stills.next(), sequence, sitting.challenge.nonce, time)
    assert guidance.state == "refused" and guidance.reason == reason
    assert sitting.challenge.outcome is not None and sitting.challenge.outcome.reason == reason


def test_nonces_are_new_and_long() -> None:
    nonces = {Challenge(ScriptedTracker.__new__(ScriptedTracker), 0.0).nonce for _ in range(50)}
    assert len(nonces) == 50 and all(len(nonce) == 64 and int(nonce, 16) >= 0 for nonce in nonces)


def test_nothing_of_the_frames_is_held_after_the_end(sitting: Sitting) -> None:
    sitting.wait_for("action")
    sitting.challenge.leave()
    outcome = sitting.challenge.outcome
    assert outcome is not None and outcome.reason == "left" and outcome.captures == ()
    assert sitting.challenge._neutral is None and not sitting.challenge._album.captures()
    assert module.__all__


def test_every_reason_has_one_kind_sentence() -> None:
    for code, sentence in REASONS.items():
        assert sentence.endswith(".") and not any(
            character.isdigit() for character in sentence.replace("1.5", "").replace("1920 x 1440", "")
        ), code
