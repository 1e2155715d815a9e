"""Refits every constant that was fitted to the beat network, and tabulates what the tracker makes of the bench's music.

After new weights (and their SHA-256 in listening.py), one command, about two minutes on a free core once FOLDER has the spectra:

    python tests/bench/fit_beats.py fit --folder FOLDER

It prints lines that begin with OCTAVE, METRE, BEATS and BARS. Their values go into nodes/engine/song: the thresholds of `octave.py`,
`BY_NETWORK` in `metre.py`, and in `confidence.py`. Each stands on those before it, within the same run. Above each line stands how it
holds on folds that it was not fitted to. Only the part `dev` is fitted to, and every kind of music counts alike. Then, to measure:

    python tests/bench/fit_beats.py table --part test --folder FOLDER
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
from examples import Example, read_examples  # noqa: E402
from fit_confidence import report_bars, report_beats  # noqa: E402
from fit_metre import describe_bars, report_metre  # noqa: E402
from fit_octave import describe_choice, report_octave, set_thresholds  # noqa: E402
from pack.nodes.engine.song.activations import Activations  # noqa: E402
from pack.nodes.engine.song.beats import Pulse, find_pulse  # noqa: E402
from pack.nodes.engine.song.listening import hear_beats  # noqa: E402
from pack.nodes.engine.song.metre import BY_NETWORK  # noqa: E402
from pack.nodes.engine.song.recording import ignore_progress  # noqa: E402
from renders import PARTS  # noqa: E402
from tracking import tabulate, track  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=("fit", "table"))
    parser.add_argument("--folder", type=Path, required=True, help="where rendered music and its spectra are kept")
    parser.add_argument("--part", choices=PARTS, default="dev", help="for the table")
    options = parser.parse_args()
    if options.stage == "fit":
        fit([_hear(example) for example in read_examples(options.folder, "dev")])
    else:
        print(tabulate([track(*_hear(example)) for example in read_examples(options.folder, options.part)]))


def fit(heard: list[tuple[Example, Activations, Pulse]]) -> None:
    choices = [choice for row in heard if (choice := describe_choice(*row))]
    thresholds, told = report_octave(choices)
    print(told, flush=True)
    set_thresholds(thresholds)
    tracked = [track(*row) for row in heard]
    bars = describe_bars(tracked)
    print(report_metre(bars, BY_NETWORK), report_beats(tracked), report_bars(bars), sep="\n")


def _hear(example: Example) -> tuple[Example, Activations, Pulse]:
    activations = hear_beats(example.spectrum, ignore_progress)
    return example, activations, find_pulse(activations, ignore_progress)


if __name__ == "__main__":
    main()
