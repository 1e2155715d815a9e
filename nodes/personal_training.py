"""A training from start to file, as LoRA Trainer runs it: the ledger's lines, the state to go on from, what the node shows."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths
import numpy as np

from .engine.person.adapters import name_for_kohya
from .engine.person.dataset import FaceDataset
from .engine.person.lora import TRAINING_VERSION, Progress, TrainedLora, TrainingSettings, train_lora
from .engine.person.lora_file import RECEIPT, RECEIPT_HASH, write_lora
from .engine.person.loss_plot import plot_losses
from .engine.person.receipt import ConsentError
from .engine.person.training_state import forget_state
from .person_folder import TRAININGS, person_store
from .render_progress import describe_seconds
from .status_line import show_status
from .training_model import HostStudent

FOLDER = "personal"  # in the first LoRA folder
FORMATS = ("comfyui", "kohya")
log = logging.getLogger("music_video")
KEPT_DAYS = 14  # a state that nobody has gone on from for so long is deleted
PLOT_EVERY = 2.0  # seconds


def train(dataset: FaceDataset, student: HostStudent, settings: TrainingSettings, node_id: str | None) -> TrainedLora:
    """Trains, going on from an interrupted training of the very same kind."""
    store = person_store()
    state = store.folder / TRAININGS / f"{_key(dataset, student, settings)}.safetensors"
    _forget_old(state.parent)
    dataset.require_consent()
    store.note(dataset.receipt_id, "train_started", steps=settings.steps, pictures=len(dataset))
    with _noted(dataset.receipt_id):
        trained = train_lora(dataset, student, settings, state, TrainingReport(node_id))
    store.note(dataset.receipt_id, "train_ended", steps=trained.course.step, result=trained.ended)
    return trained


def keep(dataset: FaceDataset, student: HostStudent, settings: TrainingSettings, trained: TrainedLora, file_format: str) -> Path:
    """Writes the LoRA and its curve into the LoRA folder. ConsentError, and no file, if the consent has ended meanwhile."""
    from PIL import Image

    store = person_store()
    receipt = store.receipt(dataset.receipt_id)
    tensors = trained.tensors if file_format == "comfyui" else name_for_kohya(trained.tensors, student.kohya_names())
    metadata = {
        "format": "pt", RECEIPT: receipt.receipt_id, RECEIPT_HASH: receipt.sha256, "trigger": receipt.trigger,
        "base_model": student.identity, "steps": str(trained.course.best_step), "settings": json.dumps(asdict(settings), sort_keys=True),
        "ss_network_module": "networks.lora", "ss_network_dim": str(settings.shape.rank), "ss_network_alpha": str(settings.shape.rank),
    }  # fmt: skip
    dataset.require_consent()
    path = write_lora(Path(folder_paths.get_folder_paths("loras")[0]) / FOLDER, receipt.trigger, tensors, metadata)
    try:
        store.register(receipt.receipt_id, "lora", path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    try:
        Image.fromarray(plot_losses(trained.course, settings.steps)).save(path.with_suffix(".png"))
    except OSError as error:  # the LoRA is there, and the node shows the curve anyway
        path.with_suffix(".png").unlink(missing_ok=True)
        log.warning("The curve could not be saved beside the LoRA (%s).", error.strerror)
    forget_state(store.folder / TRAININGS / f"{_key(dataset, student, settings)}.safetensors")
    return path


class TrainingReport:
    """Shows a training on the node: bar, curve, time left. Raises when the user stops the run."""

    def __init__(self, node_id: str | None) -> None:
        self._node_id, self._bar, self._start, self._shown = node_id, None, None, 0.0

    def __call__(self, progress: Progress) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        if progress.stage == "encoding":
            show_status(self._node_id, f"Reading picture {progress.step + 1} of {progress.steps}")
            return
        now = time.monotonic()
        self._start = self._start or (now, progress.step)
        self._bar = self._bar or comfy.utils.ProgressBar(progress.steps, node_id=self._node_id)
        finished = progress.step == progress.steps
        if progress.preview is None and not finished and now - self._shown < PLOT_EVERY:
            return
        self._shown = now
        self._bar.update_absolute(progress.step, progress.steps, ("JPEG", self._picture(progress), 640))
        show_status(self._node_id, self._describe(progress, now))

    def _picture(self, progress: Progress) -> Any:
        from PIL import Image

        picture: np.ndarray = plot_losses(progress.course, progress.steps) if progress.preview is None else progress.preview
        return Image.fromarray(picture)

    def _describe(self, progress: Progress, now: float) -> str:
        start, first = self._start or (now, 0)
        done = progress.step - first
        left = f", {describe_seconds((now - start) / done * (progress.steps - progress.step))} left" if done else ""
        held_out = (
            f"; held-out loss {progress.course.checks[0][1]:.3g} -> {progress.course.best_loss:.3g}" if progress.course.checks else ""
        )
        return f"Step {progress.step} of {progress.steps}{left}{held_out}"


@contextmanager
def _noted(receipt_id: str) -> Iterator[None]:
    """A training that does not come to its end has its line in the ledger too."""
    try:
        yield
    except BaseException as error:
        result = "consent_ended" if isinstance(error, ConsentError) else "failed" if isinstance(error, Exception) else "stopped"
        person_store().note(receipt_id, "train_ended", steps=0, result=result)
        raise


def _key(dataset: FaceDataset, student: HostStudent, settings: TrainingSettings) -> str:
    """Everything that shapes the values: another receipt, model or setting is another training."""
    shape = [TRAINING_VERSION, person_store().receipt(dataset.receipt_id).sha256, student.identity, asdict(settings)]
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()


def _forget_old(folder: Path) -> None:
    for path in (*folder.glob("*.safetensors"), *folder.glob("*.part")):
        if time.time() - path.stat().st_mtime > KEPT_DAYS * 86400:
            forget_state(path)
