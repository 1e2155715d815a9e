"""Prompts steer the built-in model: each probe's number differs the right way between the pictures of two prompts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from steering import PLACE_PROMPTS, PROBES, Probe, draw_example, measure_probe, read_places


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_drawn_scenes_differ_as_the_probe_says(probe: Probe) -> None:
    """The numbers measure what they are meant to."""
    rng = np.random.default_rng(2)
    more, less = (np.mean([probe.number(draw_example(facts, rng)) for _ in range(4)]) for facts in (probe.more_facts, probe.less_facts))
    assert more > less


@pytest.mark.slow
@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_prompt_steers(painter: Any, probe: Probe) -> None:
    finding = measure_probe(painter, probe, range(4))
    assert finding.share >= 0.75, finding
    assert finding.strength > 0.3, finding


@pytest.mark.slow
def test_places_can_be_told_apart(painter: Any) -> None:
    """Of ten places; a reader that guesses would be right in a tenth."""
    pictures = {place: painter.paint(f"{prompt} by day, no people", range(3)) for place, prompt in PLACE_PROMPTS.items()}
    assert read_places(pictures) >= 0.6
