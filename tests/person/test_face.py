"""Faces in pictures: the right points, left and right as they are, nobody where nobody is."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from pack.nodes.engine.person import landmarker_tracker, mesh_tracker
from pack.nodes.engine.person.face import open_tracker
from pack.nodes.engine.person.mesh_tracker import MeshTracker, plain_name, read_model
from performer import Act, Performer

# Mesh points of NASA's portrait, first picture (no track yet), as the study's own code gave them, which agreed with MediaPipe 0.10.21
# to 0.2 % of the distance between the eyes: nose tip, chin, outer eye corners, mouth corners, middle of the lips.
KNOWN = {
    1: (223.6, 130.9),
    152: (221.8, 175.4),
    33: (194.7, 100.6),
    263: (256.5, 104.4),
    61: (202.1, 138.8),
    291: (246.2, 142.6),
    13: (223.7, 142.6),
}


def test_points_of_a_known_portrait(portraits: dict[str, np.ndarray]) -> None:
    face = MeshTracker().find(portraits["astronaut"])
    assert face is not None and face.score > 0.9
    for index, place in KNOWN.items():
        assert np.linalg.norm(face.points[index, :2] - place) < 0.5, index


def test_points_stay_where_they_are_from_call_to_call(portraits: dict[str, np.ndarray]) -> None:
    tracker = MeshTracker()
    first, second = tracker.find(portraits["hopper"]), tracker.find(portraits["hopper"])
    assert first is not None and second is not None
    between = np.linalg.norm(first.points[33] - first.points[263])
    assert np.linalg.norm(first.points - second.points, axis=1).mean() < 0.03 * between


def test_right_eye_is_the_persons_own(portraits: dict[str, np.ndarray]) -> None:
    face = MeshTracker().find(portraits["astronaut"])
    assert face is not None
    assert face.points[33, 0] < face.points[263, 0]


def test_each_eye_is_read_of_a_new_face_and_then_in_turn(portraits: dict[str, np.ndarray]) -> None:
    """The lids of the person's right eye (on the picture's left) are painted over with skin: that eye's number changes, alone."""
    picture, tracker = portraits["astronaut"], MeshTracker()
    sealed = picture.copy()
    face = tracker.find(picture)
    assert face is not None and all(0.2 < opening < 0.5 for opening in face.eye_openings)
    x, y = face.points[[33, 133], :2].mean(axis=0).astype(int)
    sealed[y - 5 : y + 6, x - 12 : x + 13] = picture[y + 14, x]
    frames = [tracker.find(sealed), tracker.find(sealed)]
    assert all(frame is not None for frame in frames)
    rights, lefts = np.array([frame.eye_openings for frame in (face, *frames) if frame]).T
    assert abs(rights[1] - rights[0]) > 0.03 and rights[2] == rights[1]  # the right eye, then the left
    assert lefts[1] == lefts[0] != lefts[2] and abs(lefts[2] - lefts[0]) < 0.03


@pytest.mark.parametrize("size", [(480, 640), (120, 160), (3, 700)])
def test_nobody_is_found_where_nobody_is(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3), dtype=np.uint8)
    tracker = MeshTracker()
    assert tracker.find(noise) is None and tracker.find(noise) is None and tracker.count(noise) == 0


def test_track_is_found_again_after_it_was_lost(portraits: dict[str, np.ndarray]) -> None:
    tracker, picture = MeshTracker(), portraits["astronaut"]
    assert tracker.find(picture) is not None
    assert tracker.find(np.zeros_like(picture)) is None
    moved = np.roll(picture, 120, axis=1)
    face = tracker.find(moved)
    assert face is not None and abs(face.points[1, 0] - KNOWN[1][0] - 120) < 3


def test_faces_are_counted(astronaut: Performer, hopper: Performer) -> None:
    alone = hopper.render(Act(yaw=25), noise=2.5)  # the detector alone takes the flag behind her for a second face
    assert MeshTracker().count(alone) == 1
    guest = cv2.resize(astronaut.render(), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    alone[150:390, 0:190] = guest[:, 65:255]
    assert MeshTracker().count(alone) == 2


def test_changed_model_is_refused(tmp_path: Path) -> None:
    name, sha256 = next(iter(mesh_tracker.MODELS.items()))
    data = bytearray((mesh_tracker.FOLDER / name).read_bytes())
    data[1000] ^= 1
    (tmp_path / name).write_bytes(bytes(data))
    with pytest.raises(ValueError, match="install the pack again"):
        read_model(tmp_path / name, sha256)


def test_models_are_named_in_ascii_where_that_is_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenCV on Windows opens no other names; ComfyUI usually runs in its own folder."""
    home = tmp_path / "美咲" / "ComfyUI"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    model = home / "custom_nodes" / "model.tflite"
    assert Path(plain_name(model)) == Path("custom_nodes/model.tflite")
    monkeypatch.chdir(tmp_path)
    assert plain_name(model) == str(model) and plain_name(tmp_path / "a") == str(tmp_path / "a")


def test_built_in_tracker_is_the_default_and_names_its_models() -> None:
    tracker = open_tracker()
    assert isinstance(tracker, MeshTracker)
    assert all(len(sha256) == 64 and (mesh_tracker.FOLDER / name).is_file() for name, sha256 in tracker.models.items())


def test_an_unknown_model_file_falls_back_to_the_built_in_tracker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / landmarker_tracker.MODEL).write_bytes(b"not the model")
    monkeypatch.setattr(landmarker_tracker, "is_installed", lambda: True)
    assert isinstance(open_tracker(tmp_path), MeshTracker)
    assert "built-in face tracker" in caplog.text and str(tmp_path) not in caplog.text


@pytest.mark.parametrize(("version", "fits"), [("0.10.21", False), ("0.10.30", True), ("1.2.2", True)])
def test_only_packages_that_leave_numpy_alone_are_used(monkeypatch: pytest.MonkeyPatch, version: str, fits: bool) -> None:
    monkeypatch.setattr(landmarker_tracker.metadata, "version", lambda name: version)
    assert landmarker_tracker.is_installed() is fits


def test_the_landmarkers_answer_becomes_a_face(portraits: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    """The model itself cannot be had here: its answer is made of the built-in tracker's points, in its own form."""
    picture = portraits["astronaut"]
    known = MeshTracker().find(picture)
    assert known is not None
    height, width = picture.shape[:2]
    all_points = np.concatenate([known.points, np.zeros((10, 3))])  # and the irises
    landmarks = [SimpleNamespace(x=x / width, y=y / height, z=z / width) for x, y, z in all_points]
    names = ("browOuterUpLeft", "browOuterUpRight", "browInnerUp", "mouthSmileLeft", "mouthSmileRight", "jawOpen")
    shapes = [SimpleNamespace(category_name=name, score=index / 10) for index, name in enumerate(names)]
    tracker = landmarker_tracker.LandmarkerTracker.__new__(landmarker_tracker.LandmarkerTracker)
    answer = SimpleNamespace(face_landmarks=[landmarks], face_blendshapes=[shapes])
    tracker._landmarker, tracker._time_ms = SimpleNamespace(detect_for_video=lambda image, time_ms: answer), 0
    image = SimpleNamespace(Image=lambda **parts: parts, ImageFormat=SimpleNamespace(SRGB=1))
    monkeypatch.setitem(sys.modules, "mediapipe.tasks.python.vision.core.image", image)
    face = tracker.find(picture)
    assert face is not None and len(face.points) == 468 and np.abs(face.points - known.points).max() < 1e-2
    assert face.expressions == pytest.approx({"smile": 0.35, "brows": 0.2, "jaw": 0.5})
    assert all(0.2 < opening < 0.5 for opening in face.eye_openings)
    answer.face_landmarks = []
    assert tracker.find(picture) is None
