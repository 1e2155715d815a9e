"""Whether valence and arousal move the right way when one cue of a piece changes, and what is usual for each cue.

    python tests/bench/bench_emotion.py pairs FOLDER [--first 12]
    python tests/bench/bench_emotion.py usual FOLDER      mean and deviation of each cue over the songs of `song_forms.py`, for `CUES`

Every pair is the same groove of Musical MIDI Accompaniment over the same chords, rendered twice (`apt-get install mma fluidsynth
fluid-soundfont-gm`): slow and fast, soft and loud, low and high, minor and major, legato and staccato. Beats are those that the
analyser hears. No listener was asked: the directions are those of the literature (Gabrielsson & Lindstroem 2010).
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
import song_forms  # noqa: E402

GROOVES = (  # the first 12 served to set the weights, the last 10 did not
    "PopBallad", "8Beat", "FolkRock", "SoftRock", "BossaNova", "Rhumba",
    "SlowJazz", "Swing", "CountrySwing", "Samba", "BasicRock", "Ska",
    "60sRock", "Beguine", "Calypso", "ChaCha", "Foxtrot", "GuitarBallad", "Mambo", "Merengue",
    "ShuffleBoggie", "Tango",
)  # fmt: skip
NAMES = "C Db D Eb E F Gb G Ab A Bb B".split()
BARS = 12
PAIRS = {  # cue: (the curves that must rise, less, more)
    "tempo": (("arousal", "valence"), {"tempo": 75}, {"tempo": 150}),
    "loudness": (("arousal",), {"volume": "p"}, {"volume": "ff"}),
    "register": (("valence",), {"transpose": -7}, {"transpose": 5}),
    "mode": (("valence",), {"mode": "minor"}, {"mode": "major"}),
    "articulation": (("arousal",), {"articulate": 140}, {"articulate": 25}),
}


def chords(mode: str, tonic: int, kind: int) -> list[str]:
    degrees = {
        "major": (((0, ""), (5, ""), (7, ""), (0, "")), ((0, ""), (9, "m"), (5, ""), (7, ""))),
        "minor": (((0, "m"), (5, "m"), (7, ""), (0, "m")), ((0, "m"), (8, ""), (5, "m"), (7, ""))),
    }[mode][kind % 2]
    return [NAMES[(tonic + step) % 12] + colour for step, colour in degrees]


def render(folder: Path, groove: str, number: int, tempo: int = 110, volume: str = "m", transpose: int = 0, mode: str = "major",
           articulate: int = 80) -> Path:  # fmt: skip
    name = f"{groove} {tempo} {volume} {transpose} {mode} {articulate}"
    sound, source = folder / f"{name}.wav", folder / f"{name}.mma"
    if sound.exists():
        return sound
    progression = chords(mode, random.Random(number).randrange(12), number)
    lines = [f"Tempo {tempo}", f"Transpose {transpose}", f"Groove {groove}", f"AllTracks Articulate {articulate}", f"Volume {volume}"]
    source.write_text("\n".join([*lines, *(f"{bar + 1} {progression[bar % 4]}" for bar in range(BARS))]))
    score = source.with_suffix(".mid")
    subprocess.run(["mma", "-f", str(score), str(source)], check=True, capture_output=True)
    command = [
        "timeout",
        "60",
        "fluidsynth",
        "-ni",
        "-q",
        "-g",
        "0.4",
        "-r",
        "44100",
        "-F",
        str(sound),
        str(song_forms.SOUNDFONT),
        str(score),
    ]
    subprocess.run(command, check=False, capture_output=True)
    return sound


def feel(sound: Path, seconds: float) -> dict[str, float]:
    import soundfile
    from pack.nodes.engine.song.analysis import analyse_song

    samples, rate = soundfile.read(sound, dtype="float32", always_2d=True)
    timeline = analyse_song(samples[: int(seconds * rate)].T, rate)
    return {name: float(np.mean(timeline.curve(name).values)) for name in ("valence", "arousal", "mode", "brightness", "roughness")}


def compare_pairs(folder: Path, first: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[tuple[str, str], list[float]] = {}
    for number, groove in list(enumerate(GROOVES))[first:]:
        for cue, (curves, less, more) in PAIRS.items():
            felt = [
                feel(render(folder, groove, number, **change), BARS * 240 / change.get("tempo", 110))  # type: ignore[arg-type,operator]
                for change in (less, more)
            ]
            for curve in curves:
                found.setdefault((cue, curve), []).append(felt[1][curve] - felt[0][curve])
            print(groove, cue, *(f"{curve} {felt[0][curve]:.2f} -> {felt[1][curve]:.2f}" for curve in curves), flush=True)
    print("\n| cue raised | curve that must rise | pieces | right way | mean change |\n|---|---|---|---|---|")
    for (cue, curve), changes in found.items():
        print(f"| {cue} | {curve} | {len(changes)} | {np.mean(np.array(changes) > 0):.2f} | {np.mean(changes):+.3f} |")


def print_usual(folder: Path) -> None:
    import soundfile
    from pack.nodes.engine.song.analysis import analyse_song
    from pack.nodes.engine.song.emotion import measure_cues
    from pack.nodes.engine.song.recording import examine_recording
    from pack.nodes.engine.song.spectrum import measure_spectrum

    values: dict[str, list[np.ndarray]] = {}
    for song in song_forms.render_songs(folder):
        samples, rate = soundfile.read(song.sound, dtype="float32", always_2d=True)
        recording = examine_recording(samples.T, rate)
        timeline = analyse_song(samples.T, rate)
        looks = song.downbeats[::2]
        for name, row in measure_cues(measure_spectrum(recording, lambda *_: None), timeline, looks, recording.gain).items():
            values.setdefault(name, []).append(row)
    for name, rows in values.items():
        every = np.concatenate(rows)
        print(f"{name:12s} usual {every.mean():.3f} spread {every.std():.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["pairs", "usual"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    compare_pairs(options.folder, options.first) if options.task == "pairs" else print_usual(options.folder)


if __name__ == "__main__":
    main()
