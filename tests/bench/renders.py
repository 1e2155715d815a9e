"""Music with known beats for the bench, rendered from Debian packages: `apt-get install mma fluidsynth fluid-soundfont-gm
openttd-openmsx fretsonfire-songs-sectoid`. Nothing of it is kept in the repository.

* grooves: Musical MIDI Accompaniment's styles (blues, latin, march, waltz, 5/4, 6/8 ...) over random chords; every fifth piece
  changes its tempo. Only families of styles that the beat network never learnt from: `dev`, on which settings were chosen,
  and `test`.
* game scores: OpenTTD's music, by its own tempo maps; bars only where a score's accents agree with its time signature.
* rhythm game: real recordings by Sectoid, with the tempo maps players follow. Their offsets are a player's, not a
  microphone's, so these four are moved as a whole to where attacks are strongest before they are scored.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from midi import MidiScore, read_midi

if TYPE_CHECKING:
    from pack.nodes.engine.song.training.styles import Style

GAME_SCORES = Path("/usr/share/games/openttd/baseset/openmsx")
OFF_GRID = ("tttheme2",)  # played freely beside its own tempo map
RHYTHM_GAME = Path("/usr/share/games/fretsonfire/data/songs/sectoid")
SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
RATE = 44100
LONGEST = 70.0  # seconds of a piece
CHORDS = "C Am F G Dm Em E7 A7 D7 G7 Bb Fmaj7 Cmaj7 Gm".split()
PACES = (
    ("slow|ballad|hymn|spiritual", 58, 88),
    ("fast|bebop|quickstep|polka|samba", 150, 210),
    ("swing|jazz|waltz", 95, 180),
    ("", 84, 150),
)


@dataclass(frozen=True)
class Piece:
    kind: str
    name: str
    sound: Path
    beats: np.ndarray
    downbeats: np.ndarray  # empty where the score's bars cannot be trusted
    metre: int


def render_grooves(folder: Path, part: str) -> list[Piece]:
    """A groove of every style of `test` or `dev`; what is in the folder already is kept."""
    from pack.nodes.engine.song.training.styles import list_styles

    folder.mkdir(parents=True, exist_ok=True)
    pieces = [_keep(folder, f"groove {part}", style.name, lambda style=style: _write_groove(folder, style)) for style in list_styles(part)]
    return [piece for piece in pieces if piece]


def render_all(folder: Path) -> list[Piece]:
    """Every piece of the test, rendered into a folder; what is there already is kept."""
    pieces: list[Piece | None] = [*render_grooves(folder, "test")]
    pieces += [
        _keep(folder, "game_score", path.stem, lambda path=path: _read_game_score(path))
        for path in sorted(GAME_SCORES.glob("*.mid"))
        if path.stem not in OFF_GRID
    ]
    pieces += [
        _keep(folder, "rhythm_game", path.parent.name, lambda path=path: _mix_song(folder, path))
        for path in sorted(RHYTHM_GAME.glob("*/notes.mid"))
    ]
    return [piece for piece in pieces if piece]


def _keep(folder: Path, kind: str, name: str, make) -> Piece | None:
    sound, truth = folder / f"{kind} {name}.wav", folder / f"{kind} {name}.json"
    if not truth.exists():
        made = make()
        if made is None:
            return None
        midi, facts = made
        if not sound.exists():
            _synthesise(midi, sound)
        truth.write_text(json.dumps(facts))
    facts = json.loads(truth.read_text())
    return Piece(kind, name, sound, np.array(facts["beats"]), np.array(facts["downbeats"]), facts["metre"])


def _synthesise(midi: Path, sound: Path) -> None:
    """Renders a score; a limit on time, because a score without note-offs would sound for ever."""
    command = ["timeout", "40", "fluidsynth", "-ni", "-q", "-g", "0.5", "-r", str(RATE), "-F", str(sound), str(SOUNDFONT), str(midi)]
    subprocess.run(command, check=False, capture_output=True)


def _write_groove(folder: Path, style: Style) -> tuple[Path, dict] | None:
    rng = random.Random(style.name)
    low, high = next((low, high) for words, low, high in PACES if re.search(words, style.path.stem))
    tempo = rng.uniform(low, high) * (3 if style.compound and high < 200 else 1)
    midi = folder / f"{style.name}.mid"
    groove = f"{style.path.parent.name}/{style.path.stem}:{rng.choice(style.grooves)}"
    lines = _groove_lines(rng, groove, tempo, max(8, int(LONGEST * tempo / 60 / style.quarters)))
    midi.with_suffix(".mma").write_text("\n".join(lines))
    subprocess.run(["mma", "-f", str(midi), str(midi.with_suffix(".mma"))], check=False, capture_output=True)
    if not midi.exists():
        return None
    return midi, _grid(read_midi(midi), style.quarters, 3 if style.compound else 1)


def _groove_lines(rng: random.Random, groove: str, tempo: float, bars: int) -> list[str]:
    lines = [f"Tempo {tempo:.0f}", f"Groove {groove}"]
    progression = [rng.choice(CHORDS) for _ in range(8)]
    moves = rng.random() < 0.2
    for bar in range(bars):
        if moves and bar == bars // 4:
            lines.append(f"Tempo {tempo * rng.choice([0.8, 1.25]):.0f} {bars // 3}")
        lines.append(f"{bar + 1} {progression[bar % 8]}")
    return lines


def _grid(score: MidiScore, quarters: int, step: int) -> dict:
    """Beats every `step` quarters from tick zero, bars of `quarters` quarters."""
    ticks = np.arange(0, score.end + 1, score.ticks_per_quarter * step)
    bars = np.arange(0, score.end + 1, score.ticks_per_quarter * quarters)
    return _cut(score.seconds(ticks), score.seconds(bars), quarters // step)


def _cut(beats: np.ndarray, bars: np.ndarray, metre: int) -> dict:
    return {"beats": beats[beats < LONGEST].tolist(), "downbeats": bars[bars < LONGEST].tolist(), "metre": metre}


def _read_game_score(path: Path) -> tuple[Path, dict]:
    score = read_midi(path)
    metre = score.signatures[0][1] if score.signatures else 4
    facts = _grid(score, metre, 1)
    return path, facts if score.signatures and _agree(score, metre) else {**facts, "downbeats": [], "metre": 0}


def _agree(score: MidiScore, metre: int) -> bool:
    """Whether kick, crash and bass notes fall most on the first beat of a time signature's bars."""
    accents = np.zeros(metre)
    for tick, channel, pitch, velocity in score.notes:
        beat = tick / score.ticks_per_quarter
        if abs(beat - round(beat)) < 0.05 and (pitch in (35, 36, 49, 57) if channel == 9 else pitch < 48):
            accents[round(beat) % metre] += velocity
    return accents.argmax() == 0 and accents[0] > 0


def _mix_song(folder: Path, notes: Path) -> tuple[Path, dict]:
    """The song and its guitar track together; beats by the chart's tempo map, which is all quarters of 4/4."""
    import soundfile

    parts = [soundfile.read(notes.parent / name, dtype="float32")[0] for name in ("song.ogg", "guitar.ogg")]
    rate = soundfile.info(notes.parent / "song.ogg").samplerate
    length = min(len(part) for part in parts)
    soundfile.write(folder / f"rhythm_game {notes.parent.name}.wav", sum(part[:length] for part in parts) * 0.5, rate)
    score = read_midi(notes)
    beats = score.seconds(np.arange(0, score.end, score.ticks_per_quarter))
    beats = beats + _find_offset(sum(part[:length] for part in parts).mean(axis=1), rate, beats)
    return notes, {"beats": beats[beats >= 0].tolist(), "downbeats": [], "metre": 4}


def _find_offset(mono: np.ndarray, rate: int, beats: np.ndarray) -> float:
    """The delay, within half a beat, at which librosa hears the strongest attacks on a chart's beats."""
    import librosa

    strength = librosa.onset.onset_strength(y=mono, sr=rate, hop_length=512)
    half = float(np.median(np.diff(beats))) / 2
    times = librosa.times_like(strength, sr=rate, hop_length=512)
    return float(max(np.arange(-half, half, 0.01), key=lambda delay: float(np.interp(beats + delay, times, strength).mean())))
