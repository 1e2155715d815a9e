"""A critic of patches: does this look drawn by hand or decoded? Only training needs it.

In: pictures [batch, 3, height, width] in -1..1. Out: one mark for each patch of about 50 pixels, larger for drawn ones. Its layers'
largest gains are held at one (Miyato et al. 2018), so that its marks stay a useful slope.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

_CHANNELS = (3, 32, 64, 96, 128)


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(few, many, 4, stride=2 if number < 3 else 1, padding=1))
            for number, (few, many) in enumerate(zip(_CHANNELS, _CHANNELS[1:], strict=False))
        )
        self.mark = spectral_norm(nn.Conv2d(_CHANNELS[-1], 1, 3, padding=1))

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Marks, and what each layer saw."""
        seen, x = [], pictures
        for layer in self.layers:
            x = functional.leaky_relu(layer(x), 0.2)
            seen.append(x)
        return self.mark(x), seen


def judge_loss(critic: Critic, drawn: Tensor, decoded: Tensor) -> Tensor:
    """Hinge: marks of drawn pictures above one, of decoded ones below minus one."""
    return functional.relu(1 - critic(drawn)[0]).mean() + functional.relu(1 + critic(decoded)[0]).mean()
