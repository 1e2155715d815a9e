"""Whether the report's likeness tells a person from another in a film, and what becomes of the number in other styles.

    python tests/bench/bench_resemblance.py [--looks 48]

Two software performers go through real camera sessions; their kept pictures are what frames are compared with. Each then plays in films
(encoded as Video Assembler does, read back), turning up to 25 degrees, near and far, talking and smiling, as filmed, in other light, and
as pictures in other styles: stand-ins for what image models draw, since there is no model of a real person here. `half of each` is a face
whose texture is the mean of both. A shot is 7 looks; AUC is the chance that a shot of the same person has more than one of the other.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "person")]
LOOKS = 7
NAMES = ("astronaut", "hopper")

Change = Callable[[np.ndarray], np.ndarray]


def fill(width: int, height: int) -> Change:
    """A camera's picture, cropped and scaled to the film."""

    def change(picture: np.ndarray) -> np.ndarray:
        rows = min(480, round(640 * height / width))
        return cv2.resize(picture[(480 - rows) // 2 : (480 + rows) // 2], (width, height), interpolation=cv2.INTER_AREA)

    return change


def light_from_aside(picture: np.ndarray) -> np.ndarray:
    fall = np.linspace(0.35, 1.15, picture.shape[1])[None, :, None]
    return np.clip(picture * fall * [1.1, 0.9, 0.75], 0, 255).astype(np.uint8)


def in_flat_colours(picture: np.ndarray) -> np.ndarray:
    return cv2.pyrMeanShiftFiltering(picture, 12, 28) // 36 * 36 + 18


def in_pencil(picture: np.ndarray) -> np.ndarray:
    return cv2.pencilSketch(picture, sigma_s=40, sigma_r=0.07, shade_factor=0.05)[1]


STYLES: dict[str, tuple[Change, Change]] = {
    "448x256": (fill(448, 256), lambda picture: picture),
    "768x448": (fill(768, 448), lambda picture: picture),
    "light from one side": (fill(768, 448), light_from_aside),
    "soft": (fill(768, 448), lambda picture: cv2.GaussianBlur(picture, (0, 0), 2)),
    "flat colours": (fill(768, 448), in_flat_colours),
    "painted": (fill(768, 448), lambda picture: cv2.stylization(picture, sigma_s=60, sigma_r=0.45)),
    "painted broadly": (fill(768, 448), lambda picture: cv2.stylization(picture, sigma_s=150, sigma_r=0.7)),
    "pencil": (fill(768, 448), in_pencil),
}


def play(person: Any, looks: int) -> list[np.ndarray]:
    from performer import Act

    chance = np.random.default_rng(9)
    acts = [
        Act(
            yaw=chance.uniform(-25, 25), pitch=chance.uniform(-10, 10), roll=chance.uniform(-12, 12), scale=chance.uniform(0.7, 1.5),
            smile=chance.uniform(), mouth=max(0.0, chance.uniform(-0.6, 0.5)), x=chance.uniform(-60, 60),
        )
        for _ in range(looks)
    ]  # fmt: skip
    return [person.render(act, noise=1.5, random=chance) for act in acts]


def mix(person: Any, other: Any) -> Any:
    """The first person with a texture that is half the other's, laid over the same features."""
    from copy import copy

    from performer import Surface, draw

    flat = Surface(person.sources, np.ones(len(person.sources)), other.sources, person.solid, person.faces, person.dark)
    sources, _, solid = draw(flat)
    theirs = cv2.remap(other.texture, sources[..., 0], sources[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = 0.5 * (solid[..., None] > 0.5)
    mixed = copy(person)
    mixed.texture = (person.texture * (1 - share) + theirs * share).astype(np.uint8)
    return mixed


def film(pictures: Sequence[np.ndarray], folder: Path) -> list[np.ndarray]:
    from pack.nodes.engine.film.frame_series import LOOK
    from pack.nodes.engine.film.video_file import MP4, VideoFileWriter, read_frames

    height, width = pictures[0].shape[:2]
    with VideoFileWriter(folder / "film.mp4", width, height, Fraction(12), MP4) as file:
        for picture in pictures:
            file.write(np.ascontiguousarray(picture))
    scale = min(1.0, LOOK / width)
    return list(read_frames(folder / "film.mp4", size=(round(width * scale), round(height * scale))))


def score(sitter: Any, frames: Sequence[np.ndarray]) -> list[Any]:
    return [sitter.compare(frames[start : start + LOOKS]) for start in range(0, len(frames), LOOKS)]


def tell(name: str, same: list[Any], other: list[Any]) -> None:
    faces = np.mean([shot.found / shot.frames for shot in [*same, *other]])
    own, theirs = ([shot.likeness for shot in shots if shot.likeness is not None] for shots in (same, other))
    auc = np.mean([[a > b for b in theirs] for a in own])
    print(f"| {name} | {faces:.2f} | {spread(own)} | {spread(theirs)} | {auc:.3f} |", flush=True)


def spread(values: list[float]) -> str:
    return f"{np.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--looks", type=int, default=49)
    looks = parser.parse_args().looks
    import conftest

    assert conftest
    from bench_likeness import verify_performer
    from pack.nodes.engine.person.mesh_tracker import MeshTracker
    from pack.nodes.engine.person.resemblance import PURPOSE, Sitter
    from performer import Performer, photographs

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sitters = [Sitter(verify_performer(folder / name, name, PURPOSE), MeshTracker().find_afresh) for name in NAMES]
        people = [Performer(photographs()[name]) for name in NAMES]
        played = [play(person, looks) for person in people]
        print("| film | faces found | same person, shots | another, shots | AUC |\n|---|---|---|---|---|")
        for name, (fit, style) in STYLES.items():
            films = [film([style(fit(picture)) for picture in pictures], folder) for pictures in played]
            shots = [[score(sitter, frames) for sitter in sitters] for frames in films]
            tell(name, shots[0][0] + shots[1][1], shots[0][1] + shots[1][0])
        fit = STYLES["768x448"][0]
        halves = [film([fit(picture) for picture in play(mix(*pair), looks)], folder) for pair in (people, people[::-1])]
        found = [shot.likeness for frames in halves for sitter in sitters for shot in score(sitter, frames) if shot.likeness is not None]
        print(f"| half of each, 768x448 | | {spread(found)} to either | | |")


if __name__ == "__main__":
    main()
