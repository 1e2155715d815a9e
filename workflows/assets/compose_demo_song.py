"""Composes and synthesises the demo song: `python workflows/assets/compose_demo_song.py [folder]`.

Out come `demo_song.ogg` (stereo, 44.1 kHz, Vorbis) and `demo_song.json`, its exact beats, bars and sections.
Everything is made here with numpy from a fixed seed, so the song is free to ship and its truth is known.
Conventions: times in seconds, pitches as MIDI numbers, places in the score as (bar, beat), both from 0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from demo_instruments import (
    RATE,
    band,
    bass_note,
    bell_note,
    clap,
    crash,
    hat,
    kick,
    lead_note,
    pad_note,
    riser,
    room,
    seconds,
    snare,
    tom,
)

TEMPO = 124.0
BEAT = 60.0 / TEMPO
PICKUP = 0.12 + BEAT  # where bar 0 starts: a breath, then one beat of snare fill
BARS = 13  # the last one is the final chord, ringing
DURATION = 26.9

SECTIONS = [("A", 0, 4), ("B", 4, 8), ("break", 8, 9), ("B", 9, 12), ("end", 12, 13)]
VERSE = [(57, 60, 64), (53, 57, 60), (48, 55, 64), (55, 59, 62)]  # Am F C G
CHORUS = [(53, 57, 60), (48, 55, 64), (55, 59, 62), (57, 60, 64)]  # F C G Am
FINAL = (48, 55, 64)  # the fourth chord of the last chorus is C: it closes
CHORDS = VERSE + CHORUS + [(53, 57, 60)] + CHORUS[:3] + [FINAL]
# The hook, per bar: (eighth, length in eighths, pitch).
HOOK = [
    [(0, 1, 72), (1, 1, 69), (2, 2, 72), (4, 2, 77), (6, 1, 76), (7, 1, 72)],
    [(0, 3, 76), (3, 1, 74), (4, 2, 72), (6, 1, 67), (7, 1, 72)],
    [(0, 1, 74), (1, 1, 71), (2, 2, 74), (4, 2, 79), (6, 1, 77), (7, 1, 74)],
    [(0, 4, 76), (4, 1, 72), (5, 1, 74), (6, 2, 76)],
]
ANSWER = {1: [(5, 1, 72), (6, 1, 69), (7, 1, 67)], 3: [(4, 1, 67), (5, 1, 71), (6, 2, 74)]}  # calls in the verse


def time_of(bar: int, beat: float = 0.0) -> float:
    return PICKUP + BEAT * (4 * bar + beat)


class Mixer:
    """Stereo buses of the whole song; `play` adds a sound to one of them."""

    def __init__(self) -> None:
        self.buses: dict[str, np.ndarray] = {}
        self.kicks: list[float] = []

    def play(self, bus: str, time: float, sound: np.ndarray, gain: float, pan: float = 0.0) -> None:
        """`pan` from -1 (left) to 1 (right), at constant power."""
        track = self.buses.setdefault(bus, np.zeros((2, int(DURATION * RATE))))
        first = round(time * RATE)
        count = min(len(sound), track.shape[1] - first)
        for channel, weight in enumerate((np.cos((pan + 1) * np.pi / 4), np.sin((pan + 1) * np.pi / 4))):
            track[channel, first : first + count] += gain * weight * sound[:count]

    def kick(self, time: float, gain: float = 0.55) -> None:
        self.kicks.append(time)
        self.play("drums", time, kick(), gain)

    def duck(self, depth: float) -> np.ndarray:
        """The sidechain: a gain over time that dips with each kick and swells back."""
        t = seconds(DURATION)
        gain = np.ones(len(t))
        for start in self.kicks:
            since = t - start
            gain = np.minimum(gain, np.where(since >= -0.002, 1 - depth * np.exp(-np.maximum(since, 0) / 0.11), 1))
        return gain


def play_verse_drums(mixer: Mixer, bar: int) -> None:
    for beat in (0, 1.5, 2) if bar % 2 == 0 else (0, 1.5, 2, 2.75):
        mixer.kick(time_of(bar, beat), 0.55 if beat in (0, 2) else 0.42)
    for beat in (1, 3):
        mixer.play("drums", time_of(bar, beat), snare(), 0.5)
    for eighth in range(8):
        mixer.play("drums", time_of(bar, eighth / 2), hat(0.03), 0.17 if eighth % 2 == 0 else 0.1, 0.25)


def play_chorus_drums(mixer: Mixer, bar: int) -> None:
    for beat in range(4):
        mixer.kick(time_of(bar, beat))
        mixer.play("drums", time_of(bar, beat + 0.5), hat(0.11), 0.2, 0.2)
        for sixteenth in (0.25, 0.75):
            mixer.play("drums", time_of(bar, beat + sixteenth), hat(0.02), 0.08, -0.3)
    for beat in (1, 3):
        mixer.play("drums", time_of(bar, beat), snare(), 0.42)
        mixer.play("drums", time_of(bar, beat), clap(), 0.4, -0.1)


def play_fill(mixer: Mixer, bar: int, beat: float, beats: float) -> None:
    """Sixteenths on the snare that grow, over a low tom, into the next downbeat."""
    count = round(beats * 4)
    for step in range(count):
        mixer.play("drums", time_of(bar, beat + step / 4), snare(), 0.16 + 0.26 * step / count, 0.1)
    mixer.play("drums", time_of(bar, beat), tom(98), 0.5, -0.2)


def play_drums(mixer: Mixer) -> None:
    play_fill(mixer, 0, -1, 1)
    for bar in range(0, 4):
        play_verse_drums(mixer, bar)
    for bar in [*range(4, 8), *range(9, 12)]:
        play_chorus_drums(mixer, bar)
    for bar in (3, 11):
        play_fill(mixer, bar, 3, 1)
    play_fill(mixer, 8, 2, 2)
    mixer.play("air", time_of(8), riser(4 * BEAT), 0.5)
    for bar, gain in ((0, 0.22), (4, 0.36), (9, 0.4), (12, 0.42)):
        mixer.play("air", time_of(bar), crash(), gain, 0.15)
    mixer.kick(time_of(12), 0.6)
    mixer.play("drums", time_of(12), snare(), 0.4)


def play_bass(mixer: Mixer) -> None:
    verse = [(0, 1.5), (1.5, 0.5), (2, 1), (3, 0.5), (3.5, 0.5)]
    chorus = [(eighth / 2, 0.42) for eighth in range(8)]
    for bar in [*range(8), *range(9, 12)]:
        root = CHORDS[bar][0] - 12 if CHORDS[bar][0] > 50 else CHORDS[bar][0]
        for index, (beat, beats) in enumerate(verse if bar < 4 else chorus):
            lift = 12 if bar >= 4 and index % 2 == 1 else 7 if bar < 4 and index == 3 else 0
            mixer.play("bass", time_of(bar, beat), bass_note(root - 12 + lift, beats * BEAT), 0.21)
    mixer.play("bass", time_of(12), bass_note(36, 2.0), 0.25)


def play_chords(mixer: Mixer) -> None:
    for bar, chord in enumerate(CHORDS):
        full = bar >= 4 and bar != 8
        length = 4 * BEAT if bar < 12 else DURATION - time_of(12) - 0.1
        for pitch in (*chord, chord[1] + 12) if full else chord:
            for side in (-1, 1):
                bright = 2600 if full else 1100
                mixer.play("pad", time_of(bar), pad_note(pitch, length + 0.05, bright, side), 0.15 if full else 0.12, 0.85 * side)
        if bar < 4 or bar == 8:
            play_arpeggio(mixer, bar, chord)


def play_arpeggio(mixer: Mixer, bar: int, chord: tuple[int, ...]) -> None:
    notes = (*chord, chord[0] + 12, chord[1] + 12, chord[2] + 12, chord[1] + 12, chord[0] + 12)
    for step in range(16):
        gain = 0.17 if step % 4 == 0 else 0.11
        mixer.play("pluck", time_of(bar, step / 4), bell_note(notes[step % 8] + 12, 0.5), gain, 0.5 * np.sin(step * 1.3))


def play_lead(mixer: Mixer) -> None:
    for bar in [*range(4, 8), *range(9, 12)]:
        for eighth, eighths, pitch in HOOK[(bar - 4) % 5]:
            mixer.play("lead", time_of(bar, eighth / 2), lead_note(pitch, eighths * BEAT / 2 + 0.03), 0.25)
            mixer.play("pluck", time_of(bar, eighth / 2), bell_note(pitch + 12, 0.6), 0.1, -0.3)
    for bar, notes in ANSWER.items():
        for eighth, eighths, pitch in notes:
            mixer.play("lead", time_of(bar, eighth / 2), lead_note(pitch, eighths * BEAT / 2 + 0.03), 0.2)
    for eighth, _, pitch in HOOK[0][:4]:  # the break remembers the hook
        mixer.play("lead", time_of(8, eighth / 2), bell_note(pitch + 12, 1.0), 0.2)
    for pitch in (72, 76, 79):
        mixer.play("lead", time_of(12), lead_note(pitch, 2.2), 0.14)


def echo(track: np.ndarray, delay: float, feedback: float) -> np.ndarray:
    """A ping-pong delay: each echo on the other side."""
    sound, echoes = track, np.zeros_like(track)
    step = round(delay * RATE)
    for _ in range(4):
        sound = feedback * np.pad(sound, ((0, 0), (step, 0)))[::-1, : track.shape[1]]
        echoes += sound
    return echoes


def mix(mixer: Mixer) -> np.ndarray:
    """All buses together, glued by a soft limiter, peak at -1 dB; shape [2, samples]."""
    bus = mixer.buses
    for name, depth in (("bass", 0.75), ("pad", 0.6), ("pluck", 0.25), ("lead", 0.2)):
        bus[name] = bus[name] * mixer.duck(depth)
    sends = 0.35 * bus["pad"] + 0.6 * bus["pluck"] + 0.5 * bus["lead"] + 0.12 * bus["drums"] + 0.3 * bus["air"]
    total = sum(bus.values()) + echo(0.55 * bus["lead"] + 0.4 * bus["pluck"], 0.75 * BEAT, 0.42) + 0.5 * room(sends, 1.6)
    total = np.stack([band(channel, 28, 18000) for channel in total])
    total = np.tanh(0.9 * total / np.percentile(np.abs(total), 99.7))
    ending = np.clip((DURATION - seconds(DURATION)) / 0.9, 0, 1) ** 1.5
    return total * ending * (0.891 / np.max(np.abs(total)))


def truth() -> dict[str, object]:
    """Beats from the pickup to the final chord, each with its place in the bar (1 is the downbeat)."""
    places: Iterator[tuple[int, int]] = ((index // 4, index % 4) for index in range(-1, 4 * (BARS - 1) + 1))
    beats = [{"time": round(time_of(bar, beat), 6), "position": beat + 1} for bar, beat in places]
    sections = [{"label": label, "start": round(time_of(a), 6), "end": round(min(time_of(b), DURATION), 6)} for label, a, b in SECTIONS]
    return {"title": "Hundred and Twenty-Four", "tempo": TEMPO, "metre": 4, "duration": DURATION, "beats": beats, "sections": sections}


def compose() -> np.ndarray:
    """The song, float64, shape [2, samples], within -1..1."""
    mixer = Mixer()
    for play in (play_drums, play_bass, play_chords, play_lead):
        play(mixer)
    return mix(mixer)


def write(folder: Path) -> None:
    import soundfile

    song = compose().T.astype(np.float32)
    with soundfile.SoundFile(folder / "demo_song.ogg", "w", RATE, 2, subtype="VORBIS", format="OGG", compression_level=0.4) as file:
        for first in range(0, len(song), RATE):  # in small pieces: the encoder overruns its stack on a whole song
            file.write(song[first : first + RATE])
    (folder / "demo_song.json").write_text(json.dumps(truth(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
