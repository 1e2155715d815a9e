"""How well the curve `voice` tells singing from instruments, over bands and without one, and how often it hears a voice in a band alone.

    python tests/bench/bench_voice.py FOLDER [--songs 8-15] [--fit]

Songs of `song_forms.py` (Musical MIDI Accompaniment with a solo instrument) are the bands, `singer.py` sings before them at three levels,
in stereo and in mono; songs 0 to 7 served to set the weights (`--fit` sets them anew), 8 to 15 did not. AUC is the area under the
ROC curve within a song; "heard" and "false" are the shares of sung and of unsung moments above 0.5. The singer is synthetic.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
import singer  # noqa: E402
import song_forms  # noqa: E402
import sung_lyrics  # noqa: E402

LEVELS = (3, 0, -6)
LANGUAGES = ("en", "ja", "zh")
SEEDS = 1000  # added to a song's number where it did not serve to set weights


class Case(NamedTuple):
    name: str
    samples: np.ndarray  # [channels, samples] at `singer.RATE`
    spans: np.ndarray  # of words, [n, 2]


def make_cases(folder: Path, numbers: range) -> Iterator[Case]:
    import librosa
    import soundfile

    for number, form in zip(numbers, song_forms.render_songs(folder, numbers), strict=True):
        samples, rate = soundfile.read(form.sound, dtype="float32", always_2d=True)
        band = librosa.resample(samples.T, orig_sr=rate, target_sr=singer.RATE)
        seed = number if number < 8 else SEEDS + number
        song = sung_lyrics.sing(LANGUAGES[number % 3], seed)
        voice = singer.sing_aloud(song, seed)
        yield Case("voice alone", voice[None], song.spans)
        yield Case("band alone", band, np.empty((0, 2)))
        for level in LEVELS:
            mix = singer.join_band(voice, band, level)
            yield Case(f"{level:+d} dB, stereo", mix, song.spans)
            yield Case(f"{level:+d} dB, mono", mix.mean(axis=0, keepdims=True), song.spans)


def mark_sung(spans: np.ndarray, count: int, rate: float) -> np.ndarray:
    """Where somebody sings, bool [count]; gaps below 0.2 s are consonants."""
    moments, sung = np.arange(count) / rate, np.zeros(count, bool)
    for start, end in spans:
        sung |= (moments >= start) & (moments < end + 0.2)
    return sung


def score(case: Case) -> tuple[float, float, float, float]:
    """AUC (NaN where all is unsung), heard, false, CPU seconds a minute."""
    from pack.nodes.engine.song.recording import examine_recording
    from pack.nodes.engine.song.singing import trace_singing
    from sklearn.metrics import roc_auc_score

    begin, duration = time.process_time(), case.samples.shape[1] / singer.RATE
    curve = trace_singing(examine_recording(case.samples, singer.RATE), duration)
    cost = (time.process_time() - begin) / duration * 60
    values, sung = np.array(curve.values), mark_sung(case.spans, len(curve.values), curve.rate)
    area = roc_auc_score(sung, values) if sung.any() else np.nan
    return float(area), float((values[sung] > 0.5).mean()) if sung.any() else np.nan, float((values[~sung] > 0.5).mean()), cost


def fit(folder: Path) -> None:
    """Usual value and deviation of each cue on songs 0 to 7, and the weights of a logistic regression."""
    from pack.nodes.engine.song.recording import RATE, examine_recording
    from pack.nodes.engine.song.singing import HOP, measure_cues
    from sklearn.linear_model import LogisticRegression

    rows, truth = [], []
    for case in make_cases(folder, range(8)):
        if "alone" not in case.name:
            cues = measure_cues(examine_recording(case.samples, singer.RATE))[:, ::5]
            rows.append(cues)
            truth.append(mark_sung(case.spans, cues.shape[1], RATE / HOP / 5))
    cues, sung = np.concatenate(rows, axis=1), np.concatenate(truth)
    usual, deviation = cues.mean(axis=1), cues.std(axis=1)
    model = LogisticRegression().fit(((cues.T - usual) / deviation), sung)
    print("usual", usual, "deviation", deviation, "weights", model.coef_[0], "offset", model.intercept_[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--songs", default="8-15")
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    if options.fit:
        return fit(options.folder)
    first, last = map(int, options.songs.split("-"))
    found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    for case in make_cases(options.folder, range(first, last + 1)):
        found[case.name].append(score(case))
    print("| voice against band | songs | AUC | lowest | heard | false | CPU s/min |\n|---|---|---|---|---|---|---|")
    for name, rows in found.items():
        table = np.array(rows)
        means = [f"{value:.3f}" for value in (table[:, 0].mean(), table[:, 0].min())] + [
            f"{value:.2f}" for value in table[:, 1:].mean(axis=0)
        ]
        print(f"| {name} | {len(rows)} | " + " | ".join(means).replace("nan", "-") + " |")


if __name__ == "__main__":
    main()
