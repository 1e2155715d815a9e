"""What a person sees: the template opens without a warning, runs from the page, and the film plays on the node."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runner.graph import to_prompt

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted(path.stem for path in (ROOT / "workflows").glob("*.json"))
PACK = "personal-music-video"

NODE = "(type) => app.graph.nodes.find((node) => node.type === type)"
LAYOUT_FITS = """() => { const canvas = app.canvas; canvas.ds.scale = 0.75; canvas.ds.offset = [90, 290]; canvas.setDirty(true, true); }"""


@pytest.fixture(scope="module")
def page(open_page: Callable[..., Any]) -> Any:
    return open_page()


def load(page: Any, host: Any, name: str) -> dict[str, Any]:
    workflow = host.get(f"/api/workflow_templates/{PACK}/{name}.json")
    page.evaluate("(workflow) => app.loadGraphData(workflow)", workflow)
    page.wait_for_timeout(1000)
    page.evaluate(LAYOUT_FITS)
    return workflow


def set_widgets(page: Any, node: str, values: dict[str, Any]) -> None:
    script = f"""([type, values]) => {{
        const node = ({NODE})(type);
        for (const [name, value] of Object.entries(values)) node.widgets.find((widget) => widget.name === name).value = value;
    }}"""
    page.evaluate(script, [node, values])


def widget_value(page: Any, node: str, name: str) -> Any:
    return page.evaluate(f"([type, name]) => ({NODE})(type).widgets.find((widget) => widget.name === name).value", [node, name])


OVERLAPS = """() => {
    const boxes = app.graph.nodes.map((node) => {
        const [x, y, width, height] = node.getBounding();
        const wanted = node.computeSize()[1] + LiteGraph.NODE_TITLE_HEIGHT;
        return { type: node.type, x, y, right: x + width, bottom: y + Math.max(height, wanted) };
    });
    const meet = (a, b) => a !== b && a.x < b.right && b.x < a.right && a.y <= b.y && b.y < a.bottom;
    return boxes.flatMap((a) => boxes.filter((b) => meet(a, b)).map((b) => `${a.type} lies over ${b.type}`));
}"""


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_opens_without_a_warning(page: Any, host: Any, keep_screenshot: Callable[[Any, str], Path], name: str) -> None:
    load(page, host, name)
    unknown = page.evaluate("() => app.graph.nodes.filter((node) => !LiteGraph.registered_node_types[node.type]).map((node) => node.type)")
    keep_screenshot(page, name)
    assert unknown == []
    assert page.evaluate(OVERLAPS) == []
    assert page.locator(".p-dialog:visible").count() == 0
    assert page.locator(".p-toast-message:visible").count() == 0
    assert page.complaints == []


def test_the_video_template_offers_its_models_for_download(page: Any, host: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    workflow = load(page, host, "video model")
    page.get_by_role("button", name="View details").click()
    page.get_by_text("Missing Models").wait_for()
    keep_screenshot(page, "missing-models")
    files = [model for node in workflow["nodes"] for model in node["properties"].get("models", [])]
    assert len(files) == 3
    for model in files:
        assert page.get_by_text(model["name"]).first.is_visible() and model["url"].endswith(f"/{model['directory']}/{model['name']}")


@pytest.mark.parametrize("name", TEMPLATES)
def test_runner_converts_as_the_page_does(page: Any, host: Any, name: str) -> None:
    workflow = load(page, host, name)
    theirs = page.evaluate("async () => (await app.graphToPrompt()).output")
    info = host.get("/object_info")
    ours = to_prompt(workflow, info)
    assert set(ours) == set(theirs)
    for node_id, node in ours.items():
        known = {key for group in ("required", "optional") for key in info[node["class_type"]]["input"].get(group, {})}
        # The page also sends the values of widgets that are no inputs, such as the audio player's.
        assert node["inputs"] == {key: value for key, value in theirs[node_id]["inputs"].items() if key in known}
        assert node["class_type"] == theirs[node_id]["class_type"]


def test_template_dialog_offers_ours(page: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    page.evaluate("() => app.extensionManager.command.execute('Comfy.BrowseTemplates')")
    page.get_by_text(PACK).first.click()
    page.get_by_text("quickstart").first.wait_for()
    page.wait_for_timeout(1500)
    keep_screenshot(page, "templates")
    page.keyboard.press("Escape")


@pytest.mark.slow
def test_run_shows_the_film_on_the_node(page: Any, host: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    load(page, host, "quickstart")
    set_widgets(page, "BeatSyncedSampler", {"width": 128, "height": 64, "fps": 4, "steps": 1, "cfg": 1})
    page.get_by_test_id("queue-button").or_(page.get_by_role("button", name="Run", exact=True)).first.click()
    page.wait_for_function(f"() => ({NODE})('VideoAssembler').imgs || document.querySelector('video')?.readyState >= 2", timeout=300_000)
    page.wait_for_timeout(1500)
    keep_screenshot(page, "quickstart-run")
    source = page.evaluate("() => document.querySelector('video').currentSrc")
    assert "type=output" in source and page.evaluate("() => document.querySelector('video').duration") > 20
    assert page.complaints == []


@pytest.mark.slow
def test_plan_is_shown_and_edited(page: Any, host: Any) -> None:
    """Goes on from the run before it, whose plan stands on the node."""
    area, edit, renew = (page.locator(f".music-video-plan {part}") for part in ("textarea", "button >> nth=0", "button >> nth=1"))
    plan = area.input_value()
    assert json.loads(plan)["shots"]
    assert area.evaluate("(area) => area.readOnly") and widget_value(page, "StoryboardWriter", "edited_plan") == ""
    edit.click()
    assert widget_value(page, "StoryboardWriter", "edited_plan") == plan
    area.fill(plan.replace('"prompt": "', '"prompt": "quiet ', 1))
    sent = page.evaluate("async () => (await app.graphToPrompt()).output")
    assert "quiet " in next(node for node in sent.values() if node["class_type"] == "StoryboardWriter")["inputs"]["edited_plan"]
    renew.click()
    assert widget_value(page, "StoryboardWriter", "edited_plan") == ""
    assert area.input_value() == plan


ADD_REPORT = f"""() => {{
    const node = LiteGraph.createNode("VideoReport");
    app.graph.add(node);
    node.pos = [1960, 80];
    const find = {NODE};
    find("VideoAssembler").connect(0, node, 0);
    find("StoryboardWriter").connect(0, node, 1);
    app.canvas.ds.scale = 0.9;
    app.canvas.ds.offset = [-1200, 60];
}}"""


@pytest.mark.slow
def test_the_report_shows_text_and_plot_on_its_node(page: Any, host: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    load(page, host, "quickstart")
    set_widgets(page, "BeatSyncedSampler", {"width": 128, "height": 64, "fps": 4, "steps": 1, "cfg": 1})
    page.evaluate(ADD_REPORT)
    page.get_by_test_id("queue-button").or_(page.get_by_role("button", name="Run", exact=True)).first.click()
    page.wait_for_function(f"() => ({NODE})('VideoReport').imgs?.length", timeout=300_000)
    page.wait_for_timeout(1500)
    keep_screenshot(page, "report")
    area = page.locator(".music-video-report")
    assert area.is_visible() and "planned cuts found within half a frame" in area.input_value()
    assert page.complaints == []


def test_nodes_2_shows_the_plan_too(open_page: Callable[..., Any], host: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    page = open_page(Comfy_VueNodes_Enabled=True)
    try:
        load(page, host, "quickstart")
        page.wait_for_timeout(1500)
        keep_screenshot(page, "nodes-2")
        area = page.locator(".music-video-plan textarea")
        assert area.is_visible() and area.bounding_box()["height"] > 40
        assert page.complaints == []
    finally:
        host.post("/api/settings", {"Comfy.VueNodes.Enabled": False})
        page.context.close()
