"""Whether the built-in model learns a face: pictures with and without the trigger word beside the pictures that were held out.

    python tests/bench/bench_likeness.py OUT [--steps 400] [--seeds 10]

A software performer goes through a real camera session; LoRA Trainer's own code trains as the template *personal music video* does. Every
seed draws a portrait, once with the trigger word and once of "a person", with the LoRA in place. Which is nearer to the held-out pictures,
on the mean of all of them, is asked of three measures: `colour`, root mean square at 32 pixels; `shape`, 1 - correlation of brightness
there; `features`, the distance by which a session tells people apart (`engine.person.likeness`), over a held-out picture's own mesh,
because the tracker finds no face in this model's pictures: portraits are cut by the eyes, so the face is about there. OUT gets the contact
sheet: held out; model without LoRA; LoRA, no trigger word; LoRA and trigger word; then scenes without and with LoRA.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

TESTS = Path(__file__).resolve().parents[1]
SIDE = 256
PORTRAIT = "photo of {person}, portrait, facing the camera, smiling"
SCENES = (
    "a sea at sunset, soft illustration",
    "a city at night, neon colours",
    "a stage, neon colours",
    "a desert at noon",
    "a person, portrait",
)


def start() -> None:
    sys.path[:0] = [str(TESTS), str(TESTS / "person")]
    from conftest import find_comfyui  # loads the pack too

    sys.path.insert(0, str(find_comfyui()))
    sys.argv = ["main.py", "--cpu", "--disable-api-nodes"]
    import comfy.options

    comfy.options.enable_args_parsing()
    import nodes

    assert nodes


def verify_performer(folder: Path, name: str = "astronaut", purpose: str = "train_lora") -> Any:
    """A session, consent and all -> the store's dataset for training."""
    from acting import Actor, Camera, play
    from pack.nodes.engine.person.challenge import Challenge
    from pack.nodes.engine.person.mesh_tracker import MeshTracker
    from pack.nodes.engine.person.storage import PersonStore
    from performer import Performer, photographs
    from sitting import make_consent

    person, actor = Performer(photographs()[name]), Actor(np.random.default_rng(1))
    store = PersonStore(folder)
    consent = store.begin_consent(make_consent())
    session = Challenge(MeshTracker(), 0.0, random=random.Random(1))
    outcome, _ = play(session, lambda guidance, at: person.render(actor.perform(guidance, at)), Camera(), 1)
    assert outcome is not None and outcome.passed, outcome
    store.record_attempt(consent, outcome)
    receipt = store.finish(consent, [picture.index for picture in store.choose(consent, outcome)])
    return store.open_dataset(receipt.receipt_id, purpose)


def make_student() -> Any:
    from pack.nodes.engine.demo.load import load_demo_model
    from pack.nodes.image_model import SamplingSettings
    from pack.nodes.training_model import HostStudent

    demo = load_demo_model()
    return HostStudent(demo.model, demo.clip, demo.vae, "fp32", SIDE, SamplingSettings(12, 1.5, "euler", "simple", ""))


def template_settings(steps: int) -> Any:
    from pack.nodes.engine.person.presets import Wishes, choose_settings

    return choose_settings("balanced", Wishes(resolution=SIDE, steps=steps, rank=32, learning_rate=1e-3))


@dataclass(frozen=True)
class Judge:
    """A held-out picture and how far others are from it."""

    picture: np.ndarray
    likeness: Any
    points: np.ndarray

    def distances(self, other: np.ndarray) -> dict[str, float]:
        mine, theirs = (cv2.resize(picture, (32, 32), interpolation=cv2.INTER_AREA) / 255 for picture in (self.picture, other))
        shape = 1 - np.corrcoef(mine.mean(axis=2).ravel(), theirs.mean(axis=2).ravel())[0, 1]
        features = self.likeness.distance(other, self.points)
        return {"colour": float(np.sqrt(((mine - theirs) ** 2).mean())), "shape": float(shape), "features": features}


def held_out(dataset: Any) -> list[Judge]:
    """The pictures that `prepare_lesson` holds out, each with the likeness enrolled on it alone."""
    from pack.nodes.engine.person.lesson import _resize, choose_held_out
    from pack.nodes.engine.person.likeness import Likeness
    from pack.nodes.engine.person.mesh_tracker import MeshTracker

    records = list(dataset)
    meshes = {}
    for number, record in enumerate(records):
        face = MeshTracker().find(_resize(record.read(), SIDE))
        if face is not None:
            meshes[number] = face.points
    neutral = next(meshes[number] for number, record in enumerate(records) if number in meshes and "facing the camera" in record.caption)
    judges = []
    for number in sorted(choose_held_out(len(records)) & set(meshes)):
        picture, likeness = _resize(records[number].read(), SIDE), Likeness(neutral)
        likeness.enrol(picture, meshes[number])
        judges.append(Judge(picture, likeness, meshes[number]))
    return judges


def mean_distances(judges: list[Judge], picture: np.ndarray) -> dict[str, float]:
    every = [judge.distances(picture) for judge in judges]
    return {name: float(np.mean([facts[name] for facts in every])) for name in every[0]}


def compare(student: Any, lora: Any, dataset: Any, judges: list[Judge], seeds: int) -> list[list[np.ndarray]]:
    """Prints how many seeds are nearer with the trigger word; gives the contact sheet's rows."""
    plain, own = (PORTRAIT.replace("{person}", who) for who in ("a person", f"{dataset.trigger} person"))
    rows: list[list[np.ndarray]] = [[], [], [], []]
    found: dict[str, list[tuple[float, float, float]]] = {}
    for seed in range(seeds):
        pictures = [student.draw(plain, seed, {}), student.draw(plain, seed, lora), student.draw(own, seed, lora)]
        for row, picture in zip(rows, (judges[seed % len(judges)].picture, *pictures), strict=True):
            row.append(picture)
        measured = [mean_distances(judges, picture) for picture in pictures]
        for name in measured[0]:
            found.setdefault(name, []).append(tuple(facts[name] for facts in measured))  # type: ignore[arg-type]
    print("| measure | without LoRA | without trigger word | with trigger word | nearer with it |\n|---|---|---|---|---|")
    for name, values in found.items():
        base, other, own = np.mean(values, axis=0)
        nearer = sum(with_word < without for _, without, with_word in values)
        print(f"| {name} | {base:.3f} | {other:.3f} | {own:.3f} | {nearer} of {len(values)} |", flush=True)
    return rows


def compare_scenes(student: Any, lora: Any) -> list[list[np.ndarray]]:
    """Prints how much pictures without the trigger word change (root mean square, 0..1); gives two rows."""
    rows: list[list[np.ndarray]] = [[], []]
    for scene in SCENES:
        changes = []
        for seed in range(5):
            before, after = student.draw(scene, seed, {}), student.draw(scene, seed, lora)
            changes.append(float(np.sqrt(((before / 255.0 - after / 255.0) ** 2).mean())))
        for row, picture in zip(rows, (before, after), strict=True):
            row.append(picture)
        print(f"change of '{scene}': {np.mean(changes):.3f}", flush=True)
    return rows


def save_sheet(rows: list[list[np.ndarray]], path: Path) -> None:
    widest = max(len(row) for row in rows)
    blank = np.full((SIDE, SIDE, 3), 255, np.uint8)
    sheet = np.concatenate([np.concatenate([*row, *[blank] * (widest - len(row))], axis=1) for row in rows])
    cv2.imwrite(str(path), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    start()
    from pack.nodes.engine.person.lora import train_lora

    with tempfile.TemporaryDirectory() as folder:
        dataset = verify_performer(Path(folder))
        student, judges = make_student(), held_out(dataset)
        print(f"{len(dataset)} pictures, {len(judges)} judged of those held out", flush=True)
        trained = train_lora(dataset, student, template_settings(options.steps), None, lambda progress: None)
        course = trained.course
        print(f"held-out loss {course.checks[0][1]:.4f} -> {course.best_loss:.4f} at step {course.best_step} of {course.step}", flush=True)
        rows = compare(student, trained.tensors, dataset, judges, options.seeds)
        save_sheet(rows + compare_scenes(student, trained.tensors), options.out / "likeness.png")


if __name__ == "__main__":
    main()
