"""Timeline + clips + song -> the finished film.

Every shot owns the frames `frame_span` gives it on the one grid that starts with the song, so a cut is at most half
a frame from its beat and the film is as long as the song to within a frame. The song is encoded once, exactly the samples
given, and starts with the first frame. A crossfade is centred on the cut: both pictures weigh the same on the beat. For
it the outgoing clip plays on (or holds its last frame where it has no more), the incoming one stands still until its cut.
Where the film would flash more than is safe, frames are held back (`flash_limit`). Frames stream: memory does not grow
with the film. Knows nothing of models or ComfyUI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..timeline import Timeline, TimelineError, frame_at, frame_span, require_song
from .clip_source import SHORT_CLIPS, Clip, frames_on_grid, is_short
from .flash_limit import FlashLimiter
from .lyric_overlay import LyricOverlay
from .sound import prepare_sound
from .video_file import MP4, Cue, VideoFileWriter, VideoFormat

LYRICS = ("none", "burnt in", "subtitle track")
TRANSITIONS = ("cut", "crossfade")
MAX_SIDE = 16384  # pixels; no encoder here takes more


@dataclass(frozen=True)
class FilmSettings:
    format: VideoFormat = MP4
    transition: str = "cut"
    transition_seconds: float = 0.5
    short_clips: str = "stop"
    lyrics: str = "none"
    width: int = 0  # 0: as the first clip, or by its shape where only the height is given
    height: int = 0
    fps: Fraction = Fraction(0)  # 0: as the first clip
    quality: int = 80


@dataclass(frozen=True)
class Film:
    path: Path
    frames: int
    fps: Fraction
    width: int
    height: int
    remarks: tuple[str, ...]  # what the person should know, one sentence each


@dataclass(frozen=True)
class Part:
    """A clip and the frames of the film it owns; a crossfade reaches `before` and `after` into its neighbours' time."""

    clip: Clip
    frames: int
    before: int = 0
    after: int = 0


def assemble_film(
    timeline: Timeline,
    clips: Sequence[Clip],
    samples: np.ndarray,
    rate: int,
    path: Path,
    settings: FilmSettings,
    on_progress: Callable[[int, int], None],
    metadata: Mapping[str, str] | None = None,
) -> Film:
    """Writes the film to `path`; samples are float32 [channels, samples] at `rate` Hz.

    One clip a shot, or a single clip for the whole film. `on_progress(done, total)` counts frames; whatever it raises
    leaves nothing under `path`. Raises ValueError, with one sentence, for what does not fit together.
    """
    require_song(timeline, samples, rate)
    prepared = prepare_sound(samples, rate)
    fps = settings.fps or _first_clip(clips).facts.fps
    parts = plan_parts(timeline, clips, fps, settings)
    _check_length(timeline, prepared.sound.duration, fps)
    width, height = film_size(clips, settings)
    overlay = LyricOverlay(timeline.lines, width, height, fps) if settings.lyrics == "burnt in" else None
    cues = [Cue(line.start, line.end, line.text) for line in timeline.lines] if settings.lyrics == "subtitle track" else []
    total = sum(part.frames for part in parts)
    limiter = FlashLimiter(fps)
    remarks = prepared.remarks + _lyric_remarks(timeline, settings, overlay)
    with VideoFileWriter(path, width, height, fps, settings.format, settings.quality, prepared.sound, metadata, cues) as file:
        for number, frame in enumerate(film_frames(parts, fps, (width, height), settings.short_clips)):
            on_progress(number, total)
            file.write(limiter.show(overlay.draw(frame, number) if overlay else frame))
        on_progress(total, total)
    return Film(path, total, fps, width, height, remarks + _flash_remarks(limiter))


def plan_parts(timeline: Timeline, clips: Sequence[Clip], fps: Fraction, settings: FilmSettings) -> list[Part]:
    """Which clip owns how many frames, in the order of the film; TimelineError or ValueError where that does not work out."""
    spans = _film_spans(timeline, fps)
    if len(clips) == 1:
        spans = [range(0, spans[-1].stop)]
    elif not timeline.shots:
        raise TimelineError(
            f"The timeline has no shots, but there are {len(clips)} clips; put Storyboard Writer before this node or give one clip."
        )
    elif len(clips) != len(spans):
        raise ValueError(
            f"There are {len(clips)} clips, but the timeline has {len(spans)} shots; "
            "give one clip a shot (render all of them), or one clip for the whole film."
        )
    for number, (clip, span) in enumerate(zip(clips, spans, strict=True), start=1):
        if is_short(clip, len(span), fps) and span and settings.short_clips == "stop":  # asked of all: it opens every clip once
            raise ValueError(_short_sentence(number, clip, span, fps, len(timeline.shots) if len(clips) == 1 else 0))
    pairs = [(clip, len(span)) for clip, span in zip(clips, spans, strict=True) if span]
    fades = [_half_fade(left[1], right[1], fps, settings) for left, right in pairwise(pairs)]
    return [Part(clip, frames, before, after) for (clip, frames), before, after in zip(pairs, [0, *fades], [*fades, 0], strict=True)]


def film_frames(parts: Sequence[Part], fps: Fraction, size: tuple[int, int], short_clips: str) -> Iterator[np.ndarray]:
    """The frames of the film in order; two clips are open at a time at most."""
    outgoing: Iterator[np.ndarray] = iter(())
    for part in parts:
        incoming = frames_on_grid(part.clip, part.frames, part.before, part.after, fps, size, short_clips)
        for index in range(2 * part.before):
            yield _mix(next(outgoing), next(incoming), (index + 0.5) / (2 * part.before))
        for _ in range(part.frames - part.before - part.after):
            yield next(incoming)
        outgoing = incoming


def film_size(clips: Sequence[Clip], settings: FilmSettings) -> tuple[int, int]:
    """Width and height of the film: as asked for, else as the first clip, made even because video needs it."""
    facts = _first_clip(clips).facts
    own_width, own_height = facts.width, facts.height
    width, height = settings.width, settings.height
    if width < 0 or height < 0 or max(width, height) > MAX_SIDE:
        raise ValueError(
            f"A film cannot be {width}x{height} pixels; choose a width and height from 2 to {MAX_SIDE}, or 0 for the clip's own."
        )
    width, height = (
        width or (own_width if not height else round(height * own_width / own_height)),
        height or (own_height if not width else round(width * own_height / own_width)),
    )
    return max(2, width - width % 2), max(2, height - height % 2)


def _first_clip(clips: Sequence[Clip]) -> Clip:
    if not clips:
        raise ValueError("There are no clips; connect the clips of Beat-Synced Sampler, or a video or pictures of your own.")
    return clips[0]


def _film_spans(timeline: Timeline, fps: Fraction) -> list[range]:
    """The frames of each shot, or of the whole film where there are no shots; they follow each other without a gap."""
    total = frame_at(timeline.duration, fps)
    spans = [frame_span(shot, fps) for shot in timeline.shots] or [range(0, total)]
    edges = [range(0, 0), *spans, range(total, total)]
    for number, (left, right) in enumerate(pairwise(edges)):
        if right.start != left.stop:
            raise TimelineError(_seam_sentence(number, len(spans), right.start - left.stop, fps))
        if right.stop < right.start:
            raise TimelineError(f"Shot {number + 1} ends before it starts; mend the plan.")
    return spans if total else [*spans[:-1], range(0, 1)]  # a film has one frame at least


def _seam_sentence(number: int, shots: int, gap: int, fps: Fraction) -> str:
    before = f"the end of shot {number}" if number else "the start of the song"
    after = f"shot {number + 1}" if number < shots else "the end of the song"
    return (
        f"There is {'a gap' if gap > 0 else 'an overlap'} of {abs(gap) / float(fps):.2f} s between {before} and {after}; "
        "mend the plan so that every shot starts where the last one ends."
    )


def _check_length(timeline: Timeline, duration: float, fps: Fraction) -> None:
    if abs(timeline.duration - duration) > 1 / fps:
        raise TimelineError(
            f"The timeline is {timeline.duration:.2f} s long, but the audio beside it {duration:.2f} s; "
            "connect the audio that the timeline was made from."
        )


def _short_sentence(number: int, clip: Clip, span: range, fps: Fraction, shots: int) -> str:
    """`shots` is how many shots a single clip stands for, 0 where each has its own."""
    lengths = f"lasts {clip.facts.duration:.2f} s, but its place in the film is {float(len(span) / fps):.2f} s long"
    if shots > 1:
        return f"There is 1 clip for {shots} shots, and it {lengths}; give {shots} clips, or one as long as the song."
    others = f"{', '.join(SHORT_CLIPS[1:-1])} or {SHORT_CLIPS[-1]}"
    return f"Clip {number} {lengths}; give a longer clip, or choose {others} for short clips."


def _half_fade(left: int, right: int, fps: Fraction, settings: FilmSettings) -> int:
    """Frames of a crossfade on each side of the cut; it takes at most half of the shorter shot."""
    if settings.transition == "cut":
        return 0
    return max(0, min(round(settings.transition_seconds * fps / 2), left // 2, right // 2))


def _mix(outgoing: np.ndarray, incoming: np.ndarray, weight: float) -> np.ndarray:
    share = round(weight * 256)
    return ((outgoing.astype(np.uint16) * (256 - share) + incoming.astype(np.uint16) * share + 128) >> 8).astype(np.uint8)


def _flash_remarks(limiter: FlashLimiter) -> tuple[str, ...]:
    if not limiter.held:
        return ()
    return (f"The clips flash more than three times a second, which is not safe; {limiter.held} frames are mixed with those before them.",)


def _lyric_remarks(timeline: Timeline, settings: FilmSettings, overlay: LyricOverlay | None) -> tuple[str, ...]:
    if settings.lyrics != "none" and not timeline.lines:
        return ("The timeline holds no lyrics, so the film shows none.",)
    return overlay.remarks if overlay else ()
