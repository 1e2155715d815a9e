"""How many sessions there may be, for how long, and after how many failures none."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from pack.nodes.engine.person.challenge import ChallengeError, SessionMaker
from pack.nodes.engine.person.face import Face
from pack.nodes.engine.person.session_maker import MOST, REMEMBERED


class Blind:
    """A tracker that sees nobody."""

    name = "blind"
    models: Mapping[str, str] = {}

    def find(self, picture: np.ndarray) -> Face | None:
        return None

    def count(self, picture: np.ndarray) -> int:
        return 0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def maker(clock: Clock) -> SessionMaker:
    return SessionMaker(Blind, clock)


def fail(maker: SessionMaker) -> None:
    """A try that shows an action and is then left."""
    session = maker.start()
    session._shown.append("smile")
    maker.close(session.session_id)


def code_of_start(maker: SessionMaker) -> str | None:
    try:
        maker.close(maker.start().session_id)
    except ChallengeError as error:
        return error.code
    return None


def test_sessions_are_found_until_they_are_closed(maker: SessionMaker) -> None:
    session = maker.start()
    assert maker.find(session.session_id) is session
    maker.close(session.session_id)
    maker.close(session.session_id)
    for unknown in (session.session_id, "", "../../etc/passwd", "x" * 10_000):
        with pytest.raises(ChallengeError) as error:
            maker.find(unknown)
        assert error.value.code == "unknown_session"


def test_only_a_few_are_open_at_once(maker: SessionMaker, clock: Clock) -> None:
    opened = 0
    for _ in range(1000):
        try:
            maker.start()
            opened += 1
        except ChallengeError as error:
            assert error.code == "too_many_sessions"
    assert opened == MOST
    clock.now += 121
    assert code_of_start(maker) is None


def test_sessions_expire_and_are_forgotten(maker: SessionMaker, clock: Clock) -> None:
    session = maker.start()
    clock.now += 121
    found = maker.find(session.session_id)
    assert found.outcome is not None and found.outcome.reason == "expired"
    clock.now += REMEMBERED
    with pytest.raises(ChallengeError):
        maker.find(session.session_id)


def test_five_failures_in_three_minutes_pause_it_for_thirty(maker: SessionMaker, clock: Clock) -> None:
    for _ in range(5):
        assert code_of_start(maker) is None
        fail(maker)
        clock.now += 30
    assert code_of_start(maker) == "paused"
    clock.now += 1800 - 40
    assert code_of_start(maker) == "paused"
    clock.now += 41
    assert code_of_start(maker) is None


def test_slow_failures_do_not_pause(maker: SessionMaker, clock: Clock) -> None:
    for _ in range(12):
        fail(maker)
        clock.now += 60
    assert code_of_start(maker) is None


def test_sessions_that_never_began_cost_nothing(maker: SessionMaker) -> None:
    for _ in range(20):
        maker.close(maker.start().session_id)
    assert code_of_start(maker) is None


def test_opening_the_page_anew_does_not_dodge_the_count(maker: SessionMaker, clock: Clock) -> None:
    for _ in range(5):
        session = maker.start()
        session._shown.append("smile")
    clock.now += 125  # all five expire unattended
    assert code_of_start(maker) == "paused"
