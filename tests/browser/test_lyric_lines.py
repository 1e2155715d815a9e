"""The lines of Lyric Aligner on its node: shown after a run, edited as LRC, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser
LRC = "[00:01.00]<00:01.00>Hold <00:01.50>me<00:02.00>\n"
ADD = """() => {
    const node = LiteGraph.createNode("LyricAligner");
    node.pos = [60, 60];
    app.graph.add(node);
    node.widgets.find((widget) => widget.name === "lyrics").value = "Hold me";
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [40, 80];
    app.canvas.setDirty(true, true);
}"""
NODE = "app.graph.nodes.find((node) => node.type === 'LyricAligner')"


def test_lines_are_shown_edited_and_taken_back(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.evaluate("() => app.graph.clear()")
    page.evaluate(ADD)
    page.evaluate(f"(lrc) => {NODE}.onExecuted({{ music_video_lyrics: [lrc], music_video_remarks: ['A draft.'] }})", LRC)
    page.wait_for_timeout(500)

    def pasted() -> str:
        return page.evaluate(f"() => {NODE}.widgets.find((widget) => widget.name === 'lyrics').value")

    area, edit, back = (page.locator(f".music-video-lyrics {part}") for part in ("textarea", "button >> nth=0", "button >> nth=1"))
    assert area.input_value() == LRC and pasted() == "Hold me" and page.get_by_text("A draft.").is_visible()
    edit.click()
    assert pasted() == LRC
    back.click()
    assert pasted() == "Hold me" and page.complaints == []
