"""Shots for nodes of the user's own: their lengths on the model's grid, their sound, and clips of exactly the film's frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack.nodes.engine.film.clip_source import PictureClip
from pack.nodes.engine.film.shot_loop import FRAME_GRIDS, LoopSettings, cut_sound, plan_loop, round_up, write_clip
from pack.nodes.engine.film.video_file import probe_video, read_frames
from pack.nodes.engine.timeline import Shot, Timeline, TimelineError

SHOTS = (Shot(0.0, 1.1, "red", 1), Shot(1.1, 2.0, "green", 2, end_prompt="blue"), Shot(2.0, 3.05, "blue", 3))
TIMELINE = Timeline(3.05, shots=SHOTS)


def ramp(frames: int, fps: Fraction, width: int = 33, height: int = 16) -> PictureClip:
    """A clip whose frame i is grey i / frames."""
    return PictureClip(np.broadcast_to(np.arange(frames, dtype=np.float32)[:, None, None, None] / frames, (frames, height, width, 3)), fps)


def greys(path: Path) -> list[float]:
    return [float(frame.mean()) / 255 for frame in read_frames(path)]


def test_lengths_sum_to_the_film_and_suit_the_model() -> None:
    loop = plan_loop(TIMELINE, LoopSettings(Fraction(24), frame_grid="8n+1", seed=5))
    assert [shot.frames for shot in loop.shots] == [26, 22, 25]  # 26.4, 48 and 73.2 on the one grid
    assert [shot.length for shot in loop.shots] == [33, 25, 25]
    assert [(shot.number, shot.prompt, shot.end_prompt, shot.seed) for shot in loop.shots][1] == (2, "green", "blue", 7)
    assert loop.shots[1].start == pytest.approx(26 / 24) and loop.shots[1].seconds == pytest.approx(25 / 24)


def test_a_model_of_another_rate_gets_its_own_number_of_frames() -> None:
    loop = plan_loop(TIMELINE, LoopSettings(Fraction(24), Fraction(16), "4n+1", first_shot=2, last_shot=2))
    (shot,) = loop.shots
    assert (shot.number, shot.frames, shot.length) == (2, 22, 17)  # 22 frames are 0.917 s, which are 14.7 frames at 16


@given(frames=st.integers(1, 2000), grid=st.sampled_from(sorted(FRAME_GRIDS)))
def test_rounding_up_is_the_next_legal_length(frames: int, grid: str) -> None:
    step, first = FRAME_GRIDS[grid]
    length = round_up(frames, grid)
    assert length >= frames and (length - first) % step == 0 and length >= first
    assert length - step < max(frames, first)


@pytest.mark.parametrize(("settings", "words"), [({"first_shot": 3, "last_shot": 2}, "shots 1 to 3"), ({"last_shot": 4}, "shots 1 to 3")])
def test_impossible_wishes_are_one_sentence(settings: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        plan_loop(TIMELINE, LoopSettings(Fraction(24), **settings))  # type: ignore[arg-type]


def test_no_shots_and_too_short_shots_are_refused() -> None:
    with pytest.raises(TimelineError, match="no shots yet"):
        plan_loop(Timeline(3.0), LoopSettings(Fraction(24)))
    with pytest.raises(TimelineError, match="shorter than a frame"):
        plan_loop(Timeline(1.0, shots=(Shot(0.0, 0.01, "", 1),)), LoopSettings(Fraction(24)))


def test_the_sound_is_that_of_the_shot_and_silent_after_the_song() -> None:
    rate = 1000
    song = np.arange(3050, dtype=np.float32)[None].repeat(2, axis=0)
    loop = plan_loop(TIMELINE, LoopSettings(Fraction(20), frame_grid="17k+5"))
    second, third = (cut_sound(song, rate, shot.start, shot.seconds) for shot in loop.shots[1:])
    assert second[1].tolist() == list(range(1100, 1100 + 22 * 50))  # 22 frames of 50 samples from frame 22 on
    assert third.shape == (2, 22 * 50) and third[0, 1049] == 3049 and not third[:, 1050:].any()


@pytest.mark.parametrize("made", [26, 33])
def test_a_clip_has_exactly_the_frames_of_its_shot(tmp_path: Path, made: int) -> None:
    loop = plan_loop(TIMELINE, LoopSettings(Fraction(24)))
    write_clip(tmp_path / "a.mp4", ramp(made, Fraction(24)), loop, loop.shots[0], "stop", (), lambda: None)
    facts = probe_video(tmp_path / "a.mp4")
    assert (facts.frames, facts.width, facts.height, facts.fps) == (26, 32, 16, 24)
    assert greys(tmp_path / "a.mp4") == pytest.approx([i / made for i in range(26)], abs=0.02)


def test_another_rate_is_brought_to_the_film_by_time(tmp_path: Path) -> None:
    loop = plan_loop(TIMELINE, LoopSettings(Fraction(24), Fraction(12)))
    write_clip(tmp_path / "a.mp4", ramp(13, Fraction(12)), loop, loop.shots[0], "stop", (), lambda: None)
    assert greys(tmp_path / "a.mp4") == pytest.approx([i // 2 / 13 for i in range(26)], abs=0.02)


def test_too_few_frames_are_said_clearly_or_filled_as_asked(tmp_path: Path) -> None:
    loop = plan_loop(TIMELINE, LoopSettings(Fraction(24)))
    with pytest.raises(ValueError, match=r"Shot 1 needs 1\.08 s, but 13 frames .* \(26 here\)"):
        write_clip(tmp_path / "a.mp4", ramp(13, Fraction(24)), loop, loop.shots[0], "stop", (), lambda: None)
    assert not list(tmp_path.iterdir())
    for how, last in {"hold last frame": 12, "loop": 12, "slow down": 12}.items():
        write_clip(tmp_path / f"{how}.mp4", ramp(13, Fraction(24)), loop, loop.shots[0], how, (), lambda: None)
        assert greys(tmp_path / f"{how}.mp4")[-1] == pytest.approx(last / 13, abs=0.02)


def test_a_clip_names_its_consents_and_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    import av

    loop = plan_loop(TIMELINE, LoopSettings(Fraction(24)))
    write_clip(tmp_path / "a.mp4", ramp(30, Fraction(24)), loop, loop.shots[0], "stop", ("r1", "r2"), lambda: None)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.metadata["comment"] == "consent r1 r2"

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clip(tmp_path / "b.mp4", ramp(30, Fraction(24)), loop, loop.shots[0], "stop", (), stop)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
