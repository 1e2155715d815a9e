"""A piece of music with known beats: how the bench's sources make, keep and check one.

What is rendered stands in a folder as `kind name.wav` beside `kind name.json`, its truth; a truth of null says that the source
was looked at and dropped by a rule. Times are seconds.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RATE = 44100
LONGEST = 70.0  # of a piece
HOP = 256  # samples between the moments at which attacks are measured
BASS = 150.0  # Hz; below is what a bar's first beat is heard by


@dataclass(frozen=True)
class Truth:
    beats: list[float]
    downbeats: list[float] = field(default_factory=list)  # empty where the source's bars cannot be trusted
    metre: int = 0


@dataclass(frozen=True)
class Piece:
    kind: str
    name: str
    sound: Path
    beats: np.ndarray
    downbeats: np.ndarray
    metre: int


def part_of_place(place: int) -> str:
    """Which part a source's piece belongs to by its place in the sorted list: `dev`, to choose settings on, and `test` in turn."""
    return ("dev", "test")[place % 2]


def keep_piece(folder: Path, kind: str, name: str, make: Callable[[Path], Truth | None]) -> Piece | None:
    """The piece as the folder has it, else as `make` writes its sound and tells its truth; None where it makes none."""
    folder.mkdir(parents=True, exist_ok=True)
    sound, truth = folder / f"{kind} {name}.wav", folder / f"{kind} {name}.json"
    if not truth.exists():
        made = make(sound)
        truth.write_text(json.dumps(asdict(made) if made else None))
    facts = json.loads(truth.read_text())
    if facts is None or not sound.exists():
        return None
    return Piece(kind, name, sound, np.array(facts["beats"]), np.array(facts["downbeats"]), facts["metre"])


def keep_made_up(folder: Path, kind: str, part: str, count: int, play: Callable[[int, Path], Truth]) -> list[Piece]:
    """The pieces of a part of `count` that are made up by chance: `play` makes the one of a seed."""
    seeds = [seed for seed in range(count) if part_of_place(seed) == part]
    made = [keep_piece(folder, kind, str(seed), lambda sound, seed=seed: play(seed, sound)) for seed in seeds]
    return [piece for piece in made if piece]


def cut_truth(beats: np.ndarray, downbeats: np.ndarray, metre: int, end: float = LONGEST) -> Truth:
    return Truth(beats[beats < end].tolist(), downbeats[downbeats < end].tolist(), metre)


def synthesise(midi: Path, sound: Path) -> None:
    """Renders a score; a limit on time, because a score without note-offs would sound for ever."""
    if not sound.exists():
        command = ["timeout", "40", "fluidsynth", "-ni", "-q", "-g", "0.5", "-r", str(RATE), "-F", str(sound), str(SOUNDFONT), str(midi)]
        subprocess.run(command, check=False, capture_output=True)


def read_mono(sound: Path, longest: float = LONGEST) -> tuple[np.ndarray, int]:
    import soundfile

    rate = soundfile.info(sound).samplerate
    return soundfile.read(sound, frames=int(longest * rate), dtype="float32", always_2d=True)[0].mean(axis=1), rate


def measure_attacks(mono: np.ndarray, rate: int, highest: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Times, and how strong an attack librosa hears at each, of all pitches or those up to a frequency."""
    import librosa

    strength = librosa.onset.onset_strength(y=mono, sr=rate, hop_length=HOP, fmax=highest or rate / 2, n_mels=8 if highest else 64)
    return librosa.times_like(strength, sr=rate, hop_length=HOP), strength


def stands_on_grid(mono: np.ndarray, rate: int, beats: np.ndarray) -> bool:
    """Whether music is played on the beats it is written on: attacks, all or those of the bass, are no stronger at any other quarter.

    Either is enough, because hats between the beats may be louder than the drums on them.
    """
    gaps = np.diff(beats)
    for highest in (None, BASS):
        times, strength = measure_attacks(mono, rate, highest)
        on, *off = (_strength_near(times, strength, beats[:-1] + share * gaps) for share in (0, 0.25, 0.5, 0.75))
        if on > 0 and on >= max(off):
            return True
    return False


def stands_on_bars(mono: np.ndarray, rate: int, beats: np.ndarray, metre: int) -> bool:
    """Whether the bass and the kick fall most on every `metre`-th beat from the first."""
    times, strength = measure_attacks(mono, rate, BASS)
    places = [_strength_near(times, strength, beats[place::metre]) for place in range(metre)]
    return int(np.argmax(places)) == 0


def _strength_near(times: np.ndarray, strength: np.ndarray, places: np.ndarray) -> float:
    """The mean, over some moments, of the strongest attack within 30 ms."""
    near = max(1, round(0.03 / float(times[1] - times[0])))
    frames = np.searchsorted(times, places)
    peaks = [strength[max(frame - near, 0) : frame + near + 1].max(initial=0) for frame in frames.tolist()]
    return float(np.mean(peaks)) if peaks else 0.0
