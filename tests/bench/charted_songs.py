"""Real recordings, metal by Sectoid, with the tempo maps players follow (Debian: fretsonfire-songs-sectoid).

A map's offset is a player's, not a microphone's, so each song is moved as a whole to where attacks are strongest. Only measured on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from midi import read_midi
from pieces import Piece, Truth, keep_piece

SECTOID = Path("/usr/share/games/fretsonfire/data/songs/sectoid")


def render_charted_songs(folder: Path, part: str) -> list[Piece]:
    notes = sorted(SECTOID.glob("*/notes.mid")) if part == "test" else []
    made = [keep_piece(folder, "rhythm_game", path.parent.name, lambda sound, path=path: _mix(path, sound)) for path in notes]
    return [piece for piece in made if piece]


def _mix(notes: Path, sound: Path) -> Truth:
    """The song and its guitar track together; beats by the chart's tempo map, which is all quarters of 4/4."""
    import soundfile

    parts = [soundfile.read(notes.parent / name, dtype="float32")[0] for name in ("song.ogg", "guitar.ogg")]
    rate = soundfile.info(notes.parent / "song.ogg").samplerate
    length = min(len(part) for part in parts)
    soundfile.write(sound, sum(part[:length] for part in parts) * 0.5, rate)
    score = read_midi(notes)
    beats = score.seconds(np.arange(0, score.end, score.ticks_per_quarter))
    beats = beats + _find_offset(sum(part[:length] for part in parts).mean(axis=1), rate, beats)
    return Truth(beats[beats >= 0].tolist(), metre=4)


def _find_offset(mono: np.ndarray, rate: int, beats: np.ndarray) -> float:
    """The delay, within half a beat, at which librosa hears the strongest attacks on a chart's beats."""
    import librosa

    strength = librosa.onset.onset_strength(y=mono, sr=rate, hop_length=512)
    half = float(np.median(np.diff(beats))) / 2
    times = librosa.times_like(strength, sr=rate, hop_length=512)
    return float(max(np.arange(-half, half, 0.01), key=lambda delay: float(np.interp(beats + delay, times, strength).mean())))
