"""A person's dataset and a model -> a LoRA: the training itself.

Only a `FaceDataset` is taken, and the consent is asked again at the start, at every check and at the end. At each check the
pictures that were held out are judged and the best values kept, so that more steps than needed do no harm. It knows nothing of
ComfyUI: the model comes in as a `Student`, progress and interruption as a callable.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .adapters import Adapters, name_tensors
from .dataset import FaceDataset
from .lesson import UNFIT, Lesson, Student, prepare_lesson
from .receipt import ConsentError
from .training_loss import held_out_loss, in_parts, training_loss
from .training_settings import TrainingSettings
from .training_state import Course, forget_state, load_state, save_state

if TYPE_CHECKING:
    import numpy as np
    import torch

TRAINING_VERSION = 2  # part of what a state is found by: raise it when the same settings give other values
LARGEST_GRADIENT = 1.0
PATIENCE = 6  # checks without a better one before it stops
EMA_DECAY = 0.99
TEXT_SHARE = 0.5  # of the learning rate, for text encoders: they forget other words sooner than a network forgets pictures

log = logging.getLogger("music_video")


@dataclass(frozen=True)
class Progress:
    step: int
    steps: int
    course: Course
    preview: np.ndarray | None = None
    stage: str = "training"  # "encoding" | "training"


@dataclass(frozen=True)
class TrainedLora:
    tensors: dict[str, torch.Tensor]  # ComfyUI's names
    course: Course
    previews: tuple[np.ndarray, ...]
    ended: str  # "done" | "early" | "not_a_number"


def train_lora(
    dataset: FaceDataset, student: Student, settings: TrainingSettings, state: Path | None, on_progress: Callable[[Progress], None]
) -> TrainedLora:
    """Trains until the steps are done or the held-out pictures get worse. `state` is where it is kept for going on later.

    ConsentError as soon as the consent has ended, and then nothing is left. Whatever `on_progress` raises stops the training and
    leaves the state of the last check.
    """
    dataset.require_consent()
    try:
        lesson = prepare_lesson(
            dataset, student, settings.resolution, lambda done, total: on_progress(Progress(done, total, Course(), stage="encoding"))
        )
        trained = _Training(dataset, student, settings, lesson, state, on_progress).run()
        dataset.require_consent()
        return trained
    except ConsentError:
        forget_state(state)
        raise


class _Training:
    def __init__(self, dataset: FaceDataset, student: Student, settings: TrainingSettings, lesson: Lesson, state: Path | None,
                 on_progress: Callable[[Progress], None]) -> None:  # fmt: skip
        self.dataset, self.student, self.settings, self.lesson = dataset, student, settings, lesson
        self.state, self.on_progress = state, on_progress
        self.course, self.previews, self.ended = Course(), [], "done"
        self.part, self.recompute = settings.batch, settings.recompute
        self.adapters: Any = None

    def run(self) -> TrainedLora:
        with self.student.open() as network:
            self._begin(network)
        self._preview()
        while self.course.step < self.settings.steps and self.ended == "done":
            with self.student.open() as network, self.adapters.attached(), self._recomputing(network):
                self._learn(self._next_stop())
            self._preview()
        shape = self.settings.shape
        return TrainedLora(name_tensors(self.adapters.paths, self.course.best, shape), self.course, tuple(self.previews), self.ended)

    def _begin(self, network: torch.nn.Module) -> None:
        import torch
        from diffusers.optimization import get_scheduler
        from diffusers.training_utils import EMAModel

        settings = self.settings
        self.device = next(network.parameters()).device
        text = self.student.text_encoders if settings.text_encoder else None
        self.adapters = Adapters(network, settings.shape, settings.seed, text)
        parameters = self.adapters.parameters
        self.optimizer = torch.optim.AdamW(self._groups(), lr=settings.learning_rate, weight_decay=0.01)
        warmup = 0 if settings.schedule == "constant" else min(settings.warmup, settings.steps // 5)
        self.schedule = get_scheduler(settings.schedule, self.optimizer, num_warmup_steps=warmup, num_training_steps=settings.steps)
        self.mean = EMAModel(parameters, decay=EMA_DECAY, use_ema_warmup=True) if settings.ema else None
        if not self._restore():
            with self.adapters.attached():
                self._try_once()
                self._check()

    def _groups(self) -> list[dict[str, Any]]:
        """The parameters with their learning rates, all of them in the order of the adapters."""
        parameters, spoken = self.adapters.parameters, self.adapters.text_parameters
        groups = [{"params": parameters[: len(parameters) - len(spoken)]}]
        return [*groups, {"params": spoken, "lr": self.settings.learning_rate * TEXT_SHARE}] if spoken else groups

    def _try_once(self) -> None:
        """A first look at model and captions together: what does not fit shows here, in words."""
        import torch

        draw = self.lesson.draw(0, 1, self.settings.seed, 0.0, self.student.is_flow())
        try:
            with torch.no_grad():
                training_loss(self.student, self.lesson, draw, slice(0, 1), self.device, 0.0, None)
        except RuntimeError as error:
            if self.student.is_out_of_memory(error):
                raise
            raise ValueError(UNFIT) from error

    def _next_stop(self) -> int:
        """The step before which the network must be itself again: a preview, or the end."""
        every = self.settings.preview_every
        stop = (self.course.step // every + 1) * every if every and self.settings.prompts else self.settings.steps
        return min(stop, self.settings.steps)

    def _learn(self, stop: int) -> None:
        while self.course.step < stop and self.ended == "done":
            loss = self._step()
            if not math.isfinite(loss):
                self._give_up()
                return
            self.course.losses.append(loss)
            self.course.step += 1
            due = self.course.step % self.settings.check_every == 0 or self.course.step == self.settings.steps
            if due:
                self._check()
            self.on_progress(Progress(self.course.step, self.settings.steps, self.course))

    def _step(self) -> float:
        import torch

        settings, count = self.settings, self.settings.batch * self.settings.accumulation
        draw = self.lesson.draw(self.course.step, count, settings.seed, settings.caption_dropout, self.student.is_flow())
        loss = self._gradients(draw, count)
        if math.isfinite(loss):
            for parameter in self.adapters.parameters:  # layers that nothing reads, as the last of SDXL's CLIP L: their state is kept too
                parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            torch.nn.utils.clip_grad_norm_(self.adapters.parameters, LARGEST_GRADIENT)
            self.optimizer.step()
            self.schedule.step()
            if self.mean is not None:
                self.mean.step(self.adapters.parameters)
        return loss

    def _gradients(self, draw: Any, count: int) -> float:
        """Sums the gradients of a step, in as small parts as memory asks for."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            total = 0.0
            try:
                for part in in_parts(count, self.part):
                    prior = self.adapters if self.settings.keep_others else None
                    loss = training_loss(self.student, self.lesson, draw, part, self.device, self.settings.snr_limit, prior)
                    (loss * ((part.stop - part.start) / count)).backward()
                    total += loss.item() * (part.stop - part.start) / count
                return total
            except Exception as error:
                if not self.student.is_out_of_memory(error):
                    raise
                self._make_room(error)

    def _make_room(self, error: Exception) -> None:
        if self.part == 1:
            text = "Training does not fit into memory even one picture at a time"
            advice = "choose a lower resolution or rank" if self.recompute else "switch on gradient_checkpointing or lower the resolution"
            raise MemoryError(f"{text}; {advice}.") from error
        self.part = max(1, self.part // 2)
        log.warning("A batch of %d did not fit into memory; going on with %d at a time, which gives the same result.",
                    self.part * 2, self.part)  # fmt: skip

    def _give_up(self) -> None:
        advice = "lower learning_rate (a third of it), or choose fp32 as precision"
        if not self.course.best_step:
            forget_state(self.state)
            raise ValueError(f"The loss stopped being a number at step {self.course.step + 1}; {advice}, then run again.")
        log.warning("The loss stopped being a number at step %d; the values of step %d are kept. To go further, %s.",
                    self.course.step + 1, self.course.best_step, advice)  # fmt: skip
        self.ended = "not_a_number"

    def _check(self) -> None:
        """Consent, held-out pictures, best values, state: everything that happens now and then."""
        self.dataset.require_consent()
        course = self.course
        with self._smoothed() as values:
            loss = held_out_loss(self.student, self.lesson, self.device, lambda: self.on_progress(self._now()))
            known = course.best_loss if course.best_step else math.inf
            course.checks.append((course.step, loss))
            if course.step and loss < known:  # the start is measured too, but is never an answer
                course.best_step, course.best = course.step, [value.detach().cpu().clone() for value in values]
        if not math.isfinite(loss):
            self._give_up()
            return
        self._look_for_the_end()
        if self.state is not None and course.step:
            self._save()

    def _look_for_the_end(self) -> None:
        since = sum(step > self.course.best_step for step, _ in self.course.checks)
        if self.settings.early_stop and since >= PATIENCE:
            self.ended = "early"

    def _now(self) -> Progress:
        return Progress(self.course.step, self.settings.steps, self.course)

    @contextmanager
    def _smoothed(self) -> Iterator[list[torch.Tensor]]:
        """The values that count: the running mean, where one is kept."""
        if self.mean is None:
            yield list(self.adapters.parameters)
            return
        own = [parameter.detach().clone() for parameter in self.adapters.parameters]
        self.adapters.copy_from(self.mean.shadow_params)
        try:
            yield list(self.mean.shadow_params)
        finally:
            self.adapters.copy_from(own)

    def _preview(self) -> None:
        settings = self.settings
        if not settings.prompts or not settings.preview_every:
            return
        lora = name_tensors(self.adapters.paths, list(self.adapters.parameters), settings.shape)
        for number, prompt in enumerate(settings.prompts):
            text = prompt.replace("{person}", f"{self.dataset.trigger} person")
            self.previews.append(self.student.draw(text, settings.seed + number, lora))
            self.on_progress(replace(self._now(), preview=self.previews[-1]))

    def _recomputing(self, network: torch.nn.Module) -> Any:
        from .recomputation import recomputing

        return recomputing(network, self.recompute)

    def _save(self) -> None:
        states = [self.optimizer.state[parameter] for parameter in self.adapters.parameters]
        parts = {f"optimizer.{name}": [state[name] for state in states] for name in (states[0] if states[0] else ())}
        parts["adapters"] = list(self.adapters.parameters)
        facts: dict[str, Any] = {"schedule": self.schedule.state_dict(), "part": self.part}
        if self.mean is not None:
            parts["mean"] = self.mean.shadow_params
            facts["mean_step"] = self.mean.optimization_step
        assert self.state is not None
        save_state(self.state, self.dataset.receipt_id, self.course, parts, facts)

    def _restore(self) -> bool:
        found = load_state(self.state) if self.state is not None else None
        if found is None:
            return False
        self.course, parts, facts = found
        self.adapters.copy_from(parts["adapters"])
        names = [name for name in parts if name.startswith("optimizer.")]
        for number, parameter in enumerate(self.adapters.parameters):
            self.optimizer.state[parameter] = {
                name.removeprefix("optimizer."): parts[name][number].to("cpu" if name.endswith(".step") else parameter.device)
                for name in names
            }
        self.schedule.load_state_dict(facts["schedule"])
        for group, rate in zip(self.optimizer.param_groups, self.schedule.get_last_lr(), strict=True):
            group["lr"] = rate
        self.part = facts["part"]
        if self.mean is not None:
            self.mean.shadow_params = [value.to(own.device) for value, own in zip(parts["mean"], self.adapters.parameters, strict=True)]
            self.mean.optimization_step = facts["mean_step"]
        self._look_for_the_end()  # all that was missing may have been the file
        log.info("Training goes on at step %d of %d.", self.course.step, self.settings.steps)
        return True
