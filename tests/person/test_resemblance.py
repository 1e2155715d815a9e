"""How much a film's faces look like somebody: the person's own kept pictures against frames of a film, and no consent, no number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from pack.nodes.engine.film.video_file import MP4, VideoFileWriter, read_frames
from pack.nodes.engine.person.mesh_tracker import MeshTracker
from pack.nodes.engine.person.receipt import ConsentError
from pack.nodes.engine.person.resemblance import Sitter
from performer import Act, Performer

LOOKS = (Act(), Act(yaw=18, x=90), Act(pitch=8, smile=1, scale=0.7), Act(yaw=-15, roll=10, x=-90), Act(scale=1.4, mouth=0.5))


class Kept:
    """Stands where a FaceDataset would."""

    def __init__(self, pictures: Sequence[np.ndarray], notice_version: int = 2) -> None:
        self.notice_version, self.ended, self._pictures = notice_version, False, pictures

    def require_consent(self) -> None:
        if self.ended:
            raise ConsentError("withdrawn", "This person has withdrawn.")

    def __iter__(self) -> Any:
        for place, picture in enumerate(self._pictures):
            caption = "facing the camera, neutral expression" if place == 1 else "turned, smiling"
            yield SimpleNamespace(caption=caption, read=lambda picture=picture: picture)


def sit(person: Performer, **facts: Any) -> tuple[Sitter, Kept]:
    pictures = [person.render(Act(yaw=yaw), noise=2.0, random=np.random.default_rng(seed)) for seed, yaw in enumerate((15, 0, -15))]
    kept: Any = Kept(pictures, **facts)
    return Sitter(kept, MeshTracker().find_afresh), kept


@pytest.fixture(scope="module")
def sitter(astronaut: Performer) -> Sitter:
    return sit(astronaut)[0]


def film(person: Performer, folder: Path, width: int = 480) -> list[np.ndarray]:
    with VideoFileWriter(folder / "film.mp4", width, width * 9 // 16 // 2 * 2, Fraction(12), MP4) as file:
        for act in LOOKS:
            picture = person.render(act)[60:420]
            file.write(cv2.resize(picture, (file.width, file.height), interpolation=cv2.INTER_AREA))
    return list(read_frames(folder / "film.mp4"))


@pytest.mark.parametrize("width", [320, 640])
def test_a_film_of_the_person_is_like_them_and_one_of_another_is_not(
    sitter: Sitter, astronaut: Performer, hopper: Performer, tmp_path: Path, width: int
) -> None:
    own, other = (sitter.compare(film(person, tmp_path, width)) for person in (astronaut, hopper))
    assert own.frames == own.found == other.found == 5
    assert own.likeness is not None and other.likeness is not None
    assert own.likeness > 0.6 > 0.4 > other.likeness


def test_frames_without_a_face_are_counted_and_judge_nothing(sitter: Sitter, astronaut: Performer) -> None:
    empty = np.full((270, 480, 3), 90, np.uint8)
    face = astronaut.render(Act())
    assert sitter.compare([empty, face]).found == 1
    nobody = sitter.compare([empty, empty])
    assert (nobody.frames, nobody.found, nobody.likeness) == (2, 0, None)


def test_every_shot_asks_for_the_consent(astronaut: Performer) -> None:
    sitter, kept = sit(astronaut)
    kept.ended = True
    with pytest.raises(ConsentError, match="withdrawn"):
        sitter.compare([])


def test_who_agreed_to_the_first_notice_is_not_compared(astronaut: Performer) -> None:
    with pytest.raises(ConsentError, match="before such comparisons were a part of it; ask them"):
        sit(astronaut, notice_version=1)


def test_pictures_without_a_face_are_one_sentence() -> None:
    kept: Any = Kept([np.full((512, 512, 3), 90, np.uint8)])
    with pytest.raises(ValueError, match="No face is found in the person's own pictures"):
        Sitter(kept, MeshTracker().find_afresh)
