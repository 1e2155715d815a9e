"""A film's shots as work that can be handed out: which node draws them, a prompt for a part of them, who still has what to do.

Goes in: the prompt of a whole film. Comes out: prompts that draw some of its shots into the folder of finished clips and do nothing
else. It knows nothing of servers.
"""

from __future__ import annotations

import copy
import json
from typing import Any

from .graph import Prompt, WorkflowError

ASSEMBLER, WRITER = "VideoAssembler", "StoryboardWriter"
SAMPLER, LOOP_START, LOOP_END = "BeatSyncedSampler", "ShotLoopStart", "ShotLoopEnd"
SHOW = "PreviewAny"  # ComfyUI runs only what leads to a node that shows or saves something


def planning_prompt(prompt: Prompt) -> Prompt:
    """Only what leads to the storyboard."""
    return _part(prompt, _only(prompt, WRITER))


def count_shots(prompt: Prompt, outputs: dict[str, Any]) -> int:
    """The number of shots in the plan that `planning_prompt` gave."""
    return len(json.loads("".join(outputs[_only(prompt, WRITER)]["music_video_plan"]))["shots"])


def share_prompt(prompt: Prompt, share: range) -> Prompt:
    """Draws these shots (numbers from 1) and nothing else. WorkflowError where no node draws shot by shot."""
    clips = prompt[_only(prompt, ASSEMBLER)]["inputs"].get("clips")
    drawer = clips[0] if isinstance(clips, list) else ""
    part = _part(copy.deepcopy(prompt), drawer)
    kind = part[drawer]["class_type"] if drawer in part else ""
    place = part[drawer]["inputs"]["loop"][0] if kind == LOOP_END else drawer
    if kind not in (SAMPLER, LOOP_END):
        raise WorkflowError(
            "Only the clips of Beat-Synced Sampler or Shot Loop End can be drawn by several workers; run it without --workers."
        )
    part[place]["inputs"].update(first_shot=share.start, last_shot=share.stop - 1)
    part["share"] = {"class_type": SHOW, "inputs": {"source": [drawer, 0]}, "_meta": {"title": "Share"}}
    return part


def _only(prompt: Prompt, kind: str) -> str:
    found = [number for number, node in prompt.items() if node["class_type"] == kind]
    if len(found) != 1:
        raise WorkflowError(f"This workflow has {len(found)} nodes of the kind {kind}; --workers needs exactly one.")
    return found[0]


def _part(prompt: Prompt, end: str) -> Prompt:
    """A node and all that it depends on."""
    part: Prompt = {}
    waiting = [end]
    while waiting:
        number = waiting.pop()
        if number in prompt and number not in part:
            part[number] = prompt[number]
            waiting += [value[0] for value in prompt[number]["inputs"].values() if isinstance(value, list) and value]
    return part


class Shares:
    """The shots that nobody has drawn yet. Shares are large at first and single shots at the end, so that all end together."""

    def __init__(self, shots: int, workers: int) -> None:
        self.total, self.done, self._workers = shots, 0, workers
        self._waiting = [range(1, shots + 1)] if shots else []

    def take(self) -> range | None:
        """The next shots to draw, numbers from 1; None where nothing waits."""
        if not self._waiting:
            return None
        left = sum(len(part) for part in self._waiting)
        first = self._waiting.pop(0)
        size = max(1, left // (2 * self._workers))
        if len(first) > size:
            self._waiting.insert(0, first[size:])
        return first[:size]

    def give_back(self, share: range) -> None:
        """Its worker is lost; what was finished of it is found again by whoever takes it."""
        self._waiting.insert(0, share)

    def finish(self, share: range) -> None:
        self.done += len(share)
