"""The text encoder: core's CLIP tokenizer and CLIP text model in small, with only the words of our captions in its table.

In: prompts. Out: one vector a token, [batch, 77, WIDTH], zero after the end of the prompt. Every token that no caption ever used shares the
`unknown` row. Core's own code does the work (weights in brackets, long prompts, LoRAs); the functions import it when they are called.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

WIDTH = 192
VOCABULARY = 49408
START, END = 49406, 49407
UNKNOWN = 0  # the token "!" stands for all that are unknown while training
CONFIG = {
    "num_hidden_layers": 2, "hidden_size": WIDTH, "num_attention_heads": 6, "intermediate_size": 448, "hidden_act": "gelu",
    "max_position_embeddings": 77, "eos_token_id": END, "vocab_size": VOCABULARY,
}  # fmt: skip


def make_clip_target() -> Any:
    """What core's `CLIP` needs to build tokenizer and model."""
    from comfy import sd1_clip, supported_models_base

    class DemoTokenizer(sd1_clip.SD1Tokenizer):
        def __init__(self, embedding_directory: Any = None, tokenizer_data: Any = None) -> None:
            super().__init__(
                embedding_directory=embedding_directory,
                tokenizer_data={**(tokenizer_data or {}), "clip_l_tokenizer_class": _small_tokenizer},
            )

    class DemoTextEncoder(sd1_clip.SDClipModel):
        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = None) -> None:
            options = dict(model_options or {})
            super().__init__(
                device=device,
                dtype=dtype,
                textmodel_json_config=CONFIG,
                layer_norm_hidden_state=False,
                zero_out_masked=True,
                return_projected_pooled=False,
                model_options=options,
            )

    encoder: Any = DemoTextEncoder

    class DemoClipModel(sd1_clip.SD1ClipModel):
        def __init__(self, device: Any = "cpu", dtype: Any = None, model_options: Any = None) -> None:
            super().__init__(device=device, dtype=dtype, model_options=model_options or {}, clip_model=encoder)

    def _small_tokenizer(**options: Any) -> Any:
        return sd1_clip.SDTokenizer(embedding_size=WIDTH, **options)

    return supported_models_base.ClipTarget(DemoTokenizer, DemoClipModel)


def expand_words(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Stored weights (`words` and their `tokens`) to the full table that core's model has."""
    full = dict(weights)
    words, tokens = full.pop("words"), full.pop("tokens").long()
    row = words[int((tokens == UNKNOWN).nonzero()[0])]
    table = row.expand(VOCABULARY, -1).clone()
    table[tokens] = words
    full["text_model.embeddings.token_embedding.weight"] = table
    return full


def summarise(vectors: Tensor) -> Tensor:
    """The mean of the vectors that are not zero: [batch, WIDTH]."""
    told = vectors.abs().amax(-1, keepdim=True) > 0
    return vectors.sum(1) / told.sum(1).clamp(min=1)
