"""Where Whisper models lie in ComfyUI's folders, which can be chosen, and how one becomes a recogniser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import folder_paths

from .engine.song.lyrics.whisper_models import (
    DOWNLOADS,
    announce,
    check_model,
    explain_missing,
    fetch_model,
    find_model,
    list_models,
    missing_files,
)
from .status_line import show_status

if TYPE_CHECKING:
    from .engine.song.lyrics.whisper import Whisper

NONE = "none"
FOLDERS = ("faster-whisper", "whisper")  # under models; new ones go into the first


def model_roots() -> list[Path]:
    """The folders that hold models: ComfyUI's own and those that extra_model_paths.yaml or other packs name alike."""
    roots = [Path(folder_paths.models_dir) / name for name in FOLDERS]
    for name in FOLDERS:
        roots += [Path(path) for path in folder_paths.folder_names_and_paths.get(name, ([],))[0]]
    return list(dict.fromkeys(roots))


def list_choices() -> list[str]:
    """None, the sizes that can be fetched, then what lies in the folders besides."""
    return [NONE, *DOWNLOADS, *(name for name in list_models(model_roots()) if name not in DOWNLOADS and name != NONE)]


def explain_choice(name: str) -> str | None:
    """One sentence on what is wrong with a choice, or None where it can be used."""
    if name == NONE or name in DOWNLOADS or find_model(name, model_roots()):
        return None
    return explain_missing(name, model_roots()[0])


def recogniser_loader(name: str, node_id: str | None) -> Callable[[], Whisper] | None:
    """What loads the chosen model once it is needed, fetching it first if it is not here; None for no model."""
    if name == NONE:
        return None

    def load() -> Whisper:
        from .engine.song.lyrics.whisper import Whisper

        folder, ours = find_model(name, model_roots()), model_roots()[0]
        if folder is None and name not in DOWNLOADS:
            raise ValueError(explain_missing(name, ours))
        # A fetch that was cut short goes on; what somebody else put together is theirs to mend.
        if folder is None or (name in DOWNLOADS and folder.parent == ours and missing_files(folder)):
            show_status(node_id, announce(name, ours))
            folder = fetch_model(name, ours)
            show_status(node_id, "")
        check_model(folder)
        return Whisper(folder, make_room(folder))

    return load


def make_room(folder: Path) -> str:
    """The device for a model, with room made on it beside the models that ComfyUI holds there."""
    import comfy.model_management

    device = comfy.model_management.get_torch_device()
    if device.type != "cuda":
        return "cpu"
    comfy.model_management.free_memory(1.5 * (folder / "model.bin").stat().st_size, device)
    return "cuda"
