"""How far a model is from a person's pictures: noised latents in, one number out, for training and for judging.

The loss is that of the network's own output (noise, velocity or way), computed from what it believes the picture to be,
so it is right for every kind of model: dividing by the steepness undoes what the model's sampling does to the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .lesson import LEVELS, Draw, Example, Lesson, Student, seeded

if TYPE_CHECKING:
    import torch

    from .adapters import Adapters


def training_loss(
    student: Student, lesson: Lesson, draw: Draw, part: slice, device: Any, snr_limit: float, prior: Adapters | None
) -> torch.Tensor:
    """Mean loss over a part of a step's examples. With `prior`, prompts without the trigger word are held to what the
    network said before: the same noisy pictures, captioned as just any person, against the muted adapters."""
    import torch

    examples = [lesson.examples[number] for number in draw.numbers[part]]
    captions = [lesson.nothing if dropped else example.caption for example, dropped in zip(examples, draw.dropped[part], strict=True)]
    latents = torch.stack([example.latent for example in examples]).to(device)
    weight = torch.stack([example.weight for example in examples]).to(device)
    sigmas = pick_sigmas(student, draw.levels[part], device)
    noisy = student.add_noise(latents, draw.noise[part].to(device), sigmas)
    scale = _spread(_loss_scale(student, sigmas, snr_limit), latents)
    loss = (scale * weight * (student.denoise(noisy, sigmas, captions) - latents) ** 2).mean()
    if prior is None:
        return loss
    plain = [example.plain for example in examples]
    with torch.no_grad(), prior.muted():
        before = student.denoise(noisy, sigmas, plain)
    return loss + (scale * (student.denoise(noisy, sigmas, plain) - before) ** 2).mean()


def held_out_loss(student: Student, lesson: Lesson, device: Any, check: Callable[[], None]) -> float:
    """On pictures that are not learnt from, at fixed noise levels and noises: comparable from step to step and run to run."""
    import torch

    losses = []
    with torch.no_grad():
        for number, example in enumerate(lesson.held_out):
            check()
            losses.append(_fixed_loss(student, number, example, device))
    return sum(losses) / len(losses)


def _fixed_loss(student: Student, number: int, example: Example, device: Any) -> float:
    import torch

    latents = torch.stack([example.latent] * len(LEVELS)).to(device)
    noise = torch.randn(latents.shape, generator=seeded("held out", number)).to(device)
    sigmas = pick_sigmas(student, torch.tensor(LEVELS), device)
    noisy = student.add_noise(latents, noise, sigmas)
    wrong = student.denoise(noisy, sigmas, [example.caption] * len(LEVELS)) - latents
    return float((_spread(student.steepness(sigmas) ** -2, latents) * wrong**2).mean())


def pick_sigmas(student: Student, levels: torch.Tensor, device: Any) -> torch.Tensor:
    """The model's own noise levels at shares 0..1 of its scale."""
    known = student.noise_levels()
    return known[(levels * len(known)).long().clamp(0, len(known) - 1).to(known.device)].to(device).float()


def _loss_scale(student: Student, sigmas: torch.Tensor, limit: float) -> torch.Tensor:
    """Weight of the squared error of the picture. Min-SNR (Hang et al. 2023) for noise and v models; 0 switches it off."""
    natural = student.steepness(sigmas) ** -2
    return natural if student.is_flow() or limit <= 0 else (sigmas**-2).clamp(max=limit)


def _spread(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return values.reshape(-1, *[1] * (like.ndim - 1))


def in_parts(count: int, size: int) -> Sequence[slice]:
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
