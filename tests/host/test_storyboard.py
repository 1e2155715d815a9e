"""The storyboard on a real server: a plan leaves as a file, and words come back as its shots."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.host, pytest.mark.slow]


def id_of(prompt: dict[str, Any], kind: str) -> str:
    return next(node_id for node_id, node in prompt.items() if node["class_type"] == kind)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


def test_an_answer_becomes_shots_and_the_shots_a_file(host: Any) -> None:
    """Core's text nodes stand where a language model would: a brief goes out, an answer comes in, Save Text writes the list."""
    whole = host.template("quickstart")
    writer = id_of(whole, "StoryboardWriter")
    prompt = {key: value for key, value in whole.items() if value["class_type"] in ("LoadAudio", "AudioBeatAnalyzer", "StoryboardWriter")}
    prompt["answer"] = node("PrimitiveStringMultiline", value="Sure!\n\nShot 1: a lighthouse in the fog\nShot 2: a harbour -> the open sea")
    second = {**prompt[writer]["inputs"], "timeline": [writer, 0], "screenplay": ["answer", 0], "style": "woodcut"}
    prompt["second"] = node("StoryboardWriter", **second)
    prompt["export"] = node("StoryboardExport", timeline=["second", 0], format="edl", fps=24.0)
    prompt["file"] = node("SaveText", text=["export", 0], filename_prefix="test/shots", format="txt")
    prompt["brief"] = node("PreviewAny", source=[writer, 2])
    outputs = host.run(prompt)
    (saved,) = (host.base / "output" / "test").glob("shots_*.txt")
    text = saved.read_text(encoding="utf-8")
    assert text.startswith("TITLE: Music video") and "BLUE    a lighthouse in the fog, woodcut" in text and "a harbour, woodcut" in text
    assert "RULES" in "".join(outputs["brief"]["text"])
    assert any("shots 3 to" in remark for remark in outputs["second"]["music_video_remarks"])


def test_lyrics_become_the_storyboard_of_the_template(host: Any) -> None:
    """As it stands: what is sung again is the chorus, no word is cut, and the scenes speak of the lines."""
    prompt = host.template("lyrics to storyboard")
    outputs = host.run(prompt)
    plan = json.loads("".join(outputs[id_of(prompt, "StoryboardWriter")]["music_video_plan"]))
    lines = "".join(outputs[id_of(prompt, "LyricAligner")]["music_video_lyrics"])
    assert "[00:08.50]Dance with me under the stars tonight" in lines
    assert len(plan["shots"]) >= 5 and "city" in plan["shots"][0]["prompt"] and "road" in plan["shots"][1]["prompt"]
    shown = ["".join(output["text"]) for output in outputs.values() if "text" in output]
    assert any("chorus" in text and "verse" in text for text in shown) and any('"shot","start"' in text for text in shown)
