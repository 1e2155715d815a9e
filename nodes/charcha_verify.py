"""CharchaVerify: a person who was verified and agreed -> their pictures for training, while the consent holds."""

from __future__ import annotations

from comfy_api.latest import io

from .engine.person.dataset import FaceDataset
from .engine.person.receipt import ID
from .person_folder import person_store
from .sockets import FaceDatasetSocket

NOBODY = "none"  # the page fills in the receipts that it may show


class CharchaVerify(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="CharchaVerify",
            display_name="Charcha Verify",
            category="music video",
            description="A person proves before the camera that they are there, and agrees to what their face may be used for. "
            "From then on, and until they withdraw, this node hands out their pictures for training a LoRA.",
            search_aliases=["face", "consent", "webcam", "verification", "dataset", "lora"],
            inputs=[
                io.Combo.Input("person", options=[NOBODY], default=NOBODY,
                               tooltip="Whose pictures. Press the button on this node to verify somebody."),
            ],
            outputs=[
                FaceDatasetSocket.Output("face_dataset", display_name="face_dataset",
                                         tooltip="The pictures with their captions, for the trainer."),
                io.String.Output("summary", display_name="summary", tooltip="How many pictures, what for, until when. No names."),
            ],
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, person: str | None) -> bool | str:
        """Stands for core's check of the list, which is empty here: only the page knows who is there."""
        if person is None or ID.match(person):
            return True
        return "Nobody is chosen: press the button on Charcha Verify and let the person before the camera verify."

    @classmethod
    def fingerprint_inputs(cls, person: str | None) -> str:
        """Another value when the consent has ended or changed, so that no cached dataset outlives it."""
        return person_store().standing(person) if person and ID.match(person) else ""

    @classmethod
    def execute(cls, person: str) -> io.NodeOutput:
        dataset = person_store().open_dataset(person, "train_lora")
        return io.NodeOutput(dataset, write_summary(dataset))


def write_summary(dataset: FaceDataset) -> str:
    pictures = f"{len(dataset)} pictures, trigger word {dataset.trigger}"
    return f"{pictures}; checked at level {dataset.level}; consent until {dataset.until[:10]} for: {', '.join(dataset.purposes)}."
