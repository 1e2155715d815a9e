"""The clips of a shot loop: which there are, and what draws the next one that is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths

from .engine.film.clip_cache import ClipCache, clip_key
from .engine.film.shot_loop import LoopShot, ShotLoop
from .loop_body import GIVEN, SHOT_OUTPUTS, BodyCopy, LoopBody, find_body, model_links, used_outputs
from .model_identity import describe_source
from .person_folder import CLIP_FOLDER
from .personal_receipts import find_receipts, texts_behind
from .status_line import show_status

if TYPE_CHECKING:
    from comfy_execution.graph import DynamicPrompt

LOOP_VERSION = 1  # part of every clip's key: raise it when the same frames give another clip
SAMPLE = 2**20  # bytes of a model file's start and end that stand for all of it


@dataclass(frozen=True)
class LoopClips:
    """A loop, and the names of its clips. It travels from shot to shot as plain values, as core's caching wants it."""

    loop: ShotLoop
    keys: tuple[str, ...]  # one a shot
    receipts: tuple[str, ...]
    short_clips: str
    frames_fps: float

    def missing(self, done: int = 0) -> LoopShot | None:
        """The first shot after number `done` that has no clip yet."""
        cache = clip_cache()
        pairs = zip(self.loop.shots, self.keys, strict=True)
        return next((shot for shot, key in pairs if shot.number > done and cache.find(key) is None), None)

    def videos(self) -> list[Any]:
        from comfy_api.latest import InputImpl

        return [InputImpl.VideoFromFile(str(clip_cache().path(key))) for key in self.keys]


def clip_cache() -> ClipCache:
    return ClipCache(Path(folder_paths.get_output_directory()) / CLIP_FOLDER)


def plan_clips(prompt: DynamicPrompt, end: str, loop: ShotLoop, short_clips: str, frames_fps: float) -> LoopClips:
    """Names every clip after all that shapes it: the nodes that draw it, the values that its shot gives them, and the consents."""
    body = find_body(prompt, end)
    used = used_outputs(prompt, body)
    for slot in used & set(GIVEN):
        if not getattr(loop.shots[0], SHOT_OUTPUTS[slot]):
            raise ValueError(
                f"A node in the loop takes '{SHOT_OUTPUTS[slot]}', but Shot Loop Start has none; connect '{GIVEN[slot]}' to it."
            )
    receipts = find_receipts((), prompt, end, ("frames",))
    files = sorted(set(_model_files(texts_behind(prompt, body.frames, set()))))
    shared = {"version": LOOP_VERSION, "short": short_clips, "frames_fps": frames_fps, "files": files, "receipts": receipts}
    keys = [_key(prompt, body, loop, shot, shared) for shot in loop.shots]
    return LoopClips(loop, tuple(keys), receipts, short_clips, frames_fps)


def _key(prompt: DynamicPrompt, body: LoopBody, loop: ShotLoop, shot: LoopShot, shared: dict[str, Any]) -> str:
    """Only outputs that a node takes count: a loop that never hears the song keeps its clips when the song changes."""
    known: dict[tuple[str, int], Any] = {(body.start, slot): getattr(shot, field) for slot, field in SHOT_OUTPUTS.items()}
    known[body.start, 1] = str(loop.model_fps)
    drawn = describe_source(prompt, body.frames, {}, known)
    return clip_key(shared | {"drawn": drawn, "frames": shot.frames, "fps": str(loop.fps), "model_fps": str(loop.model_fps)})


def _model_files(texts: Iterator[str]) -> Iterator[list[Any]]:
    """The files of weights that these texts name, each with a hash, for another file may have taken the name."""
    suffixes = (*folder_paths.supported_pt_extensions, ".gguf")
    for text in texts:
        if text.endswith(suffixes) and "\n" not in text:
            for folder in sorted(folder_paths.folder_names_and_paths):
                path = folder_paths.get_full_path(folder, text)
                if path:
                    yield [folder, text, _sample(Path(path))]


def _sample(path: Path) -> str:
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(SAMPLE)
        file.seek(max(0, size - SAMPLE))
        return hashlib.sha256(f"{size}:".encode() + head + file.read(SAMPLE)).hexdigest()


def draw_shot(prompt: DynamicPrompt, end: str, clips: LoopClips, shot: LoopShot) -> tuple[dict[str, Any], Any]:
    """The graph that draws a shot, writes its clip and goes on, and the link to what comes out: the list of all clips."""
    body = find_body(prompt, end)
    copy = BodyCopy(prompt, body, shot.number)
    models = {f"model_{number}": copy.link(link) for number, link in enumerate(model_links(prompt, body))}
    key = clips.keys[clips.loop.shots.index(shot)]
    clip = copy.graph.node("ShotClip", "clip", clips=clips, number=shot.number, frames=copy.link(body.frames), key=key, **models)
    following = copy.graph.node("ShotLoopNext", "next", clips=clips, end=end, done=shot.number, clip=clip.out(0))
    for node in (clip, following):
        node.set_override_display_id(end)
    show_status(prompt.get_display_node_id(end), _describe_progress(clips.loop.shots, shot))
    return copy.graph.finalize(), following.out(0)


def _describe_progress(shots: Sequence[LoopShot], shot: LoopShot) -> str:
    return f"Shot {shot.number}, {shots.index(shot) + 1} of {len(shots)}"
