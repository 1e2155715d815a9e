"""Which people a MODEL or CLIP shows: the receipts behind its LoRAs, and whether each of them still holds.

A personal LoRA is recognised by whichever way it came: through our nodes (an attachment, or a mark on its tensors), or through any
loader that names a file (the file's header). Nothing is drawn with a model whose receipt has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths

from .engine.film.render import Progress
from .engine.person.adapters import teaches_text
from .engine.person.lora_file import read_header, receipt_in
from .engine.person.receipt import ConsentError
from .person_folder import person_store

if TYPE_CHECKING:
    from comfy_execution.graph import DynamicPrompt

ATTACHMENT = "music_video_receipts"  # on a ModelPatcher: a tuple of ids
MARK = "music_video_receipt"  # on the tensors of a LoRA


def mark_tensors(tensors: dict[str, Any], receipt_id: str) -> None:
    """Core's loaders keep the very tensors of a LORA_MODEL, so the mark is still there after any of them."""
    for tensor in tensors.values():
        setattr(tensor, MARK, receipt_id)


def attach_receipt(patcher: Any, receipt_id: str) -> None:
    patcher.set_attachments(ATTACHMENT, tuple(sorted({*(patcher.get_attachment(ATTACHMENT) or ()), receipt_id})))


def apply_personal(model: Any, clip: Any, tensors: dict[str, Any], strength: float, receipt_id: str) -> tuple[Any, Any]:
    """MODEL and CLIP with a personal LoRA in them, both naming its receipt; the CLIP as it is where the LoRA does not change it."""
    import comfy.sd

    mark_tensors(tensors, receipt_id)
    text = clip if teaches_text(tensors) else None
    patched, patched_clip = comfy.sd.load_lora_for_models(model, text, tensors, strength, strength)
    for patcher in (patched, *([patched_clip.patcher] if patched_clip else [])):
        attach_receipt(patcher, receipt_id)
    return patched, patched_clip or clip


def find_receipts(patchers: Iterable[Any], prompt: DynamicPrompt | None, node_id: str | None, inputs: tuple[str, ...]) -> tuple[str, ...]:
    """The receipts' ids behind core ModelPatchers and behind the named inputs of one node."""
    found: set[str] = set()
    for patcher in patchers:
        found.update(patcher.get_attachment(ATTACHMENT) or ())
        found.update(filter(None, [receipt_in(patcher.get_attachment("lora_metadata"))]))
        for patches in patcher.patches.values():
            found.update(marks_in(patches))
    if prompt is not None and node_id is not None:
        links = prompt.get_node(node_id)["inputs"]
        texts = {text for name in inputs for text in texts_behind(prompt, links.get(name), set())}
        found.update(filter(None, (_receipt_of_file(text) for text in texts)))
    return tuple(sorted(found))


def require_consent(receipt_ids: Iterable[str], *purposes: str) -> None:
    """Nothing if every receipt holds for one of the purposes, else ConsentError."""
    for receipt_id in receipt_ids:
        receipt = person_store().receipt(receipt_id)
        if not set(purposes) & set(receipt.purposes):
            raise ConsentError("other_purpose", "The person in this LoRA has not agreed to this use; ask them, and verify again.")


@dataclass
class FilmConsents:
    """The consents that a film needs, asked before, between its shots and after it. `frames` counts what was drawn."""

    ids: tuple[str, ...]
    frames: int = 0

    @contextmanager
    def required(self) -> Iterator[None]:
        """Leaving it, clips that were finished after a withdrawal are deleted."""
        require_consent(self.ids, "make_videos")
        try:
            yield
            require_consent(self.ids, "make_videos")
            for receipt_id in self.ids if self.frames else ():
                person_store().note(receipt_id, "film_rendered", frames=self.frames)
        except ConsentError:
            person_store().expire()
            raise

    def watch(self, report: Callable[[Progress], None]) -> Callable[[Progress], None]:
        shots: set[int] = set()

        def look(progress: Progress) -> None:
            if progress.shot not in shots:
                require_consent(self.ids, "make_videos")
                shots.add(progress.shot)
            self.frames = progress.total
            report(progress)

        return look


def marks_in(value: Any) -> Iterator[str]:
    """The receipts' ids on the tensors of a patch. Patches are tuples of numbers, tensors and core's weight adapters, nested at will."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from marks_in(item)
    elif hasattr(value, "weights"):
        yield from marks_in(value.weights)
    elif isinstance(getattr(value, MARK, None), str):
        yield getattr(value, MARK)


def texts_behind(prompt: DynamicPrompt, link: Any, seen: set[str]) -> Iterator[str]:
    """Every text in the widgets of the nodes behind a link."""
    if isinstance(link, str):
        yield link
    if not (isinstance(link, list) and len(link) == 2 and isinstance(link[0], str)) or link[0] in seen:
        return
    seen.add(link[0])
    for value in prompt.get_node(link[0])["inputs"].values():
        yield from texts_behind(prompt, value, seen)


def _receipt_of_file(name: str) -> str | None:
    """The receipt that a file in the LoRA folders names, if the text is the name of one."""
    if not name.endswith(".safetensors") or "\n" in name:
        return None
    path = folder_paths.get_full_path("loras", name)
    return receipt_in(read_header(Path(path))) if path else None
