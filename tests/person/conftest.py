"""Makes the neighbouring modules `sitting` (captures of nobody) and `performer` (a software person) importable."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
