"""Low-rank adapters on a network's own modules: put in by PEFT, taken out again without a trace.

In: a `torch.nn.Module`, which of its parts to adapt, and text encoders where they learn too.
Out: parameters to train, and tensors under names that model loaders read.
The network's own weights are never written. It knows nothing of ComfyUI, pictures or consent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

NAME = "personal"  # of the adapter inside PEFT's layers
PREFIX = "diffusion_model."  # before a module's path in files: ComfyUI reads it for every architecture
TEXT_PREFIX = "text_encoders."  # the same for the text encoders
TARGETS = ("auto", "attention", "attention and MLP", "all layers")
SMALL = 100_000_000  # weights; the smallest models in use have eight times as many
FUSED = r"single_blocks\.\d+\.linear[12]$"  # attention and MLP in one matrix, as in Flux
ATTENTION = re.compile(rf"(attn\d*|attention)(\.|_)|(^|\.)(to_[qkv]|to_out|qkv)(\.|$)|{FUSED}")
MLP = re.compile(rf"(^|\.|_)(ff|ffn|mlp|feed_forward)(\.|_)|{FUSED}")
TEXT_ATTENTION = re.compile(r"\.self_attn\.(q|k|v|out)_proj$")  # of a CLIP's transformer
NEVER = re.compile(r"norm|embed|modulation|adaln|(^|[._])mod([._]|$)|time_|vec_in|guidance_in|final_layer|head\.", re.IGNORECASE)


@dataclass(frozen=True)
class AdapterShape:
    rank: int = 16
    alpha: float = 16.0
    targets: str = "auto"  # one of TARGETS


@dataclass(frozen=True)
class _Place:
    path: str  # as files name it, with the prefix
    parent: torch.nn.Module
    child: str
    base: torch.nn.Module
    layer: Any  # PEFT's LoraLayer around `base`


class Adapters:
    """Adapters for one network and its text encoders, attached only inside `attached()`. The same seed gives the same start."""

    def __init__(self, network: torch.nn.Module, shape: AdapterShape, seed: int, text: torch.nn.Module | None = None) -> None:
        """ValueError if no module matches, or if the weights are of a kind that gradients cannot pass."""
        self.shape = shape
        paths = find_targets(network, shape.targets)
        if not paths:
            raise ValueError(f"This model has no layers of the kind '{shape.targets}'; choose 'all layers' as targets, or another model.")
        spoken = find_text_targets(text) if text is not None else []
        self._places = _inject(network, PREFIX, paths, shape, seed)
        self._put(inside=False)
        if text is not None:
            self._places += _inject(text, TEXT_PREFIX, spoken, shape, seed + 1)
            self._put(inside=False)

    @contextmanager
    def attached(self) -> Iterator[None]:
        self._put(inside=True)
        try:
            yield
        finally:
            self._put(inside=False)

    @contextmanager
    def muted(self) -> Iterator[None]:
        """The network as if it had no adapters, while they are attached."""
        for place in self._places:
            place.layer.enable_adapters(False)
        try:
            yield
        finally:
            for place in self._places:
                place.layer.enable_adapters(True)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(place.path for place in self._places)

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """Down and up of every place, in the order of the network's modules, those of the text encoders last."""
        return [part.weight for place in self._places for part in (place.layer.lora_A[NAME], place.layer.lora_B[NAME])]

    @property
    def text_parameters(self) -> list[torch.nn.Parameter]:
        """The last of them."""
        count = sum(2 for place in self._places if place.path.startswith(TEXT_PREFIX))
        return self.parameters[len(self._places) * 2 - count :]

    def copy_from(self, values: list[torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for parameter, value in zip(self.parameters, values, strict=True):
                parameter.copy_(value)

    def _put(self, inside: bool) -> None:
        for place in self._places:
            setattr(place.parent, place.child, place.layer if inside else place.base)


def find_targets(network: torch.nn.Module, targets: str) -> list[str]:
    """Paths of the modules to adapt; never norms or embeddings.

    `auto`: attention in a UNet, attention and MLP in a transformer, and all layers of a small network, whose attention alone cannot hold
    a face.
    """
    import torch

    if targets not in TARGETS:
        raise ValueError(f"There are no targets '{targets}'; choose one of: {', '.join(TARGETS)}.")
    if targets == "auto":
        small = sum(parameter.numel() for parameter in network.parameters()) < SMALL
        targets = "all layers" if small else "attention" if hasattr(network, "input_blocks") else "attention and MLP"
    kinds = (torch.nn.Linear, torch.nn.Conv2d) if targets == "all layers" else (torch.nn.Linear,)
    modules = [(path, module) for path, module in network.named_modules() if isinstance(module, kinds) and not NEVER.search(path)]
    if targets != "all layers":
        patterns = (ATTENTION,) if targets == "attention" else (ATTENTION, MLP)
        modules = [(path, module) for path, module in modules if any(pattern.search(path) for pattern in patterns)]
    for path, module in modules:
        _require_plain(path, module)
    return [path for path, _ in modules]


def find_text_targets(network: torch.nn.Module) -> list[str]:
    """Paths of the attention of all text encoders in it, as other trainers choose them."""
    modules = [(path, module) for path, module in network.named_modules() if TEXT_ATTENTION.search(path)]
    for path, module in modules:
        _require_plain(path, module)
    return [path for path, _ in modules]


def teaches_text(names: Iterable[str]) -> bool:
    """Whether a LoRA with these names, ours or kohya's, changes the text encoders."""
    return any(name.startswith((TEXT_PREFIX, "lora_te")) for name in names)


def name_tensors(paths: tuple[str, ...], values: list[torch.Tensor], shape: AdapterShape) -> dict[str, torch.Tensor]:
    """Down and up values as a LoRA in ComfyUI's and PEFT's spelling. The scale is in the up part, so there is no alpha to misread."""
    import torch

    scale, named = shape.alpha / shape.rank, {}
    for number, path in enumerate(paths):
        down, up = (values[2 * number + part].detach().to("cpu", torch.float32) for part in (0, 1))
        named[f"{path}.lora_A.weight"] = down.clone().contiguous()
        named[f"{path}.lora_B.weight"] = (up * scale).contiguous()
    return named


def name_for_kohya(tensors: Mapping[str, torch.Tensor], names: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """The same LoRA as kohya's scripts and diffusers spell it. `names` maps a module's path to its name there, where it differs."""
    import torch

    spelled: dict[str, torch.Tensor] = {}
    for key, value in tensors.items():
        path, _, part = key.removesuffix(".weight").rpartition(".")
        name = (names.get(path) or "lora_unet_" + path.removeprefix(PREFIX)).replace(".", "_")
        spelled[f"{name}.lora_{'down' if part == 'lora_A' else 'up'}.weight"] = value
        if part == "lora_A":
            spelled[f"{name}.alpha"] = torch.tensor(float(value.shape[0]))
    return spelled


def _require_plain(path: str, module: torch.nn.Module) -> None:
    import torch

    weight: Any = module.weight
    plain = type(weight) in (torch.nn.Parameter, torch.Tensor) and weight.is_floating_point()
    if not plain or weight.ndim < 2 or weight.numel() == 0:
        raise ValueError(
            f"The weights of this model are quantized ({type(weight).__name__}, {getattr(weight, 'dtype', '?')}), and a LoRA cannot be "
            "trained on them; load the model in fp16, bf16 or fp32 instead."
        )


def _inject(network: torch.nn.Module, prefix: str, paths: list[str], shape: AdapterShape, seed: int) -> list[_Place]:
    """PEFT's layers in the network. Their first values come from `seed` alone, and the global random state stays as it was."""
    import torch
    from peft import LoraConfig, inject_adapter_in_model

    needed = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    before = {path: network.get_submodule(path) for path in paths}
    own = dict(vars(network))
    config = LoraConfig(r=shape.rank, lora_alpha=shape.alpha, target_modules=paths, lora_dropout=0.0, bias="none")  # type: ignore[arg-type]
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inject_adapter_in_model(config, network, adapter_name=NAME)
        places = [_place(network, prefix, path, base) for path, base in before.items()]
        _draw(places, seed, next(network.parameters()).device)
    except BaseException:
        for path, base in before.items():
            setattr(network.get_submodule(path.rpartition(".")[0]), path.rpartition(".")[2], base)
        raise
    finally:
        for name in set(vars(network)) - set(own):
            delattr(network, name)  # PEFT leaves its settings there
        for parameter, wanted in needed:
            parameter.requires_grad_(wanted)
    return places


def _place(network: torch.nn.Module, prefix: str, path: str, base: torch.nn.Module) -> _Place:
    parent, _, child = path.rpartition(".")
    layer: Any = network.get_submodule(path)
    return _Place(prefix + path, network.get_submodule(parent), child, base, layer)


def _draw(places: list[_Place], seed: int, device: torch.device) -> None:
    """First values as PEFT's (uniform, Kaiming), but drawn on the CPU: the same on every device, in float32."""
    import torch

    generator = torch.Generator("cpu").manual_seed(seed)
    for place in places:
        for part, parts in (("down", place.layer.lora_A), ("up", place.layer.lora_B)):
            weight = parts[NAME].weight
            values = torch.zeros(weight.shape)
            if part == "down":
                values.uniform_(-1, 1, generator=generator).mul_(1 / (weight[0].numel() ** 0.5))
            parts[NAME].weight = torch.nn.Parameter(values.to(device))
