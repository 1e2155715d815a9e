"""A film's report -> lines that people read, and the same numbers as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from .drift import ShotSteadiness
from .flashes import LIMIT
from .report import FilmReport, ShotLikeness, Stretch
from .work import FilmWork

SCHEMA = "video_report/1"
LISTED = 4  # stretches or shots that are named one by one
LIKENESS_SCALE = "somebody filmed is about 0.8 like themselves, painted 0.5, in pencil 0.3; others are 0.2 to 0.3"  # bench_resemblance.py
COLOUR_DRIFT, SHARE_DRIFT = 10.0, 0.25  # beyond these a shot is named


def write_text(report: FilmReport) -> str:
    lines = [
        *_warning_lines(report),  # first, so that nobody has to scroll to them
        f"Film: {report.width}x{report.height}, {float(report.fps):g} frames a second, {report.frames} frames",
        _length_line(report),
        *([_cut_line(report)] if report.cuts else []),
        *([_sound_line(report)] if report.sound else []),
        *([_beat_line(report)] if report.beats else []),
        *([_onset_line(report)] if report.onsets else []),
        f"Flicker: {100 * report.flicker:.2f} % of full scale left after motion is taken out ({100 * report.flicker_high:.2f} % at the "
        f"95th percentile; {100 * report.steadiness:.2f} % without changes of exposure)",
        *_drift_lines(report.shots),
        f"Frozen: {_name_stretches(report.frozen)}. Black: {_name_stretches(report.black)}.",
        _flash_line(report),
        *_likeness_lines(report.likeness),
        *([_work_line(report.work)] if report.work else []),
        *(f"Note: {remark}" for remark in report.remarks),
    ]
    return "\n".join(lines)


def write_numbers(report: FilmReport) -> str:
    """JSON with everything that was measured; times are seconds, the names are those of `FilmReport`."""
    data: dict[str, Any] = {"schema": SCHEMA, **asdict(report), "fps": str(report.fps)}
    if report.cuts:
        errors = np.array(report.cuts.errors)
        data["cuts"] |= {
            "planned": len(report.cuts.cuts),
            "found": len(errors),
            "within_half_a_frame": report.cuts_in_time,
            "mean_error_ms": _rounded_ms(np.abs(errors).mean()) if len(errors) else None,
            "largest_error_ms": _rounded_ms(np.abs(errors).max()) if len(errors) else None,
        }
    if report.beats:
        data["beats"]["rate"] = report.beats.rate
    if report.work:
        data["work"] |= {
            "evaluations_per_second": report.work.evaluations / report.work.covered,
            "seconds_per_second": None if report.work.seconds is None else report.work.seconds / report.work.covered,
        }
    return json.dumps(_rounded(data), indent=1, allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value]
    return round(float(value), 6) if isinstance(value, float) else value


def _rounded_ms(seconds: float) -> float:
    return round(1000 * float(seconds), 3)


def _length_line(report: FilmReport) -> str:
    sound = f"sound {report.sound.duration:.3f} s ({_signed_ms(report.sound.duration - report.song)}), " if report.sound else ""
    return f"Length: song {report.song:.3f} s, {sound}picture {report.duration:.3f} s ({_signed_ms(report.duration - report.song)})"


def _cut_line(report: FilmReport) -> str:
    assert report.cuts
    errors = np.abs(report.cuts.errors) * 1000
    text = f"Cuts: {report.cuts_in_time} of {len(report.cuts.cuts)} planned cuts found within half a frame ({500 * report.frame:.0f} ms)"
    if len(errors):
        text += f"; {len(errors)} found, off by {errors.mean():.0f} ms on average, {errors.max():.0f} ms at most"
    if report.cut_to_beat:
        beats = np.abs(report.cut_to_beat) * 1000
        text += f"; nearest beat {beats.mean():.0f} ms away on average, {beats.max():.0f} ms at most"
    missing = [cut.planned for cut in report.cuts.cuts if cut.found is None]
    if missing:
        text += f"; not seen: {_name_times(missing)}"
    return text + f"; not planned: {_name_times(report.cuts.elsewhere) or 'none'}"


def _sound_line(report: FilmReport) -> str:
    assert report.sound
    offset = report.sound.offset
    if offset is None:
        return "Sound: its offset could not be found"
    side = "in time" if abs(offset) < 0.0005 else "late" if offset > 0 else "early"
    return f"Sound: {abs(offset) * 1000:.1f} ms {side}; {100 * report.sound.followed:.0f} % of the song's attacks are heard there"


def _beat_line(report: FilmReport) -> str:
    hits = report.beats
    assert hits
    return (
        f"Beats: {hits.hits} of {hits.beats} ({100 * hits.rate:.0f} %) show an accent within one frame; "
        f"halfway between beats: {100 * hits.halfway / hits.beats:.0f} %"
    )


def _onset_line(report: FilmReport) -> str:
    fit = report.onsets
    assert fit
    return f"Attacks: change of the picture correlates with them by {fit.correlation:.2f}; best {fit.best:.2f} at {_signed_ms(fit.lag)}"


def _drift_lines(shots: Sequence[ShotSteadiness]) -> list[str]:
    known = [shot for shot in shots if shot.colour is not None]
    if not known:
        return ["Drift: the shots are too short for it"]
    colour, contrast, sharpness = (
        float(np.median([abs(getattr(shot, name)) for shot in known])) for name in ("colour", "contrast", "sharpness")
    )
    shares = f"contrast {100 * contrast:.0f} %, sharpness {100 * sharpness:.0f} %"
    lines = [f"Drift within a shot, median: colour {colour:.1f} (Lab; 2.3 is just noticeable), {shares}"]
    drifting = sorted((shot for shot in known if _drifts(shot)), key=lambda shot: -(shot.colour or 0))
    lines += [
        f"  shot {shot.number}: colour {shot.colour:.1f}, contrast {100 * (shot.contrast or 0):+.0f} %, "
        f"sharpness {100 * (shot.sharpness or 0):+.0f} %"
        for shot in drifting[:LISTED]
    ]
    return lines + ([f"  and {len(drifting) - LISTED} more shots"] if len(drifting) > LISTED else [])


def _drifts(shot: ShotSteadiness) -> bool:
    return (shot.colour or 0) > COLOUR_DRIFT or max(abs(shot.contrast or 0), abs(shot.sharpness or 0)) > SHARE_DRIFT


def _flash_line(report: FilmReport) -> str:
    """What WCAG 2.3.1 asks, first over a quarter of the frame, then over a quarter of any field of 10 degrees."""
    counts = {name: flashes.count for name, flashes in report.flashes.items()}
    return (
        f"Flashes in any one second, at most: {counts['general in frame']} general, {counts['red in frame']} red (limit {LIMIT}, "
        f"WCAG 2.3.1); in any part of the picture: {counts['general in field']} general, {counts['red in field']} red"
    )


def _likeness_lines(shots: Sequence[ShotLikeness]) -> list[str]:
    """For each person the film as a whole, then the shots that are least like them."""
    lines = []
    for person in sorted({shot.person for shot in shots}):
        own = [shot for shot in shots if shot.person == person]
        seen = sorted(((shot.likeness, shot) for shot in own if shot.likeness is not None), key=lambda pair: pair[0])
        name = f" of person {person}" if len({shot.person for shot in shots}) > 1 else ""
        if not seen:
            lines.append(f"Likeness{name}: no face found in {_count_shots(own)}")
            continue
        median = float(np.median([likeness for likeness, _ in seen]))
        missing = f"; no face found in {len(own) - len(seen)}" if len(seen) < len(own) else ""
        lines.append(f"Likeness{name}: {median:.2f} in the middle of {_count_shots(seen)}{missing} ({LIKENESS_SCALE})")
        lines += [f"  shot {shot.shot}: {likeness:.2f}, a face in {shot.found} of {shot.frames} frames" for likeness, shot in seen[:LISTED]]
    return lines


def _count_shots(shots: Sequence[Any]) -> str:
    return f"{len(shots)} shot" + ("s" if len(shots) != 1 else "")


def _work_line(work: FilmWork) -> str:
    """Seconds are known only where the film was joined in this very session."""
    text = f"Work: {work.evaluations} model evaluations ({work.evaluations / work.covered:.0f} for a second of film)"
    if work.seconds is not None:
        text += f" and {work.seconds:.1f} s of drawing ({work.seconds / work.covered:.1f} s for a second of film)"
    return text + (f", for the {work.known} of {work.clips} clips that tell" if work.known < work.clips else "")


def _warning_lines(report: FilmReport) -> list[str]:
    worst = [(name, flashes) for name, flashes in report.flashes.items() if not flashes.is_safe]
    whole = [flashes.time for name, flashes in worst if "frame" in name]
    if whole:
        return [
            f"WARNING: the film flashes more than three times a second (from {_clock(whole[0])}). It can cause seizures; do not show it."
        ]
    if worst:
        return [
            f"CAUTION: a part of the picture flashes more than three times a second (from {_clock(worst[0][1].time)}). "
            "On a large or near screen that can cause seizures."
        ]
    return []


def _name_stretches(stretches: Sequence[Stretch]) -> str:
    if not stretches:
        return "none"
    total = sum(stretch.end - stretch.start for stretch in stretches)
    named = ", ".join(f"{_clock(stretch.start)} to {_clock(stretch.end)}" for stretch in stretches[:LISTED])
    return f"{total:.2f} s ({named}{', ...' if len(stretches) > LISTED else ''})"


def _name_times(times: Sequence[float]) -> str:
    return ", ".join(_clock(time) for time in times[:LISTED]) + (f" and {len(times) - LISTED} more" if len(times) > LISTED else "")


def _clock(time: float) -> str:
    return f"{int(time) // 60}:{time % 60:05.2f}"


def _signed_ms(seconds: float) -> str:
    return f"{1000 * seconds:+.0f} ms"
