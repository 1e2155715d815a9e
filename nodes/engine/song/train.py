"""Makes the beat network's weights from nothing: `python nodes/engine/song/train.py STAGE --work FOLDER`.

Stages, in order: clips (music with known beats), course (the training; may be stopped and taken up again, clips made meanwhile
join), export. Needs torch and the Debian packages mma, fluidsynth, hydrogen-drumkits, fluid-soundfont-gm,
timgm6mb-soundfont, musescore-general-soundfont-small and opl3-soundfont. No GPU. weights/README.md tells the run that was made.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=("clips", "course", "export"))
    parser.add_argument("--work", type=Path, default=HERE.parents[2] / ".cache" / "beat_training")
    parser.add_argument("--first", type=int, default=0, help="number of the first clip to make")
    parser.add_argument("--count", type=int, default=3000, help="clips to make")
    parser.add_argument("--minutes", type=float, default=60, help="of training in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    sys.path.insert(0, str(HERE.parent))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    _run(options)


def _run(options: argparse.Namespace) -> None:
    if options.stage == "clips":
        from song.training.dataset import make_clips

        make_clips(options.work, options.first, options.first + options.count)
        return
    from song.training import course

    if options.stage == "course":
        course.Course(options.work, options.seed, options.threads).run(options.minutes)
    else:
        course.write_weights(options.work, HERE / "weights" / "beat_network.safetensors")


if __name__ == "__main__":
    main()
