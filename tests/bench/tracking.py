"""The bench's kept music -> what the tracker makes of it, step by step, with every quantity that a setting judges by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from examples import Example
from pack.nodes.engine.song.activations import Activations, hear_attacks
from pack.nodes.engine.song.attacks import place_attacks
from pack.nodes.engine.song.beats import Pulse, find_pulse
from pack.nodes.engine.song.confidence import trust_bars, trust_beats
from pack.nodes.engine.song.curves import measure_attack
from pack.nodes.engine.song.listening import hear_with_network
from pack.nodes.engine.song.metre import METRES, Bars
from pack.nodes.engine.song.octave import Count, choose_count, list_counts
from pack.nodes.engine.song.recording import ignore_progress


@dataclass(frozen=True)
class Heard:
    """A piece, its likelihoods, and every way to count it."""

    example: Example
    activations: Activations
    attack: np.ndarray
    counts: list[Count]


@dataclass(frozen=True)
class Tracked:
    example: Example
    activations: Activations
    attack: np.ndarray
    pulse: Pulse
    chance: float  # of this way to count
    times: np.ndarray  # of the beats, in order
    bars: Bars
    trust: float
    bar_trust: float

    @property
    def beat_f(self) -> float:
        return measure_f(self.example.beats, self.times)

    @property
    def downbeat_f(self) -> float:
        return measure_f(self.example.downbeats, self.times[self.bars.positions == 1])


def measure_f(truth: np.ndarray, found: np.ndarray) -> float:
    """mir_eval's F at 70 ms; 0 where there is nothing to find."""
    import mir_eval

    return float(mir_eval.beat.f_measure(truth, found)) if len(truth) and len(found) else 0.0


def measure_continuity(truth: np.ndarray, found: np.ndarray) -> float:
    import mir_eval

    return float(mir_eval.beat.continuity(truth, found)[3]) if min(len(truth), len(found)) > 1 else 0.0


def hear(example: Example, network: bool) -> Heard:
    activations = hear_attacks(example.spectrum)
    if network:
        activations = hear_with_network(example.spectrum, activations, ignore_progress)
    return count_again(Heard(example, activations, measure_attack(example.spectrum), []))


def count_again(heard: Heard) -> Heard:
    """With the settings of now."""
    pulse = find_pulse(heard.activations, ignore_progress)
    counts = list_counts(heard.example.spectrum, heard.activations, pulse, heard.attack, METRES, ignore_progress)
    return replace(heard, counts=counts)


def place_beats(heard: Heard, pulse: Pulse) -> np.ndarray:
    """When the beats of a pulse are heard, in order."""
    return np.sort(place_attacks(pulse.times, heard.example.spectrum))


def track(heard: Heard, weights: Sequence[float]) -> Tracked:
    """As `analyse_song` does, with these weights of the ways to count."""
    count, chance = choose_count(heard.counts, weights)
    return judge_count(heard, count, chance)


def judge_count(heard: Heard, count: Count, chance: float) -> Tracked:
    trust = trust_beats(count.pulse, heard.activations, heard.attack, chance)
    times, bar_trust = place_beats(heard, count.pulse), trust_bars(count.bars, heard.activations, trust)
    return Tracked(heard.example, heard.activations, heard.attack, count.pulse, chance, times, count.bars, trust, bar_trust)


def tabulate(tracked: Sequence[Tracked]) -> str:
    """Scores per kind of what has beats, their means over the kinds that are music, and how true the confidence is."""
    groups: dict[str, list[list[float]]] = defaultdict(list)
    for one in tracked:
        if len(one.example.beats):
            known = len(one.example.downbeats) > 0
            bars = [one.downbeat_f, float(one.bars.metre == one.example.metre)] if known else [np.nan, np.nan]
            continuity = measure_continuity(one.example.beats, one.times)
            groups[one.example.kind].append([one.beat_f, continuity, *bars, one.trust, one.bar_trust])
    lines = ["| kind | pieces | with bars | beat F | AMLt | downbeat F | metre right | confidence | of bars |", "|---|" + "---|" * 8]
    means = {kind: [_mean(column) for column in zip(*rows, strict=True)] for kind, rows in groups.items()}
    means["mean of kinds"] = [_mean(column) for column in zip(*means.values(), strict=True)]
    for kind, values in means.items():
        rows = groups.get(kind) or [row for group in groups.values() for row in group]
        known = sum(not np.isnan(row[2]) for row in rows)
        lines.append(f"| {kind} | {len(rows)} | {known} | " + " | ".join(f"{value:.3f}" for value in values) + " |")
    return "\n".join([*lines, "", _tabulate_trust(tracked), "", _tabulate_silence(tracked)])


def _mean(column: Sequence[float]) -> float:
    known = [value for value in column if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def _tabulate_trust(tracked: Sequence[Tracked]) -> str:
    lines = ["| confidence | pieces by beats | beat F >= 0.8 | pieces by bars | downbeat F >= 0.8 |", "|---|---|---|---|---|"]
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 0.8), (0.8, 1.01)):
        beats = [one.beat_f >= 0.8 for one in tracked if low <= one.trust < high and len(one.example.beats)]
        bars = [one.downbeat_f >= 0.8 for one in tracked if low <= one.bar_trust < high and len(one.example.downbeats)]
        shares = [f"{np.mean(group):.2f}" if group else "-" for group in (beats, bars)]
        lines.append(f"| {low:.1f} to {min(high, 1):.1f} | {len(beats)} | {shares[0]} | {len(bars)} | {shares[1]} |")
    return "\n".join(lines)


def _tabulate_silence(tracked: Sequence[Tracked]) -> str:
    worst: dict[str, float] = {}
    for one in tracked:
        if not len(one.example.beats):
            name = one.example.name if one.example.kind == "nopulse" else one.example.kind
            worst[name] = max(worst.get(name, 0.0), one.trust)
    return "highest confidence without a pulse: " + ", ".join(f"{name} {value:.2f}" for name, value in worst.items())
