"""What keeps other people as they were: which pictures and captions the second part of the loss looks at."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
EXAMPLES = 4


class Watched:
    """A student that believes nothing and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, tuple[str, ...]]] = []

    def noise_levels(self) -> Any:
        return torch.linspace(0.1, 10, 100)

    def is_flow(self) -> bool:
        return False

    def steepness(self, sigmas: Any) -> Any:
        return sigmas

    def add_noise(self, latents: Any, noise: Any, sigmas: Any) -> Any:
        return latents + noise * sigmas.reshape(-1, 1, 1, 1)

    def denoise(self, noisy: Any, sigmas: Any, captions: list[str]) -> Any:
        self.asked.append((noisy, tuple(captions)))
        return noisy * 0.5


def make_lesson() -> Any:
    from pack.nodes.engine.person.lesson import Example, Lesson

    pictures = torch.randn((EXAMPLES, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    examples = [Example(picture, torch.ones(1, 4, 4), f"person {number}", f"anybody {number}") for number, picture in enumerate(pictures)]
    return Lesson(tuple(examples), (), "nothing")


@pytest.mark.slow
def test_the_word_alone_calls_the_person() -> None:
    """Captions without the trigger word are held to what they gave on the person's own noisy pictures too, not on imagined ones only."""
    from pack.nodes.engine.person.training_loss import training_loss

    lesson, student, adapters = make_lesson(), Watched(), SimpleNamespace(muted=nullcontext)
    own = imagined = 0
    for step in range(8):
        student.asked.clear()
        draw = lesson.draw(step, 2, 0, 0.0, False)
        training_loss(student, lesson, draw, slice(0, 2), "cpu", 5.0, adapters)  # type: ignore[arg-type]
        (taught, captions), *_, (before, others), (after, _) = student.asked
        assert all(caption.startswith("person") for caption in captions)
        assert torch.equal(before, after), "compared with and without the adapters on the very same pictures"
        assert all(caption == "nothing" or caption.startswith("anybody") for caption in others)
        for theirs, held in zip(taught, before, strict=True):
            own, imagined = own + torch.equal(theirs, held), imagined + (not torch.equal(theirs, held))
    assert min(own, imagined) >= 4
