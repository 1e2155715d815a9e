"""Every bundled workflow names nodes and inputs that exist, and is laid out so that one can read it.

Checked against the stored schemas (`tests/data/node_schemas.json`), so no server is needed; `tests/browser` opens the
same files in the real page.
"""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from runner.graph import NOTES, WorkflowError, to_prompt

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / "workflows").glob("*.json"))
SCHEMAS = json.loads((ROOT / "tests" / "data" / "node_schemas.json").read_text(encoding="utf-8"))

Box = tuple[float, float, float, float]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text(encoding="utf-8"))


def test_there_are_workflows() -> None:
    assert "quickstart" in [path.stem for path in WORKFLOWS]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_workflow_has_a_picture(path: Path) -> None:
    assert path.with_suffix(".jpg").is_file()


def test_nodes_and_inputs_exist(workflow: dict[str, Any]) -> None:
    for node in workflow["nodes"]:
        if node["properties"].get("cnr_id") != "personal-music-video":
            continue
        schema = SCHEMAS[node["type"]]
        known = {name for group in schema["inputs"].values() for name in group}
        assert {socket["name"] for socket in node["inputs"]} <= known, node["type"]
        assert [output["name"] for output in node["outputs"]] == [output[0] for output in schema["outputs"]]


def test_every_node_says_where_it_comes_from(workflow: dict[str, Any]) -> None:
    """ComfyUI offers to install what is missing only for nodes that name their pack."""
    for node in workflow["nodes"]:
        assert node["type"] in NOTES or node["properties"].get("cnr_id"), node["type"]


def test_notes_explain(workflow: dict[str, Any]) -> None:
    assert any(node["type"] == "MarkdownNote" and len(node["widgets_values"][0]) > 80 for node in workflow["nodes"])
    assert workflow["groups"]


def box_of(node: dict[str, Any]) -> Box:
    """Left, top, right, bottom; the title bar stands 30 pixels above the node's position."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - 30, x + width, y + height


def test_nothing_overlaps(workflow: dict[str, Any]) -> None:
    for first, second in combinations(workflow["nodes"], 2):
        a, b = box_of(first), box_of(second)
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"{first['type']} and {second['type']}"


def node(number: int, kind: str, inputs: list[dict[str, Any]], values: list[Any], mode: int = 0) -> dict[str, Any]:
    return {"id": number, "type": kind, "mode": mode, "inputs": inputs, "widgets_values": values}


INFO = {
    "Source": {"input": {"required": {"seed": ["INT", {}], "name": ["STRING", {}]}}},
    "Change": {"input": {"required": {"image": ["IMAGE", {}], "amount": ["FLOAT", {}]}}},
    "Show": {"input": {"required": {"image": ["IMAGE", {}], "kind": [["a", "b"], {}]}}},
}
CHAIN = {
    "nodes": [
        node(1, "Source", [], [5, "fixed", "x"]),
        node(2, "Change", [{"name": "image", "type": "IMAGE", "link": 1}], [0.5]),
        node(3, "Reroute", [{"name": "", "type": "*", "link": 2}], []),
        node(4, "Show", [{"name": "image", "type": "IMAGE", "link": 3}], ["b"]),
        node(5, "MarkdownNote", [], ["words"]),
    ],
    "links": [[1, 1, 0, 2, 0, "IMAGE"], [2, 2, 0, 3, 0, "IMAGE"], [3, 3, 0, 4, 0, "IMAGE"]],
}


def chain(mode: int) -> dict[str, Any]:
    nodes = [dict(item, mode=mode) if item["id"] == 2 else item for item in CHAIN["nodes"]]
    return {**CHAIN, "nodes": nodes}


def test_conversion_reads_widgets_links_and_reroutes() -> None:
    prompt = to_prompt(CHAIN, INFO)
    assert prompt["1"]["inputs"] == {"seed": 5, "name": "x"}
    assert prompt["2"]["inputs"] == {"image": ["1", 0], "amount": 0.5}
    assert prompt["4"]["inputs"] == {"image": ["2", 0], "kind": "b"}
    assert set(prompt) == {"1", "2", "4"}


def test_conversion_goes_around_bypassed_nodes_and_drops_muted_ones() -> None:
    assert to_prompt(chain(4), INFO)["4"]["inputs"]["image"] == ["1", 0]
    assert "image" not in to_prompt(chain(2), INFO)["4"]["inputs"]


@pytest.mark.parametrize(
    ("workflow", "words"),
    [
        ({"1": {"class_type": "Source"}}, "as the editor saves it"),
        ({"nodes": [node(1, "Elsewhere", [], [])], "links": []}, "no node 'Elsewhere'"),
        (
            {"nodes": [node(1, "abc", [], [])], "links": [], "definitions": {"subgraphs": [{"id": "abc", "name": "Mine"}]}},
            "subgraph 'Mine'",
        ),
    ],
)
def test_conversion_says_what_it_cannot_do(workflow: dict[str, Any], words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        to_prompt(workflow, INFO)
