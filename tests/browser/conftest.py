"""The real page in Chromium: `page` has ComfyUI open on an empty graph."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
# No tour, no template dialog and no panels over the graph.
SETTINGS = {"Comfy.TutorialCompleted": True, "Comfy.Minimap.Visible": False, "Comfy.InstalledVersion": "99.0.0", "Comfy.UseNewMenu": "Top"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        installed = next((path for name in NAMES if (path := shutil.which(name))), None)
        try:
            browser = playwright.chromium.launch(
                executable_path=installed, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
            )
        except Error as error:
            pytest.skip(f"no Chromium could be started; install it, or run `playwright install chromium` ({str(error).splitlines()[0]})")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def open_page(browser: Any, host: Any) -> Iterator[Callable[..., Any]]:
    """Opens ComfyUI with further settings; `page.complaints` gathers what goes wrong in our scripts or uncaught."""
    pages = []

    def open_with(**settings: Any) -> Any:
        body = json.dumps({**SETTINGS, **{key.replace("_", "."): value for key, value in settings.items()}}).encode()
        request = urllib.request.Request(f"{host.server.url}/api/settings", body, {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).close()
        page = browser.new_context(viewport={"width": 1900, "height": 1150}).new_page()
        pages.append(page)
        page.complaints = []
        page.set_default_timeout(90_000)  # a busy machine is slow, not broken
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda message: _listen(page, message))
        page.goto(host.server.url)
        page.wait_for_function("() => Boolean(window.app?.graph && LiteGraph.registered_node_types['StoryboardWriter'])", timeout=90_000)
        page.wait_for_timeout(2000)
        return page

    yield open_with
    for page in pages:
        page.context.close()


def _listen(page: Any, message: Any) -> None:
    ours = "personal-music-video" in (message.location or {}).get("url", "") or "music_video" in message.text
    if message.type in ("error", "warning") and ours:
        page.complaints.append(message.text)


@pytest.fixture(scope="session")
def keep_screenshot(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Any, str], Path]:
    """Saves what the page looks like; the path is printed, so `pytest -s` shows where to look."""
    folder = tmp_path_factory.mktemp("screenshots")

    def keep(page: Any, name: str) -> Path:
        path = folder / f"{name}.png"
        page.screenshot(path=str(path))
        return path

    return keep
