"""Crops for the stage `repair`: encoded, redrawn and freely drawn latents with the pictures they should give.

In: what `drawn` made. Out: batches of crops whose edges are edges of blocks, so that latents and pixels fit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..autoencoder import BLOCK, DemoAutoencoder
from .drawn import Drawn, as_tensor
from .textures import draw_texture

_CROP = 10  # blocks
_SCENES, _TEXTURES = 4, 2
CLEAN, BOUND, FREE = _SCENES + _TEXTURES, 6, 4  # crops of each kind in a batch, in this order
_NOISE = 0.25  # at most, on encoded latents
_TRUST = 0.8  # the level at which a redrawn picture counts half
_EDGES = 0.4  # the share of crops laid at an edge, each way
_Pixels = np.ndarray[Any, np.dtype[np.uint8]]


class Batch(NamedTuple):
    latents: Tensor
    pictures: Tensor  # in -1..1
    trust: Tensor  # [n], 1 where the picture is the right answer, 0 where it is none


class Crops:
    def __init__(self, model: DemoAutoencoder, groups: list[Drawn], seed: int, textures: int = 300) -> None:
        self._model, self._groups, self._rng = model, groups, np.random.default_rng(seed)
        self._textures = [draw_texture(self._rng, 256) for _ in range(textures)]
        self._where = {
            free: [(group, int(number)) for group in groups for number in np.flatnonzero((group.levels == 1) == free)]
            for free in (False, True)
        }

    def pick(self) -> Batch:
        textures = [self._cut(self._textures[int(i)]) for i in self._rng.integers(0, len(self._textures), _TEXTURES)]
        clean = torch.cat([self.cut_scenes(_SCENES), as_tensor(np.stack(textures))])
        with torch.no_grad():
            codes = self._model.encode(clean)
        codes = codes + _NOISE * torch.rand(CLEAN, 1, 1, 1).square() * torch.randn_like(codes)
        drawn = [self._cut_drawn(free=False) for _ in range(BOUND)] + [self._cut_drawn(free=True) for _ in range(FREE)]
        trust = [1.0] * CLEAN + [0.0 if level == 1 else 1 / (1 + (level / _TRUST) ** 4) for _, _, level in drawn]
        return Batch(
            torch.cat([codes, torch.stack([latents for latents, _, _ in drawn])]),
            torch.cat([clean, as_tensor(np.stack([pixels for _, pixels, _ in drawn]))]),
            torch.tensor(trust),
        )

    def cut_scenes(self, size: int) -> Tensor:
        """Scenes as they were painted, cut anywhere."""
        chosen = [self._where[bool(self._rng.random() < 0.3)] for _ in range(size)]
        picked = [group[int(self._rng.integers(len(group)))] for group in chosen]
        return as_tensor(np.stack([self._cut(group.pictures[number]) for group, number in picked]))

    def _cut(self, picture: _Pixels) -> _Pixels:
        side = _CROP * BLOCK
        y, x = (self._place(length - side) for length in picture.shape[:2])
        crop = picture[y : y + side, x : x + side]
        return crop[:, ::-1] if self._rng.random() < 0.5 else crop

    def _place(self, last: int) -> int:
        """Often an edge of the picture, so that the decoder knows what is there."""
        return int(self._rng.choice([0, last])) if self._rng.random() < _EDGES else int(self._rng.integers(0, last + 1))

    def _cut_drawn(self, *, free: bool) -> tuple[Tensor, _Pixels, float]:
        group, number = self._where[free][int(self._rng.integers(len(self._where[free])))]
        y, x = (self._place(length - _CROP) for length in group.latents.shape[2:])
        pixels = group.pictures[number, y * BLOCK : (y + _CROP) * BLOCK, x * BLOCK : (x + _CROP) * BLOCK]
        return group.latents[number, :, y : y + _CROP, x : x + _CROP].float(), pixels, float(group.levels[number])
