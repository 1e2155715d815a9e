"""The beat network's training: exact truth in its clips, families kept apart, and a course that learns and resumes."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest
from pack.nodes.engine.song.recording import RATE
from pack.nodes.engine.song.spectrum import FRAME_RATE
from pack.nodes.engine.song.training import band as players
from pack.nodes.engine.song.training import clips, dataset, instruments, kits, patterns, repertoire, scores, styles, voices


@pytest.fixture(scope="module")
def band() -> players.Band:
    """Every note a short plucked tone, every drum a knock; somebody sings."""
    t = np.arange(int(instruments.APART * RATE)) / RATE
    tone = (9000 * np.sin(2 * np.pi * 220 * t) * np.exp(-4 * t)).astype(np.int16)
    knock = (9000 * np.random.default_rng(0).standard_normal(len(t)) * np.exp(-60 * t)).astype(np.int16)
    bank = instruments.Bank(
        np.broadcast_to(tone, (instruments.PROGRAMS, len(instruments.PITCHES), len(t))),
        np.broadcast_to(knock, (len(instruments.KITS), len(instruments.DRUM_PITCHES), len(t))),
    )
    return players.Band(bank, {}, {voices.VOICE: voices.choose_singer(np.random.default_rng(0))})


@pytest.mark.parametrize("write", [writer for writer, _ in repertoire.WRITERS if writer is not patterns.write_free])
def test_patterns_fill_their_bars(write):
    score = write(random.Random(5))
    starts = score.notes[:, scores.START]
    assert score.metre in (2, 3, 4, 5, 6, 7) and score.step in (1.0, 1.5)
    bar = score.step * score.metre
    first_beats = np.mean([np.any(np.abs(starts - bar * number) < 1e-6) for number in range(int(score.end / bar))])
    assert first_beats > 0.8
    assert (score.notes[:, scores.VELOCITY] <= 127).all() and (score.notes[:, scores.LENGTH] > 0).all()


def test_free_notes_have_no_beats(band):
    clip = clips.make_clip(patterns.write_free(random.Random(1)), band, np.random.default_rng(1))
    assert len(clip.beats) == 0 and np.isfinite(clip.mel.astype(float)).all()


@pytest.mark.parametrize("seed", range(4))
def test_beats_of_a_clip_are_where_its_attacks_are(band, seed):
    """Whatever chance does to tempo and sound, a metronome's clicks stay on the beats that are taught."""
    clip = clips.make_clip(patterns.write_clicks(random.Random(2)), band, np.random.default_rng(seed))
    rise = np.maximum(np.diff(clip.mel.astype(np.float32), axis=1), 0).mean(axis=0)
    frames = np.round(clip.beats * FRAME_RATE).astype(int)
    frames = frames[(frames > 5) & (frames < len(rise) - 5)]
    near = [rise[frame - 5 : frame + 2].max() for frame in frames]
    assert len(frames) > 15 and np.median(near) > 4 * np.median(rise)
    gaps = np.diff(clip.positions.astype(int))
    assert set(gaps.tolist()) <= {1, 1 - int(clip.positions.max())}


def test_same_chance_same_clip(band):
    score = patterns.write_band(random.Random(4))
    first, second = (clips.make_clip(score, band, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(first.mel, second.mel) and np.array_equal(first.beats, second.beats)


def test_a_note_is_sung_at_its_pitch():
    rng = np.random.default_rng(1)
    for choose in (voices.choose_patch, voices.choose_singer):
        patch = dataclasses.replace(choose(rng), vibrato=0.0, slide=0.0, breath=0.0, detune=0.0)
        note = voices.sing(patch, 57.0, 1.0, rng)[RATE // 4 : RATE // 2].astype(float)
        repeats = np.correlate(note, note, "full")[len(note) :]
        period = 40 + int(np.argmax(repeats[39:200]))
        assert abs(period - RATE / 220) < 1.5
        assert len(note) and np.abs(note).max() > 500


def test_drum_machines_differ_and_strike_at_once():
    first, second = (kits.make_drum_machine(np.random.default_rng(seed)) for seed in (1, 2))
    assert {35, 36, 38, 39, 42, 46, 49} <= set(first) and not np.array_equal(first[36], second[36][: len(first[36])])
    for sound in first.values():
        assert np.isfinite(sound).all() and np.argmax(np.abs(sound) > 0.1 * np.abs(sound).max()) < 0.005 * RATE


def test_kits_of_hydrogen_are_read_by_the_names_of_their_drums(tmp_path):
    import soundfile

    folder = tmp_path / "Kit"
    folder.mkdir()
    knock = np.concatenate([np.zeros(4410), 0.2 * np.exp(-np.arange(8820) / 900)])
    drums = {"BassDrum": "a.wav", "Snare Rock": "b.wav", "Open HH": "c.wav", "Tom Low": "missing.wav"}
    for file in ("a.wav", "b.wav", "c.wav"):
        soundfile.write(folder / file, knock, 44100)
    rows = "".join(
        f"<instrument><name>{name}</name><layer><filename>{file}</filename></layer></instrument>" for name, file in drums.items()
    )
    (folder / "drumkit.xml").write_text(f'<drumkit_info xmlns="http://www.hydrogen-music.org/drumkit">{rows}</drumkit_info>')
    (kit,) = kits.read_hydrogen_kits(tmp_path)
    assert set(kit) == {35, 36, 38, 40, 46}
    assert np.argmax(np.abs(kit[36])) < 0.003 * RATE and np.abs(kit[36]).max() == pytest.approx(12000)


def test_everything_else_gives_way_to_the_kick(band):
    score = patterns.write_floor(random.Random(3))
    band = dataclasses.replace(band, drums={pitch: np.zeros(1, np.float32) for pitch in range(128)})
    timing = clips.choose_timing(score, np.random.default_rng(2))
    plain, pumped = (clips.play(score, dataclasses.replace(band, pumps=pumps), timing, np.random.default_rng(5)) for pumps in (False, True))
    assert np.abs(pumped).sum() < 0.95 * np.abs(plain).sum()


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
def test_a_course_learns_and_can_be_taken_up_again(band, tmp_path, monkeypatch):
    from pack.nodes.engine.song import network
    from pack.nodes.engine.song.training import course
    from safetensors.torch import load_file

    (tmp_path / "clips").mkdir()
    for number in range(6):
        clip = clips.make_clip(patterns.write_clicks(random.Random(number)), band, np.random.default_rng(number))
        np.savez(tmp_path / "clips" / f"{number:05d}.npz", mel=clip.mel, beats=clip.beats, positions=clip.positions)
    assert [number for number, _ in dataset.read_clips(tmp_path, {0, 3})] == [1, 2, 4, 5]
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
