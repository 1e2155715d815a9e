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


KEEPING = 3.0  # weight of what others lose; with 1 they drifted towards the person, with 3 the person comes as near


def training_loss(
    student: Student, lesson: Lesson, draw: Draw, part: slice, device: Any, snr_limit: float, prior: Adapters | None
) -> torch.Tensor:
    """Mean loss over a part of a step's examples. With `prior`, prompts without the trigger word are held to what they gave."""
    import torch

    examples = [lesson.examples[number] for number in draw.numbers[part]]
    dropped = [False] * len(examples) if prior else draw.dropped[part]
    captions = [lesson.nothing if left_out else example.caption for example, left_out in zip(examples, dropped, strict=True)]
    latents = torch.stack([example.latent for example in examples]).to(device)
    weight = torch.stack([example.weight for example in examples]).to(device)
    noise, sigmas = draw.noise[part].to(device), pick_sigmas(student, draw.levels[part], device)
    noisy = student.add_noise(latents, noise, sigmas)
    scale = _spread(_loss_scale(student, sigmas, snr_limit), latents)
    loss = (scale * weight * (student.denoise(noisy, sigmas, captions) - latents) ** 2).mean()
    if prior is None:
        return loss
    others = [lesson.nothing if number % 2 else example.plain for number, example in zip(draw.numbers[part], examples, strict=True)]
    own = _spread(torch.tensor([int(level * 1000) % 2 == 0 for level in draw.levels[part].tolist()], device=device), noisy)
    return loss + KEEPING * (scale * _change(student, prior, noise, sigmas, others, noisy, own) ** 2).mean()


def _change(student: Student, adapters: Adapters, noise: torch.Tensor, sigmas: torch.Tensor, captions: Sequence[Any],
            theirs: torch.Tensor, own: torch.Tensor) -> torch.Tensor:  # fmt: skip
    """By how much the adapters change what the network makes of other captions: by lot (`own`) on the person's own noisy pictures, so that
    the word alone calls the person and not the look of a photograph, or on noisy pictures of its own imagination."""
    import torch

    highest = student.noise_levels()[-1].to(sigmas).expand(len(sigmas))
    with torch.no_grad(), adapters.muted():
        imagined = student.denoise(student.add_noise(torch.zeros_like(noise), noise, highest), highest, captions)
        noisy = student.add_noise(imagined, noise.flip(0) if len(noise) > 1 else noise.flip(-1), sigmas)
        noisy = torch.where(own, theirs, noisy)
        before = student.denoise(noisy, sigmas, captions)
    return student.denoise(noisy, sigmas, captions) - before


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
