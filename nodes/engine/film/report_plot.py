"""A measured film -> one picture: how the picture changes over how the song attacks, its cuts and beats, light and flicker.

Green is as it should be, red is not. Knows nothing of how things were measured.
"""

from __future__ import annotations

import numpy as np

from ..page import LANE, SCALE, STRONG, TEXT, Page
from ..timeline import Timeline
from .flashes import LIMIT
from .report import FilmReport, Measured, Stretch
from .seen_cuts import ROUNDING

WIDTH, HEIGHT, MARGIN = 900, 470, 12
HEADER, FOOTER = 56, 22
GOOD, FAIR, BAD = (105, 219, 124), (255, 183, 77), (255, 107, 107)
CHANGE, ATTACK, LIGHT, FLICKER = (105, 180, 255), (255, 120, 117), (240, 220, 150), (177, 151, 252)
FROZEN, BLACK = (70, 120, 190), (0, 0, 0)
BEAT_RATE, OFFSET = 0.95, 0.04  # good from here; sound 45 ms early or 125 ms late is noticed (ITU-R BT.1359)

Span = tuple[float, float]  # top and bottom, or left and right


def draw_report(measured: Measured, timeline: Timeline) -> np.ndarray:
    """uint8 [470, 900, 3]."""
    report, page = measured.report, Page(WIDTH, HEIGHT)
    across = (MARGIN, WIDTH - MARGIN)
    pace = (across[1] - across[0]) / max(report.duration, report.song, 1e-6)
    bottom = HEIGHT - FOOTER - (18 if report.remarks else 0)
    _draw_tiles(page, report)
    _draw_shots(page, report, pace, (HEADER, HEADER + 18))
    lane = (bottom - HEADER - 22) / 3.4
    change = (HEADER + 22, HEADER + 22 + 1.2 * lane)
    attack = (change[1] + 20, change[1] + 20 + lane)
    light = (attack[1] + 6, bottom)
    for top, end in (change, attack, light):
        page.box(across[0], top, across[1], end, LANE, 4)
    _draw_stretches(page, report.black, BLACK, pace, light)
    _draw_stretches(page, report.frozen, FROZEN, pace, (light[1] - 5, light[1]))
    _draw_curve(page, measured.series.times, measured.series.steps["change"] / _scale(measured), CHANGE, pace, change, filled=True)
    _draw_cuts(page, report, pace, change)
    _draw_beats(page, measured, timeline, pace, change[1])
    curve = next((curve for curve in timeline.curves if curve.name == "onset"), None)
    if curve:
        _draw_curve(
            page, np.arange(len(curve.values)) / curve.rate, np.array(curve.values), ATTACK, pace, (attack[1], attack[0]), filled=True
        )
    flicker = measured.series.steps["flicker"] / max(8 * report.flicker, 1e-4)
    _draw_curve(page, measured.series.times, flicker, FLICKER, pace, light)
    _draw_curve(page, measured.series.times, measured.series.looks["luminance"], LIGHT, pace, light)
    _draw_legend(page, report, change, attack, light)
    page.clock(max(report.duration, report.song), MARGIN, pace, bottom + 11)
    if report.remarks:
        page.text(MARGIN, HEIGHT - 13, page.fitting(" ".join(report.remarks), WIDTH - 2 * MARGIN, 11.5), 11.5, FAIR)
    return page.picture()


def _draw_tiles(page: Page, report: FilmReport) -> None:
    """The numbers that matter most, each over its name."""
    tiles = _tiles(report)
    width = (WIDTH - 2 * MARGIN) / len(tiles)
    for index, (value, name, colour) in enumerate(tiles):
        left = MARGIN + index * width
        page.text(left, 18, value, 20, colour)
        page.text(left, 40, page.fitting(name, width - 6, 11.5), 11.5, TEXT)


def _tiles(report: FilmReport) -> list[tuple[str, str, tuple[int, int, int]]]:
    counts = {name: flashes.count for name, flashes in report.flashes.items()}
    worst, part = (max(counts[f"general in {area}"], counts[f"red in {area}"]) for area in ("frame", "field"))
    cuts, beats, offset = report.cuts, report.beats, report.sound.offset if report.sound else None
    tiles = []
    if cuts:
        good = report.cuts_in_time == len(cuts.cuts) and not cuts.elsewhere
        name = f"cuts, {len(cuts.elsewhere)} unplanned" if cuts.elsewhere else "cuts in time"
        tiles.append((f"{report.cuts_in_time} / {len(cuts.cuts)}", name, GOOD if good else BAD))
    if beats:
        tiles.append((f"{100 * beats.rate:.0f} %", "beats accented", GOOD if beats.rate >= BEAT_RATE else FAIR))
    if report.onsets:
        tiles.append((f"{report.onsets.correlation:.2f}", f"with attacks, {1000 * report.onsets.lag:+.0f} ms", STRONG))
    sound = (f"{1000 * offset:+.1f} ms", "sound", GOOD if abs(offset) <= OFFSET else BAD) if offset is not None else ("?", "sound", FAIR)
    ending = report.duration - report.song
    tiles += [
        sound,
        (f"{1000 * ending:+.0f} ms", "picture's end", GOOD if abs(ending) <= report.frame else BAD),
        (f"{100 * report.flicker:.2f} %", "flicker", STRONG),
        (f"{worst} a second", f"flashes (limit {LIMIT})", BAD if worst > LIMIT else FAIR if part > LIMIT else GOOD),
    ]
    return tiles


def _draw_shots(page: Page, report: FilmReport, pace: float, down: Span) -> None:
    """A box a shot: the more its picture flickers, the brighter."""
    known = [shot.flicker for shot in report.shots if shot.flicker is not None]
    most = max([*known, 1e-6])
    for shot in report.shots:
        share = 0.25 + 0.5 * (shot.flicker or 0) / most
        left, right = MARGIN + shot.start * pace, MARGIN + shot.end * pace
        page.box(left + 0.5, down[0], right - 0.5, down[1], tuple(int(value * share) for value in FLICKER), 3)
        if right - left > 14:
            page.text((left + right) / 2, sum(down) / 2, str(shot.number), 11, STRONG, "mm")


def _draw_cuts(page: Page, report: FilmReport, pace: float, down: Span) -> None:
    for cut in report.cuts.cuts if report.cuts else ():
        colour = BAD if cut.error is None else GOOD if abs(cut.error) <= report.frame / 2 + ROUNDING else FAIR
        x = MARGIN + cut.planned * pace
        page.line([(x, down[0]), (x, down[1])], colour, 1.5)
        if cut.found is not None and colour != GOOD:
            page.line([(x, down[0] + 6), (MARGIN + cut.found * pace, down[0] + 6)], colour, 2.0)
    for time in report.cuts.elsewhere if report.cuts else ():
        x = MARGIN + time * pace
        page.area([(x - 4, down[0]), (x + 4, down[0]), (x, down[0] + 8)], BAD)


def _draw_beats(page: Page, measured: Measured, timeline: Timeline, pace: float, top: float) -> None:
    """A tick a beat, green where an accent is near; accents elsewhere as dots."""
    if not measured.report.beats:
        return
    moments = measured.series.times[measured.accents]
    reach = measured.report.frame + ROUNDING
    for beat in timeline.beats:
        hit = bool(len(moments)) and float(np.abs(moments - beat.time).min()) <= reach
        x, first = MARGIN + beat.time * pace, beat.position == 1
        page.line([(x, top + (3 if first else 6)), (x, top + 17)], GOOD if hit else BAD, 2.0 if first else 1.2)
    beats = np.array([beat.time for beat in timeline.beats])
    for time in moments:
        if float(np.abs(beats - time).min()) > reach:
            x = MARGIN + time * pace
            page.box(x - 1, top + 9, x + 1, top + 11, TEXT, 1)


def _draw_curve(
    page: Page, times: np.ndarray, values: np.ndarray, colour: tuple[int, int, int], pace: float, down: Span, filled: bool = False
) -> None:
    """Values 0..1 from `down[1]` (0) to `down[0]` (1); the highest of those that share a column."""
    if len(values) < 2:
        return
    base, reach = down[1], (down[1] - down[0]) * 0.94
    columns = np.round((MARGIN + times * pace) * SCALE).astype(int)
    starts = np.flatnonzero(np.diff(columns, prepend=-1))
    heights = np.clip(np.maximum.reduceat(values, starts), 0, 1)
    points = [(column / SCALE, base - reach * float(height)) for column, height in zip(columns[starts], heights, strict=True)]
    if filled:
        shade = tuple((2 * dark + light) // 3 for dark, light in zip(LANE, colour, strict=True))
        page.area([(points[0][0], base), *points, (points[-1][0], base)], shade)
    page.line(points, colour, 1.0)


def _draw_stretches(page: Page, stretches: tuple[Stretch, ...], colour: tuple[int, int, int], pace: float, down: Span) -> None:
    for stretch in stretches:
        page.box(MARGIN + stretch.start * pace, down[0], MARGIN + stretch.end * pace, down[1], colour)


def _draw_legend(page: Page, report: FilmReport, change: Span, attack: Span, light: Span) -> None:
    rows = (
        (change[0] + 10, (("change of the picture", CHANGE), ("planned cut, found", GOOD))),
        (attack[1] - 10, (("attacks of the song", ATTACK),)),
        (light[0] + 10, (("light", LIGHT), ("flicker", FLICKER), *((("frozen", FROZEN),) if report.frozen else ()))),
    )
    for middle, names in rows:
        left = MARGIN + 8
        for name, colour in names:
            width = page.draw.textlength(name, font_size=11.5 * SCALE) / SCALE
            page.box(left - 4, middle - 8, left + width + 16, middle + 8, (*LANE,), 4)
            page.box(left, middle - 3, left + 6, middle + 3, colour, 3)
            left = page.text(left + 11, middle, name, 11.5, TEXT) + 16


def _scale(measured: Measured) -> float:
    """The change that fills the lane: nearly all steps but those into cuts."""
    change = measured.series.steps["change"]
    return max(float(np.percentile(change, 98)) * 1.3, 1e-4) if len(change) else 1.0
