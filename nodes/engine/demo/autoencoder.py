"""The autoencoder: pictures to latents a sixteenth as wide and high, and back. Small enough for two CPU cores to decode a film.

In: pictures [batch, 3, height, width] in -1..1, sides multiples of 16. Out: latents [batch, 16, height / 16, width / 16] of about unit
variance. The encoder is linear; the decoder is a linear road back and beside it a network that has learnt what that road misses.
The road looks at neighbouring latents too, or the edges of blocks would show. It knows nothing of ComfyUI: layers come from `operations`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LATENT_CHANNELS = 16
BLOCK = 16  # pixels a latent stands for, on each side
_WIDE, _MIDDLE, _NARROW = 160, 96, 48  # channels at 1/16, 1/8 and 1/4 of the picture's size
_THIN = 6  # channels at full size, for one last convolution that hides the seams between blocks


class ResidualBlock(nn.Module):
    """Two convolutions beside a straight road; no normalisation, so a crop and a whole picture are treated alike."""

    def __init__(self, channels: int, operations: Any) -> None:
        super().__init__()
        self.first = operations.Conv2d(channels, channels, 3, padding=1)
        self.second = operations.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(functional.relu(self.first(x))))


class Encoder(nn.Module):
    """The leading principal components of blocks of pixels: one multiplication, so encoding costs nothing and never drifts."""

    def __init__(self, operations: Any) -> None:
        super().__init__()
        self.straight = operations.Conv2d(3 * BLOCK * BLOCK, LATENT_CHANNELS, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.straight(functional.pixel_unshuffle(pictures, BLOCK))


class Decoder(nn.Module):
    def __init__(self, operations: Any) -> None:
        super().__init__()
        self.enter = operations.Conv2d(LATENT_CHANNELS, _WIDE, 3, padding=1)
        self.wide = nn.Sequential(ResidualBlock(_WIDE, operations), ResidualBlock(_WIDE, operations))
        self.to_middle = operations.Conv2d(_WIDE, _MIDDLE * 4, 1)
        self.middle = nn.Sequential(ResidualBlock(_MIDDLE, operations), ResidualBlock(_MIDDLE, operations))
        self.to_narrow = operations.Conv2d(_MIDDLE, _NARROW * 4, 1)
        self.narrow = ResidualBlock(_NARROW, operations)
        self.to_thin = operations.Conv2d(_NARROW, _THIN * 16, 3, padding=1)
        self.leave = operations.Conv2d(_THIN, 3, 3, padding=1)
        self.straight = operations.Conv2d(LATENT_CHANNELS, 3 * BLOCK * BLOCK, 3, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        latents = torch.tanh(latents / 5) * 5  # far-off latents (strong guidance) fade instead of burning
        x = self.wide(functional.relu(self.enter(latents)))
        x = self.middle(functional.relu(functional.pixel_shuffle(self.to_middle(x), 2)))
        x = self.narrow(functional.relu(functional.pixel_shuffle(self.to_narrow(x), 2)))
        return self.leave(functional.pixel_shuffle(self.to_thin(x), 4)) + functional.pixel_shuffle(self.straight(latents), BLOCK)


class DemoAutoencoder(nn.Module):
    """`encode` and `decode` are the two calls that core's `VAE` object makes."""

    def __init__(self, operations: Any = nn) -> None:
        super().__init__()
        self.encoder = Encoder(operations)
        self.decoder = Decoder(operations)

    def encode(self, pictures: Tensor) -> Tensor:
        return self.encoder(pictures)

    def decode(self, latents: Tensor) -> Tensor:
        return self.decoder(latents)
