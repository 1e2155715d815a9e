"""The beat network's training: exact truth in its clips, families kept apart, and a course that learns and resumes."""

from __future__ import annotations

import random

import numpy as np
import pytest
from pack.nodes.engine.song.recording import RATE
from pack.nodes.engine.song.spectrum import FRAME_RATE
from pack.nodes.engine.song.training import clips, dataset, instruments, patterns, scores, styles


@pytest.fixture(scope="module")
def bank() -> instruments.Bank:
    """Every note a short plucked tone, every drum a knock."""
    t = np.arange(int(instruments.APART * RATE)) / RATE
    tone = (9000 * np.sin(2 * np.pi * 220 * t) * np.exp(-4 * t)).astype(np.int16)
    knock = (9000 * np.random.default_rng(0).standard_normal(len(t)) * np.exp(-60 * t)).astype(np.int16)
    return instruments.Bank(
        np.broadcast_to(tone, (instruments.PROGRAMS, len(instruments.PITCHES), len(t))),
        np.broadcast_to(knock, (len(instruments.KITS), len(instruments.DRUM_PITCHES), len(t))),
    )


@pytest.mark.parametrize("write", [writer for writer, _ in patterns.WRITERS if writer is not patterns.write_free])
def test_patterns_fill_their_bars(write):
    score = write(random.Random(5))
    starts = score.notes[:, scores.START]
    assert score.metre in (2, 3, 4, 5, 6, 7) and score.step in (1.0, 1.5)
    bar = score.step * score.metre
    first_beats = np.mean([np.any(np.abs(starts - bar * number) < 1e-6) for number in range(int(score.end / bar))])
    assert first_beats > 0.8
    assert (score.notes[:, scores.VELOCITY] <= 127).all() and (score.notes[:, scores.LENGTH] > 0).all()


def test_free_notes_have_no_beats(bank):
    clip = clips.make_clip(patterns.write_free(random.Random(1)), bank, np.random.default_rng(1))
    assert len(clip.beats) == 0 and np.isfinite(clip.mel.astype(float)).all()


@pytest.mark.parametrize("seed", range(4))
def test_beats_of_a_clip_are_where_its_attacks_are(bank, seed):
    """Whatever chance does to tempo and sound, a metronome's clicks stay on the beats that are taught."""
    clip = clips.make_clip(patterns.write_clicks(random.Random(2)), bank, np.random.default_rng(seed))
    rise = np.maximum(np.diff(clip.mel.astype(np.float32), axis=1), 0).mean(axis=0)
    frames = np.round(clip.beats * FRAME_RATE).astype(int)
    frames = frames[(frames > 5) & (frames < len(rise) - 5)]
    near = [rise[frame - 5 : frame + 2].max() for frame in frames]
    assert len(frames) > 15 and np.median(near) > 4 * np.median(rise)
    gaps = np.diff(clip.positions.astype(int))
    assert set(gaps.tolist()) <= {1, 1 - int(clip.positions.max())}


def test_same_chance_same_clip(bank):
    score = patterns.write_band(random.Random(4))
    first, second = (clips.make_clip(score, bank, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(first.mel, second.mel) and np.array_equal(first.beats, second.beats)


def test_families_of_styles_are_kept_apart():
    parts = {stem: styles.part_of(stem) for stem in ("50srock", "waltz", "samba", "slowblues", "8beat1", "bossanova", "folkrock", "Kfunk1")}
    assert parts == {
        "50srock": "train",
        "waltz": "train",
        "samba": "test",
        "slowblues": "test",
        "8beat1": "test",
        "bossanova": "dev",
        "folkrock": "dev",
        "Kfunk1": "test",
    }


def test_notes_of_a_midi_file(tmp_path):
    path = tmp_path / "notes.mid"
    path.write_bytes(instruments._write_midi([(0, 24, 60), (9, 0, 38)]))
    held = 2 * instruments.HELD  # quarters, at 120 a minute
    assert scores.read_notes(path).tolist() == [
        [0.0, held, 24.0, 60.0, 110.0],
        [2 * instruments.APART, held, float(scores.DRUMS), 38.0, 110.0],
    ]


@pytest.mark.slow
def test_a_course_learns_and_can_be_taken_up_again(bank, tmp_path, monkeypatch):
    from pack.nodes.engine.song import network
    from pack.nodes.engine.song.training import course
    from safetensors.torch import load_file

    (tmp_path / "clips").mkdir()
    for number in range(6):
        clip = clips.make_clip(patterns.write_clicks(random.Random(number)), bank, np.random.default_rng(number))
        np.savez(tmp_path / "clips" / f"{number:05d}.npz", mel=clip.mel, beats=clip.beats, positions=clip.positions)
    assert len(dataset.read_clips(tmp_path)) == 6
    monkeypatch.setattr(course, "BATCH", 2)
    monkeypatch.setattr(course, "CHECK_EVERY", 10)
    training = course.Course(tmp_path, seed=1, threads=1)
    before = training._check()
    training.run(minutes=0.15)
    assert training._check() < before
    again = course.Course(tmp_path, seed=1, threads=1)
    assert again.steps == training.steps > 0
    again.run(minutes=0.15)
    assert again.steps == training.steps
    course.write_weights(tmp_path, tmp_path / "weights.safetensors")
    weights = load_file(tmp_path / "weights.safetensors")
    network.BeatNetwork().load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in weights.items()})
