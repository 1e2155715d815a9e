"""placeholder"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
from examples import read_examples  # noqa: E402
from tracking import tabulate, track  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("stage", choices=("table",))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--part", default="dev")
    options = parser.parse_args()
    print(tabulate([track(example) for example in read_examples(options.folder, options.part)]))


if __name__ == "__main__":
    main()
