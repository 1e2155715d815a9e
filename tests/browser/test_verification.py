"""A person before the camera, on the real page: consent, session, pictures, receipt, the node's run, withdrawal; and a photograph, refused.

The camera is pretended (`sitter.js`); everything else is the real thing.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "person")]  # sitter, performer

NAME = "Aiko Beispiel"
SESSION_SECONDS = 180  # of a session's two minutes, on a machine that is busy
PLACE = """() => {
    app.graph.clear();
    const [verify, preview] = ["CharchaVerify", "PreviewAny"].map((type) => LiteGraph.createNode(type));
    [verify.pos, preview.pos] = [[560, 200], [1010, 200]];
    app.graph.add(verify);
    app.graph.add(preview);
    verify.connect(1, preview, 0);
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [0, 0];
    app.canvas.setDirty(true, true);
}"""
# Text against what is really behind it, by the formula of WCAG 2; large text needs 3, all other 4.5.
CONTRAST = """(root) => {
    const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const over = (colour, below) => {
        pen.fillStyle = `rgb(${below})`;
        pen.fillRect(0, 0, 1, 1);
        pen.fillStyle = colour;
        pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const linear = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => sum + share * linear(colour[i] / 255), 0);
    const behind = (place) => {
        const layers = [];
        for (let at = place; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
        return layers.reduce((below, colour) => over(colour, below), [0, 0, 0]);
    };
    const poor = [];
    for (const place of document.querySelectorAll(`${root}, ${root} *`)) {
        const text = [...place.childNodes].filter((child) => child.nodeType === 3).map((child) => child.textContent.trim()).join("");
        if (!text || !place.checkVisibility() || place.tagName === "OPTION" || place.closest(":disabled")) continue;
        const below = behind(place), style = getComputedStyle(place);
        const [a, b] = [light(over(style.color, below)), light(below)].sort((x, y) => y - x);
        const needed = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
        if ((a + 0.05) / (b + 0.05) < needed) poor.push(`${text.slice(0, 30)}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
    }
    return poor;
}"""


@pytest.fixture(scope="session")
def poses(request: pytest.FixtureRequest) -> str:
    from sitter import draw_poses

    assert request.config.cache
    return draw_poses(request.config.cache.mkdir("sitter"))


@pytest.fixture
def sit_down(open_page: Callable[..., Any], host: Any, poses: str) -> Iterator[Callable[..., Any]]:
    """Opens the page with the pretended camera, a Charcha Verify node and something that shows its summary."""
    opened: list[Any] = []
    used: dict[str, Any] = {}

    def open_with(script: str = "", **settings: Any) -> Any:
        used.update(settings)
        page = open_page(**settings)
        opened.append(page)
        page.set_viewport_size({"width": 1100, "height": 800})
        page.emulate_media(reduced_motion="reduce")  # without a graphics card every drawn frame is taken from the session's time
        page.route("**/sitter.json", lambda route: route.fulfill(body=poses, content_type="application/json"))
        for code in (script, (HERE / "sitter.js").read_text(encoding="utf-8")):
            page.evaluate(f"() => {{ {code} }}")
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.evaluate(PLACE)
        page.locator(".charcha-node").wait_for()
        return page

    yield open_with
    defaults = {"Comfy_Locale": "en", "Comfy_VueNodes_Enabled": False, "Comfy_ColorPalette": "dark"}
    if used:
        host.post("/api/settings", {key.replace("_", "."): defaults[key] for key in used})
    for page in opened:
        page.context.close()


def give_consent(page: Any) -> None:
    page.locator(".charcha-node button").first.click()
    page.locator("[data-stage=consent]").wait_for()
    for box in page.locator("[name=purpose]").all():
        box.check()
    page.locator("[name=name]").fill(NAME)
    page.locator("[name=adult]").check()
    page.locator("[data-stage=consent] [data-kind=main]").click()
    page.locator("[data-stage=ready]").wait_for()


def sit_through(page: Any) -> str:
    """From the click on "Start the camera" to the stage after the session."""
    page.locator("[data-stage=ready] [data-kind=main]").click()
    page.locator("[data-stage=session]").wait_for()
    ended = "() => !['session', 'ready'].includes(document.querySelector('dialog [data-stage]').dataset.stage)"
    page.wait_for_function(ended, timeout=SESSION_SECONDS * 1000, polling=500)
    return page.locator("dialog [data-stage]").get_attribute("data-stage")


def camera_is_off(page: Any) -> bool:
    return page.evaluate("() => sitter.stream.getTracks().every((track) => track.readyState === 'ended')")


def person_widget(page: Any) -> str:
    return page.evaluate("() => app.graph.nodes.find((node) => node.type === 'CharchaVerify').widgets[0].value")


def run_graph(page: Any, host: Any) -> dict[str, Any]:
    """Queues the graph as the page sends it, and waits for its history entry."""
    prompt = page.evaluate("async () => (await app.graphToPrompt()).output")
    assert NAME not in json.dumps(prompt)
    answer = host.post("/prompt", {"prompt": prompt})
    return host.wait(answer["prompt_id"]) if "prompt_id" in answer else answer


@pytest.mark.slow
def test_person_is_verified_and_withdraws(sit_down: Callable[..., Any], host: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    page = sit_down()
    give_consent(page)
    page.locator("[name=relaxed]").check()
    sit_until_done(page)
    assert camera_is_off(page)
    keep_screenshot(page, "gallery")
    choose_pictures(page)
    page.locator("[data-stage=gallery] [data-kind=main]").click()
    page.locator("[data-stage=done]").wait_for()
    assert "L2" in page.locator("[data-stage=done]").inner_text()
    page.locator("[data-stage=done] .charcha-button").first.click()  # "Show in People"
    check_node_and_panel(page, host, keep_screenshot)
    withdraw(page, host, keep_screenshot)
    assert not [url for url in page.asked if "/upload/" in url or "/view" in url]
    assert page.complaints == []


def sit_until_done(page: Any) -> None:
    """Tries three times, as a person would. A machine too busy for a session in real time cannot say anything about it."""
    for _ in range(3):
        stage = sit_through(page)
        if stage == "gallery":
            return
        said = page.locator(".charcha-verdict").inner_text()
        assert stage == "refused" and "too slowly" in said, said
        page.locator("[data-stage=refused] [data-kind=main]").click()
    pytest.skip("this machine is too busy: three times fewer pictures a second reached the server than a session needs")


def choose_pictures(page: Any) -> None:
    """Fewer than eight cannot be kept."""
    pictures, keep = page.locator(".charcha-pictures button"), page.locator("[data-stage=gallery] [data-kind=main]")
    count = pictures.count()
    assert count >= 8
    for index in range(count - 7):
        pictures.nth(index).click()
    assert keep.is_disabled() and "8" in page.locator(".charcha-trouble").inner_text()
    pictures.nth(0).click()
    assert keep.is_enabled() and pictures.nth(0).get_attribute("aria-pressed") == "true"


def check_node_and_panel(page: Any, host: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    receipt_id = person_widget(page)
    assert len(receipt_id) == 32
    page.locator(f".charcha-person[data-receipt='{receipt_id}']").wait_for()
    assert NAME in page.locator(".charcha-node").inner_text()
    assert NAME not in json.dumps(page.evaluate("() => app.graph.serialize()"))
    entry = run_graph(page, host)
    assert entry["status"]["status_str"] == "success", entry
    shown = json.dumps(entry["outputs"])
    assert "L2" in shown and "8 pictures" in shown and NAME not in json.dumps(entry)
    page.locator(".charcha-person > button").click()
    page.locator(".charcha-small img").nth(7).wait_for()
    with page.expect_download() as download:
        page.locator(".charcha-more .charcha-button").first.click()
    assert download.value.suggested_filename.endswith(".zip")
    page.locator(".charcha-foot .charcha-button").click()
    page.get_by_text("The ledger is whole.").wait_for()
    assert page.evaluate(CONTRAST, ".charcha-people") == []
    keep_screenshot(page, "people")


def withdraw(page: Any, host: Any, keep_screenshot: Callable[[Any, str], Path]) -> None:
    page.get_by_role("button", name="Withdraw").click()
    keep_screenshot(page, "withdraw")
    page.get_by_role("button", name="Yes, delete everything").click()
    page.locator(".charcha-chip[data-status=withdrawn]").first.wait_for()
    assert NAME not in page.locator(".charcha-people").inner_text()
    entry = run_graph(page, host)
    assert "withdrawn" in host.error_of(entry)
    assert NAME not in host.server.log.read_text(encoding="utf-8", errors="replace")


@pytest.mark.slow
def test_photograph_is_refused_kindly(sit_down: Callable[..., Any], keep_screenshot: Callable[[Any, str], Path]) -> None:
    page = sit_down()
    page.evaluate("() => (sitter.kind = 'photo')")
    give_consent(page)
    assert sit_through(page) == "refused"
    said = page.locator(".charcha-verdict").inner_text()
    assert "try again" in said.lower() and not any(sign.isdigit() for sign in said)
    assert camera_is_off(page)
    keep_screenshot(page, "photograph")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert person_widget(page) == "none"
    assert page.complaints == []


PROBLEMS = {
    "NotFoundError": ("missing", "Plug one in"),
    "NotReadableError": ("busy", "Another program"),
    "NotAllowedError": ("denied", "address bar"),
    "insecure": ("insecure", "localhost:"),
    "lost": ("lost", "does not answer"),
    "ended": ("ended", "unplugged"),
    "hidden": ("hidden", "out of sight"),
}
# What happens to the camera or the page while a session runs.
MISHAPS = {
    "ended": "() => sitter.stream.getTracks()[0].dispatchEvent(new Event('ended'))",
    "hidden": """() => {
        Object.defineProperty(document, 'hidden', { value: true, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }""",
}


def test_every_trouble_with_the_camera_has_its_remedy(sit_down: Callable[..., Any], keep_screenshot: Callable[[Any, str], Path]) -> None:
    page = sit_down()
    give_consent(page)
    for problem, (stage, remedy) in PROBLEMS.items():
        page.evaluate("(name) => (sitter.problem = name.endsWith('Error') ? name : '')", problem)
        page.evaluate(
            f"() => Object.defineProperty(window, 'isSecureContext', {{ value: {str(problem != 'insecure').lower()}, configurable: true }})"
        )
        if problem == "lost":
            page.evaluate(
                "() => { window.Socket ??= WebSocket; window.WebSocket = class extends Socket { constructor(url) { super(url + 'x'); } }; }"
            )
        page.locator("[data-stage=ready] [data-kind=main]").click()
        if problem in MISHAPS:
            page.locator("[data-stage=session]").wait_for()
            page.evaluate(MISHAPS[problem])
        page.locator(f"[data-stage={stage}]").wait_for()
        assert remedy in page.locator(".charcha-verdict").inner_text(), problem
        if problem == "lost":
            page.evaluate("() => (window.WebSocket = Socket)")
        page.locator(f"[data-stage={stage}] [data-kind=main]").click()
        page.locator("[data-stage=ready]").wait_for()


def test_dialogue_is_usable_by_keyboard_and_readers(sit_down: Callable[..., Any]) -> None:
    page = sit_down()
    page.locator(".charcha-node button").first.click()
    page.locator("[data-stage=consent]").wait_for()
    page.locator("[data-stage=consent] [data-kind=main]").click()
    assert page.evaluate("() => document.activeElement.name") == "purpose"  # what is missing is said, and one is there
    assert page.locator(".charcha-trouble").inner_text()
    for key in ("Space", "Tab", "Tab", "Space", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type(NAME)
    for key in ("Tab", "Tab", "Space", "Tab", "Tab", "Enter"):  # how long, of age, not now, agree
        page.keyboard.press(key)
    page.locator("[data-stage=ready]").wait_for()
    assert page.evaluate("() => app.graph.nodes.length") == 2  # no key reached the canvas
    nameless = """() => [...document.querySelectorAll('dialog button, dialog input, dialog select')]
        .filter((one) => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length)).length"""
    assert page.evaluate(nameless) == 0
    page.keyboard.press("Enter")  # the camera's button has the focus
    page.locator("[data-stage=session]").wait_for()
    assert page.locator("dialog [aria-live=assertive]").inner_text()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    page.wait_for_function("() => sitter.stream.getTracks().every((track) => track.readyState === 'ended')")
    assert page.complaints == []


@pytest.mark.parametrize(
    ("language", "settings"),
    [
        ("ja", {"Comfy_VueNodes_Enabled": True}),
        ("zh", {"Comfy_ColorPalette": "light"}),
        ("en", {"Comfy_VueNodes_Enabled": True, "Comfy_ColorPalette": "light"}),
    ],
)
def test_both_renderers_all_languages_both_themes(
    sit_down: Callable[..., Any], keep_screenshot: Callable[[Any, str], Path], language: str, settings: dict[str, Any]
) -> None:
    page = sit_down(Comfy_Locale=language, **settings)
    card = page.locator(".charcha-node")
    assert card.bounding_box()["height"] > 80
    assert page.evaluate(CONTRAST, ".charcha-node") == []
    keep_screenshot(page, f"{language}-node")
    card.locator("button").first.click()
    page.locator("[data-stage=consent]").wait_for()
    assert page.locator("dialog").get_attribute("lang") == language
    assert page.evaluate(CONTRAST, ".charcha") == []
    keep_screenshot(page, f"{language}-consent")
    if language != "en":
        page.locator(".charcha-head select").select_option("en")  # the person before the camera may read another language
        page.get_by_text("Before the camera starts").wait_for()
        page.locator(".charcha-head select").select_option(language)
        page.locator(f"dialog[lang={language}]").wait_for()
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    card.locator("button").nth(1).click()
    page.locator(".charcha-people").wait_for()
    assert page.evaluate(CONTRAST, ".charcha-people") == []
    keep_screenshot(page, f"{language}-people")
    assert page.complaints == []
