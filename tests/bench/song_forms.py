"""Whole songs of known form for the bench, made of Musical MIDI Accompaniment's grooves:
`apt-get install mma fluidsynth fluid-soundfont-gm`.

Every kind of part (I intro, V verse, P pre-chorus, C chorus, B bridge, S solo, O outro) has its groove, its chords, its length and, but
for intro and outro, a melody; a chorus sings higher and denser.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
GROOVES = Path("/usr/share/mma/lib/stdlib")
RATE = 44100
FAMILIES = (  # grooves of verse, chorus and bridge, and the tempo
    ("8Beat", "8BeatPlus", "8BeatSus", 116),
    ("FolkRock", "FolkRockPlus", "FolkRockSus", 112),
    ("PopBallad", "PopBalladPlus", "PopBalladSus", 76),
    ("SoftRock", "SoftRockPlus", "SoftRockSus", 98),
    ("Rock128", "Rock128Plain", "Rock128Sus", 68),
    ("BossaNova", "BossaNova1Sus", "BossaNovaSus", 124),
    ("60sRock", "60sRockSus", "60sRock", 128),
    ("Swing", "SwingPlus", "SwingSus", 140),
    ("CountrySwing", "CountrySwingPlus", "CountrySwingSus", 120),
    ("SlowJazz", "SlowJazzPlus", "SlowJazzSus", 84),
    ("Trance", "TranceSus", "Trance", 136),
    ("Ska", "SkaPlus", "SkaSus", 150),
    ("Samba", "SambaPlus", "SambaSus", 100),
    ("BasicRock", "BasicRockPlus", "BasicRockSus", 132),
    ("Waltz", "WaltzSus", "Waltz1", 140),
    ("ChaCha", "ChaChaPlus", "ChaChaSus", 120),
)
FORMS = ("IVCVCBCO", "IVVCVCO", "VCVCBCC", "IVPCVPCBCO", "VVCVCSCO", "IVCIVCBCO")
CHORDS = (
    ("C", "Am", "F", "G7"), ("Am", "F", "C", "G"), ("F", "G", "Em", "Am"), ("Em", "C", "G", "D"),
    ("Dm", "G7", "C", "Am"), ("F", "C", "G", "Am"), ("Am", "G", "F", "E7"),
)  # fmt: skip
LOUD = {"I": "mp", "V": "mf", "P": "mf", "C": "f", "B": "mp", "S": "f", "O": "mp"}
SCALE = ("c", "d", "e", "f", "g", "a", "b")


@dataclass(frozen=True)
class FormedSong:
    name: str
    sound: Path
    borders: np.ndarray  # seconds, first 0, last the end
    labels: list[str]
    downbeats: np.ndarray
    tempo: float


def render_songs(folder: Path, numbers: range = range(16)) -> list[FormedSong]:
    """These songs, rendered into a folder; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    return [song for number in numbers if (song := _keep(folder, number))]


def _keep(folder: Path, number: int) -> FormedSong | None:
    sound, facts = folder / f"form {number:02}.wav", folder / f"form {number:02}.json"
    if not facts.exists():
        made = _write(folder, number)
        if made is None:
            return None
        score, truth = made
        command = ["timeout", "120", "fluidsynth", "-ni", "-q", "-g", "0.5", "-r", str(RATE), "-F", str(sound), str(SOUNDFONT), str(score)]
        subprocess.run(command, check=False, capture_output=True)
        facts.write_text(json.dumps(truth))
    truth = json.loads(facts.read_text())
    return FormedSong(truth["name"], sound, np.array(truth["borders"]), truth["labels"], np.array(truth["downbeats"]), truth["tempo"])


def _write(folder: Path, number: int) -> tuple[Path, dict] | None:
    chance = random.Random(500 + number)
    verse, chorus, bridge, tempo = FAMILIES[number % len(FAMILIES)]
    form = FORMS[number % len(FORMS)]
    grooves = {"V": verse, "C": chorus, "B": bridge, "I": verse, "O": chorus, "P": verse, "S": chorus}
    grooves = {part: groove if _exists(folder, groove) else verse for part, groove in grooves.items()}
    chords = {part: chance.choice(CHORDS) for part in sorted(set(form))}
    lengths = {part: chance.choice([4, 4, 8] if part in "IOP" else [8, 8, 8, 12, 16]) for part in sorted(set(form))}
    quarters = _quarters(verse)
    motifs = {part: _motif(part, number, quarters) for part in "VCBPS"}
    lines = [
        f"Tempo {tempo}",
        "Begin Solo",
        f"Voice {chance.choice(['Violin', 'Flute', 'Oboe', 'Clarinet', 'JazzGuitar'])}",
        "Octave 5",
        "End",
    ]
    starts, bar = [], 0
    for part in form:
        starts.append(bar)
        lines += [f"Groove {grooves[part]}", f"Volume {LOUD[part]}"]
        for place in range(lengths[part]):
            sung = f" {{{motifs[part][place % 4]}}}" if part in motifs else ""
            lines.append(f"{bar + 1} {chords[part][place % 4]}{sung}")
            bar += 1
    source, score = folder / f"form {number:02}.mma", folder / f"form {number:02}.mid"
    source.write_text("\n".join(lines))
    subprocess.run(["mma", "-f", str(score), str(source)], check=False, capture_output=True)
    if not score.exists():
        return None
    length = quarters * 60 / tempo
    borders = [start * length for start in (*starts, bar)]
    downbeats = [place * length for place in range(bar)]
    return score, {"name": verse, "borders": borders, "labels": list(form), "downbeats": downbeats, "tempo": tempo}


def _motif(part: str, number: int, quarters: int) -> list[str]:
    """Four bars of melody, the same wherever this part comes; a chorus is higher and denser."""
    chance = random.Random(900 + number * 7 + ord(part))
    place, bars = (9 if part in "CS" else 4) + chance.randint(-1, 2), []
    for _ in range(4):
        left, notes = quarters * 2, []  # eighths
        while left > 0:
            length = min(left, chance.choice([1, 1, 2, 2] if part in "CS" else [1, 2, 2, 4]))
            length = 2 if length == 3 else length
            if chance.random() > 0.15:
                place = min(max(place + chance.choice([-3, -2, -1, 0, 1, 2, 3]), 0), 15)
                notes.append(f"{8 // length}{SCALE[place % 7]}{'+' * (place // 7)}")
            else:
                notes.append(f"{8 // length}r")
            left -= length
        bars.append(";".join(notes) + ";")
    return bars


def _exists(folder: Path, groove: str) -> bool:
    probe = folder / "probe.mma"
    probe.write_text(f"Groove {groove}\n1 C\n")
    found = subprocess.run(["mma", "-n", str(probe)], check=False, capture_output=True, text=True)
    return "rror" not in found.stdout


def _quarters(groove: str) -> int:
    """Quarters in a bar, from the style that defines the groove."""
    for path in GROOVES.glob("*.mma"):
        text = path.read_text(errors="replace")
        if re.search(rf"^DefGroove\s+{re.escape(groove)}\b", text, re.MULTILINE | re.IGNORECASE):
            time = re.search(r"^Time\s+(\d+)", text, re.MULTILINE)
            return int(time.group(1)) if time else 4
    return 4
