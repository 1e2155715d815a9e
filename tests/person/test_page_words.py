"""The page has a word for everything the server can say, in every language, and the same words in each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pack.nodes.engine.person.dialogue import ACTIONS, HINTS, REASONS
from pack.nodes.engine.person.notice import LANGUAGES, PURPOSES, notice_text

ROOT = Path(__file__).resolve().parents[2]
# Codes that the page's own people panel or gallery shows elsewhere, or that never reach a page.
RAISED = re.compile(r'(?:FrameError|ReceptionError|ConsentError|RouteError)\(\s*"(\w+)"')


def words() -> dict[str, Any]:
    source = (ROOT / "js" / "charcha_words.js").read_text(encoding="utf-8")
    return json.loads(source[source.index("const WORDS = ") + 14 : source.index("\n};") + 2])


def leaves(part: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(part, str):
        yield path, part
    else:
        for name, value in part.items() if isinstance(part, dict) else enumerate(part):
            yield from leaves(value, f"{path}.{name}")


def test_every_language_says_everything() -> None:
    said = {language: dict(leaves(part)) for language, part in words().items()}
    assert set(said) == set(LANGUAGES)
    for language, texts in said.items():
        assert set(texts) == set(said["en"]), language
        assert all(text.strip() for text in texts.values()), language
        for path, text in texts.items():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", said["en"][path])), f"{language}{path}"


def test_translations_are_translated() -> None:
    """A sentence that stayed English would be a forgotten one."""
    for language in ("ja", "zh"):
        same = [path for path, text in leaves(words()[language]) if text.isascii()]
        assert not same


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_the_server_has_its_words(language: str) -> None:
    said = words()[language]
    sources = [*(ROOT / "nodes" / "engine" / "person").glob("*.py"), *(ROOT / "nodes").glob("*rout*.py")]
    raised = {code for path in sources for code in RAISED.findall(path.read_text(encoding="utf-8"))}
    assert len(raised) > 10  # the pattern still finds them
    assert not (set(REASONS) | raised) - set(said["reasons"])
    assert set(said["actions"]) == set(ACTIONS)
    assert set(said["hints"]) == set(HINTS)
    assert set(said["people"]["purpose"]) == set(PURPOSES)


def test_every_length_of_time_has_its_words() -> None:
    for language in LANGUAGES:
        assert set(words()[language]["consent"]["days"]) == {str(days) for days in notice_text(language).to_json()["retention_days"]}


def test_nothing_promises_too_much() -> None:
    """The levels are L1 and L2; nobody is called a verified human, and no score is shown."""
    for _, text in leaves(words()["en"]):
        assert not re.search(r"verified human|proof of identity|score|%", text, re.IGNORECASE), text
