"""A software person for tests: one public-domain photograph -> a textured head in depth that acts before a pretended camera.

NASA's portrait of an astronaut comes with scikit-image, the US Navy's of Grace Hopper (glasses, a hat) with matplotlib. The face
mesh of the photograph, whose depth is the model's own estimate, gets a ring of hair and neck, eyeballs, teeth and a dark mouth behind
its holes, and is moved by linear shapes. It is also, exactly, the attack that the actions cannot stop: a live puppet of one photograph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from pack.nodes.engine.person.likeness import triangles
from pack.nodes.engine.person.mesh_tracker import MeshTracker
from scipy.interpolate import RBFInterpolator

WIDTH, HEIGHT, FOCAL = 640, 480, 600.0
UPPER_LIP = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
LOWER_LIP = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
UPPER_LIP_RIM = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]
LOWER_LIP_RIM = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
OVAL = (
    [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377]
    + [152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
)  # fmt: skip
BROWS = [70, 63, 105, 66, 107, 46, 53, 52, 65, 55, 300, 293, 334, 296, 336, 276, 283, 282, 295, 285]
NOSE = [1, 2, 4, 5, 6, 98, 327, 48, 278, 64, 294, 168, 195, 197]


@dataclass(frozen=True)
class Eye:
    upper: list[int]
    lower: list[int]
    corners: list[int]
    ring: list[int]
    outer_ring: list[int]

    @property
    def all(self) -> list[int]:
        return self.upper + self.lower + self.corners


RIGHT = Eye(
    [246, 161, 160, 159, 158, 157, 173], [7, 163, 144, 145, 153, 154, 155], [33, 133],
    [247, 30, 29, 27, 28, 56, 190], [113, 225, 224, 223, 222, 221, 189],
)  # fmt: skip
LEFT = Eye(
    [466, 388, 387, 386, 385, 384, 398], [249, 390, 373, 374, 380, 381, 382], [263, 362],
    [467, 260, 259, 257, 258, 286, 414], [342, 445, 444, 443, 442, 441, 413],
)  # fmt: skip


@dataclass(frozen=True)
class Act:
    """What the head does: degrees (yaw > 0 to the person's own right, pitch > 0 down, roll > 0 to their left), size (1 = neutral), shift in
    pixels, and 0..1 for the shapes."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0
    mouth: float = 0.0
    smile: float = 0.0
    blink: float = 0.0
    brows: float = 0.0

    def with_(self, **changes: float) -> Act:
        return replace(self, **changes)


def photographs() -> dict[str, np.ndarray]:
    """The portraits at hand, uint8 RGB."""
    import matplotlib.cbook
    from skimage import data

    hopper = cv2.imread(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    return {"astronaut": data.astronaut(), "hopper": np.ascontiguousarray(hopper[..., ::-1])}


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Degrees -> [3, 3] in camera axes (x right, y down, z away)."""
    y, p, r = np.deg2rad([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


@dataclass(frozen=True)
class Surface:
    """A mesh before the camera: picture positions and depths of its corners, where their colours are in the texture, and how solid."""

    positions: np.ndarray
    depths: np.ndarray
    sources: np.ndarray
    solid: np.ndarray
    triangles: np.ndarray
    dark: np.ndarray


def draw_at(surface: Surface, detail: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`draw` at a part of the picture's size, then enlarged: four times as quick at 0.5, a little ragged at the outlines."""
    if detail == 1:
        return draw(surface)
    small = replace(surface, positions=(surface.positions + 0.5) * detail - 0.5)
    sources, dark, solid = draw(small, round(WIDTH * detail), round(HEIGHT * detail))
    size = (WIDTH, HEIGHT)
    return cv2.resize(sources, size), cv2.resize(dark.astype(np.uint8), size) > 0, cv2.resize(solid, size)


def draw(surface: Surface, width: int = WIDTH, height: int = HEIGHT) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per pixel: where its colour is in the texture [H, W, 2], whether it is the dark of the mouth, how solid it is (0..1)."""
    a, b, c = (surface.positions[surface.triangles[:, i]] for i in range(3))
    low = np.maximum(np.floor(np.minimum(np.minimum(a, b), c)).astype(int), 0)
    high = np.minimum(np.ceil(np.maximum(np.maximum(a, b), c)).astype(int), [width - 1, height - 1])
    size = high - low + 1
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    seen = np.flatnonzero((size > 0).all(axis=1) & (np.abs(area) > 1e-6))
    count = size[seen, 0] * size[seen, 1]
    which = np.repeat(seen, count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    x, y = low[which, 0] + step % size[which, 0], low[which, 1] + step // size[which, 0]
    dx, dy = x - a[which, 0], y - a[which, 1]
    second = (dx * (c[which, 1] - a[which, 1]) - dy * (c[which, 0] - a[which, 0])) / area[which]
    third = (dy * (b[which, 0] - a[which, 0]) - dx * (b[which, 1] - a[which, 1])) / area[which]
    inside = (second >= -1e-4) & (third >= -1e-4) & (second + third <= 1 + 1e-4)
    which, x, y, second, third = which[inside], x[inside], y[inside], second[inside], third[inside]
    corners = surface.triangles[which]
    shares = np.stack([1 - second - third, second, third], axis=1) / surface.depths[corners]
    nearness = shares.sum(axis=1)
    order = np.argsort(nearness, kind="stable")  # far first, so that the near overwrites
    which, x, y, corners = which[order], x[order], y[order], corners[order]
    shares = shares[order] / nearness[order][:, None]
    sources, dark, solid = np.zeros((height, width, 2), np.float32), np.zeros((height, width), bool), np.zeros((height, width), np.float32)
    sources[y, x] = (shares[..., None] * surface.sources[corners]).sum(axis=1)
    dark[y, x] = surface.dark[which]
    solid[y, x] = (shares * surface.solid[corners]).sum(axis=1)
    return sources, dark, solid


class Performer:
    """One acting head. `depth` 1 keeps the estimated depth, 0.5 halves it; `detail` 0.5 draws four times as quickly."""

    def __init__(self, photograph: np.ndarray, face_height: float = 190, depth: float = 1.0, detail: float = 1.0) -> None:
        self.detail = detail
        self.texture, points = frame_photograph(photograph, face_height)
        points[:, 2] *= depth
        self.height = float(np.linalg.norm(points[10, :2] - points[152, :2]))
        self._build_head(points)
        self._add_behind(points)
        self.shapes = self._build_shapes(points)
        for shape in self.shapes.values():  # the cavity follows the lips
            shape[self.cavity] = shape[self.cavity_rim].mean(axis=0)
            shape[self.cavity + 1 : self.cavity + 1 + len(self.cavity_rim)] = shape[self.cavity_rim]
        ears = (points[234] + points[454]) / 2
        self.pivot = ears + np.array([0, 0.22, 0.10]) * self.height
        self.background = self._paint_background()

    def _build_head(self, points: np.ndarray) -> None:
        """The face and three rings around it: hair above, which turns with it, and neck below, which does not."""
        middle, rings, turning, solid = points[OVAL].mean(axis=0), [], [], []
        for growth, back, low_turning, opacity in ((0.28, 0.22, 0.7, 1.0), (0.72, 0.55, 0.3, 1.0), (1.05, 0.85, 0.0, 0.0)):
            outward = points[OVAL, :2] - middle[:2]
            low = np.clip(outward[:, 1] / (0.5 * self.height), 0, 1) ** 2  # 1 at the chin
            flat = middle[:2] + outward * (1 + growth * (1 - 0.72 * low))[:, None]
            depth = points[OVAL, 2] + back * self.height * (1 - 0.75 * low)
            rings.append(np.c_[flat, depth])
            turning.append(1 - (1 - low_turning) * low)
            solid.append(np.full(len(OVAL), opacity))
        faces, inner = triangles().tolist(), list(OVAL)
        for ring in range(3):
            outer = [len(points) + len(OVAL) * ring + i for i in range(len(OVAL))]
            for i in range(len(OVAL)):
                j = (i + 1) % len(OVAL)
                faces += [[inner[i], inner[j], outer[i]], [outer[i], inner[j], outer[j]]]
            inner = outer
        self.corners = np.concatenate([points, *rings])
        self.sources = self.corners[:, :2].copy()
        self.turning = np.concatenate([np.ones(len(points)), *turning])
        self.solid = np.concatenate([np.ones(len(points)), *solid])
        self.faces, self.dark = np.array(faces), np.zeros(len(faces), bool)
        self.outline = rings[2][:, :2]

    def _add_behind(self, points: np.ndarray) -> None:
        """Eyeballs, teeth and the dark of the mouth, behind the holes of the mesh."""
        mouth = UPPER_LIP + LOWER_LIP[-2:0:-1]
        self._add_fan(points, [33, *RIGHT.lower, 133, *RIGHT.upper[::-1]], 0.012, grow=0.02)
        self._add_fan(points, [263, *LEFT.lower, 362, *LEFT.upper[::-1]], 0.012, grow=0.02)
        self._add_fan(points, mouth, 0.025)
        self.cavity, self.cavity_rim = len(self.corners), mouth
        self._add_fan(points, mouth, 0.04, dark=True)

    def _add_fan(self, points: np.ndarray, rim: Sequence[int], back: float, grow: float = 0.0, dark: bool = False) -> None:
        base, middle = len(self.corners), points[rim].mean(axis=0)
        edge = points[rim].copy()
        edge[:, :2] = middle[:2] + (edge[:, :2] - middle[:2]) * (1 + grow)
        fan = np.concatenate([middle[None], edge]) + np.array([0, 0, back * self.height])
        faces = [[base, base + 1 + i, base + 1 + (i + 1) % len(rim)] for i in range(len(rim))]
        self.corners = np.concatenate([self.corners, fan])
        self.sources = np.concatenate([self.sources, middle[None, :2], points[rim][:, :2]])
        self.turning = np.concatenate([self.turning, np.ones(len(fan))])
        self.solid = np.concatenate([self.solid, np.ones(len(fan))])
        self.faces = np.concatenate([self.faces, np.array(faces)])
        self.dark = np.concatenate([self.dark, np.full(len(faces), dark)])

    def _build_shapes(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Shapes [N, 3] to add: close the lips, drop the jaw, take the photograph's smile away, shut the eyes, raise the brows."""
        size, eyes = self.height, RIGHT.all + LEFT.all
        still = OVAL + BROWS + eyes + NOSE
        chin = [152, 199, 200, 175]
        middle = (points[61, 0] + points[291, 0]) / 2
        half = abs(points[61, 0] - points[291, 0]) / 2

        close: dict[int, np.ndarray] = {}
        for upper, lower in zip(UPPER_LIP[1:-1], LOWER_LIP[1:-1], strict=True):
            close[lower], close[upper] = (points[upper] - points[lower]) * [0, 0.97, 0.5], np.zeros(3)
        for lower, rim in zip(LOWER_LIP[1:-1], LOWER_LIP_RIM[1:-1], strict=True):
            close[rim] = close[lower] * 0.85
        close |= {index: np.zeros(3) for index in [*UPPER_LIP_RIM, 78, 308]}

        jaw: dict[int, np.ndarray] = {}
        for index in LOWER_LIP[1:-1] + LOWER_LIP_RIM[1:-1]:
            inner = 1 - min(1.0, abs(points[index, 0] - middle) / half) ** 2
            jaw[index] = np.array([0, 0.20 * size * (0.35 + 0.65 * inner), 0.02 * size])
        jaw |= {index: np.array([0, -0.008 * size, 0]) for index in UPPER_LIP[1:-1] + UPPER_LIP_RIM[1:-1]}
        jaw |= {index: np.array([side * 0.03, 0.06, 0.01]) * size for side, pair in ((1, (61, 78)), (-1, (291, 308))) for index in pair}
        for drop, deep, group in (
            (0.20, 0.03, [152, 175, 199, 200, 18, 83, 313, 148, 377, 176, 400]),
            (0.13, 0.02, [149, 378, 150, 379]),
            (0.06, 0.01, [136, 365, 172, 397]),
        ):
            jaw |= {index: np.array([0, drop, deep]) * size for index in group}

        serious: dict[int, np.ndarray] = {}
        for index in UPPER_LIP_RIM + LOWER_LIP_RIM + UPPER_LIP + LOWER_LIP:
            aside = (points[index, 0] - middle) / half
            serious[index] = np.array([-0.14 * aside * half, 0.035 * size * abs(aside) ** 1.5, 0])
        serious |= {index: np.array([0, 0.012 * size, 0]) for index in (205, 425, 50, 280, 36, 266)}

        brows = {index: np.array([0, -0.03 * size, 0]) for index in RIGHT.outer_ring + LEFT.outer_ring}
        brows |= {index: np.array([0, -0.065 * size, 0]) for index in BROWS}
        brows |= {index: np.array([0, -0.01 * size, 0]) for index in RIGHT.ring + LEFT.ring}
        brows |= {index: np.array([0, -0.03 * size, 0]) for index in (9, 8, 151)}

        blink: dict[int, np.ndarray] = {}
        for eye in (RIGHT, LEFT):
            for upper, lower, ring, outer in zip(eye.upper, eye.lower, eye.ring, eye.outer_ring, strict=True):
                down = (points[lower] - points[upper]) * [1, 1, 0.3]
                blink |= {upper: down * 0.88, lower: -down * 0.12, ring: down * 0.6, outer: down * 0.15}
            blink |= {index: np.zeros(3) for index in eye.corners}
        return {
            "close": self._spread(points, close, still + chin),
            "mouth": self._spread(points, jaw, still),
            "serious": self._spread(points, serious, still + chin),
            "brows": self._spread(points, brows, eyes + NOSE + OVAL[9:28]),
            "blink": self._spread(points, blink, OVAL + NOSE + BROWS),
        }

    def _spread(self, points: np.ndarray, moved: Mapping[int, np.ndarray], held: Sequence[int]) -> np.ndarray:
        """A shape from the few points that it moves and the few that it holds."""
        chosen = {index: np.zeros(3) for index in held} | dict(moved)
        index, shift = list(chosen), np.array(list(chosen.values()), float)
        shape = np.zeros((len(self.corners), 3))
        shape[: len(points)] = RBFInterpolator(points[index, :2], shift, kernel="linear")(points[:, :2])
        shape[index] = shift
        return shape

    def _paint_background(self) -> np.ndarray:
        """The photograph without the head."""
        hole = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillConvexPoly(hole, cv2.convexHull(np.round(self.outline).astype(np.int32)), 255)
        small = cv2.resize(self.texture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        mask = cv2.dilate(cv2.resize(hole, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_NEAREST), np.ones((5, 5)))
        filled = cv2.GaussianBlur(cv2.inpaint(small, mask, 4, cv2.INPAINT_TELEA), (0, 0), 2)
        filled = cv2.resize(filled, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        share = cv2.GaussianBlur(hole, (0, 0), 3)[..., None] / 255.0
        return (self.texture * (1 - share) + filled * share).astype(np.uint8)

    def place(self, act: Act) -> np.ndarray:
        """The corners in camera space, pixels at the focal depth."""
        weights = {
            "close": (1 - act.smile) * (1 - min(1.0, act.mouth * 3)),
            "serious": 1 - act.smile,
            "mouth": act.mouth,
            "blink": act.blink,
            "brows": act.brows,
        }
        corners = self.corners + sum(weight * self.shapes[name] for name, weight in weights.items())
        depths = FOCAL + corners[:, 2]
        spread = (corners[:, :2] - [WIDTH / 2, HEIGHT / 2]) * (depths / FOCAL)[:, None]
        space = np.c_[spread, depths]
        pivot = np.r_[(self.pivot[:2] - [WIDTH / 2, HEIGHT / 2]) * (FOCAL + self.pivot[2]) / FOCAL, FOCAL + self.pivot[2]]
        for share in np.unique(np.round(self.turning, 3)):
            part = np.round(self.turning, 3) == share
            space[part] = (space[part] - pivot) @ rotation(act.yaw * share, act.pitch * share, act.roll * share).T + pivot
        return space + np.array([act.x, act.y, FOCAL / act.scale - FOCAL])

    def render(self, act: Act = Act(), noise: float = 0.0, random: np.random.Generator | None = None) -> np.ndarray:  # noqa: B008
        """One picture, uint8 RGB [480, 640, 3]."""
        space = self.place(act)
        positions = FOCAL * space[:, :2] / space[:, 2:] + [WIDTH / 2, HEIGHT / 2]
        sources, dark, solid = draw_at(Surface(positions, space[:, 2], self.sources, self.solid, self.faces, self.dark), self.detail)
        head = cv2.remap(self.texture, sources[..., 0], sources[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        head[dark] = (52, 22, 24)
        zoom = 1 + (act.scale - 1) * 0.8  # the shoulders come along with a part of the way
        move = np.array([[zoom, 0, (1 - zoom) * WIDTH / 2 + 0.6 * act.x], [0, zoom, (1 - zoom) * HEIGHT / 2 + 0.6 * act.y]])
        behind = cv2.warpAffine(self.background, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        share = cv2.GaussianBlur(solid, (0, 0), 1.2)[..., None]
        picture = head * share + behind * (1 - share)
        if noise:
            picture = picture + (random or np.random.default_rng(0)).normal(0, noise, picture.shape)
        return np.clip(picture, 0, 255).astype(np.uint8)


def frame_photograph(photograph: np.ndarray, face_height: float) -> tuple[np.ndarray, np.ndarray]:
    """The photograph cut so that its face is in the middle and `face_height` pixels high, and the face's points in it."""
    tracker = MeshTracker()
    large = cv2.resize(photograph, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    face = tracker.find(large)
    assert face is not None
    top, chin = face.points[10, :2], face.points[152, :2]
    zoom, middle = face_height / float(np.linalg.norm(top - chin)), (top + chin) / 2
    matrix = np.array([[zoom, 0, WIDTH / 2 - zoom * middle[0]], [0, zoom, HEIGHT / 2 - zoom * middle[1]]])
    framed = cv2.warpAffine(large, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    found = MeshTracker().find(framed)
    assert found is not None
    return framed, found.points.astype(np.float64)


def encode(picture: np.ndarray, quality: int = 85) -> bytes:
    """A uint8 RGB picture as JPEG."""
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()
