"""Sections of made-up songs whose form is known, and of the demo song."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.song.sections import find_sections
from pack.nodes.engine.song.spectrum import FRAME_RATE

BAR = 2.0  # seconds


def make_spectrum(form: str, bars: dict[str, int], seed: int = 0) -> tuple[Any, np.ndarray, np.ndarray]:
    """Features of a song whose parts each have a sound of their own, varied over four bars, with some noise; its downbeats; its borders."""
    chance = np.random.default_rng(seed)
    frames = round(BAR * FRAME_RATE)
    sounds = {part: chance.random((3, 96, 1)) + 0.5 * chance.random((3, 96, 4 * 4)) for part in sorted(set(form))}
    rows: list[list[np.ndarray]] = [[], [], []]
    edges = [0]
    for part in form:
        for bar in range(bars[part]):
            for row, sound, height in zip(rows, sounds[part], (96, 12, 4), strict=True):
                slots = sound[:height, 4 * (bar % 4) : 4 * (bar % 4) + 4]
                row.append(np.repeat(slots, -(-frames // 4), axis=1)[:, :frames] + 0.2 * chance.random((height, frames)))
        edges.append(edges[-1] + bars[part])
    mel, chroma, flux = (np.concatenate(row, axis=1) for row in rows)
    downbeats = np.arange(edges[-1]) * frames / FRAME_RATE
    return SimpleNamespace(mel=mel.astype(np.float16), chroma=chroma, flux=flux), downbeats, downbeats[edges[1:-1]]


@pytest.mark.parametrize("form", ["ABABCB", "AABAAB", "ABCABC"])
def test_form_is_found(form: str) -> None:
    spectrum, downbeats, borders = make_spectrum(form, {"A": 8, "B": 8, "C": 4})
    duration = float(downbeats[-1]) + BAR
    sections = find_sections(spectrum, downbeats, duration)
    found = np.array([section.start for section in sections[1:]])
    joined = [after for before, after in zip(form, form[1:], strict=False) if before != after]  # AA may be one
    assert sum(np.abs(found - border).min() < 0.01 for border in borders) >= len(joined)
    assert sections[0].start == 0 and sections[-1].end == duration
    assert all(first.end == second.start for first, second in zip(sections, sections[1:], strict=False))
    assert all(np.abs(downbeats - time).min() < 1e-9 for time in found)
    label_at = {section.start: section.label for section in sections}
    letters = {
        letter: {label_at[time] for time, now in zip((0.0, *borders), form, strict=True) if now == letter and time in label_at}
        for letter in form
    }
    assert all(len(labels) == 1 for labels in letters.values()), "parts that repeat share their letter"
    assert len(set.union(*letters.values())) == len(letters), "and others have another"


def test_what_repeats_later_hides_no_border() -> None:
    """Where little of what was heard is repeated yet, that speaks neither for a border nor against one."""
    spectrum, downbeats, borders = make_spectrum("ABCDCDECDCDE", {"A": 8, "B": 16, "C": 4, "D": 4, "E": 4}, seed=1)
    found = np.array([section.start for section in find_sections(spectrum, downbeats, float(downbeats[-1]) + BAR)[1:]])
    assert sum(np.abs(found - border).min() < 0.01 for border in borders) >= 10


def test_little_and_nothing() -> None:
    spectrum, downbeats, _ = make_spectrum("A", {"A": 4})
    assert find_sections(spectrum, downbeats, 8.0)[0].label == "A" and len(find_sections(spectrum, downbeats, 8.0)) == 1
    assert find_sections(spectrum, np.array([]), 8.0) == ()


def test_the_same_throughout_is_not_cut_to_pieces() -> None:
    spectrum, downbeats, _ = make_spectrum("A" * 6, {"A": 4})
    labels = {section.label for section in find_sections(spectrum, downbeats, float(downbeats[-1]) + BAR)}
    assert labels == {"A"}


@pytest.mark.slow
def test_an_hour_of_bars_in_bounded_memory() -> None:
    spectrum, downbeats, _ = make_spectrum("ABCABC" * 40, {"A": 8, "B": 8, "C": 4}, seed=1)
    small = SimpleNamespace(mel=spectrum.mel, chroma=spectrum.chroma, flux=spectrum.flux)
    sections = find_sections(small, downbeats, float(downbeats[-1]) + BAR)
    assert len(downbeats) == 1600 and 100 < len(sections) < 400


def test_demo_song(demo_song: tuple[np.ndarray, int, dict[str, Any]]) -> None:
    from pack.nodes.engine.song.analysis import analyse_song

    samples, rate, truth = demo_song
    timeline = analyse_song(samples, rate)
    found = [section.start for section in timeline.sections[1:]]
    known = [section["start"] for section in truth["sections"][1:]]
    assert found and all(min(abs(time - border) for border in known) < 0.05 for time in found)
    assert set(found) <= set(timeline.downbeats)
