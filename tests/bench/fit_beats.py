"""Refits every constant that stands on what a listener hears, and tabulates what the tracker makes of the bench's music.

After new weights (and their SHA-256 in listening.py), one command, some minutes on a free core once FOLDER has the spectra:

    python tests/bench/fit_beats.py fit --folder FOLDER [--listener attacks]

It prints lines that begin with METRE, OCTAVE, BEATS and BARS. Their values go into nodes/engine/song: `BY_NETWORK` (or `BY_ATTACKS`) in
`metre.py`, `octave.py` and `confidence.py`. Each stands on those before it, within the same run. Above each line stands how it holds on
folds that it was not fitted to. Only the part `dev` is fitted to, and every kind of music counts alike. Then, to measure:

    python tests/bench/fit_beats.py table --part test --folder FOLDER
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
from examples import read_examples  # noqa: E402
from fit_confidence import report_bars, report_beats  # noqa: E402
from fit_metre import describe_bars, report_metre  # noqa: E402
from fit_octave import report_octave, score_counts, weigh_held_out  # noqa: E402
from pack.nodes.engine.song import metre, octave  # noqa: E402
from renders import PARTS  # noqa: E402
from tracking import Heard, count_again, hear, judge_count, tabulate, track  # noqa: E402

SETTINGS = {"network": "BY_NETWORK", "attacks": "BY_ATTACKS"}  # their name in each module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("fit", "table"))
    parser.add_argument("--folder", type=Path, required=True, help="where rendered music and its spectra are kept")
    parser.add_argument("--part", choices=PARTS, default="dev", help="for the table")
    parser.add_argument("--listener", choices=tuple(SETTINGS), default="network")
    options = parser.parse_args()
    part = "dev" if options.stage == "fit" else options.part
    heard = [hear(example, options.listener == "network") for example in read_examples(options.folder, part)]
    name = SETTINGS[options.listener]
    if options.stage == "fit":
        fit(heard, name)
    else:
        print(tabulate([track(piece, getattr(octave, name)) for piece in heard]))


def fit(heard: Sequence[Heard], name: str) -> None:
    """Bars are learnt on the best way to count each piece; the ways to count on those bars; confidence on both."""
    known = [piece for piece in heard if len(piece.example.beats)]
    best = [judge_count(piece, piece.counts[int(score_counts(piece).argmax())], 1.0) for piece in known]
    bars = describe_bars(best)
    before = getattr(metre, name)
    judgement, told = report_metre(bars, before)
    print(told, flush=True)
    setattr(metre, name, judgement)
    heard = [count_again(piece) for piece in heard]
    held_out = weigh_held_out(heard)
    print(report_octave(heard, held_out, getattr(octave, name)), flush=True)
    tracked = [track(piece, weights.tolist()) for piece, weights in zip(heard, held_out, strict=True)]
    print(report_beats(tracked), report_bars(describe_bars(tracked), before if judgement is before else None), sep="\n")


if __name__ == "__main__":
    main()
