"""A consent and a passed challenge in, a signed receipt out; and whether a receipt still holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Consent:
    """What the person ticked and typed, before the camera starts."""

    name: str
    purposes: tuple[str, ...]  # of notice.PURPOSES: "train_lora", "make_images", "make_videos"
    language: str  # "en" | "ja" | "zh"
    notice_version: str  # notice.VERSION
    retention_days: int = 90  # 1..1095
    adult: bool = False


@dataclass(frozen=True)
class Receipt:
    body: dict  # canonical JSON values only
    signature: str
