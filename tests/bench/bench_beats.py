"""How well the beats, the bars and their confidence are right, beside librosa's beat tracker in the same run.

Run: python tests/bench/bench_beats.py [--folder FOLDER] [--part test|dev] [--every N]
Music: synthesised loops, and what `renders.py` finds of Debian's music packages, rendered into the folder's `renders` once. Scores
are mir_eval's at 70 ms over the whole piece: F of the beats, AMLt (the share in the longest continuous tracking, half and double
tempo allowed), F of the downbeats where the bars are known. "All kinds" is the mean of the kinds' means, without clicks and loops.
Sounds without any beat must be called below 0.3. No setting was chosen on the part `test`, nor did the beat network learn from its
families of styles; the weight-free listener's settings did see some of its grooves, and loops of this make with other seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
import drum_loops  # noqa: E402
import no_pulse  # noqa: E402
import renders  # noqa: E402
from pieces import LONGEST  # noqa: E402

LOOPS = 40
SYNTHETIC = ("clicks", "loops")


@dataclass(frozen=True)
class Score:
    beats: float
    continuity: float
    librosa: float
    downbeats: float  # NaN where the bars are not known
    metre: float  # whether it is right; NaN where the bars are not known
    trust: float
    bar_trust: float
    cost: float  # CPU seconds a minute


def score(samples: np.ndarray, rate: int, beats: np.ndarray, downbeats: np.ndarray, metre: int) -> Score:
    import librosa
    import mir_eval
    from pack.nodes.engine.song.analysis import analyse_song

    start = time.process_time()
    timeline = analyse_song(samples, rate)
    cost = (time.process_time() - start) / timeline.duration * 60
    found = np.array([beat.time for beat in timeline.beats])
    mono = librosa.resample(samples.mean(axis=0), orig_sr=rate, target_sr=22050)
    theirs = librosa.beat.beat_track(y=mono, sr=22050, units="time")[1]
    measure = mir_eval.beat.f_measure
    return Score(
        beats=measure(beats, found),
        continuity=mir_eval.beat.continuity(beats, found)[3] if len(found) > 1 else 0.0,
        librosa=measure(beats, np.asarray(theirs, float)),
        downbeats=measure(downbeats, np.array(timeline.downbeats)) if len(downbeats) else np.nan,
        metre=float(timeline.metre == metre) if len(downbeats) else np.nan,
        trust=timeline.beat_confidence,
        bar_trust=timeline.downbeat_confidence,
        cost=cost,
    )


def score_loops() -> list[Score]:
    rng = np.random.default_rng(2024)
    scores = []
    for seed in range(LOOPS):
        tempo, metre = float(rng.uniform(60, 200)), int(rng.choice([3, 4, 4, 4, 5, 7]))
        pattern, pickup = str(rng.choice(["rock", "plain"])), int(rng.integers(0, metre))
        noise = float(rng.choice([0, 0, 0.03]))
        end_tempo = tempo * float(rng.choice([1, 1, 0.8, 1.25]))
        loop = drum_loops.drum_loop(tempo, metre, 32, pickup, end_tempo, pattern, swing=seed % 3 / 2, noise=noise, seed=1000 + seed)
        scores.append(score(loop.samples, drum_loops.RATE, loop.beats, loop.downbeats, metre))
    return scores


def score_clicks() -> list[Score]:
    loops = [drum_loops.click_track(tempo, metre, 24, pickup=tempo % metre) for tempo in range(60, 201, 20) for metre in (3, 4)]
    return [score(loop.samples, drum_loops.RATE, loop.beats, loop.downbeats, int(loop.positions.max())) for loop in loops]


def score_pieces(folder: Path, part: str, every: int) -> dict[str, list[Score]]:
    import soundfile

    scores: dict[str, list[Score]] = defaultdict(list)
    for piece in renders.render_part(folder / "renders", part)[::every]:
        samples, rate = soundfile.read(piece.sound, dtype="float32", always_2d=True)
        if piece.kind != "rhythm_game":
            samples = samples[: int(LONGEST * rate)]
        if not len(samples) or not np.abs(samples).max():
            continue
        result = score(samples.T, rate, piece.beats, piece.downbeats, piece.metre)
        scores[piece.kind].append(result)
        print(
            f"{piece.kind:12s} {piece.name[:24]:24s} F {result.beats:.2f} downbeats {result.downbeats:.2f} trust {result.trust:.2f}",
            flush=True,
        )
    return scores


def report(scores: dict[str, list[Score]]) -> str:
    lines = [
        "| kind | pieces | beat F | AMLt | librosa beat F | downbeat F | metre right | CPU s/min |",
        "|---|---|---|---|---|---|---|---|",
    ]
    means = {kind: _average([_list_scores(row) for row in rows]) for kind, rows in scores.items() if rows}
    counts = {kind: len(scores[kind]) for kind in means}
    real = [kind for kind in means if kind not in SYNTHETIC]
    if real:
        counts["all kinds"] = sum(counts[kind] for kind in real)
        means["all kinds"] = _average([means[kind] for kind in real])
    for kind, values in means.items():
        shown = ["-" if np.isnan(value) else f"{value:.3f}" for value in values[:5]]
        lines.append(f"| {kind} | {counts[kind]} | " + " | ".join(shown) + f" | {values[5]:.2f} |")
    return "\n".join(lines)


def _list_scores(row: Score) -> list[float]:
    return [row.beats, row.continuity, row.librosa, row.downbeats, row.metre, row.cost]


def _average(rows: list[list[float]]) -> list[float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a kind may have no known bars
        return np.nanmean(rows, axis=0).tolist()


def report_trust(scores: list[Score]) -> str:
    """The reliability: of the pieces called so sure, how many were right."""
    lines = ["| confidence | pieces by beats | beat F >= 0.8 | pieces by bars | downbeat F >= 0.8 |", "|---|---|---|---|---|"]
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 0.8), (0.8, 1.01)):
        beats = [row.beats >= 0.8 for row in scores if low <= row.trust < high]
        bars = [row.downbeats >= 0.8 for row in scores if low <= row.bar_trust < high and not np.isnan(row.downbeats)]
        shares = [f"{np.mean(group):.2f}" if group else "-" for group in (beats, bars)]
        lines.append(f"| {low:.1f} to {min(high, 1):.1f} | {len(beats)} | {shares[0]} | {len(bars)} | {shares[1]} |")
    return "\n".join(lines)


def report_silence() -> str:
    from pack.nodes.engine.song.analysis import analyse_song

    lines = ["| sound | highest confidence of 3 |", "|---|---|"]
    for name, sound in no_pulse.SOUNDS.items():
        trust = max(analyse_song(sound(20, seed=50 + seed), no_pulse.RATE).beat_confidence for seed in range(3))
        lines.append(f"| {name} | {trust:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, help="where rendered music is kept; without it only loops are scored")
    parser.add_argument("--part", choices=renders.PARTS, default="test", help="of the rendered music")
    parser.add_argument("--every", type=int, default=1, help="score every N-th piece")
    options = parser.parse_args()
    scores = {"clicks": score_clicks(), "loops": score_loops()}
    print(report(scores), "\n", flush=True)
    if options.folder:
        scores |= score_pieces(options.folder, options.part, options.every)
    print(report(scores), "\n")
    print(report_trust([row for rows in scores.values() for row in rows]), "\n")
    print(report_silence())


if __name__ == "__main__":
    main()
