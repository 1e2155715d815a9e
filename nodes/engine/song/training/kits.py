"""Drum kits beside General MIDI's: real drums of Hydrogen's drumkits, and drum machines made up by chance.

A kit gives a sample, float32 mono at `RATE`, for each General MIDI drum pitch that it has. Two of Hydrogen's kits are left
out, because its demo songs, which the bench uses, play them. Needs the Debian package hydrogen-drumkits.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np

from ..recording import RATE

Kit = dict[int, np.ndarray]

STICKS = ((37, 1.0), (56, 1.4), (75, 2.0), (76, 1.2), (77, 0.9), (34, 1.5), (33, 1.0))  # pitch, and its wood's frequency to a stick's

HYDROGEN = Path("/usr/share/hydrogen/data/drumkits")
HELD_OUT = ("GMRockKit", "TR808EmulationKit")
LONGEST = 1.6  # seconds of a sample
NAMES = (  # what an instrument's name says -> General MIDI pitches, the first fit counts
    (r"side ?stick|rim click|^stick|stick$|click", (37,)),
    (r"kick|bass ?drum|cajon thump|djembe1 bass|dununba1 head hit|drum 1$", (35, 36)),
    (r"clap|snap", (39,)),
    (r"snare|cajon slap|djembe1 slap|redo super", (38, 40)),
    (r"floor tom|tom low|low tom|tom floor|lo$|djembe2 bass|conga 1", (41, 43)),
    (r"tom mid|middle tom|tom 2|^tom$|djembe3 tone|conga 2", (45, 47)),
    (r"tom hi|high tom|tom 1|djembe4 tone|bongo hi", (48, 50)),
    (r"ped|foot", (44,)),
    (r"(hat|hh).*op|open (hat|hh)|ohh", (46,)),
    (r"hat|hh|maraca", (42,)),
    (r"crash|cymbal|splash|china", (49, 57)),
    (r"bell hit|ride bell|paiste bell|cup", (53,)),
    (r"ride", (51, 59)),
    (r"cowbell|agogo", (56,)),
    (r"shaker|tambourine", (70, 54)),
    (r"clave|woodblock", (75, 76)),
)


def read_hydrogen_kits(folder: Path = HYDROGEN) -> list[Kit]:
    """Every kit that has at least a kick and a snare, by name; none where the package is not installed."""
    kits = [_read_kit(path) for path in sorted(folder.glob("*/drumkit.xml")) if path.parent.name not in HELD_OUT]
    return [kit for kit in kits if {36, 38} <= set(kit)]


def _read_kit(path: Path) -> Kit:
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"|\sxsi:\w+="[^"]*"', "", path.read_text(errors="replace"))
    kit: Kit = {}
    for instrument in ET.fromstring(text).iter("instrument"):
        files = [file.text for file in instrument.iter("filename") if file.text and (path.parent / file.text).is_file()]
        name = (instrument.findtext("name") or "").lower()
        pitches = next((pitches for words, pitches in NAMES if re.search(words, name)), ())
        if files and any(pitch not in kit for pitch in pitches):
            sound = _read_sound(path.parent / files[-1])
            kit.update({pitch: sound for pitch in pitches if pitch not in kit and len(sound)})
    return kit


def _read_sound(path: Path) -> np.ndarray:
    """A sample from its attack on, as loud as a soundfont's."""
    import soundfile
    import soxr

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)[: int(LONGEST * RATE)]
    peak = np.abs(mono).max(initial=0)
    if peak < 1e-4:
        return mono[:0]
    first = max(int(np.argmax(np.abs(mono) > 0.1 * peak)) - 20, 0)
    return mono[first:] / peak * 12000


def make_drum_machine(rng: np.random.Generator) -> Kit:
    """Kick, snare, clap, hats, cymbals, toms and wood as circuits make them: swept sines and filtered noise."""
    wood = float(rng.uniform(400, 1800))
    kick, snare = _make_kick(rng), _make_snare(rng)
    closed, open_ = _make_noise(rng, rng.uniform(0.008, 0.04), 3), _make_noise(rng, rng.uniform(0.08, 0.3), 3)
    cymbal, clap = _make_noise(rng, rng.uniform(0.3, 0.8), 2), _make_clap(rng)
    toms = {pitch: _make_tone(rng, 70 * 1.12 ** (pitch - 41), 0.18, 0.4) for pitch in (41, 43, 45, 47, 48, 50)}
    sticks = {pitch: _make_tone(rng, wood * ratio, 0.02, 0.0) for pitch, ratio in STICKS}
    shaker = _make_noise(rng, 0.03, 2)
    kit = dict.fromkeys((35, 36), kick) | dict.fromkeys((38, 40), snare) | dict.fromkeys((42, 44), closed)
    kit |= dict.fromkeys((46, 51), open_) | dict.fromkeys((49, 57), cymbal) | {39: clap, 70: shaker}
    return {pitch: (14000 * sound / (np.abs(sound).max() + 1e-9)).astype(np.float32) for pitch, sound in (kit | toms | sticks).items()}


def _make_kick(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.6 * RATE)) / RATE
    low, high, fall = rng.uniform(38, 65), rng.uniform(60, 400), rng.uniform(0.008, 0.05)
    body = np.sin(2 * np.pi * (low * t + high * fall * (1 - np.exp(-t / fall)))) * np.exp(-t / rng.uniform(0.05, 0.25))
    click = rng.uniform(0, 0.4) * rng.standard_normal(len(t)) * np.exp(-t / 0.003)
    return np.tanh(rng.uniform(1, 4) * (body + click))


def _make_snare(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.4 * RATE)) / RATE
    tone = np.sin(2 * np.pi * rng.uniform(150, 260) * t) * np.exp(-t / rng.uniform(0.03, 0.1))
    noise = np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t / rng.uniform(0.03, 0.14))
    return rng.uniform(0.2, 1) * tone + rng.uniform(0.3, 1) * noise


def _make_clap(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.3 * RATE)) / RATE
    sound = np.zeros(len(t))
    for late in (0.0, 0.009, 0.018):
        sound += (t >= late) * np.exp(-np.maximum(t - late, 0) / (0.006 if late < 0.018 else rng.uniform(0.03, 0.1)))
    return sound * np.diff(rng.standard_normal(len(t) + 1))


def _make_noise(rng: np.random.Generator, fall: float, order: int) -> np.ndarray:
    """Noise without its lows, the more so the higher the order."""
    t = np.arange(int(min(6 * fall + 0.02, LONGEST) * RATE)) / RATE
    noise = np.diff(rng.standard_normal(len(t) + order), n=order)
    return noise * np.exp(-t / fall)


def _make_tone(rng: np.random.Generator, frequency: float, fall: float, sweep: float) -> np.ndarray:
    t = np.arange(int(6 * fall * RATE)) / RATE
    body = np.sin(2 * np.pi * frequency * (t + sweep * 0.03 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / fall)
    return body + 0.05 * rng.standard_normal(len(t)) * np.exp(-t / 0.004)
