"""A workflow as the editor saves it (nodes, links, widget values by position) -> the prompt that the server takes.

It does what the page's own `graphToPrompt` does, for the things our templates use: links, widgets with their
"control after generate" companion, notes, groups, reroutes, primitives, muted and bypassed nodes. Subgraphs are
refused by name. It needs the server's `/object_info`, and knows nothing of HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NOTES = {"Note", "MarkdownNote"}
PASSED_THROUGH = {"Reroute"}
PRIMITIVE = "PrimitiveNode"
MUTED, BYPASSED = 2, 4
WIDGET_TYPES = {"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}
SEEDS = {"seed", "noise_seed"}  # the page gives these the companion widget without being asked

Prompt = dict[str, dict[str, Any]]


class WorkflowError(ValueError):
    """A workflow that cannot be run from the terminal; the message says why."""


@dataclass(frozen=True)
class Widget:
    name: str
    has_companion: bool  # a second widget, "control after generate", follows it in the saved values


def to_prompt(workflow: dict[str, Any], object_info: dict[str, Any]) -> Prompt:
    """The prompt of a workflow. Raises WorkflowError for what only the page can run."""
    if "nodes" not in workflow:
        raise WorkflowError("This file is not a workflow as the editor saves it (no list of nodes); save it there with Workflow > Save.")
    _refuse_subgraphs(workflow)
    nodes = {node["id"]: node for node in workflow["nodes"]}
    links = {link[0]: link for link in map(_link_tuple, workflow["links"])}
    prompt: Prompt = {}
    for node in workflow["nodes"]:
        if _is_run(node):
            prompt[str(node["id"])] = _prompt_node(node, nodes, links, object_info)
    return prompt


def widgets_of(node_info: dict[str, Any]) -> Iterator[Widget]:
    """The widgets of a node type in the order in which their values are saved."""
    for group in ("required", "optional"):
        for name, spec in node_info.get("input", {}).get(group, {}).items():
            kind, options = spec[0], spec[1] if len(spec) > 1 else {}
            if options.get("forceInput") or not (isinstance(kind, list) or kind in WIDGET_TYPES):
                continue
            yield Widget(name, bool(options.get("control_after_generate") or (kind == "INT" and name in SEEDS)))


def _refuse_subgraphs(workflow: dict[str, Any]) -> None:
    names = {graph["id"]: graph.get("name", graph["id"]) for graph in (workflow.get("definitions") or {}).get("subgraphs", [])}
    for node in workflow["nodes"]:
        if node["type"] in names:
            raise WorkflowError(f"The workflow contains the subgraph '{names[node['type']]}'; open it in ComfyUI and unpack that first.")


def _is_run(node: dict[str, Any]) -> bool:
    return node["type"] not in NOTES | PASSED_THROUGH | {PRIMITIVE} and node.get("mode", 0) not in (MUTED, BYPASSED)


def _prompt_node(node: dict[str, Any], nodes: dict, links: dict, object_info: dict[str, Any]) -> dict[str, Any]:
    info = object_info.get(node["type"])
    if info is None:
        raise WorkflowError(f"This ComfyUI has no node '{node['type']}'; install the pack it comes from, or remove it from the workflow.")
    inputs = _widget_values(node, info)
    for socket in node.get("inputs", []):
        source = _source(socket.get("link"), nodes, links)
        if source is not None:
            inputs[socket["name"]] = source
    return {"class_type": node["type"], "inputs": inputs, "_meta": {"title": node.get("title") or info.get("display_name") or node["type"]}}


def _widget_values(node: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
    saved = node.get("widgets_values") or []
    if isinstance(saved, dict):
        return {widget.name: saved[widget.name] for widget in widgets_of(info) if widget.name in saved}
    values: dict[str, Any] = {}
    place = 0
    for widget in widgets_of(info):
        if place < len(saved):
            values[widget.name] = saved[place]
        place += 2 if widget.has_companion else 1
    return values


def _source(link_id: Any, nodes: dict, links: dict) -> Any:
    """What feeds a socket: `[node id, slot]`, a primitive's plain value, or None. Follows reroutes and bypassed nodes."""
    while link_id is not None and link_id in links:
        _, origin_id, slot, _, _, kind = links[link_id][:6]
        origin = nodes[origin_id]
        if origin["type"] == PRIMITIVE:
            return origin["widgets_values"][0]
        if origin.get("mode", 0) == MUTED:
            return None
        if origin["type"] in PASSED_THROUGH:
            link_id = origin["inputs"][0].get("link")
        elif origin.get("mode", 0) == BYPASSED:
            link_id = _bypass(origin, slot, kind)
        else:
            return [str(origin_id), slot]
    return None


def _bypass(node: dict[str, Any], slot: int, kind: str) -> Any:
    """The link into a bypassed node that stands in for its output: the same slot if the type fits, else the first that fits."""
    sockets = node.get("inputs", [])
    candidates = sockets[slot : slot + 1] + sockets
    return next((socket.get("link") for socket in candidates if socket["type"] == kind), None)


def _link_tuple(link: Any) -> list[Any]:
    if isinstance(link, dict):
        return [link[key] for key in ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")]
    return list(link)
