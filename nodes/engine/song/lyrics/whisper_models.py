"""Folders of Whisper models in the format of CTranslate2 (faster-whisper): which there are, whether they are whole, how to fetch one.

Nothing is fetched unless somebody chose a size by its name. Knows nothing of sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

REQUIRED = ("model.bin", "config.json", "tokenizer.json")
OPTIONAL = ("preprocessor_config.json",)  # needed by models that hear finer than the first ones, large-v3 and on


class RecogniserError(RuntimeError):
    """A recogniser that cannot be used; the message says why and what to do."""


class Download(NamedTuple):
    repository: str  # on huggingface.co
    size: str


DOWNLOADS = {
    "tiny": Download("Systran/faster-whisper-tiny", "75 MB"),
    "base": Download("Systran/faster-whisper-base", "145 MB"),
    "small": Download("Systran/faster-whisper-small", "484 MB"),
    "medium": Download("Systran/faster-whisper-medium", "1.5 GB"),
    "large-v3": Download("Systran/faster-whisper-large-v3", "3.1 GB"),
    "large-v3-turbo": Download("mobiuslabsgmbh/faster-whisper-large-v3-turbo", "1.6 GB"),
}


def list_models(roots: Sequence[Path]) -> list[str]:
    """Names of the model folders that lie in the given ones, sorted; a folder is one if it holds a model.bin."""
    found = {folder.name for root in roots if root.is_dir() for folder in root.iterdir() if (folder / "model.bin").is_file()}
    return sorted(found)


def find_model(name: str, roots: Sequence[Path]) -> Path | None:
    """The folder of that name in one of the roots, whole or not; None where there is none or the name is no plain name."""
    if name in ("", ".", "..") or Path(name).name != name or "\0" in name or "\\" in name:
        return None
    return next((root / name for root in roots if (root / name).is_dir()), None)


def missing_files(folder: Path) -> list[str]:
    """What a model folder lacks, or holds empty, of the files that every model has."""
    names = [name for name in REQUIRED if not (folder / name).is_file() or not (folder / name).stat().st_size]
    return names if list(folder.glob("vocabulary.*")) else [*names, "vocabulary.json"]


def check_model(folder: Path) -> None:
    """RecogniserError, naming what is missing, for a folder that cannot be loaded."""
    missing = missing_files(folder)
    if missing:
        raise RecogniserError(
            f"The Whisper model in {_place(folder)} is not whole: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; "
            "copy all files of a faster-whisper model there, or delete the folder and choose a size."
        )


def explain_missing(name: str, root: Path) -> str:
    """One sentence for a model that is neither here nor one of those that can be fetched."""
    return (
        f"There is no Whisper model '{name}' here; put a faster-whisper model (model.bin, config.json, tokenizer.json, vocabulary) "
        f"into {_place(root / name)}, or choose another in model."
    )


def announce(name: str, root: Path) -> str:
    """What is shown before a model is fetched."""
    return f"Fetching the Whisper model {name} ({DOWNLOADS[name].size}) from huggingface.co into {_place(root / name)}; this happens once."


def fetch_model(name: str, root: Path) -> Path:
    """Fetches one of `DOWNLOADS` into a folder of its name under `root` and returns it; what an earlier try fetched is kept.

    RecogniserError, with what to do by hand, where it cannot be fetched.
    """
    import huggingface_hub

    folder = root / name
    chosen = DOWNLOADS[name]
    try:
        # faster-whisper's own download_model passes an option that huggingface_hub 2 no longer takes.
        huggingface_hub.snapshot_download(
            chosen.repository, local_dir=str(folder), allow_patterns=[*REQUIRED, *OPTIONAL, "vocabulary.*"], max_workers=2
        )
    except (OSError, ValueError, RuntimeError) as error:  # offline, refused, no room: the hub's errors are of these kinds
        raise RecogniserError(
            f"The Whisper model {name} ({chosen.size}) could not be fetched ({type(error).__name__}); get the files of "
            f"https://huggingface.co/{chosen.repository} on a computer with a connection and put them into {_place(folder)}."
        ) from error
    check_model(folder)
    return folder


def _place(folder: Path) -> str:
    """A folder as people name it, without what lies above ComfyUI's models."""
    parts = folder.parts
    return "/".join(parts[parts.index("models") :] if "models" in parts else parts[-2:])
