"""Sets everything up as `workflows/run.py` does and runs the tests: `python tests/run.py [pytest arguments]`.

Without arguments all tests run, also the slow ones, those on a real ComfyUI server and those in a browser; files side by side, one a core.
With arguments pytest decides, and leaves those out unless `-m` asks for them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or newer is needed; this is Python " + sys.version.split()[0] + ".")

ROOT = Path(__file__).resolve().parent.parent
# Whole files, since the tests of one may share a folder or a server; in their order, since few long tests would come last by their number.
WHOLE = ["-m", "", "-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]
sys.path.insert(0, str(ROOT / "workflows"))

from runner.comfyui import SetupError
from runner.environment import prepare


def main() -> int:
    try:
        environment = prepare(ROOT / "tests" / "requirements.txt")
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    chosen, settings = sys.argv[1:] or WHOLE, {"COMFYUI_PATH": str(environment.comfyui)}
    if chosen == WHOLE:
        settings["OMP_NUM_THREADS"] = "1"  # or every core is wanted by as many threads as there are cores
    command = [str(environment.python), "-m", "pytest", "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), *chosen]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}).returncode


if __name__ == "__main__":
    sys.exit(main())
