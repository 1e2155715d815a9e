"""A software person's whole session, to the pictures that a trainer would get: what the face tracker sees in them again."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from acting import Camera, play
from attacks import live
from pack.nodes.engine.person.challenge import Challenge
from pack.nodes.engine.person.mesh_tracker import MeshTracker
from pack.nodes.engine.person.portraits import LEFT_EYE, RIGHT_EYE
from pack.nodes.engine.person.storage import PersonStore
from performer import Performer
from sitting import make_consent


@pytest.mark.slow
def test_a_session_gives_level_varied_pictures(astronaut: Performer, tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    consent_id = store.begin_consent(make_consent())
    outcome, _ = play(Challenge(MeshTracker(), 0.0, random=Random(3)), live(astronaut, np.random.default_rng(3)), Camera(), 3)
    assert outcome and outcome.passed
    store.record_attempt(consent_id, outcome)
    gallery = store.choose(consent_id, outcome)
    assert 12 <= len(gallery) <= 30
    store.finish(consent_id, [picture.index for picture in gallery])
    dataset = store.open_dataset(consent_id, "train_lora")
    poses = set()
    for picture in dataset:
        face = MeshTracker().find(picture.read())
        assert face, "the tracker finds a face in every picture"
        right, left = (face.points[list(corners), :2].mean(0) / picture.width for corners in (RIGHT_EYE, LEFT_EYE))
        slope = np.degrees(np.arctan2(*(left - right)[::-1]))
        assert abs(slope) < 4 and 0.25 < (right + left)[1] / 2 < 0.55 and 0.25 < (right + left)[0] / 2 < 0.75
        poses.add(picture.caption.split(", ")[2])
    assert len(poses) >= 3
