"""Video Report on a film that names consents: the score of each shot, and one sentence where there is none to be had."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

sys.path += [str(Path(__file__).parents[1] / "person"), str(Path(__file__).parents[1] / "film")]

from drawn_films import timeline  # noqa: E402
from pack.nodes.engine.film.video_file import MP4, VideoFileWriter  # noqa: E402
from pack.nodes.engine.film.work import tag_receipts  # noqa: E402
from pack.nodes.engine.timeline import Shot, Timeline  # noqa: E402

FPS = Fraction(12)


@pytest.fixture
def store(comfy: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from pack.nodes import film_people
    from pack.nodes.engine.person.storage import PersonStore

    store = PersonStore(tmp_path / "store", scan_folders=[])
    monkeypatch.setattr(film_people, "person_store", lambda: store)
    return store


def verify(store: Any, person: Any, **changes: Any) -> Any:
    """A receipt whose pictures show the performer."""
    from pack.nodes.engine.person.mesh_tracker import MeshTracker
    from performer import Act
    from sitting import make_capture, make_consent, make_outcome

    captures = []
    for seed, yaw in enumerate(np.linspace(-30, 30, 24)):
        expression = "smile" if seed % 2 else "neutral"
        picture = person.render(
            Act(yaw=float(yaw), smile=float(seed % 2), pitch=seed % 3 * 4.0), noise=2.0, random=np.random.default_rng(seed)
        )
        face = MeshTracker().find(picture)
        assert face is not None
        captures.append(make_capture(seed, yaw=float(yaw), picture=picture, face=face, expression=expression))
    consent_id, outcome = store.begin_consent(make_consent(**changes)), make_outcome(captures)
    store.record_attempt(consent_id, outcome)
    return store.finish(consent_id, [picture.index for picture in store.choose(consent_id, outcome)][:12])


def song(*prompts: str) -> Timeline:
    shots = tuple(Shot(float(place), place + 1.0, prompt, place) for place, prompt in enumerate(prompts))
    return replace(timeline(float(len(prompts))), shots=shots)


@pytest.fixture
def report(run_node: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Measures a film of these scenes, a second each, that names the receipts: text and numbers."""
    from comfy_api.latest import InputImpl
    from pack.nodes.video_report import VideoReport

    def run(receipts: tuple[str, ...], scenes: list[Callable[[int], np.ndarray]], plan: Timeline) -> tuple[str, Any]:
        with VideoFileWriter(tmp_path / "film.mp4", 640, 480, FPS, MP4, metadata=tag_receipts(receipts)) as file:
            for scene in scenes:
                for frame in range(12):
                    file.write(scene(frame))
        result = run_node(VideoReport, video=InputImpl.VideoFromFile(str(tmp_path / "film.mp4")), timeline=plan).result
        return result[0], json.loads(result[1])

    return run


@pytest.fixture(scope="module")
def people() -> tuple[Any, Any]:
    from performer import Performer, photographs

    return tuple(Performer(photographs()[name], detail=0.5) for name in ("astronaut", "hopper"))  # type: ignore[return-value]


def playing(person: Any) -> Callable[[int], np.ndarray]:
    from performer import Act

    return lambda frame: person.render(Act(yaw=2.0 * frame - 12, smile=frame / 12))


def empty(frame: int) -> np.ndarray:
    return np.full((480, 640, 3), 60 + 8 * frame, np.uint8)


def test_shots_that_name_the_person_are_scored(store: Any, report: Callable[..., Any], people: tuple[Any, Any]) -> None:
    receipt = verify(store, people[0])
    plan = song(f"{receipt.trigger} person", f"{receipt.trigger} person far away", "a city", f"{receipt.trigger} again")
    scenes = [playing(people[0]), empty, playing(people[1]), playing(people[1])]
    text, numbers = report((receipt.receipt_id,), scenes, plan)
    found = numbers["likeness"]
    assert [(shot["shot"], shot["person"], shot["frames"]) for shot in found] == [(1, 1, 7), (2, 1, 7), (4, 1, 7)], "not the city"
    assert found[0]["likeness"] > 0.6 > 0.4 > found[2]["likeness"] and found[0]["found"] == 7
    assert found[1]["likeness"] is None and found[1]["found"] == 0
    assert "in the middle of 2 shots; no face found in 1" in text and "\n  shot 4: 0." in text
    assert [entry.facts for entry in store.ledger.read() if entry.event == "film_compared"] == [{"frames": 21}]
    secret = [receipt.receipt_id, store.list()[0].name]
    assert not any(word in part for word in secret for part in (text, json.dumps(numbers)))


def test_a_film_that_names_nobody_scores_nobody(store: Any, report: Callable[..., Any], people: tuple[Any, Any]) -> None:
    text, numbers = report((), [playing(people[0]), empty], song("a", "b"))
    assert numbers["likeness"] == [] and "ikeness" not in text and not numbers["remarks"][0].startswith("How like")


@pytest.mark.parametrize(("reason", "words"), [("withdrawn", "withdrawn"), ("purpose", "not agreed to this use"), ("unknown", "")])
def test_without_a_consent_it_is_left_out_and_says_why(
    store: Any, report: Callable[..., Any], people: tuple[Any, Any], reason: str, words: str
) -> None:
    receipt_id = "f" * 32
    if reason != "unknown":
        receipt_id = verify(store, people[0], purposes=("train_lora",) if reason == "purpose" else ("make_videos",)).receipt_id
    if reason == "withdrawn":
        store.withdraw(receipt_id)
    text, numbers = report((receipt_id,), [playing(people[0]), empty], song("a", "b"))
    told = [remark for remark in numbers["remarks"] if remark.startswith("How like a person the film is was left out: ")]
    assert len(told) == 1 and words in told[0] and told[0] in text and numbers["likeness"] == []


def test_a_withdrawal_in_the_middle_drops_what_was_measured(
    store: Any, report: Callable[..., Any], people: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pack.nodes.film_people import FilmPeople

    receipt = verify(store, people[0])
    see = FilmPeople.see

    def withdraw_in_the_second_shot(self: Any, number: int, frame: np.ndarray) -> None:
        if number == 13:
            store.withdraw(receipt.receipt_id)
        see(self, number, frame)

    monkeypatch.setattr(FilmPeople, "see", withdraw_in_the_second_shot)
    _, numbers = report((receipt.receipt_id,), [playing(people[0])] * 3, song("a", "b", "c"))
    assert numbers["likeness"] == [] and sum("left out" in remark for remark in numbers["remarks"]) == 1


def test_of_two_people_each_has_their_own_shots(comfy: SimpleNamespace) -> None:
    from pack.nodes.engine.person.receipt import trigger_word
    from pack.nodes.film_people import find_shots

    first, second = "0" * 32, "1" * 32
    plan = song(f"{trigger_word(first)} person", "a city", f"{trigger_word(first)} and {trigger_word(second)}")
    assert find_shots(plan, [first, second]) == {first: {1, 3}, second: {3}}
    assert find_shots(song("a", "b"), [first]) == {first: {1, 2}}
