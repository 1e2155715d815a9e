"""All settings of a training. What a preset makes of few is in `presets`."""

from __future__ import annotations

from dataclasses import dataclass, field

from .adapters import AdapterShape

SCHEDULES = ("cosine", "constant", "constant_with_warmup", "linear", "polynomial")


@dataclass(frozen=True)
class TrainingSettings:
    steps: int = 600
    shape: AdapterShape = field(default_factory=AdapterShape)
    learning_rate: float = 4e-4
    schedule: str = "cosine"
    warmup: int = 20
    batch: int = 2
    accumulation: int = 1
    resolution: int = 512
    caption_dropout: float = 0.05
    keep_others: bool = False  # prompts without the trigger word stay as they were (prior preservation)
    snr_limit: float = 5.0
    seed: int = 0
    ema: bool = False
    recompute: bool = False  # gradient checkpointing: less memory, slower
    check_every: int = 50
    early_stop: bool = True
    prompts: tuple[str, ...] = ()
    preview_every: int = 0  # steps; 0: none
    text_encoder: bool = False  # whether the student's text encoders learn too
