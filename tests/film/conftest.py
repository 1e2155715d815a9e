"""What several tests of the film need."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pack.nodes.engine.timeline import Timeline

sys.path.append(str(Path(__file__).parent))

from whole_song import write_song  # noqa: E402


@pytest.fixture
def full_song() -> Callable[..., Timeline]:
    """Writes a song with everything a Timeline can hold; see `whole_song.write_song`."""
    return write_song
