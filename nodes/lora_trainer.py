"""LoRATrainer: a person's pictures and any model -> a LoRA of that person, while their consent holds."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from .engine.person.adapters import TARGETS
from .engine.person.dataset import FaceDataset
from .engine.person.loss_plot import plot_losses
from .engine.person.presets import PRESETS, Wishes, choose_settings
from .engine.person.training_settings import SCHEDULES
from .image_model import SamplingSettings
from .personal_receipts import apply_personal
from .personal_training import FORMATS, keep, train
from .sockets import FaceDatasetSocket, to_image
from .training_model import HostStudent
from .training_precision import PRECISIONS

ADVANCED: dict[str, Any] = {"optional": True, "advanced": True}


class LoRATrainer(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LoRATrainer",
            display_name="LoRA Trainer",
            category="music video",
            description="Teaches your model a person who agreed to it, from the pictures of Charcha Verify. "
            "The LoRA is saved under models/loras/personal and works only while the consent holds.",
            search_aliases=["train lora", "personal lora", "fine-tune", "dreambooth", "face"],
            inputs=[
                io.Model.Input("model", tooltip="The model that shall learn the person. It stays as it is."),
                io.Clip.Input("clip", tooltip="The text encoder that belongs to the model."),
                io.Vae.Input("vae", tooltip="The VAE that belongs to the model."),
                FaceDatasetSocket.Input("face_dataset", tooltip="From Charcha Verify."),
                io.Combo.Input("preset", options=list(PRESETS), default="balanced", tooltip="How long and how finely to train."),
                io.Int.Input("resolution", default=512, min=64, max=2048, step=64,
                             tooltip="Side of the pictures, as the model was made for: demo model 256, SD 1.5 512, SDXL 1024."),
                io.Int.Input("seed", default=0, min=0, max=2**53, control_after_generate=io.ControlAfterGenerate.fixed,
                             tooltip="The same seed and settings give the same LoRA."),
                io.String.Input("preview_prompts", default="photo of {person}, portrait, smiling", multiline=True,
                                tooltip="One a line, drawn now and then while training. {person} becomes the trigger word. Empty: none."),
                io.Int.Input("steps", default=0, min=0, max=20000, **ADVANCED, tooltip="0: as the preset has it."),
                io.Int.Input("rank", default=0, min=0, max=256, **ADVANCED,
                             tooltip="How much the LoRA can hold. 0: as the preset has it."),
                io.Float.Input("alpha", default=0.0, min=0.0, max=1024.0, step=0.5, **ADVANCED, tooltip="0: the same as rank."),
                io.Combo.Input("targets", options=list(TARGETS), default="auto", **ADVANCED,
                               tooltip="Which layers learn. auto: attention in a UNet, attention and MLP in a transformer, "
                               "all in a small model such as the demo model."),
                io.Float.Input("learning_rate", default=0.0, min=0.0, max=1.0, step=0.000001, round=False, **ADVANCED,
                               tooltip="0: as the preset has it. Lower it if the loss stops being a number."),
                io.Combo.Input("schedule", options=list(SCHEDULES), default="cosine", **ADVANCED,
                               tooltip="How the learning rate changes."),
                io.Int.Input("batch", default=0, min=0, max=64, **ADVANCED, tooltip="Pictures a step. 0: as the preset has it."),
                io.Int.Input("gradient_accumulation", default=1, min=1, max=64, **ADVANCED, tooltip="A larger batch in the same memory."),
                io.Combo.Input("precision", options=list(PRECISIONS), default="auto", **ADVANCED,
                               tooltip="Of the model while training; the LoRA is always fp32."),
                io.Float.Input("caption_dropout", default=0.05, min=0.0, max=1.0, step=0.01, **ADVANCED,
                               tooltip="Share of pictures learnt without their caption."),
                io.Boolean.Input("keep_others", default=True, **ADVANCED,
                                 tooltip="Prior preservation: prompts without the trigger word change little. Over twice the work."),
                io.Float.Input("snr_weighting", default=5.0, min=0.0, max=20.0, step=0.5, **ADVANCED,
                               tooltip="Min-SNR limit for noise and v models. 0: off."),
                io.Combo.Input("running_mean", options=["preset", "on", "off"], default="preset", **ADVANCED,
                               tooltip="Averages the last steps (EMA)."),
                io.Int.Input("checkpoint_every", default=0, min=0, max=5000, **ADVANCED,
                             tooltip="Steps between checks of consent, held-out pictures and state. 0: about a dozen in all."),
                io.Boolean.Input("gradient_checkpointing", default=False, **ADVANCED, tooltip="Less memory, slower."),
                io.Boolean.Input("early_stop", default=True, **ADVANCED,
                                 tooltip="Stops when held-out pictures get no better. The best values are kept either way."),
                io.Int.Input("preview_steps", default=12, min=1, max=100, **ADVANCED, tooltip="Sampling steps of a preview."),
                io.Float.Input("preview_cfg", default=4.0, min=1.0, max=30.0, step=0.1, **ADVANCED, tooltip="Guidance of a preview."),
                io.Combo.Input("file_format", options=list(FORMATS), default="comfyui", **ADVANCED,
                               tooltip="Names in the file; core's loader reads both, kohya's scripts and diffusers the second."),
                io.Boolean.Input("text_encoder", default=False, **ADVANCED,
                                 tooltip="The text encoder learns too, at half the learning rate. Slower; only for CLIP, not for T5."),
            ],
            outputs=[
                io.LoraModel.Output("lora", display_name="lora", tooltip="For core's Load LoRA Model and Save LoRA nodes."),
                io.Model.Output("model_out", display_name="model", tooltip="The model with the person in it."),
                io.Clip.Output("clip_out", display_name="clip", tooltip="The text encoder; as it came in, unless it was trained."),
                io.LossMap.Output("loss_map", display_name="loss_map", tooltip="For core's Plot Loss Graph."),
                io.Image.Output("previews", display_name="previews", tooltip="The preview prompts, before and while training."),
                io.String.Output("trigger", display_name="trigger", tooltip="The word that calls the person in a prompt."),
            ],
            hidden=[io.Hidden.unique_id],
            not_idempotent=True,
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: Any, clip: Any, vae: Any, face_dataset: FaceDataset, preset: str, resolution: int, seed: int, preview_prompts: str,
        precision: str = "auto", preview_steps: int = 12, preview_cfg: float = 4.0, file_format: str = "comfyui", **wishes: Any,
    ) -> io.NodeOutput:  # fmt: skip
        settings = choose_settings(preset, Wishes(resolution, seed, preview_prompts, **wishes))
        preview = SamplingSettings(preview_steps, preview_cfg, "euler", "simple", "")
        student = HostStudent(model, clip, vae, precision, resolution, preview, settings.text_encoder)
        trained = train(face_dataset, student, settings, cls.hidden.unique_id)
        keep(face_dataset, student, settings, trained, file_format)
        patched, patched_clip = apply_personal(model, clip, trained.tensors, 1.0, face_dataset.receipt_id)
        curve = to_image(plot_losses(trained.course, settings.steps))
        previews = to_image(stack(trained.previews)) if trained.previews else curve
        losses, shown = {"loss": trained.course.losses}, ui.PreviewImage(curve, cls=cls)
        return io.NodeOutput(trained.tensors, patched, patched_clip, losses, previews, face_dataset.trigger, ui=shown)


def stack(pictures: tuple[Any, ...]) -> Any:
    import numpy as np

    return np.stack(pictures)
