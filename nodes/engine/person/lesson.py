"""A person's pictures -> what is learnt from in every step: latents, conditionings, where the face is.

Pictures and captions are encoded once and kept in memory only. All chance in a step comes from the seed and the step's number,
so a training that goes on after an interruption meets exactly what it would have met. Pictures are never mirrored: faces are
not symmetric. It knows nothing of adapters or ComfyUI; the model comes in as a `Student`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .dataset import FaceDataset
from .portraits import EYE_HEIGHT, SIDE

if TYPE_CHECKING:
    import numpy as np
    import torch

FEWEST = 5  # pictures; with fewer a model learns the pictures, not the person
FACE_WEIGHT = 2.0  # of the face's places in the loss, against 1 elsewhere
UNFIT = "Model, CLIP and VAE do not fit together; connect those of one checkpoint."
LEVELS = (0.2, 0.4, 0.6, 0.8)  # noise levels at which held-out pictures are judged, as shares of the model's scale


class Student(Protocol):
    """What training needs of a model. Latents are float32 [examples, ...] as the network sees them."""

    identity: str  # changes with the weights
    text_encoders: torch.nn.Module | None  # what shall learn to read captions anew, on its device while the network is; mostly None

    def open(self) -> AbstractContextManager[torch.nn.Module]:
        """The network on its device, ready for gradients; afterwards it is as it was, whatever happened."""
        ...

    def encode_picture(self, picture: np.ndarray) -> torch.Tensor:
        """One picture, uint8 RGB [height, width, 3] -> one latent, without the examples' axis."""
        ...

    def encode_caption(self, text: str, latent: torch.Tensor) -> Any:
        """What `denoise` takes as a caption: encoded once, or the text itself where text encoders learn."""
        ...

    def noise_levels(self) -> torch.Tensor:
        """All of the model's own, ascending."""
        ...

    def is_flow(self) -> bool: ...

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor: ...

    def denoise(self, noisy: torch.Tensor, sigmas: torch.Tensor, captions: Sequence[Any]) -> torch.Tensor:
        """The latents that the network believes to be under the noise."""
        ...

    def steepness(self, sigmas: torch.Tensor) -> torch.Tensor:
        """By how much that belief changes with the network's output."""
        ...

    def draw(self, prompt: str, seed: int, lora: Mapping[str, torch.Tensor]) -> np.ndarray:
        """A picture with the LoRA, uint8 RGB [height, width, 3]."""
        ...

    def is_out_of_memory(self, error: BaseException) -> bool: ...


@dataclass(frozen=True)
class Example:
    latent: torch.Tensor
    weight: torch.Tensor  # of every place in the loss, mean 1
    caption: Any
    plain: Any  # the caption of just any person


@dataclass(frozen=True)
class Draw:
    """The chance in one step, on the CPU."""

    numbers: list[int]
    noise: torch.Tensor
    levels: torch.Tensor  # 0..1, shares of the model's scale of noise levels
    dropped: list[bool]  # whether the caption is left out


@dataclass(frozen=True)
class Lesson:
    examples: tuple[Example, ...]
    held_out: tuple[Example, ...]
    nothing: Any  # the empty caption

    def draw(self, step: int, count: int, seed: int, dropout: float, flow: bool) -> Draw:
        import torch
        from diffusers.training_utils import compute_density_for_timestep_sampling

        chance = seeded(seed, "step", step)
        numbers = [self._number(step * count + place, seed) for place in range(count)]
        noise = torch.randn((count, *self.examples[0].latent.shape), generator=chance)
        scheme = "logit_normal" if flow else "uniform"
        levels = compute_density_for_timestep_sampling(scheme, count, logit_mean=0.0, logit_std=1.0, generator=chance)
        dropped = (torch.rand(count, generator=chance) < dropout).tolist()
        return Draw(numbers, noise, levels, dropped)

    def _number(self, position: int, seed: int) -> int:
        """Every picture once before any comes again."""
        import torch

        turn, place = divmod(position, len(self.examples))
        return int(torch.randperm(len(self.examples), generator=seeded(seed, "turn", turn))[place])


def prepare_lesson(dataset: FaceDataset, student: Student, resolution: int, on_picture: Callable[[int, int], None]) -> Lesson:
    """Encodes everything once. ValueError for too few pictures; ConsentError as soon as the consent has ended."""
    if len(dataset) < FEWEST:
        raise ValueError(f"There are only {len(dataset)} pictures; at least {FEWEST} are needed. Verify again and keep more of them.")
    captions: dict[str, Any] = {}
    examples = []
    for number, record in enumerate(dataset):
        on_picture(number, len(dataset))
        latent = student.encode_picture(_resize(record.read(), resolution))
        texts = (record.caption, make_plain(record.caption, dataset.trigger))
        for text in (*texts, ""):
            if text not in captions:
                captions[text] = student.encode_caption(text, latent)
        examples.append(Example(latent, face_weight(record.caption, tuple(latent.shape)), *(captions[text] for text in texts)))
    chosen = choose_held_out(len(examples))
    held_out = tuple(example for number, example in enumerate(examples) if number in chosen)
    return Lesson(tuple(example for number, example in enumerate(examples) if number not in chosen), held_out, captions[""])


def choose_held_out(count: int) -> set[int]:
    """The numbers of the pictures, of `count`, that are judged and not learnt from: one in six, four at most, evenly spread."""
    several = max(1, min(4, count // 6))
    return {round((place + 0.5) * count / several - 0.5) for place in range(several)}


def make_plain(caption: str, trigger: str) -> str:
    """The same caption of just any person: what must stay as it was."""
    return caption.replace(f"{trigger} person", "a person")


def face_weight(caption: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Weights [1, ..., height, width] with mean 1: higher in an ellipse where a portrait of this framing has the face."""
    import torch

    parts = caption.split(", ")
    framing = next((name for name in SIDE if name in parts), "portrait")
    between = 1 / SIDE[framing]  # distance of the eyes, in sides
    ys, xs = ((torch.arange(size) + 0.5) / size for size in shape[-2:])
    middle = EYE_HEIGHT[framing] + 0.45 * between
    inside = ((xs[None, :] - 0.5) / (1.25 * between)) ** 2 + ((ys[:, None] - middle) / (1.7 * between)) ** 2 <= 1
    weight = torch.where(inside, FACE_WEIGHT, 1.0)
    return (weight / weight.mean()).reshape(*[1] * (len(shape) - 2), *shape[-2:])


def seeded(*parts: object) -> torch.Generator:
    """A random generator that depends on nothing but these values."""
    import torch

    digest = hashlib.sha256(repr(parts).encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:7], "little"))


def _resize(picture: np.ndarray, side: int) -> np.ndarray:
    import cv2

    shrinking = side < picture.shape[0]
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC)
