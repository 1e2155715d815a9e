"""A finished film and its Timeline -> numbers: is it in time, does it move with the music, is it steady, is it safe?

One pass over the frames and one over the sound; memory grows by a few hundred bytes a frame. The picture and the sound
are measured as they are in the film; of the timeline only what was planned is taken. Who is in the picture is not
measured here: `person` and `film` do not know each other, and the node joins what both say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ..timeline import Timeline, frame_at
from .beat_hits import BeatHits, OnsetFit, count_hits, find_accents, fit_onsets
from .clip_source import Clip
from .drift import ShotSteadiness, measure_shots
from .flashes import Flashes
from .frame_curves import TRUSTED
from .frame_series import FrameSeries, measure_frames
from .seen_cuts import ROUNDING, CutMatch, find_cuts, match_cuts
from .sound_sync import SoundBlock, SoundSync, find_offset, hear
from .work import FilmWork

FAR_OFF = (2.0, 0.1)  # seconds, or a share of the song: such a film was made from another timeline
FROZEN = 0.5  # seconds without any movement

NO_SHOTS = "The timeline has no shots, so cuts are not measured and the film counts as one shot."
NO_BEATS = "The timeline has no beats that can be trusted, so beats are not measured."
NO_ONSETS = "The timeline has no onset curve, so the picture is not compared with the attacks."
NO_SOUND = "The film has no sound, so its offset is not measured."
OTHER_SOUND = "The sound does not follow the attacks of the timeline: it may be another song, or far off."
COARSE = "A frame lasts longer than a quarter of a beat, so an accent within one frame of a beat says little here; compare with halfway."
SMOOTH = "None of the planned cuts is seen as a cut; crossfades are not, as they have no moment."


@dataclass(frozen=True)
class Stretch:
    start: float
    end: float


@dataclass(frozen=True)
class ShotLikeness:
    """Whether a shot shows somebody's own face. Who knows the face makes these; here they are only told."""

    shot: int  # from 1
    person: int  # from 1, where a film has several
    frames: int  # looked at
    found: int  # of these with a face
    likeness: float | None  # up to 1; None where no face is seen well enough


@dataclass(frozen=True)
class FilmReport:
    width: int
    height: int
    fps: Fraction
    frames: int
    duration: float  # of the picture
    song: float  # its length by the timeline
    sound: SoundSync | None
    cuts: CutMatch | None
    cut_to_beat: tuple[float, ...]  # each found planned cut after its nearest beat
    beats: BeatHits | None
    onsets: OnsetFit | None
    flicker: float
    flicker_high: float  # 95 % of the steps are below
    steadiness: float  # flicker with changes of exposure taken out
    shots: tuple[ShotSteadiness, ...]
    frozen: tuple[Stretch, ...]
    black: tuple[Stretch, ...]
    flashes: dict[str, Flashes]  # "general" and "red", in the "frame" and in any "field" of it
    remarks: tuple[str, ...]
    work: FilmWork | None = None  # what drawing it took, where that is known
    likeness: tuple[ShotLikeness, ...] = ()

    @property
    def frame(self) -> float:
        return float(1 / self.fps)

    @property
    def cuts_in_time(self) -> int:
        """How many planned cuts were found within half a frame."""
        limit = self.frame / 2 + ROUNDING
        return sum(abs(error) <= limit for error in self.cuts.errors) if self.cuts else 0


@dataclass(frozen=True)
class Measured:
    """The report, and what a plot needs beside it."""

    report: FilmReport
    series: FrameSeries
    accents: np.ndarray  # numbers of the frames


def measure_film(
    clip: Clip, sound: Iterable[SoundBlock] | None, timeline: Timeline, on_progress: Callable[[int, int], None],
    work: FilmWork | None = None, on_frame: Callable[[int, np.ndarray], None] | None = None,
) -> Measured:  # fmt: skip
    """`sound` in order, None for a film without; `on_progress(done, total)` counts frames, `on_frame` sees each of them with its number,
    at most 480 pixels long, and what they raise ends the work.

    ValueError for a film of one frame and for one that is far from as long as the timeline.
    """
    facts = clip.facts
    _check(facts.frames, facts.duration, timeline)
    series = measure_frames(clip, on_progress, on_frame)
    planned = _planned_cuts(timeline, facts.fps, len(series))
    cuts = find_cuts(series, planned)
    match = match_cuts(series.times[cuts].tolist(), planned) if timeline.shots else None
    heard = hear(sound) if sound is not None else None
    accents = find_accents(series, cuts)
    steps = np.setdiff1d(np.arange(1, len(series)), cuts)
    flicker = series.steps["flicker"][steps] if len(steps) else np.zeros(1)
    report = FilmReport(
        facts.width, facts.height, facts.fps, len(series), facts.duration, timeline.duration,
        sound=find_offset(heard, timeline) if heard else None,
        cuts=match,
        cut_to_beat=_after_beats(match, timeline),
        beats=count_hits(timeline, series, accents, facts.fps),
        onsets=fit_onsets(timeline, series, cuts, facts.fps),
        flicker=float(flicker.mean()),
        flicker_high=float(np.percentile(flicker, 95)),
        steadiness=float(series.steps["jump"][steps].mean()) if len(steps) else 0.0,
        shots=measure_shots(series, [0.0, *planned, facts.duration], cuts),
        frozen=_frozen(series, facts.duration),
        black=_stretches(series.black, series.times, facts.duration),
        flashes={f"{kind} in {area}": getattr(series.flashes, kind)(area) for kind in ("general", "red") for area in ("frame", "field")},
        remarks=(),
        work=work,
    )  # fmt: skip
    return Measured(_with_remarks(report, timeline), series, accents)


def add_likeness(measured: Measured, likeness: Sequence[ShotLikeness], remarks: Sequence[str]) -> Measured:
    """What is known of the people in it, joined to what was measured."""
    report = measured.report
    return replace(measured, report=replace(report, likeness=tuple(likeness), remarks=(*report.remarks, *remarks)))


def _check(frames: int, duration: float, timeline: Timeline) -> None:
    if frames < 2:
        raise ValueError("The video has a single frame, so nothing moves in it; connect the finished film.")
    if abs(duration - timeline.duration) > max(FAR_OFF[0], FAR_OFF[1] * timeline.duration):
        raise ValueError(
            f"The film is {duration:.2f} s long, but the timeline beside it {timeline.duration:.2f} s; "
            "connect the timeline that this film was made from."
        )


def _planned_cuts(timeline: Timeline, fps: Fraction, frames: int) -> list[float]:
    """Where shots begin after the first frame, each frame once."""
    moments = {frame_at(shot.start, fps): shot.start for shot in timeline.shots}
    return [moments[frame] for frame in sorted(moments) if 0 < frame < frames]


def _after_beats(match: CutMatch | None, timeline: Timeline) -> tuple[float, ...]:
    if match is None or not timeline.beats or timeline.beat_confidence < TRUSTED:
        return ()
    beats = np.array([beat.time for beat in timeline.beats])
    found = [cut.found for cut in match.cuts if cut.found is not None]
    return tuple(float(time - beats[np.abs(beats - time).argmin()]) for time in found)


def _frozen(series: FrameSeries, end: float) -> tuple[Stretch, ...]:
    anchors = series.looks["anchor"]
    held = np.zeros(len(series), bool)
    for anchor in np.unique(anchors):
        frames = np.flatnonzero(anchors == anchor)
        stop = series.times[frames[-1] + 1] if frames[-1] + 1 < len(series) else end
        held[frames] = stop - series.times[frames[0]] >= FROZEN - ROUNDING
    return _stretches(held, series.times, end)


def _stretches(marked: np.ndarray, times: np.ndarray, end: float) -> tuple[Stretch, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
    moments = np.append(times, end)
    return tuple(Stretch(float(moments[start]), float(moments[stop])) for start, stop in zip(edges[::2], edges[1::2], strict=True))


def _with_remarks(report: FilmReport, timeline: Timeline) -> FilmReport:
    seen = bool(report.cuts and report.cuts.cuts and not report.cuts.errors)
    choices = (
        (report.cuts is None, NO_SHOTS),
        (seen, SMOOTH),
        (report.beats is None, NO_BEATS),
        (report.beats is not None and report.frame > 0.25 * _beat_length(timeline), COARSE),
        (report.onsets is None, NO_ONSETS),
        (report.sound is None, NO_SOUND),
        (report.sound is not None and report.sound.offset is None and bool(timeline.onsets), OTHER_SOUND),
    )
    return replace(report, remarks=tuple(text for holds, text in choices if holds))


def _beat_length(timeline: Timeline) -> float:
    return float(np.median(np.diff([beat.time for beat in timeline.beats])))
