"""PersonalLoraLoader: a saved personal LoRA whose consent still holds, on a MODEL and CLIP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io

from .engine.person.erasure import hash_file
from .engine.person.lora_file import find_loras, read_header, receipt_in, written_hashes
from .engine.person.receipt import ConsentError
from .person_folder import person_store
from .personal_receipts import apply_personal, require_consent

NONE = "none"


class PersonalLoraLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="PersonalLoraLoader",
            display_name="Personal LoRA Loader",
            category="music video",
            description="Applies a person's LoRA, made by LoRA Trainer, as long as their consent holds.",
            search_aliases=["lora", "face", "consent", "person"],
            inputs=[
                io.Model.Input("model", tooltip="The kind of model that the LoRA was trained on."),
                io.Clip.Input("clip", optional=True, tooltip="The text encoder that belongs to the model."),
                io.Combo.Input("lora", options=list_names(), tooltip="Only LoRAs whose consent holds are listed."),
                io.Float.Input("strength", default=1.0, min=-2.0, max=2.0, step=0.05, tooltip="How strongly the person appears."),
            ],
            outputs=[
                io.Model.Output("model_out", display_name="model", tooltip="The model with the person in it."),
                io.Clip.Output("clip_out", display_name="clip", tooltip="The text encoder; as it came in, unless it was trained."),
                io.String.Output("trigger", display_name="trigger", tooltip="The word that calls the person in a prompt."),
            ],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, lora: str | None) -> bool | str:
        """Stands for core's check of the list: a LoRA that has left it is refused with the reason when it runs."""
        if lora is None or (lora != NONE and folder_paths.get_full_path("loras", lora)):
            return True
        return "There is no such personal LoRA; train one with LoRA Trainer, then choose it here."

    @classmethod
    def fingerprint_inputs(cls, lora: str | None = None, **others: Any) -> str:
        """Another value when file or consent change, so that nothing cached outlives the consent."""
        path = folder_paths.get_full_path("loras", lora) if lora else None
        receipt_id = receipt_in(read_header(Path(path))) if path else None
        return f"{hash_file(Path(path))} {person_store().standing(receipt_id)}" if path and receipt_id else ""

    @classmethod
    def execute(cls, model: Any, lora: str, strength: float, clip: Any = None) -> io.NodeOutput:
        import comfy.utils

        path = Path(folder_paths.get_full_path_or_raise("loras", lora))
        receipt_id = require_personal(path)
        tensors: Any = comfy.utils.load_torch_file(str(path), safe_load=True)
        patched, patched_clip = apply_personal(model, clip, tensors, strength, receipt_id)
        person_store().note(receipt_id, "lora_loaded")
        return io.NodeOutput(patched, patched_clip, person_store().receipt(receipt_id).trigger)


def require_personal(path: Path) -> str:
    """The receipt's id of a LoRA that may be used; ConsentError otherwise."""
    receipt_id = receipt_in(read_header(path))
    if receipt_id is None:
        raise ConsentError("no_receipt", "This LoRA names no consent; load it with core's LoRA loader if it shows nobody.")
    require_consent([receipt_id], "make_images", "make_videos")
    if hash_file(path) not in written_hashes(person_store().ledger, receipt_id):
        raise ConsentError("changed", "This LoRA is not as it was written here; train it again.")
    return receipt_id


def list_names() -> list[str]:
    """Names as core's LoRA folders give them, of those whose consent holds."""
    folders = [Path(folder) for folder in folder_paths.get_folder_paths("loras")]
    store, names = person_store(), []
    for found in find_loras([folder for folder in folders if folder.is_dir()]):
        if store.standing(found.receipt_id).partition(" ")[0] in ("valid", "expiring"):
            folder = next(folder for folder in folders if folder in found.path.parents)
            names.append(str(found.path.relative_to(folder)))
    return names or [NONE]
