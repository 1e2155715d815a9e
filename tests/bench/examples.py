"""The bench's music as the tracker takes it in, kept so that settings can be fitted and compared in minutes.

`FOLDER/dev.pkl` and `FOLDER/test.pkl`: lists of (kind, name, Spectrum, beats, downbeats, metre, duration). Both have the pieces of
`renders.py` and sounds without a pulse; `dev` also synthesised loops, clicks and what the beat network's training writes by chance.
A file is made anew once it is removed.
"""

from __future__ import annotations

import pickle
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import drum_loops
import no_pulse
import numpy as np
from pieces import LONGEST
from renders import render_part

if TYPE_CHECKING:
    from pack.nodes.engine.song.spectrum import Spectrum
    from pack.nodes.engine.song.training.instruments import Bank
    from pack.nodes.engine.song.training.kits import Kit
    from pack.nodes.engine.song.training.scores import Score

NO_PULSE, FREE = "nopulse", "free"  # kinds without beats
LOOPS, WRITTEN, MEASURES = 30, 140, 44
FIRST_WRITTEN = 7_000_000  # seeds that no training clip has
UNCUT = ("rhythm_game",)


class Example(NamedTuple):
    kind: str
    name: str
    spectrum: Spectrum
    beats: np.ndarray
    downbeats: np.ndarray
    metre: int
    duration: float


def read_examples(folder: Path, part: str) -> list[Example]:
    path = folder / f"{part}.pkl"
    if not path.exists():
        found = [*_gather_pieces(folder, part), *_gather_silences(part)]
        if part == "dev":
            found += [*_gather_loops(), *_gather_written(folder / "bank")]
        path.with_suffix(".part").write_bytes(pickle.dumps([tuple(example) for example in found]))
        path.with_suffix(".part").rename(path)
    return [Example(*row) for row in pickle.loads(path.read_bytes())]


def _make(kind: str, name: str, samples: np.ndarray, rate: int, truth: tuple[np.ndarray, np.ndarray, int]) -> Example:
    from pack.nodes.engine.song.recording import examine_recording, ignore_progress
    from pack.nodes.engine.song.spectrum import measure_spectrum

    spectrum = measure_spectrum(examine_recording(samples, rate), ignore_progress)
    return Example(kind, name, spectrum, *truth, samples.shape[1] / rate)


def _gather_pieces(folder: Path, part: str) -> Iterator[Example]:
    import soundfile

    for piece in render_part(folder / "renders", part):
        rate = soundfile.info(piece.sound).samplerate
        frames = -1 if piece.kind in UNCUT else int(LONGEST * rate)
        samples = soundfile.read(piece.sound, frames=frames, dtype="float32", always_2d=True)[0]
        if samples.any():
            yield _make(piece.kind, piece.name, samples.T, rate, (piece.beats, piece.downbeats, piece.metre))


def _gather_silences(part: str) -> Iterator[Example]:
    for name, sound in no_pulse.SOUNDS.items():
        for seed in range(4) if part == "dev" else range(50, 53):
            yield _make(NO_PULSE, name, sound(20, seed=seed), no_pulse.RATE, (np.zeros(0), np.zeros(0), 0))


def _gather_loops() -> Iterator[Example]:
    rng = np.random.default_rng(7)
    for seed in range(LOOPS):
        tempo, metre = float(rng.uniform(60, 200)), int(rng.choice([2, 3, 3, 4, 4, 4, 5, 6, 7]))
        pickup, end_tempo = int(rng.integers(0, metre)), tempo * float(rng.choice([1, 1, 0.8, 1.25]))
        pattern, noise = str(rng.choice(["rock", "plain", "floor"])), float(rng.choice([0, 0, 0.03]))
        loop = drum_loops.drum_loop(tempo, metre, 32, pickup, end_tempo, pattern, swing=seed % 3 / 2, noise=noise, seed=seed)
        yield _make("loop", str(seed), loop.samples, drum_loops.RATE, (loop.beats, loop.downbeats, metre))
    for tempo in (66, 93, 117, 148, 183, 199):
        for metre in (2, 3, 4, 5):
            loop = drum_loops.click_track(tempo, metre, 24, pickup=tempo % metre)
            yield _make("click", f"{tempo}/{metre}", loop.samples, drum_loops.RATE, (loop.beats, loop.downbeats, metre))


def _gather_written(folder: Path) -> Iterator[Example]:
    """What the beat network's training writes, with other seeds, and its styles of the part `dev`, arranged anew."""
    from pack.nodes.engine.song.training import instruments, kits, repertoire, styles

    banks = [instruments.make_bank(font, folder) for font in instruments.FONTS]
    drums = kits.read_hydrogen_kits()
    for number in range(WRITTEN):
        yield _record("written", str(number), repertoire.write_score(FIRST_WRITTEN + number), banks, drums)
    with tempfile.TemporaryDirectory() as scratch:
        for number, style in enumerate(styles.list_styles("dev") * 2):
            score = styles.arrange(style, FIRST_WRITTEN + number, Path(scratch), MEASURES)
            if score:
                yield _record("arranged", f"{style.name} {number}", score, banks, drums)


def _record(kind: str, name: str, score: Score, banks: list[Bank], drums: list[Kit]) -> Example:
    from pack.nodes.engine.song.recording import RATE
    from pack.nodes.engine.song.training import band, clips

    rng = np.random.default_rng(zlib.crc32(f"{kind} {name}".encode()))
    players, when = band.choose_band(score, banks, drums, rng), clips.choose_timing(score, rng)
    sound = clips.record(clips.play(clips.vary(score, rng), players, when, rng), rng)
    beats = np.arange(0, score.end + 1e-6, score.step) if score.metre else np.zeros(0)
    times, positions = when(beats), np.arange(len(beats)) % max(score.metre, 1)
    kept = (times >= 0) & (times < clips.SECONDS - 0.05)
    truth = (times[kept], times[kept & (positions == 0)], score.metre)
    return _make(kind if score.metre else FREE, name, sound[None].astype(np.float32), RATE, truth)
