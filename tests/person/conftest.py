"""Makes the neighbouring modules `sitting` (captures of nobody) and `performer` (a software person) importable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from performer import Performer

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session")
def portraits() -> dict[str, np.ndarray]:
    """The two public-domain photographs, uint8 RGB."""
    from performer import photographs

    return photographs()


@pytest.fixture(scope="session")
def astronaut(portraits: dict[str, np.ndarray]) -> Performer:
    """A software person, drawn quickly."""
    from performer import Performer

    return Performer(portraits["astronaut"], detail=0.5)


@pytest.fixture(scope="session")
def hopper(portraits: dict[str, np.ndarray]) -> Performer:
    """Another, with glasses."""
    from performer import Performer

    return Performer(portraits["hopper"], detail=0.5)
