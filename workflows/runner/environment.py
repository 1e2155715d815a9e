"""A Python with everything installed: the user's own ComfyUI Python where it will do, else `.venv`.

Standard library only, because it runs before anything is installed. What was installed is remembered by the
hash of the requirement files, so a second start costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .comfyui import ROOT, SetupError, cached_comfyui, installed_comfyui

VENV = ROOT / ".venv"
CONSTRAINTS = Path(__file__).with_name("constraints.txt")
PREPARED = "MUSIC_VIDEO_COMFYUI"  # tells the process inside the environment where ComfyUI is
NEEDED = "import torch, aiohttp, av, librosa"
NEWEST = (3, 14)  # the newest Python that the pinned PyTorch has wheels for


@dataclass(frozen=True)
class Environment:
    python: Path
    comfyui: Path


def prepare(*requirements: Path) -> Environment:
    """A ComfyUI and a Python that can run it, with the packages of further requirement files.

    Raises SetupError with what to do. Prints what it is doing where that takes longer than a second.
    """
    comfyui = installed_comfyui()
    if comfyui and not requirements:
        for python in (Path(sys.executable), *_pythons_of(comfyui)):
            if _can_run_comfyui(python):
                return Environment(python, comfyui)
    python = _make_venv()
    comfyui = comfyui or cached_comfyui(python)
    _install(python, comfyui / "requirements.txt", ROOT / "requirements.txt", *requirements)
    return Environment(python, comfyui)


def has_accelerator(python: Path) -> bool:
    """Whether that Python's PyTorch sees a graphics card or Apple's GPU."""
    question = (
        "import torch; x = getattr(torch, 'xpu', None); "
        "print(torch.cuda.is_available() or torch.backends.mps.is_available() or bool(x and x.is_available()))"
    )
    answer = subprocess.run([str(python), "-c", question], capture_output=True, text=True)
    return answer.returncode == 0 and answer.stdout.split()[-1:] == ["True"]


def continue_in(environment: Environment, script: str, arguments: list[str]) -> int:
    """Runs a script again inside the environment and returns its exit status; that process handles Ctrl-C and polite kills."""
    variables = {**os.environ, PREPARED: str(environment.comfyui)}
    process = subprocess.Popen([str(environment.python), script, *arguments], env=variables)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def prepared_comfyui() -> Path | None:
    """ComfyUI's folder, if this process already runs inside an environment that `prepare` made."""
    return Path(os.environ[PREPARED]) if os.environ.get(PREPARED) else None


def _pythons_of(comfyui: Path) -> list[Path]:
    """The Pythons that ComfyUI's usual ways of installation leave beside it."""
    places = [comfyui / ".venv", comfyui / "venv", comfyui.parent / ".venv", comfyui.parent / "venv"]
    candidates = [_python_in(place) for place in places] + [comfyui.parent / "python_embeded" / "python.exe"]
    return [python for python in candidates if python.is_file()]


def _python_in(venv: Path) -> Path:
    return venv / "Scripts" / "python.exe" if os.name == "nt" else venv / "bin" / "python"


def _can_run_comfyui(python: Path) -> bool:
    return subprocess.run([str(python), "-c", NEEDED], capture_output=True).returncode == 0


def _make_venv() -> Path:
    python = _python_in(VENV)
    if python.is_file() and subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0:
        return python
    if sys.version_info[:2] > NEWEST:
        raise SetupError(f"PyTorch has no build for Python {sys.version.split()[0]} yet; use Python 3.10 to {NEWEST[0]}.{NEWEST[1]}.")
    print(f"Making a virtual environment in {VENV} ...", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True)
    if made.returncode != 0:
        said = (made.stdout + made.stderr).strip().splitlines()
        raise SetupError(
            f"No virtual environment could be made ({said[-1] if said else 'no reason given'}). On Debian and Ubuntu: "
            "`apt install python3-venv`; elsewhere check that the disk has room."
        )
    return python


def _install(python: Path, *requirements: Path) -> None:
    stamp = VENV / "music-video-installed.json"
    done = json.loads(stamp.read_text()) if stamp.is_file() else {}
    wanted = {path.parent.name + "/" + path.name: _fingerprint(path) for path in requirements}
    if all(done.get(name) == value for name, value in wanted.items()):
        return
    print("Installing packages (once; about four minutes, several gigabytes) ...", flush=True)
    files = [option for path in requirements for option in ("-r", str(path))]
    options = ["--quiet", "--disable-pip-version-check", "--prefer-binary", "-c", str(CONSTRAINTS)]
    if subprocess.run([str(python), "-m", "pip", "install", *options, *files]).returncode != 0:
        raise SetupError("The packages could not be installed; what pip says above tells why. Mend that and run the command again.")
    stamp.write_text(json.dumps({**done, **wanted}, indent=1))


def _fingerprint(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes() + CONSTRAINTS.read_bytes()).hexdigest()
