"""The nodes between Shot Loop Start and Shot Loop End: which they are, and a copy of them for one shot.

A copy keeps the links to nodes outside, so a model that stands before the loop is loaded once. Every copied node shows its
progress on the node that it was copied from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from comfy_execution.graph_utils import GraphBuilder, is_link

if TYPE_CHECKING:
    from comfy_execution.graph import DynamicPrompt

START, END = "ShotLoopStart", "ShotLoopEnd"
LOOP, FPS = 0, 1  # outputs of Shot Loop Start that are the same for every shot and may be used behind the loop too
# The others, by their place: the field of LoopShot that says what they are.
SHOT_OUTPUTS = {2: "prompt", 3: "end_prompt", 4: "seed", 5: "length", 6: "seconds", 7: "keyframe", 8: "sound", 9: "number"}
GIVEN = {7: "keyframes", 8: "audio"}  # outputs that need an input of Shot Loop Start
MODELS = {"MODEL", "CLIP", "GUIDER"}  # types that may carry a person's LoRA

Link = list[Any]


@dataclass(frozen=True)
class LoopBody:
    start: str  # ids of nodes
    end: str
    frames: Link  # what Shot Loop End takes
    inside: tuple[str, ...]  # all nodes that depend on the shot, those beside the way to the end too


def find_end(prompt: DynamicPrompt, start: str) -> str | None:
    """The Shot Loop End that closes the loop of that start."""
    for node_id in prompt.all_node_ids():
        node = prompt.get_node(node_id)
        if node["class_type"] == END and node["inputs"].get("loop") == [start, LOOP]:
            return node_id
    return None


def find_body(prompt: DynamicPrompt, end: str) -> LoopBody:
    """The loop that an end closes; ValueError where it is wired in a way that cannot be run."""
    inputs = prompt.get_node(end)["inputs"]
    start = inputs["loop"][0]
    if prompt.get_node(start)["class_type"] != START:
        raise ValueError("Connect 'loop' of Shot Loop End straight to Shot Loop Start; nothing may stand between.")
    users = _users(prompt)
    inside = _behind(users, [user for user, slot in users.get(start, ()) if slot in SHOT_OUTPUTS], stop=end)
    after = _behind(users, [user for user, _ in users.get(end, ())], stop=end)
    for node_id in inside & after:
        kind = prompt.get_node(node_id)["class_type"]
        raise ValueError(f"{kind} takes a value of a single shot, but stands behind Shot Loop End; take that link away.")
    return LoopBody(start, end, inputs["frames"], tuple(sorted(inside)))


def used_outputs(prompt: DynamicPrompt, body: LoopBody) -> set[int]:
    """The outputs of the start that somebody in the loop takes."""
    links = [body.frames, *(value for node_id in body.inside for value in prompt.get_node(node_id)["inputs"].values())]
    return {link[1] for link in links if is_link(link) and link[0] == body.start}


def model_links(prompt: DynamicPrompt, body: LoopBody) -> list[Link]:
    """Every MODEL and CLIP that a node in the loop takes; not those that it asks for only at need."""
    found: list[Link] = []
    for node_id in body.inside:
        node = prompt.get_node(node_id)
        types = _class_of(node).INPUT_TYPES()
        specs = {**types.get("required", {}), **types.get("optional", {})}
        for name, value in node["inputs"].items():
            lazy = len(specs.get(name, ())) > 1 and specs[name][1].get("lazy")
            if is_link(value) and not lazy and value not in found and _type_of(prompt, value) in MODELS:
                found.append(value)
    return found


def _type_of(prompt: DynamicPrompt, link: Link) -> Any:
    return _class_of(prompt.get_node(link[0])).RETURN_TYPES[link[1]]


def _class_of(node: dict[str, Any]) -> Any:
    import nodes  # ComfyUI's own module, which type checkers take for our folder

    return cast(Any, nodes).NODE_CLASS_MAPPINGS[node["class_type"]]


class BodyCopy:
    """The nodes of the loop once more, for one shot, in a graph for core's node expansion."""

    def __init__(self, prompt: DynamicPrompt, body: LoopBody, number: int) -> None:
        self.graph = GraphBuilder(_prefix(body.end, number))
        self._members = (body.start, *body.inside)
        for node_id in self._members:
            self.graph.node(prompt.get_node(node_id)["class_type"], node_id).set_override_display_id(node_id)
        for node_id in self._members:
            for name, value in prompt.get_node(node_id)["inputs"].items():
                self._node(node_id).set_input(name, self.link(value))
        self._node(body.start).inputs.update(first_shot=number, last_shot=number)

    def link(self, value: Any) -> Any:
        """The same input as it is in the copy: links between nodes of the loop lead to the copies, all else stays."""
        inside = is_link(value) and value[0] in self._members
        return self._node(value[0]).out(value[1]) if inside else value

    def _node(self, node_id: str) -> Any:
        return self.graph.lookup_node(node_id)


def copies_of(prompt: DynamicPrompt, end: str, number: int) -> list[str]:
    """The ids of all nodes that were made for a shot."""
    return [node_id for node_id in prompt.all_node_ids() if node_id.startswith(_prefix(end, number))]


def _prefix(end: str, number: int) -> str:
    return f"{end}.shot{number}."


def _users(prompt: DynamicPrompt) -> dict[str, list[tuple[str, int]]]:
    """Who takes what from each node: pairs of node and output."""
    users: dict[str, list[tuple[str, int]]] = {}
    for node_id in prompt.all_node_ids():
        for value in prompt.get_node(node_id)["inputs"].values():
            if is_link(value):
                users.setdefault(value[0], []).append((node_id, value[1]))
    return users


def _behind(users: dict[str, list[tuple[str, int]]], waiting: list[str], stop: str) -> set[str]:
    """The nodes from which on these are, and all that depend on them, up to one that is not counted."""
    found: set[str] = set()
    while waiting:
        node_id = waiting.pop()
        if node_id != stop and node_id not in found:
            found.add(node_id)
            waiting.extend(user for user, _ in users.get(node_id, ()))
    return found
