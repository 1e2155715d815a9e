"""ComfyUI without a window: started on a free port, with folders of its own, stopped without leftovers.

Goes in: a Python, ComfyUI's folder, a base directory. Comes out: a `Server` that answers at `url`. Nothing is
written into ComfyUI's own folder. It knows nothing of workflows.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .comfyui import ROOT, SetupError

PACK_NAME = "personal-music-video"
FOLDERS = ("models", "custom_nodes", "input", "output", "user")
FIRST_START_SECONDS = 300  # slow disks read two gigabytes of PyTorch at the first start


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int
    base: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log_tail(self, lines: int = 12) -> str:
        text = self.log.read_text(encoding="utf-8", errors="replace") if self.log.is_file() else ""
        return "\n".join(text.strip().splitlines()[-lines:])

    def stop(self) -> None:
        """Asks the server to end, and ends it if it does not within ten seconds."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """Ends the server at once, as a power cut would."""
        self.process.kill()
        self.process.wait()


def start_server(python: Path, comfyui: Path, base: Path, port: int = 0, cpu: bool = True, options: tuple[str, ...] = ()) -> Server:
    """Starts ComfyUI with this pack and returns when it answers. Raises SetupError with the end of its log."""
    make_base(base)
    port = port or _free_port()
    log = base / f"server-{port}.log"
    command = [str(python), "-u", str(comfyui / "main.py"), *_arguments(comfyui, base, port, cpu), *options]
    environment = {**os.environ, "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1"}
    with open(log, "wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=comfyui,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            # A group of its own: Ctrl-C in the terminal must reach us first, so that the run ends in good order.
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    server = Server(process, port, base, log)
    try:
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def make_base(base: Path) -> None:
    """The folders that ComfyUI expects, and in `custom_nodes` a link to this pack."""
    for name in FOLDERS:
        (base / name).mkdir(parents=True, exist_ok=True)
    link = base / "custom_nodes" / PACK_NAME
    if link.exists() and link.resolve() == ROOT:
        return
    if os.path.lexists(link):
        link.unlink()
    _link(link)


def _link(link: Path) -> None:
    try:
        link.symlink_to(ROOT, target_is_directory=True)
    except OSError:  # Windows lets only developers make links; a junction needs no right
        if os.name != "nt":
            raise
        import _winapi

        _winapi.CreateJunction(str(ROOT), str(link))  # pyright: ignore[reportAttributeAccessIssue]


def _arguments(comfyui: Path, base: Path, port: int, cpu: bool) -> list[str]:
    temporary = base / f"temp-{port}"  # ComfyUI empties it at its start, so two servers must not share one
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    arguments = ["--base-directory", str(base), "--temp-directory", str(temporary), "--port", str(port)]
    arguments += ["--database-url", "sqlite:///:memory:", "--disable-auto-launch", "--disable-api-nodes"]
    models = base / "models.yaml"
    models.write_text(_models_config(comfyui), encoding="utf-8")
    return [*arguments, "--extra-model-paths-config", str(models), *(["--cpu"] if cpu else [])]


def _models_config(comfyui: Path) -> str:
    """The user's own models, where ComfyUI keeps them, so that --checkpoint finds them."""
    folders = sorted(path.name for path in (comfyui / "models").glob("*") if path.is_dir() and path.name != "configs")
    lines = ["comfyui:", f"    base_path: '{(comfyui / 'models').as_posix()}'"]
    return "\n".join(lines + [f"    {name}: {name}" for name in folders]) + "\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + FIRST_START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            raise SetupError(f"ComfyUI ended while it started. The end of its log ({server.log}):\n{server.log_tail()}")
        try:
            with urllib.request.urlopen(f"{server.url}/system_stats", timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise SetupError(f"ComfyUI did not answer within {FIRST_START_SECONDS} s. The end of its log ({server.log}):\n{server.log_tail()}")
