"""The built-in model for the tests of this folder, loaded once; and the neighbouring module `steering` made importable."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def painter(comfy: SimpleNamespace) -> Any:
    """`steering.Painter`: the model, its text encoder and its autoencoder behind one call."""
    from steering import Painter

    return Painter()
