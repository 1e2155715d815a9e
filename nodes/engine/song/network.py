"""The beat network: a log mel spectrum -> how much each moment sounds like a beat and like a downbeat.

A small temporal convolutional network (after Boeck & Davies 2020): two layers that look at pitch and time, then ten
residual layers over time whose reach doubles from one to the next, so that every moment is judged by the 47 s on either
side. 0.13 million parameters; it runs on the CPU. Imported only where it is used, because it needs torch.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

PACE = 2  # frames of the spectrum for each frame of the answer
CHANNELS, KERNEL, LAYERS = 32, 5, 10
PIECE = 4096  # frames of the answer whose pitches are looked at together: 95 s
MARGIN = 2  # frames of the answer that the first layers see beyond a piece


class Residual(nn.Module):
    def __init__(self, dilation: int, dropout: float) -> None:
        super().__init__()
        self.look = nn.Conv1d(CHANNELS, 2 * CHANNELS, KERNEL, padding=dilation * (KERNEL // 2), dilation=dilation)
        self.mix = nn.Conv1d(2 * CHANNELS, CHANNELS, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.mix(self.drop(functional.relu(self.look(x))))


class BeatNetwork(nn.Module):
    mean: torch.Tensor  # of each band over the training's music, [bands, 1], and its deviation
    deviation: torch.Tensor

    def __init__(self, bands: int = 96, dropout: float = 0.1) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(bands, 1))
        self.register_buffer("deviation", torch.ones(bands, 1))
        self.pitches = nn.Sequential(
            nn.Conv2d(1, 16, (5, 4), stride=(3, PACE), padding=(1, 1)),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, CHANNELS, (5, 3), stride=(4, 1), padding=(1, 1)),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(CHANNELS, CHANNELS, (bands // 12, 1)),
            nn.ReLU(),
        )
        self.course = nn.ModuleList(Residual(2**layer, dropout) for layer in range(LAYERS))
        self.answer = nn.Conv1d(CHANNELS, 2, 1)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Log mel spectra [songs, bands, frames] -> logits of beat and downbeat, [songs, 2, frames // PACE]."""
        x = self.look_at_pitches(mel)
        for layer in self.course:
            x = layer(x)
        return self.answer(x)

    def look_at_pitches(self, mel: torch.Tensor) -> torch.Tensor:
        return self.pitches(((mel - self.mean) / self.deviation).unsqueeze(1)).squeeze(2)


def listen(network: BeatNetwork, mel: torch.Tensor, on_progress: Callable[[int, int], None]) -> torch.Tensor:
    """Likelihoods of beat and downbeat, [2, frames // PACE], of one song's log mel spectrum [bands, frames] of any length.

    The first layers go through the song in pieces: an hour costs 120 MB. Progress is per piece and layer.
    """
    frames = mel.shape[1] // PACE
    steps = -(-frames // PIECE) + LAYERS
    parts = []
    with torch.inference_mode():
        for first in range(0, frames, PIECE):
            before, end = max(first - MARGIN, 0), min(first + PIECE, frames)
            part = network.look_at_pitches(mel[None, :, PACE * before : PACE * (end + MARGIN)].float())
            parts.append(part[..., first - before : end - before])
            on_progress(len(parts), steps)
        x = torch.cat(parts, dim=-1)
        for done, layer in enumerate(network.course, len(parts) + 1):
            x = layer(x)
            on_progress(done, steps)
        return network.answer(x)[0].sigmoid()
