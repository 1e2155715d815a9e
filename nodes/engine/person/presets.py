"""Quick, balanced or thorough: a word and the few numbers that were set by hand -> all settings of a training."""

from __future__ import annotations

from dataclasses import dataclass

from .adapters import AdapterShape
from .training_settings import TrainingSettings


@dataclass(frozen=True)
class Preset:
    steps: int
    rank: int
    learning_rate: float
    batch: int
    ema: bool


PRESETS = {  # learning rates as is usual for full-size models with alpha = rank (diffusers' examples: 1e-4); a small model bears more
    "quick": Preset(200, 8, 4e-4, 1, True),
    "balanced": Preset(600, 16, 2e-4, 2, True),
    "thorough": Preset(1500, 32, 1e-4, 2, True),
}
CHECKS = 12  # in a training, where nothing else is asked for
PREVIEWS = 3  # after the first


@dataclass(frozen=True)
class Wishes:
    """What was set by hand; 0 leaves it to the preset."""

    resolution: int = 512
    seed: int = 0
    preview_prompts: str = ""
    steps: int = 0
    rank: int = 0
    alpha: float = 0.0
    targets: str = "auto"
    learning_rate: float = 0.0
    schedule: str = "cosine"
    batch: int = 0
    gradient_accumulation: int = 1
    caption_dropout: float = 0.05
    keep_others: bool = True
    snr_weighting: float = 5.0
    running_mean: str = "preset"  # "preset" | "on" | "off"
    checkpoint_every: int = 0
    gradient_checkpointing: bool = False
    early_stop: bool = True
    text_encoder: bool = False


def choose_settings(preset: str, wishes: Wishes) -> TrainingSettings:
    """ValueError for a preset that does not exist."""
    if preset not in PRESETS:
        raise ValueError(f"There is no preset '{preset}'; choose one of: {', '.join(PRESETS)}.")
    usual = PRESETS[preset]
    steps, rank = wishes.steps or usual.steps, wishes.rank or usual.rank
    prompts = tuple(line.strip() for line in wishes.preview_prompts.splitlines() if line.strip())
    return TrainingSettings(
        steps=steps,
        shape=AdapterShape(rank, wishes.alpha or float(rank), wishes.targets),
        learning_rate=wishes.learning_rate or usual.learning_rate,
        schedule=wishes.schedule,
        batch=wishes.batch or usual.batch,
        accumulation=wishes.gradient_accumulation,
        resolution=wishes.resolution,
        caption_dropout=wishes.caption_dropout,
        keep_others=wishes.keep_others,
        snr_limit=wishes.snr_weighting,
        seed=wishes.seed,
        ema=usual.ema if wishes.running_mean == "preset" else wishes.running_mean == "on",
        recompute=wishes.gradient_checkpointing,
        check_every=wishes.checkpoint_every or max(5, steps // CHECKS),
        early_stop=wishes.early_stop,
        prompts=prompts,
        preview_every=max(1, -(-steps // PREVIEWS)) if prompts else 0,
        text_encoder=wishes.text_encoder,
    )
