"""How often verification passes those it should, and whether attacks get through: tries, passes and the 95 % upper bound of each kind.

    python tests/bench/bench_verification.py run genuine --tries 40 --out /tmp/verification
    python tests/bench/bench_verification.py run attacks --tries 50 --out /tmp/verification
    python tests/bench/bench_verification.py speed --out /tmp/verification
    python tests/bench/bench_verification.py table --out /tmp/verification

Every try is one line in `results.jsonl`, so a run may be stopped and taken up again. The genuine sessions are recorded there too; the
replays are made of them. All people are two photographs animated in software: the numbers say that the parts work together, not how
real people fare.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS)]
import conftest  # noqa: E402, F401  (loads the pack)

sys.path.append(str(TESTS / "person"))
from acting import Actor, Camera, Film, play  # noqa: E402
from attacks import (  # noqa: E402
    Recording,
    acting_print,
    beside,
    clip_library,
    cut_out_print,
    exchange,
    live,
    on_screen,
    replay,
    still_print,
    waved_print,
)
from pack.nodes.engine.person.challenge import Challenge, ChallengeError, Guidance  # noqa: E402
from pack.nodes.engine.person.mesh_tracker import MeshTracker  # noqa: E402
from performer import Act, Performer, photographs  # noqa: E402

CAMERAS = {
    "plain": Camera(),
    "6 fps": Camera(fps=6),
    "15 fps": Camera(fps=15),
    "320 px": Camera(width=320),
    "1280 px": Camera(width=1280, noise=3.5),
    "dim, noisy": Camera(light=0.4, noise=6),
    "side light": Camera(side=0.5),
    "JPEG 30": Camera(quality=30),
    "blurred": Camera(blur=1.5),
    "10 fps, JPEG 60": Camera(fps=10, quality=60, noise=4),
}


class Bench:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.results = folder, folder / "results.jsonl"
        self.people = {name: Performer(photograph, detail=0.5) for name, photograph in photographs().items()}
        self.prints = {name: person.render(Act(smile=0.3)) for name, person in self.people.items()}

    def done(self) -> set[tuple[str, int]]:
        return {(line["kind"], line["seed"]) for line in self.lines()}

    def lines(self) -> Iterator[dict]:
        if self.results.exists():
            yield from (json.loads(line) for line in self.results.read_text().splitlines())

    def note(self, kind: str, seed: int, **facts: object) -> None:
        with self.results.open("a") as file:
            file.write(json.dumps({"kind": kind, "seed": seed, **facts}) + "\n")
        print(kind, seed, facts, flush=True)

    def recordings(self, who: str | None = None) -> list[Recording]:
        return [recording for _, recording in self.seeded_recordings() if who in (None, recording.who)]

    def seeded_recordings(self) -> list[tuple[int, Recording]]:
        """Each with the seed of the session that it passed."""
        files = sorted(self.folder.glob("recording_*.pickle"))
        return [(int(path.stem.split("_")[1]), Recording(**pickle.loads(path.read_bytes()))) for path in files]

    def session(self, seed: int, **options: bool) -> Challenge:
        return Challenge(MeshTracker(), 0.0, random=random.Random(seed * 7919 + 13), **options)

    def play(self, kind: str, seed: int, film: Film, camera: Camera, **options: bool) -> bool:
        """One try. Returns whether it passed."""
        challenge, began = self.session(seed, **options), time.process_time()
        outcome, shown = play(challenge, film, camera, seed)
        assert outcome is not None
        facts = {"passed": outcome.passed, "level": outcome.level, "reason": outcome.reason, "frames": len(shown)}
        swaps = sum(step.kind == "swapped" for step in outcome.steps)
        self.note(kind, seed, **facts, swaps=swaps, captures=len(outcome.captures), cpu=round(time.process_time() - began, 1))
        return outcome.passed

    def genuine(self, tries: int) -> None:
        for seed in range(tries):
            camera, who = list(CAMERAS)[seed % len(CAMERAS)], list(self.people)[(seed + seed // len(CAMERAS)) % 2]
            kind = f"genuine: {camera}"
            if (kind, seed) in self.done():
                continue
            actor, person = Actor(np.random.default_rng(seed)), self.people[who]
            record: dict[str, list] = {"times": [], "jpegs": [], "shown": []}
            film = recorded(lambda guidance, at, a=actor, p=person: p.render(a.perform(guidance, at)), CAMERAS[camera], seed, record)
            if self.play(kind, seed, film, CAMERAS[camera]) and camera in ("plain", "15 fps", "10 fps, JPEG 60", "1280 px"):
                (self.folder / f"recording_{seed:03}.pickle").write_bytes(pickle.dumps({"who": who, **record}))

    def attacks(self, tries: int, only: str | None) -> None:
        for seed in range(1000, 1000 + tries):
            for kind, make in self.kinds(seed).items():
                if (kind, seed) in self.done() or (only and only != "film" and only not in kind):
                    continue
                film, camera, options = make()
                self.play(kind, seed, film, camera, **options)
            if not only or only == "protocol":
                self.protocol(seed)

    def kinds(self, seed: int) -> dict[str, Callable[[], tuple[Film, Camera, dict[str, bool]]]]:
        chance = np.random.default_rng(seed)
        names = list(self.people)
        who, other = (names[seed % 2], names[1 - seed % 2])
        person, photograph = self.people[who], self.prints[who]
        camera = [Camera(fps=8), Camera(fps=8, quality=60), Camera(fps=8, width=320), Camera(fps=10)][seed % 4]
        records, mine = self.recordings(), self.recordings(who)
        one = records[seed % len(records)] if records else None
        moment = float(chance.uniform(2.5, 16))
        swap_step = int(chance.integers(1, 5))

        def plain(film: Film, **options: bool) -> tuple[Film, Camera, dict[str, bool]]:
            return film, camera, options  # no more than 10 frames a second: a bench of many tries on little machine

        kinds: dict[str, Callable[[], tuple[Film, Camera, dict[str, bool]]]] = {
            "printed photo, still": lambda: plain(still_print(photograph, chance)),
            "printed photo, waved": lambda: plain(waved_print(photograph, chance)),
            "printed photo, tilted and turned as asked": lambda: plain(acting_print(photograph, chance)),
            "bent print (90 to 140 degrees), turned as asked": lambda: plain(
                acting_print(photograph, chance, float(chance.uniform(90, 140)), float(chance.uniform(1.6, 2.0)))
            ),
            "bent print, swung": lambda: plain(waved_print(photograph, chance, float(chance.uniform(90, 140)))),
            "photo on a screen": lambda: plain(on_screen(lambda guidance, at: photograph, chance)),
            "photo with cut-out mouth and eyes": lambda: plain(cut_out_print(person, chance)),
            "two faces": lambda: plain(beside(live(person, chance), lambda at: self.prints[other], moment)),
            "change of person at any moment": lambda: plain(exchange(person, self.people[other], chance, lambda g, at: at > moment)),
            "swap of person between steps, out of the picture": lambda: plain(
                exchange(person, self.people[other], chance, lambda g, at: g.state == "neutral" and g.step >= swap_step, 0.7)
            ),
        }
        if one:
            kinds["replay of another session, injected"] = lambda: plain(replay(one))
            kinds["replay of another session, on a screen"] = lambda: plain(on_screen(replay(one), chance))
            kinds["clip library, played on prompt"] = lambda: plain(clip_library(mine[seed % len(mine) :] + mine[: seed % len(mine)]))
        return kinds

    def protocol(self, seed: int) -> None:
        """Recorded good frames of one session, sent wrongly to a session that asks for the very same: only the fault can be refused."""
        records = self.seeded_recordings()
        origin, record = records[seed % len(records)]
        for kind, send in PROTOCOL.items():
            if kind == CONTROL and seed >= 1000 + len(records):
                continue
            if (kind, seed) not in self.done():
                session = self.session(origin)
                reason = send(session, record, np.random.default_rng(seed))
                passed = session.outcome is not None and session.outcome.passed
                self.note(kind, seed, passed=passed, level=session.outcome.level if session.outcome else None, reason=reason)

    def puppets(self, tries: int) -> None:
        """One photograph, live, behind a virtual camera: the standing limit, and what the colours change."""
        lit = Camera()
        dark = Camera(screen=0.0)
        for seed in range(2000, 2000 + tries):
            person = list(self.people.values())[seed % 2]
            for kind, camera, colours in (
                ("live puppet of one photo", dark, False),
                ("live puppet, colours asked", dark, True),
                ("live puppet tinted in time, colours asked", lit, True),
                ("genuine, colours asked", lit, True),
            ):
                if (kind, seed) not in self.done():
                    actor = Actor(np.random.default_rng(seed))
                    film = lambda guidance, at, a=actor, p=person: p.render(a.perform(guidance, at))  # noqa: E731
                    self.play(kind, seed, film, camera, colours=colours)


def recorded(film: Film, camera: Camera, seed: int, record: dict[str, list]) -> Film:
    """The film, noting what a hidden second camera of the same make would have seen."""
    chance = np.random.default_rng(seed + 555)

    def shown(guidance: Guidance, at: float) -> np.ndarray:
        picture = film(guidance, at)
        record["times"].append(at)
        record["jpegs"].append(Camera(noise=camera.noise / 2, quality=92).shoot(picture, chance))
        record["shown"].append(guidance)
        return picture

    return shown


def feed(session: Challenge, frames: list[tuple[bytes, int, str, float]]) -> str | None:
    """Sends frames until the session ends; the reason, or the code of the breach."""
    for jpeg, sequence, nonce, at in frames:
        try:
            session.receive(jpeg, sequence, nonce, at)
        except ChallengeError as error:
            return error.code
        if session.outcome:
            return session.outcome.reason
    return None


def frames_of(session: Challenge, record: Recording) -> list[tuple[bytes, int, str, float]]:
    return [(jpeg, index, session.nonce, at) for index, (jpeg, at) in enumerate(zip(record.jpegs, record.times, strict=True))]


def send_rightly(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    return feed(session, frames_of(session, record))


def send_fast(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    speed = float(chance.uniform(3.5, 20))
    return feed(session, [(jpeg, index, nonce, at / speed) for jpeg, index, nonce, at in frames_of(session, record)])


def send_backwards_in_time(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    frames = frames_of(session, record)
    place = int(chance.integers(5, len(frames)))
    return feed(session, [*frames[:place], (*frames[place][:3], frames[place - 1][3] - 0.5)])


def send_reordered(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    frames = frames_of(session, record)
    for _ in range(3):
        a, b = chance.integers(2, len(frames), 2)
        frames[a], frames[b] = (*frames[b][:3], frames[a][3]), (*frames[a][:3], frames[b][3])
    return feed(session, frames)


def send_spliced(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    """Right numbers and times, but pieces of the recording in another order."""
    pieces = np.array_split(np.arange(len(record.jpegs)), 12)
    order = np.concatenate([pieces[0], *(pieces[1 + i] for i in chance.permutation(11))])
    return feed(session, [(record.jpegs[place], i, session.nonce, record.times[i]) for i, place in enumerate(order)])


def send_foreign_nonce(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    return feed(session, [(record.jpegs[0], 0, chance.bytes(32).hex(), 0.0)])


def send_to_wrong_session(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    other = Challenge(MeshTracker(), 0.0)
    return feed(session, [(record.jpegs[0], 0, other.nonce, 0.0)])


def send_after_end(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    session.leave()
    return feed(session, [(record.jpegs[0], 0, session.nonce, 0.0)])


def send_expired(session: Challenge, record: Recording, chance: np.random.Generator) -> str | None:
    return feed(session, [(record.jpegs[0], 0, session.nonce, 120.0 + float(chance.uniform(0.1, 500)))])


CONTROL = "no attack: the recording, sent rightly to a session that asks for the same"
PROTOCOL: dict[str, Callable[[Challenge, Recording, np.random.Generator], str | None]] = {
    CONTROL: send_rightly,
    "frames too fast": send_fast,
    "frames back in time": send_backwards_in_time,
    "reordered frames": send_reordered,
    "spliced recording": send_spliced,
    "foreign nonce": send_foreign_nonce,
    "nonce of another session": send_to_wrong_session,
    "reused nonce, after the end": send_after_end,
    "expired session": send_expired,
}


def print_speed(bench: Bench) -> None:
    """CPU time of a frame on one core, from JPEG to guidance, over recorded sessions; decoding is part of it."""
    print("| frames of | sessions | ms a frame, median | 95 % | of which decoding |\n|---|---|---|---|---|")
    sizes: dict[tuple[int, ...], list[tuple[list[float], float]]] = {}
    for origin, record in bench.seeded_recordings():
        session, times = bench.session(origin), []
        for jpeg, sequence, nonce, at in frames_of(session, record):
            began = time.process_time()
            session.receive(jpeg, sequence, nonce, at)
            times.append(1000 * (time.process_time() - began))
            if session.outcome:
                break
        began = time.process_time()
        shape = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape for jpeg in record.jpegs][0]
        sizes.setdefault(shape[1::-1], []).append((times, 1000 * (time.process_time() - began) / len(record.jpegs)))
    for (width, height), found in sorted(sizes.items()):
        every = np.concatenate([times for times, _ in found])
        decoding = np.median([share for _, share in found])
        print(f"| {width}x{height} | {len(found)} | {np.median(every):.1f} | {np.percentile(every, 95):.1f} | {decoding:.1f} |")


def upper_bound(passed: int, tries: int) -> float:
    """Clopper and Pearson's one-sided 95 % bound of the rate."""
    from scipy.stats import beta

    return 1.0 if passed == tries else float(beta.ppf(0.95, passed + 1, tries - passed))


def print_table(bench: Bench) -> None:
    kinds: dict[str, list[dict]] = {}
    for line in bench.lines():
        kinds.setdefault(line["kind"], []).append(line)
    print("| kind | tries | passed | at L2 | 95 % upper bound | refused because |\n|---|---|---|---|---|---|")
    for kind, tries in kinds.items():
        passed = sum(line["passed"] for line in tries)
        second = sum(line["level"] == "L2" for line in tries)
        reasons: dict[str, int] = {}
        for line in tries:
            if line["reason"]:
                reasons[line["reason"]] = reasons.get(line["reason"], 0) + 1
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items(), key=lambda item: -item[1]))
        print(f"| {kind} | {len(tries)} | {passed} | {second} | {100 * upper_bound(second, len(tries)):.1f} % | {why} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["run", "speed", "table"])
    parser.add_argument("what", nargs="?", choices=["genuine", "attacks", "puppets"], default="genuine")
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument(
        "--only", help="a part of an attack's name; film: all with new pictures; protocol: all that send a recording wrongly"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    bench = Bench(options.out)
    if options.task == "table":
        print_table(bench)
    elif options.task == "speed":
        print_speed(bench)
    elif options.what == "genuine":
        bench.genuine(options.tries)
    elif options.what == "attacks":
        bench.attacks(options.tries, options.only)
    else:
        bench.puppets(options.tries)


if __name__ == "__main__":
    main()
