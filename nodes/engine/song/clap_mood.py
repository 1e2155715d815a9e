"""CLAP (Wu et al., ICASSP 2023), where its folder lies in models/clap: a recording -> how happy and how excited its music sounds.

CLAP was trained on hundreds of thousands of recordings with texts. Here it is asked, every five seconds, which text of a pair fits ten
seconds of music better ("happy, cheerful music" or "sad, sorrowful music"); its own scale makes that a chance, and the mean chance of the
pairs is the curve. Nothing is fitted on top and nothing is fetched. No listener's data could be had to measure it; it has heard far more
music than our cues know, and shares the culture of those who wrote its texts. Imported only where it is used: torch and transformers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .recording import Progress, Recording

EVERY = 5.0  # seconds between the starts of two windows
BUILT_IN, CLAP = "built-in", "clap"
MOODS = (BUILT_IN, CLAP)  # who judges it
VALENCE = (
    ("happy, cheerful music", "sad, sorrowful music"),
    ("bright, uplifting, hopeful music", "dark, gloomy, hopeless music"),
    ("a playful and joyful song", "a melancholic and lonely song"),
)
AROUSAL = (
    ("energetic, exciting music", "calm, relaxing music"),
    ("loud, intense, powerful music", "quiet, gentle, soft music"),
    ("a driving, restless song", "a peaceful, sleepy song"),
)
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class MoodError(ValueError):
    """A model of the mood that cannot be used; the message says why and what to do."""


def find_clap(mood: str, places: Sequence[Path]) -> Path | None:
    """The folder of the model that was asked for; None for the built-in mood. MoodError where it is not there."""
    if mood not in MOODS:
        raise MoodError(f"The mood is '{mood}'; choose one of: {', '.join(MOODS)}.")
    if mood == BUILT_IN:
        return None
    folders = [folder for place in places if place.is_dir() for folder in (place, *sorted(place.iterdir())) if _is_clap(folder)]
    if not folders:
        raise MoodError(
            "CLAP is not here; put a folder with all files of laion/larger_clap_music (huggingface.co, 0.8 GB) into models/clap, "
            "or choose the built-in mood."
        )
    return folders[0]


def _is_clap(folder: Path) -> bool:
    config = folder / "config.json"
    if not config.is_file() or not any((folder / name).is_file() for name in WEIGHTS):
        return False
    try:
        return json.loads(config.read_text(encoding="utf-8")).get("model_type") == "clap"
    except (ValueError, AttributeError, OSError):
        return False


def hear_mood(recording: Recording, folder: Path, on_progress: Progress) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Moments in seconds, and at each valence and arousal, 0..1: [windows] each. MoodError where the folder is damaged."""
    import torch

    model, extractor, tokenizer = _load(folder)
    rows: list[list[float]] = []
    moments: list[float] = []
    with torch.inference_mode():
        # Their difference says which text fits better: [768, pairs]
        ways = [_embed_texts(model, tokenizer, [pair[side] for pair in VALENCE + AROUSAL]) for side in (0, 1)]
        way = (ways[0] - ways[1]).T * model.logit_scale_a.exp()
        for middle, samples in _windows(recording, extractor.sampling_rate, extractor.max_length_s):
            rows.append((_embed_sound(model, extractor, samples) @ way).sigmoid()[0].tolist())
            moments.append(middle)
            on_progress(round(middle + len(samples) / extractor.sampling_rate / 2), round(recording.duration))
    chances = np.array(rows)
    return np.array(moments), chances[:, : len(VALENCE)].mean(axis=1), chances[:, len(VALENCE) :].mean(axis=1)


def _windows(recording: Recording, rate: int, length: float) -> Iterator[tuple[float, np.ndarray]]:
    """The middle of each window in seconds, and its samples; the last one ends with the song. A short song is one window."""
    size, step = int(length * rate), int(EVERY * rate)
    buffer, first, left = np.zeros(0, np.float32), 0, 0
    for block in recording.blocks(rate):
        buffer = np.concatenate([buffer, block])
        while len(buffer) >= size + step:
            yield (first + size / 2) / rate, buffer[:size]
            buffer, first = buffer[step:], first + step
    if len(buffer) > size:
        yield (first + size / 2) / rate, buffer[:size]
        left = len(buffer) - size
    last = buffer[left:]
    yield (first + left + len(last) / 2) / rate, last


def _embed_texts(model: Any, tokenizer: Any, texts: list[str]) -> Any:
    return _unit(model.get_text_features(**tokenizer(texts, padding=True, return_tensors="pt")))


def _embed_sound(model: Any, extractor: Any, samples: np.ndarray) -> Any:
    heard = extractor(samples, sampling_rate=extractor.sampling_rate, return_tensors="pt")
    return _unit(model.get_audio_features(input_features=heard["input_features"].float(), is_longer=heard["is_longer"]))


def _unit(features: Any) -> Any:
    """The embeddings, which transformers 5 wraps, at length one."""
    from torch.nn.functional import normalize

    return normalize(getattr(features, "pooler_output", features), dim=-1)


def _load(folder: Path) -> tuple[Any, Any, Any]:
    """The network on the CPU, and what turns sound and words into its input; nothing stays in memory afterwards."""
    from transformers import AutoTokenizer, ClapFeatureExtractor, ClapModel

    try:
        model = ClapModel.from_pretrained(folder, local_files_only=True).float().eval()
        return (
            model,
            ClapFeatureExtractor.from_pretrained(folder, local_files_only=True),
            AutoTokenizer.from_pretrained(folder, local_files_only=True),
        )
    except Exception as error:  # what torch, safetensors and transformers raise for damaged or missing files is of many kinds
        raise MoodError(
            f"models/clap/{folder.name} is no complete CLAP ({type(error).__name__}); "
            "copy all files of laion/larger_clap_music anew, or choose the built-in mood."
        ) from error
