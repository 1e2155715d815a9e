"""Stage 3: the text encoder learns what captions tell, before any picture is made.

In: captions without end. Out: `text.pt` in the work folder. For every fact (place, hair ...) a small head reads from the mean of the token
vectors, and from the last one, which value the caption tells or that it tells none. The denoiser then needs few pictures to know what a
word means. Captions are short, so batches are cut to the longest one.
"""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..captions import write_caption
from ..scene import FACTS, list_facts, sample_scene
from ..text import CONFIG, END, START, UNKNOWN, WIDTH, summarise

_log = logging.getLogger("music_video")
LENGTH = 77
_LAST = 2  # the end token's place in the tokenizer's list


class Tokenizer:
    """Core's tokenizer over the words of our captions. Ids are places in `tokens`, a short list of core's ids; 0 is the unknown word."""

    def __init__(self, known: list[int] | None = None) -> None:
        """`known` are the `tokens` of an earlier run."""
        from comfy.sd1_clip import SDTokenizer

        self._tokenizer = SDTokenizer().tokenizer
        self._seen: dict[str, list[int]] = {}
        rng = np.random.default_rng(0)
        for _ in range(3000):
            for piece in _split(write_caption(sample_scene(rng), rng).text):
                if piece not in self._seen:
                    self._seen[piece] = self._tokenizer(piece)["input_ids"][1:-1]
        used = sorted({token for tokens in self._seen.values() for token in tokens} - {UNKNOWN})
        self.tokens = known or [UNKNOWN, START, END, *used]
        self._place = {token: place for place, token in enumerate(self.tokens)}

    def encode(self, text: str) -> list[int]:
        pieces = [self._seen.get(piece, [UNKNOWN]) for piece in _split(text)]
        inner = [self._place.get(token, 0) for tokens in pieces for token in tokens]
        return [1, *inner[: LENGTH - 2], 2]


def _split(text: str) -> list[str]:
    """As core's tokenizer cuts words: letters, then each mark on its own."""
    return re.findall(r"[a-z]+|[0-9]|'s|[^\sa-z0-9]+", text.lower())


def pad_tokens(rows: list[list[int]]) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [_LAST] * (longest - len(row)) for row in rows])


def build_text_model(words: int) -> Any:
    """Core's CLIP text model of our size, with fresh weights, a short table and without its in-place sums, which autograd forbids."""
    from comfy.clip_model import CLIPTextModel
    from comfy.ops import disable_weight_init

    model = CLIPTextModel(CONFIG, torch.float32, "cpu", disable_weight_init)
    model.set_input_embeddings(nn.Embedding(words, WIDTH))
    for name, parameter in model.named_parameters():
        if "norm" in name:
            nn.init.constant_(parameter, 1.0 if name.endswith("weight") else 0.0)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
        else:
            nn.init.normal_(parameter, std=0.02 if "embedding" in name else parameter.shape[-1] ** -0.5 * 0.7)
    for layer in model.text_model.encoder.layers:
        layer.forward = MethodType(_forward_layer, layer)
    return model


def _forward_layer(layer: Any, x: Tensor, mask: Tensor | None = None, optimized_attention: Any = None) -> Tensor:
    x = x + layer.self_attn(layer.layer_norm1(x), mask, optimized_attention)
    return x + layer.mlp(layer.layer_norm2(x))


def encode_tokens(model: Any, tokens: Tensor) -> Tensor:
    """Token ids [batch, length] to vectors, zero after the end, as core's encoder gives them."""
    from comfy.ldm.modules.attention import attention_pytorch

    text = model.text_model
    x = text.embeddings.token_embedding(tokens) + text.embeddings.position_embedding.weight[: tokens.shape[1]]
    causal = torch.full((tokens.shape[1],) * 2, float("-inf")).triu_(1)
    for layer in text.encoder.layers:
        x = layer(x, causal, attention_pytorch)
    return text.final_layer_norm(x) * _is_told(tokens)[..., None]


def _is_told(tokens: Tensor) -> Tensor:
    """1 up to and with the first end token."""
    ended = (tokens == _LAST).cumsum(1)
    return ((ended == 0) | ((ended == 1) & (tokens == _LAST))).float()


def _forget_some(rows: list[list[int]], rng: np.random.Generator) -> list[list[int]]:
    """Now and then an unknown word in place of a known one, or more often beside it."""
    changed = []
    for row in rows:
        row = [0 if 0 < i < len(row) - 1 and rng.random() < 0.02 else token for i, token in enumerate(row)]
        if rng.random() < 0.4:
            for _ in range(int(rng.integers(1, 6))):
                row.insert(int(rng.integers(1, len(row))), 0)
        changed.append(row[: LENGTH - 1] + [_LAST] if len(row) > LENGTH else row)
    return changed


class _Heads(nn.Module):
    """One linear reader for each fact; index 0 means the caption does not tell it."""

    def __init__(self) -> None:
        super().__init__()
        self.readers = nn.ModuleDict({name: nn.Linear(WIDTH, len(values) + 1) for name, values in FACTS.items()})

    def loss(self, summary: Tensor, labels: dict[str, Tensor]) -> Tensor:
        losses = [functional.cross_entropy(reader(summary), labels[name]) for name, reader in self.readers.items()]
        return torch.stack(losses).mean()

    @torch.no_grad()
    def right(self, summary: Tensor, labels: dict[str, Tensor]) -> float:
        hits = [(reader(summary).argmax(1) == labels[name]).float().mean() for name, reader in self.readers.items()]
        return torch.stack(hits).mean().item()


def _make_batch(tokenizer: Tokenizer, rng: np.random.Generator, size: int) -> tuple[Tensor, dict[str, Tensor]]:
    rows, labels = [], {name: [] for name in FACTS}
    for _ in range(size):
        scene = sample_scene(rng)
        caption, facts = write_caption(scene, rng), list_facts(scene)
        rows.append(tokenizer.encode(caption.text))
        for name in FACTS:
            labels[name].append(facts[name] + 1 if name in caption.told and name in facts else 0)
    return pad_tokens(_forget_some(rows, rng)), {name: torch.tensor(values) for name, values in labels.items()}


def train_text(work: Path, *, steps: int = 500, seed: int = 1, batch: int = 40) -> None:
    torch.manual_seed(seed)
    rng, tokenizer = np.random.default_rng(seed), Tokenizer()
    model, mean_heads, end_heads = build_text_model(len(tokenizer.tokens)), _Heads(), _Heads()
    parameters = [*model.parameters(), *mean_heads.parameters(), *end_heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.01)
    start, smooth = time.monotonic(), 0.0
    for step in range(1, steps + 1):
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1, step / 60) * (1 - 0.98 * step / steps)
        tokens, labels = _make_batch(tokenizer, rng, batch)
        vectors = encode_tokens(model, tokens)
        last = vectors[torch.arange(len(tokens)), (tokens == _LAST).int().argmax(1)]
        loss = mean_heads.loss(summarise(vectors), labels) + end_heads.loss(last, labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        smooth += (mean_heads.right(summarise(vectors.detach()), labels) - smooth) * 0.05
        if step % 50 == 0:
            _log.info(
                "text step %d, %.1f min, loss %.4f, facts read right %.3f", step, (time.monotonic() - start) / 60, loss.item(), smooth
            )
    torch.save({"weights": model.state_dict(), "tokens": tokenizer.tokens}, work / "text.pt")


def load_text_model(work: Path) -> Any:
    saved = torch.load(work / "text.pt")
    model = build_text_model(len(saved["tokens"]))
    model.load_state_dict(saved["weights"])
    return model.eval().requires_grad_(False)
