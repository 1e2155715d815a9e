"""Edit lists, read back by OpenTimelineIO itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from pack.nodes.engine.film.edit_list import write_edl, write_otio
from pack.nodes.engine.film.storyboard import Wishes, write_storyboard
from pack.nodes.engine.timeline import Line, Section, Shot, Timeline, frame_at

otio = pytest.importorskip("opentimelineio", reason="OpenTimelineIO reads the edit lists back; it is in tests/requirements.txt")
RATES = [Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)]


@pytest.fixture
def planned(full_song: Callable[..., Timeline]) -> Timeline:
    return write_storyboard(full_song(), Wishes("ink | wash", ""))


@pytest.mark.parametrize("fps", RATES)
def test_otio_holds_the_shots_frame_by_frame(planned: Timeline, fps: Fraction) -> None:
    read = otio.adapters.read_from_string(write_otio(planned, fps), "otio_json")
    video, audio = read.video_tracks()[0], read.audio_tracks()[0]
    assert len(video) == len(planned.shots)
    for clip, shot in zip(video, planned.shots, strict=True):
        where = clip.range_in_parent()
        assert where.start_time.value == frame_at(shot.start, fps) == clip.source_range.start_time.value
        assert where.end_time_exclusive().value == frame_at(shot.end, fps)
        assert clip.metadata["music_video"]["prompt"] == shot.prompt and clip.metadata["music_video"]["seed"] == shot.seed
    assert video.duration() == audio.duration() == otio.opentime.RationalTime(frame_at(planned.duration, fps), float(fps))


def test_otio_marks_sections_and_lines(planned: Timeline) -> None:
    markers = otio.adapters.read_from_string(write_otio(planned, Fraction(24)), "otio_json").tracks.markers
    assert [(marker.name, marker.color) for marker in markers if marker.color == "GREEN"] == [
        (part.label, "GREEN") for part in planned.sections
    ]
    line = planned.lines[3]
    mark = next(marker for marker in markers if marker.name == line.text)
    assert mark.marked_range.start_time.value == frame_at(line.start, Fraction(24))
    assert mark.marked_range.duration.value == frame_at(line.end, Fraction(24)) - frame_at(line.start, Fraction(24))


@pytest.mark.parametrize("fps", RATES)
def test_edl_holds_the_shots_and_the_markers(planned: Timeline, fps: Fraction) -> None:
    text = write_edl(planned, fps)
    count = round(fps)
    read = otio.adapters.read_from_string(text, "cmx_3600", rate=count)
    clips = [clip for clip in read.tracks[0] if isinstance(clip, otio.schema.Clip)]
    assert len(clips) == len(planned.shots)
    for clip, shot in zip(clips, planned.shots, strict=True):
        assert clip.source_range.start_time.value == frame_at(shot.start, fps)
        assert clip.source_range.end_time_exclusive().value == frame_at(shot.end, fps)
        assert clip.markers[0].name == " ".join(shot.prompt.split()) and clip.markers[0].color == "BLUE"
        assert clip.markers[0].marked_range.start_time.value == frame_at(shot.start, fps) + 3600 * count
    marked = [marker.name for clip in clips for marker in clip.markers[1:]]
    assert sorted(marked) == sorted([part.label for part in planned.sections] + [line.text for line in planned.lines])
    assert text.startswith("TITLE: Music video\nFCM: NON-DROP FRAME\n")


def test_resolve_reads_one_marker_a_shot(planned: Timeline) -> None:
    marks = [line for line in write_edl(planned, Fraction(24)).splitlines() if line.startswith(" |C:")]
    assert len(marks) == len(planned.shots)
    assert all(line.count("|") == 3 for line in marks), "a bar in a prompt would end the name"


def test_times_are_those_of_the_clock() -> None:
    song = Timeline(7384.5, shots=(Shot(0, 3723.5, "one", 1), Shot(3723.5, 7384.5, "two\nlines", 2)))
    second = write_edl(song, Fraction(24)).split("\n\n")[2]
    assert second.startswith("002  AX       V     C        01:02:03:12 02:03:04:12 02:02:03:12 03:03:04:12")
    assert "M:two lines |" in second


@pytest.mark.parametrize(
    ("fps", "says"), [(Fraction(25, 2), "12.5 frames"), (Fraction(120), "120 frames"), (Fraction(2997, 100), "29.97 frames")]
)
def test_rates_that_no_timecode_counts_are_one_sentence(planned: Timeline, fps: Fraction, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        write_edl(planned, fps)
    assert otio.adapters.read_from_string(write_otio(planned, fps), "otio_json").duration().rate == float(fps)


@pytest.mark.parametrize("write", [write_edl, write_otio])
def test_a_timeline_without_shots_is_one_sentence(write: Callable[[Timeline, Fraction], str]) -> None:
    with pytest.raises(ValueError, match="no shots yet"):
        write(Timeline(9.0), Fraction(24))


def test_shots_without_a_frame_are_left_out_and_odd_texts_do_no_harm() -> None:
    shots = (Shot(0, 1, '"a" \\ | \u2028 海', 1), Shot(1, 1.001, "gone", 2), Shot(1.001, 3, "", 3))
    song = Timeline(3.0, shots=shots, sections=(Section(0, 3, ""),), lines=(Line(2, 1, "backwards"),))
    assert len(otio.adapters.read_from_string(write_otio(song, Fraction(24)), "otio_json").tracks[0]) == 2
    assert len(otio.adapters.read_from_string(write_edl(song, Fraction(24)), "cmx_3600", rate=24).tracks[0]) == 2


def test_too_many_events_are_one_sentence(planned: Timeline) -> None:
    shots = tuple(Shot(float(n), n + 1.0, "a", n) for n in range(10_000))
    with pytest.raises(ValueError, match="9999 shots at most"):
        write_edl(replace(planned, shots=shots, duration=10_000.0), Fraction(24))
