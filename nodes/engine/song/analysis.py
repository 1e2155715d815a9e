"""A song's samples -> the Timeline of what is heard: tempo, beats, bars, curves, and how far to trust them.

Analysis of a song is scaling, spectrum, activations, pulse, bars, curves, each in a module of its own; this one is the order.
It knows nothing of lyrics, sections or pictures.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..timeline import Beat, Timeline, hash_samples
from .activations import Activations
from .attacks import EARLY, find_onsets, place_attacks
from .beats import Pulse, find_pulse, find_related_pulses, trim_pulse
from .clap_mood import find_clap, hear_mood
from .confidence import trust_bars, trust_beats
from .curves import make_curves, measure_attack
from .emotion import draw_curve, measure_emotion
from .listening import Listening, hear_beats
from .metre import METRES, Bars, find_bars
from .octave import count_beats
from .recording import PERCENT, Progress, Recording, examine_recording, ignore_progress, share_progress
from .sections import find_sections
from .singing import trace_singing
from .spectrum import Spectrum, measure_spectrum

TEMPI = {"auto": 1.0, "half": 0.5, "double": 2.0}  # choice -> factor on the tempo heard
TRUSTED = 0.3  # below, the beats are no more than a guess, and films are not cut by them
INVENTED = 0.2  # below, there are none: sounds without a pulse reach 0.15
AT_ZERO = 0.035  # seconds within which a beat counts as one at zero
AS_LOUD = 0.1  # of the power that beats usually have: 10 dB less

SILENT = "The song is silent, so there are no beats in it."
NO_PULSE = "No steady pulse was found in this song, so it has no beats here; cuts can follow its attacks or the clock instead."
GUESS = "The beats are no more than a guess; cuts follow the song's attacks or the clock instead."
NO_BARS = "The beats are clear but not where the bars start; set the metre by hand if you know it."


def analyse_song(
    samples: np.ndarray, sample_rate: int, metre: str = "auto", tempo: str = "auto", on_progress: Progress | None = None,
    listening: Listening | None = None,
) -> Timeline:  # fmt: skip
    """Listens to a song, float32 [channels, samples].

    `metre` is "auto" or the beats per bar, `tempo` "auto", "half" or "double" of what is heard. ValueError, with the
    remedy, for a song that is empty, shorter than 0.5 s, longer than 2 hours or holds no valid samples. Silence, noise and
    speech are no errors: their confidence is low, and a remark says so. Same samples, same result.
    """
    metres = _read_metre(metre)
    if tempo not in TEMPI:
        raise ValueError(f"The tempo choice is '{tempo}'; choose auto, half or double.")
    choice = listening or Listening()
    clap = find_clap(choice.mood, choice.mood_places)
    whole = on_progress or ignore_progress
    progress = whole if clap is None else share_progress(whole, 0, 50)
    recording = examine_recording(samples, sample_rate, share_progress(progress, 0, 5))
    timeline = Timeline(
        duration=round(recording.duration, 6),
        sample_rate=sample_rate,
        audio_sha256=hash_samples(samples, sample_rate),
        remarks=recording.remarks,
    )
    timeline = _hear_music(timeline, recording, metres, TEMPI[tempo], choice, share_progress(progress, 5, PERCENT))
    if clap is not None and not recording.silent:
        timeline = _judge_mood(timeline, recording, clap, share_progress(whole, 50, PERCENT))
    return timeline


def _hear_music(
    timeline: Timeline, recording: Recording, metres: tuple[int, ...], factor: float, listening: Listening, progress: Progress
) -> Timeline:
    """The timeline with all that the built-in ears hear."""
    spectrum = measure_spectrum(recording, share_progress(progress, 0, 40))
    attack = measure_attack(spectrum)
    voice = trace_singing(recording, recording.duration, share_progress(progress, 40, 55))
    timeline = replace(timeline, curves=(*make_curves(spectrum, attack, recording.duration), voice))
    if recording.silent:
        return _add_form(replace(timeline, remarks=(*timeline.remarks, SILENT)), spectrum, 1.0)
    onsets = find_onsets(attack, spectrum)
    timeline = replace(timeline, onsets=tuple(onsets[onsets < timeline.duration].tolist()))
    heard = hear_beats(spectrum, recording, listening, share_progress(progress, 55, 60))
    activations = heard.activations
    timeline = replace(timeline, remarks=(*timeline.remarks, *heard.remarks))
    pulse, bars, confidence = find_beats(spectrum, activations, attack, metres, factor, share_progress(progress, 60, 95))
    timeline = _add_beats(timeline, spectrum, pulse, bars, confidence, trust_bars(bars, activations, confidence))
    progress(97, PERCENT)
    timeline = _add_form(timeline, spectrum, recording.gain)
    progress(PERCENT, PERCENT)
    return timeline


def find_beats(
    spectrum: Spectrum, activations: Activations, attack: np.ndarray, metres: tuple[int, ...], factor: float, progress: Progress
) -> tuple[Pulse, Bars, float]:
    """Beats, bars of one of the metres allowed, and how far to trust the beats.

    `factor` on the tempo heard is the user's, so the beats are then trusted as those heard, their pace left out.
    """
    pulse = find_pulse(activations, share_progress(progress, 0, 35))
    count, chance = count_beats(spectrum, activations, pulse, attack, metres, share_progress(progress, 35, 85))
    by_hand = factor != 1.0 and len(count.pulse.frames) > 2
    confidence = trust_beats(count.pulse, activations, attack, None if by_hand else chance)
    pulse = count.pulse
    if by_hand:
        pulse = trim_pulse(find_related_pulses(activations, pulse, [factor], share_progress(progress, 85, 95))[0], attack)
    pulse = _add_opening(pulse, spectrum)
    if pulse is count.pulse:
        return pulse, count.bars, confidence
    return pulse, find_bars(spectrum, pulse, activations, metres, share_progress(progress, 95, PERCENT)), confidence


def _add_opening(pulse: Pulse, spectrum: Spectrum) -> Pulse:
    """The pulse with a beat at zero, if the song was cut right there: a rise from nothing to sound is none that listeners hear."""
    if len(pulse.times) < 4:
        return pulse
    expected = pulse.times[0] - float(np.median(np.diff(pulse.times[:5]))) + EARLY
    loudness = [spectrum.levels[0, max(frame, 0) : frame + 7].max(initial=0.0) for frame in (0, *pulse.frames.tolist())]
    if abs(expected) > AT_ZERO or loudness[0] < AS_LOUD * np.median(loudness):
        return pulse
    return Pulse(np.concatenate([[0], pulse.frames]), np.concatenate([[-EARLY], pulse.times]))


def _add_beats(timeline: Timeline, spectrum: Spectrum, pulse: Pulse, bars: Bars, confidence: float, trust: float) -> Timeline:
    """The timeline with beats; without any where the pulse is most likely invented."""
    if confidence < INVENTED:
        return replace(timeline, beat_confidence=round(confidence, 4), remarks=(*timeline.remarks, NO_PULSE))
    times = np.round(np.clip(place_attacks(pulse.times, spectrum), 0, timeline.duration), 6)
    beats = tuple(Beat(time, position) for time, position in zip(times.tolist(), bars.positions.tolist(), strict=True))
    doubt = (GUESS,) if confidence < TRUSTED else (NO_BARS,) if trust < TRUSTED else ()
    return replace(
        timeline,
        tempo=round(pulse.tempo, 4),
        metre=bars.metre,
        beat_confidence=round(confidence, 4),
        downbeat_confidence=round(trust, 4),
        beats=beats,
        remarks=(*timeline.remarks, *doubt),
    )


def _add_form(timeline: Timeline, spectrum: Spectrum, gain: float) -> Timeline:
    """The timeline with sections and the curves of its emotion."""
    sections = find_sections(spectrum, np.array(timeline.downbeats), timeline.duration)
    emotion = measure_emotion(spectrum, timeline, gain)
    return replace(timeline, sections=sections, curves=(*timeline.curves, *emotion))


def _judge_mood(timeline: Timeline, recording: Recording, clap: Path, on_progress: Progress) -> Timeline:
    """The timeline with valence and arousal as CLAP hears them; the cues beside them stay."""
    moments, *felt = hear_mood(recording, clap, on_progress)
    heard = {name: draw_curve(name, moments, row, timeline.duration) for name, row in zip(("valence", "arousal"), felt, strict=True)}
    return replace(timeline, curves=tuple(heard.get(curve.name, curve) for curve in timeline.curves))


def _read_metre(metre: str) -> tuple[int, ...]:
    if metre == "auto":
        return METRES
    if metre not in {str(count) for count in METRES}:
        raise ValueError(f"The metre is '{metre}'; choose auto or a number of beats from {METRES[0]} to {METRES[-1]}.")
    return (int(metre),)
