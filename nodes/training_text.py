"""A ComfyUI CLIP whose own text transformers learn along with the network: captions are encoded by core's code, with gradients.

The transformers in the graph are trained as they are, with every patch that was applied upstream; none of their weights is written.
Only CLIPs can be trained. T5, Llama, Qwen and their like are far too large to learn a person from a dozen captions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .engine.person.adapters import TEXT_PREFIX, find_text_targets

if TYPE_CHECKING:
    import torch

    from .image_model import Conditioning


class TextInTraining:
    """`network` holds the transformers, `patcher` loads them; `encode` works while they are loaded."""

    network: torch.nn.Module

    def __init__(self, clip: Any) -> None:
        """ValueError for text encoders of another kind."""
        _require_trainable(clip)
        self._clip: Any = clone_whole(clip)
        self.patcher = self._clip.patcher
        self.network = self._clip.cond_stage_model = self.patcher.model  # core's clone still has the streamed one here
        self._clip.load_model = lambda tokens=None: self.patcher  # it is loaded: to ask again might move the network away meanwhile

    def encode(self, text: str) -> Conditioning:
        encoded = self._clip.encode_from_tokens(self._clip.tokenize(text), return_pooled=True, return_dict=True)
        return [[encoded.pop("cond"), encoded]]

    def kohya_names(self) -> dict[str, str]:
        """By path: numbered where there are two encoders, CLIP L before CLIP G."""
        paths = find_text_targets(self.network)
        encoders = sorted({path.partition(".")[0] for path in paths}, key=lambda name: (name != "clip_l", name))
        numbers = {name: str(place + 1) if len(encoders) > 1 else "" for place, name in enumerate(encoders)}
        parts = [(path, *path.split(".transformer.")) for path in paths]
        return {TEXT_PREFIX + path: f"lora_te{numbers[encoder]}_{rest}" for path, encoder, rest in parts}


def clone_whole(part: Any) -> Any:
    """A clone of a MODEL or CLIP for training: streamed weights (dynamic VRAM) come and go, and gradients need them to stay."""
    try:
        return part.clone(disable_dynamic=True)
    except RuntimeError as error:
        raise ValueError(
            "Training needs this model whole in memory, and its loader cannot load it so; use one of core's loaders, or start ComfyUI "
            "with --disable-dynamic-vram."
        ) from error


def _require_trainable(clip: Any) -> None:
    from comfy.clip_model import CLIPTextModel
    from comfy.sd1_clip import SDClipModel

    network = getattr(clip, "cond_stage_model", None)
    encoders = [module for module in network.modules() if isinstance(module, SDClipModel)] if network is not None else []
    if not encoders or not all(isinstance(encoder.transformer, CLIPTextModel) for encoder in encoders):
        raise ValueError("The text encoder of this model cannot be trained; switch text_encoder off.")
