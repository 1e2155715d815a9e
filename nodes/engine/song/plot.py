"""A timeline and its song -> one picture: sections, waveform, bars, beats, curves, tempo, metre and how far to trust them.

Knows nothing of how the timeline was made.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..page import FAINT, LANE, SCALE, STRONG, TEXT, Page
from ..timeline import Timeline

WAVE, BEAT, DOWNBEAT = (86, 138, 201), (122, 128, 146), (255, 183, 77)
CURVES = {"onset": (255, 120, 117), "loudness": (105, 219, 184), "bass": (177, 151, 252), "voice": (247, 143, 202)}
SAD, HAPPY = (78, 98, 158), (214, 164, 68)  # of a section's box; the calmer, the darker
SURE, UNSURE = (105, 219, 124), (255, 146, 92)
CLOSEST = 4  # pixels between two lines; closer ones would run together


def draw_timeline(timeline: Timeline, samples: np.ndarray, sample_rate: int, width: int = 900, height: int = 360) -> np.ndarray:
    """uint8 [height, width, 3]; samples are [channels, samples], at least 200 x 160 pixels."""
    page = Page(max(width, 200), max(height, 160))
    margin, header, footer = 12, 46, 22
    bottom = page.height - footer - (18 if timeline.remarks else 0)
    right = page.width - margin
    _draw_header(page, timeline, margin, right, header / 2)
    pace = (right - margin) / max(timeline.duration, 1e-6)
    if timeline.sections:
        _draw_sections(page, timeline, margin, pace, header, header + 16)
        header += 20
    middle = header + (bottom - header) * 0.56
    for top, end in ((header, middle - 4), (middle + 4, bottom)):
        page.box(margin, top, right, end, LANE, 4)
    _draw_bars(page, timeline, margin, pace, header, middle - 4, bottom)
    _draw_wave(page, samples, margin, right, header + 4, middle - 16)
    _draw_beats(page, timeline, margin, pace, middle - 13, middle - 6)
    for name, colour in CURVES.items():
        _draw_curve(page, timeline, name, colour, (margin, right), (middle + 22, bottom - 3))
    _draw_legend(page, timeline, margin + 8, middle + 13)
    page.clock(timeline.duration, margin, pace, bottom + 11)
    if timeline.remarks:
        page.text(margin, page.height - 13, page.fitting(" ".join(timeline.remarks), right - margin, 11.5), 11.5, UNSURE)
    return page.picture()


def _draw_header(page: Page, timeline: Timeline, left: float, right: float, middle: float) -> None:
    tempo = f"{timeline.tempo:.1f}" if timeline.tempo else "no tempo"
    end = page.text(left, middle, tempo, 24, STRONG)
    if timeline.tempo:
        end = page.text(end + 5, middle + 3, "bpm", 13, TEXT)
    if timeline.metre:
        end = page.text(end + 20, middle, str(timeline.metre), 24, STRONG)
        end = page.text(end + 5, middle + 3, "beats a bar", 13, TEXT)
    if page.width >= 560:
        _draw_trust(page, "bars", timeline.downbeat_confidence, right - 130, middle)
        _draw_trust(page, "beats", timeline.beat_confidence, right - 300, middle)


def _draw_trust(page: Page, name: str, confidence: float, left: float, middle: float) -> None:
    """How far something can be trusted: a word, a gauge, a percentage."""
    colour = SURE if confidence >= 0.6 else DOWNBEAT if confidence >= 0.3 else UNSURE
    page.text(left - 6, middle + 1, name, 13, TEXT, "rm")
    page.box(left, middle - 4, left + 84, middle + 4, FAINT, 4)
    page.box(left, middle - 4, left + max(8.0, 84 * confidence), middle + 4, colour, 4)
    page.text(left + 92, middle + 1, f"{100 * confidence:.0f} %", 13, colour)


def _draw_sections(page: Page, timeline: Timeline, left: float, pace: float, top: float, bottom: float) -> None:
    """A box a section with its letter, coloured by how it feels."""
    curves = {curve.name: curve for curve in timeline.curves}
    for section in timeline.sections:
        middles = np.linspace(section.start, section.end, 9)
        valence, arousal = (
            np.mean([curves[name].at(time) for time in middles]) if name in curves else 0.5 for name in ("valence", "arousal")
        )
        colour = tuple(int((sad + (happy - sad) * valence) * (0.45 + 0.55 * arousal)) for sad, happy in zip(SAD, HAPPY, strict=True))
        start, end = left + section.start * pace, left + section.end * pace
        page.box(start + 0.5, top, end - 0.5, bottom, colour, 3)
        if end - start > 12:
            page.text((start + end) / 2, (top + bottom) / 2, section.label, 11.5, STRONG, "mm")


def _draw_wave(page: Page, samples: np.ndarray, left: float, right: float, top: float, bottom: float) -> None:
    lows, highs = _envelope(samples, int((right - left) * SCALE))
    centre, reach = (top + bottom) / 2, (bottom - top) / 2
    for column, (low, high) in enumerate(zip(lows, highs, strict=True)):
        x = left + column / SCALE
        page.line([(x, centre - reach * high - 0.25), (x, centre - reach * low + 0.25)], WAVE, 1 / SCALE)


def _envelope(samples: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest sample behind each column, the song's peak at 1."""
    edges = np.linspace(0, samples.shape[-1], columns + 1).astype(int)
    lows, highs = np.zeros(columns), np.zeros(columns)
    for column, (start, end) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        part = samples[..., start : max(end, start + 1)]
        if part.size:
            lows[column], highs[column] = np.nan_to_num([part.min(), part.max()], posinf=0.0, neginf=0.0)
    peak = max(float(np.abs([lows, highs]).max()), 1e-9)
    return lows / peak, highs / peak


def _draw_bars(page: Page, timeline: Timeline, left: float, pace: float, top: float, middle: float, bottom: float) -> None:
    """A line at every downbeat, or at every 2nd, 4th ... where they would run together; every few carry their number."""
    downbeats = timeline.downbeats
    step = _thin(downbeats, pace, CLOSEST)
    numbered = _thin(downbeats, pace, 34)
    for index, time in enumerate(downbeats):
        x = left + time * pace
        if index % step == 0:
            page.line([(x, top), (x, middle)], DOWNBEAT, 1.0)
            page.line([(x, middle + 8), (x, bottom)], FAINT, 1.0)
        if index % numbered == 0:
            page.text(x + 3, top + 8, str(index + 1), 10.5, DOWNBEAT)


def _draw_beats(page: Page, timeline: Timeline, left: float, pace: float, top: float, bottom: float) -> None:
    times = [beat.time for beat in timeline.beats]
    if _thin(times, pace, CLOSEST) > 1:
        return
    for beat in timeline.beats:
        x = left + beat.time * pace
        first = beat.position == 1
        page.line([(x, top if first else top + 2), (x, bottom)], DOWNBEAT if first else BEAT, 2.0 if first else 1.2)


def _thin(times: Sequence[float], pace: float, closest: float) -> int:
    """How many of the times make one step of at least `closest` pixels: 1, 2, 4, 8 ..."""
    if len(times) < 2:
        return 1
    gap = float(np.median(np.diff(times))) * pace
    return 1 << max(0, int(np.ceil(np.log2(closest / max(gap, 1e-6)))))


def _draw_curve(
    page: Page, timeline: Timeline, name: str, colour: tuple[int, int, int], across: tuple[float, float], down: tuple[float, float]
) -> None:
    values = next((curve.values for curve in timeline.curves if curve.name == name), ())
    if len(values) < 2:
        return
    (left, right), (top, bottom) = across, down
    columns = int((right - left) * SCALE)
    edges = np.linspace(0, len(values) - 1, columns + 1)
    row = np.array(values)
    heights = [row[int(start) : int(end) + 1].max() for start, end in zip(edges[:-1], edges[1:], strict=True)]
    points = [(left + column / SCALE, bottom - (bottom - top) * float(height)) for column, height in enumerate(heights)]
    if name == "onset":
        shade = tuple((2 * a + b) // 3 for a, b in zip(LANE, colour, strict=True))
        page.area([(left, bottom), *points, (right, bottom)], shade)
    page.line(points, colour, 1.0 if name == "onset" else 1.5)


def _draw_legend(page: Page, timeline: Timeline, left: float, middle: float) -> None:
    for curve in timeline.curves:
        if curve.name in CURVES:
            page.box(left, middle - 3, left + 6, middle + 3, CURVES[curve.name], 3)
            left = page.text(left + 11, middle, curve.name, 11.5, TEXT) + 16
