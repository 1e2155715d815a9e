"""DemoModelLoader: the small built-in model, so that every template runs without a download."""

from __future__ import annotations

from comfy_api.latest import io


class DemoModelLoader(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="DemoModelLoader",
            display_name="Demo Model Loader",
            category="music video",
            description=(
                "Loads the small image model that comes with this pack: naive illustrated pictures at 256x256 or 448x256, "
                "quick even without a GPU. "
                "It knows places, weather, time of day, colours and simple people. "
                "For real pictures put a checkpoint loader in its place."
            ),
            inputs=[],
            outputs=[
                io.Model.Output(
                    display_name="model", tooltip="For KSampler, LoRA loaders and the Beat Synced Sampler. About 8 steps, cfg 3."
                ),
                io.Clip.Output(display_name="clip", tooltip="Reads prompts; words it has never met are ignored."),
                io.Vae.Output(display_name="vae", tooltip="Latents have 16 channels and a sixteenth of the picture's size."),
            ],
            search_aliases=["built-in model", "test model", "checkpoint", "no download"],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        from .engine.demo.load import load_demo_model

        return io.NodeOutput(*load_demo_model())
