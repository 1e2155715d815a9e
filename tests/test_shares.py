"""A film's shots as shares: which prompt draws them, and that every shot is drawn whoever dies."""

from __future__ import annotations

import random
from typing import Any

import pytest
from runner.graph import WorkflowError
from runner.shares import Shares, count_shots, planning_prompt, share_prompt


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


@pytest.fixture
def film() -> dict[str, Any]:
    return {
        "1": node("LoadAudio", audio="a.ogg"),
        "2": node("StoryboardWriter", timeline=["1", 0]),
        "3": node("BeatSyncedSampler", timeline=["2", 0], first_shot=1, last_shot=0),
        "4": node("VideoAssembler", timeline=["2", 0], clips=["3", 0], audio=["1", 0]),
        "5": node("SaveVideo", video=["4", 0]),
    }


def test_a_share_is_what_leads_to_the_clips(film: dict[str, Any]) -> None:
    part = share_prompt(film, range(3, 6))
    assert set(part) == {"1", "2", "3", "share"} and part["share"]["inputs"]["source"] == ["3", 0]
    assert (part["3"]["inputs"]["first_shot"], part["3"]["inputs"]["last_shot"]) == (3, 5)
    assert film["3"]["inputs"]["last_shot"] == 0, "the film's own prompt stays as it is"


def test_a_loop_is_shared_at_its_start_and_keeps_all_keyframes(film: dict[str, Any]) -> None:
    film["6"] = node("ShotLoopStart", timeline=["2", 0], keyframes=["3", 1], first_shot=1, last_shot=0)
    film["7"] = node("ShotLoopEnd", loop=["6", 0], frames=["6", 7])
    film["4"]["inputs"]["clips"] = ["7", 0]
    part = share_prompt(film, range(2, 3))
    assert (part["6"]["inputs"]["first_shot"], part["6"]["inputs"]["last_shot"]) == (2, 2)
    assert part["3"]["inputs"]["last_shot"] == 0


def test_what_cannot_be_shared_is_one_sentence(film: dict[str, Any]) -> None:
    film["3"]["class_type"] = "LoadVideo"
    with pytest.raises(WorkflowError, match="without --workers"):
        share_prompt(film, range(1, 2))
    del film["4"]
    with pytest.raises(WorkflowError, match="0 nodes of the kind VideoAssembler"):
        share_prompt(film, range(1, 2))


def test_planning_stops_at_the_storyboard(film: dict[str, Any]) -> None:
    assert set(planning_prompt(film)) == {"1", "2"}
    assert count_shots(film, {"2": {"music_video_plan": ['{"shots": [{},', " {}]}"]}}) == 2


@pytest.mark.parametrize("shots", [0, 1, 7, 100])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_every_shot_is_drawn_once_whoever_dies(shots: int, workers: int) -> None:
    chance = random.Random(shots * 10 + workers)
    shares, drawn, at_work = Shares(shots, workers), [], []
    while shares.done < shares.total:
        while len(at_work) < workers and (share := shares.take()) is not None:
            assert len(share) >= 1
            at_work.append(share)
        share = at_work.pop(chance.randrange(len(at_work)))
        if chance.random() < 0.3:
            shares.give_back(share)
        else:
            drawn += share
            shares.finish(share)
    assert sorted(drawn) == list(range(1, shots + 1))


def test_the_last_shares_are_single_shots() -> None:
    shares, sizes = Shares(20, 2), []
    while (share := shares.take()) is not None:
        sizes.append(len(share))
    assert sizes[0] == 5 and sizes[-2:] == [1, 1] and sizes == sorted(sizes, reverse=True)
