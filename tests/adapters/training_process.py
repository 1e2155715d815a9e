"""One training in a process of its own, as a test kills it: says every step. `training_process.py COMFYUI FOLDER`.

Person, LoRA folder and state lie in the folder; the person is verified by the first process that comes.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "person")]


def main(comfyui: str, place: str) -> None:
    import conftest

    folder = Path(place)
    sys.path.insert(0, comfyui)
    sys.argv = ["main.py", "--cpu", "--base-directory", place, "--database-url", "sqlite:///:memory:", "--disable-api-nodes"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        conftest._import_comfyui()
    import torch

    dataset = open_dataset(folder)
    with torch.inference_mode():
        train(dataset)


def open_dataset(folder: Path) -> Any:
    import folder_paths
    from pack.nodes import personal_training
    from pack.nodes.engine.person.storage import PersonStore
    from sitting import verify_somebody

    (folder / "loras").mkdir(exist_ok=True)
    folder_paths.folder_names_and_paths["loras"] = ([str(folder / "loras")], {".safetensors"})
    store = PersonStore(folder / "store", scan_folders=[folder / "loras"])
    personal_training.person_store = lambda: store  # type: ignore[assignment]
    known = store.list()
    return store.open_dataset(known[0].receipt_id if known else verify_somebody(store).receipt_id, "train_lora")


def train(dataset: Any) -> None:
    from comfy_api.internal import make_locked_method_func
    from pack.nodes import personal_training
    from pack.nodes.engine.demo.load import load_demo_model
    from pack.nodes.lora_trainer import LoRATrainer

    class Report(personal_training.TrainingReport):
        def __call__(self, progress: Any) -> None:
            if progress.stage == "training" and len(progress.course.losses) == progress.step > 0:
                sys.stdout.write(f"step {progress.step}\n")
                sys.stdout.flush()

    personal_training.TrainingReport = Report  # type: ignore[misc]
    parts = load_demo_model()
    inputs = {"model": parts.model, "clip": parts.clip, "vae": parts.vae, "face_dataset": dataset, "preset": "quick", "resolution": 64}
    settings = {"seed": 3, "preview_prompts": "", "steps": 8, "rank": 2, "checkpoint_every": 2, "text_encoder": True}
    clone: Any = LoRATrainer.PREPARE_CLASS_CLONE(None)
    make_locked_method_func(LoRATrainer, LoRATrainer.FUNCTION, clone)(**inputs, **settings)


if __name__ == "__main__":
    main(*sys.argv[1:])
