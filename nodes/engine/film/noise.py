"""Where a picture begins: standard normal noise, the same on every machine, and ways between two noises that stay noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def seeded_noise(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Standard normal noise of one frame, the same on every machine: it is drawn on the CPU."""
    import torch

    return torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed % 2**63), device="cpu")


def slerp(first: torch.Tensor, last: torch.Tensor, places: Any) -> torch.Tensor:
    """Points on the great arc between two noises of one shape, at `places` 0..1: [places, *shape].

    Spherical, so that every point has the length of noise (Shoemake 1985); along a chord it would be too short.
    """
    return slerp_pairs(first[None], last[None], places)


def slerp_pairs(firsts: torch.Tensor, lasts: torch.Tensor, places: Any) -> torch.Tensor:
    """As `slerp`, for pairs of noises: [pairs, *shape] and one place a pair."""
    import torch

    t = torch.as_tensor(places, dtype=firsts.dtype).reshape(-1, *[1] * (firsts.ndim - 1))
    cosine = torch.nn.functional.cosine_similarity(firsts.flatten(1), lasts.flatten(1), dim=1)
    angle = torch.arccos(cosine.clamp(-0.9999, 0.9999)).reshape(-1, *[1] * (firsts.ndim - 1))
    return (torch.sin((1 - t) * angle) * firsts + torch.sin(t * angle) * lasts) / torch.sin(angle)


def share_detail(first: torch.Tensor, last: torch.Tensor, share: float) -> torch.Tensor:
    """`last` with the fine structure of `first`: large forms may move while detail stays where it is.

    The bands of white noise are independent of each other, so the mixture is white noise again. FreeInit (arXiv 2312.07537)
    exchanges the other end of the spectrum in the same way. 0 gives `last`, 1 gives `first`.
    """
    import torch

    if share <= 0:
        return last
    height, width = first.shape[-2:]
    rows, columns = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None, :]
    moving = (rows.square() + columns.square()).sqrt() / 0.5**0.5 < 1 - share
    bands = torch.where(moving, torch.fft.rfft2(last), torch.fft.rfft2(first))
    return torch.fft.irfft2(bands, s=(height, width))
