"""A song with everything a Timeline can hold: bars, sections, lyrics with timed words, loudness, valence and arousal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pack.nodes.engine.timeline import Beat, Curve, Line, Section, Timeline, Word

LYRICS = (
    "I walk along the sea at night",
    "rain is falling on the city",
    "you are the fire in my heart",
    "the morning train is leaving",
    "snow on the mountains",
    "nobody home, an empty road",
    "don't cry, my love",
    "the birds fly over the ocean",
)
LABELS = ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro")
LOUDNESS = {"intro": 0.2, "verse": 0.45, "chorus": 0.9, "bridge": 0.4, "outro": 0.2, "A": 0.45, "B": 0.9, "C": 0.3}


def write_lines(texts: Sequence[str], duration: float) -> tuple[Line, ...]:
    """The texts again and again, a word every 0.42 s, with a rest after each line."""
    lines, time = [], 3.0
    for number in range(10_000):
        words = []
        for text in texts[number % len(texts)].split():
            words.append(Word(round(time, 3), round(time + 0.38, 3), text))
            time += 0.42
        if time > duration - 2:
            return tuple(lines)
        lines.append(Line(words[0].start, words[-1].end, texts[number % len(texts)], tuple(words)))
        time += 1.1
    raise AssertionError("too long a song")


def write_song(duration: float = 120.0, labels: Sequence[str] = LABELS, texts: Sequence[str] = LYRICS, feeling: bool = True) -> Timeline:
    """120 bpm in 4/4; sections of equal length that begin on bars; loud where the label says so."""
    beats = tuple(Beat(0.2 + 0.5 * n, (n - 1) % 4 + 1) for n in range(int((duration - 0.2) / 0.5)))
    bars = [beat.time for beat in beats if beat.position == 1]
    edges = [0.0, *(min(bars, key=lambda bar: abs(bar - duration * n / len(labels))) for n in range(1, len(labels))), duration]
    sections = tuple(Section(start, end, label) for start, end, label in zip(edges, edges[1:], labels, strict=False))
    times = np.arange(round(duration * 10)) / 10
    loudness = np.zeros(len(times))
    for section in sections:
        loudness[(times >= section.start) & (times < section.end)] = LOUDNESS[section.label]
    curves = [Curve("loudness", 10.0, tuple(loudness.tolist()))]
    if feeling:
        curves.append(Curve("valence", 1.0, tuple((0.5 + 0.3 * np.sin(np.arange(round(duration)) / 20)).tolist())))
        curves.append(Curve("arousal", 10.0, tuple(loudness.tolist())))
    return Timeline(
        duration,
        tempo=120.0,
        metre=4,
        beats=beats,
        beat_confidence=0.9,
        downbeat_confidence=0.9,
        onsets=tuple(beat.time + 0.01 for beat in beats),
        curves=tuple(curves),
        sections=sections,
        lines=write_lines(texts, duration) if texts else (),
    )
