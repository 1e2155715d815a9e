"""How long planning a song of six minutes takes, and how little a plan from lyrics repeats itself.

`python tests/bench/bench_storyboard.py` (from the repository's root, with the environment of the tests)
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "film")]

import conftest  # noqa: E402, F401, loads the pack as `pack`
from pack.nodes.engine.film.edit_list import write_edl, write_otio  # noqa: E402
from pack.nodes.engine.film.plan import apply_plan, write_csv, write_plan  # noqa: E402
from pack.nodes.engine.film.screenplay import apply_screenplay, write_brief  # noqa: E402
from pack.nodes.engine.film.storyboard import Wishes, write_storyboard  # noqa: E402
from pack.nodes.engine.timeline import read_fps  # noqa: E402
from whole_song import write_song  # noqa: E402

RUNS = 15


def measure(name: str, work: Callable[[], object]) -> None:
    """Prints the median and the longest processor time of some runs, in milliseconds, after one that warms up."""
    work()
    taken = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    print(f"| {name} | {statistics.median(taken):.1f} | {max(taken):.1f} |")


def main() -> None:
    song, rate = write_song(360.0), read_fps(24.0)
    plain = Wishes("ink drawing", "a sea\na city\na forest")
    sung = Wishes("ink drawing", "")
    planned = write_storyboard(song, sung)
    print("| work | median ms | longest ms |\n|---|---|---|")
    measure("plan, the user's scenes", lambda: write_storyboard(song, plain))
    measure("plan, scenes from lyrics and feeling", lambda: write_storyboard(song, sung))
    measure("plan, lively, 0.3 to 60 s", lambda: write_storyboard(song, Wishes("", "", "lively", shortest=0.3, longest=60.0)))
    measure("brief", lambda: write_brief(planned, sung))
    answer = "\n".join(f"Shot {number}: a hill" for number in range(1, len(planned.shots) + 1))
    measure("screenplay", lambda: apply_screenplay(planned, answer, "ink", ""))
    measure("plan as JSON and back", lambda: apply_plan(song, write_plan(planned)))
    measure("plan as CSV and back", lambda: apply_plan(song, write_csv(planned)))
    measure("OTIO and EDL", lambda: (write_otio(planned, rate), write_edl(planned, rate)))
    prompts = [shot.prompt for shot in planned.shots]
    words = [{part for part in prompt.split(", ") if part != "ink drawing"} for prompt in prompts]
    shared = statistics.mean(len(one & other) / len(one | other) for one, other in pairwise(words))
    print(f"\n{len(prompts)} shots, {len(set(prompts))} different prompts; neighbours share {100 * shared:.0f} % of their phrases.")
    downbeats = set(song.downbeats)
    within = [shot.start for shot in planned.shots[1:] for line in song.lines for word in line.words if word.start < shot.start < word.end]
    on_bars = sum(shot.start in downbeats for shot in planned.shots[1:])
    print(f"{on_bars} of {len(prompts) - 1} cuts on downbeats, {len(within)} within words.")


if __name__ == "__main__":
    main()
