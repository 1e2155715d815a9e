"""LoRA Trainer beside core's TrainLoraNode and a plain diffusers + PEFT loop: steps a second, peak memory, loss on unseen pictures.

    python tests/bench/bench_lora.py [steps] [sd15] [flux] [sd15-whole]

Each side runs in a process of its own on the same small SD1.5 UNet or Flux transformer with random weights (`sd15-whole`: at its full size,
which takes 20 GB and patience), the same latents, captions, rank, batch, steps and learning rate, on one thread. Losses are measured by our
own held-out loss, on the model with the resulting LoRA loaded by core. Core adapts every weight, biases too, and cannot be told which:
beside it stand `all layers`, with our alpha (the rank) and with core's (1, so that a step goes an eighth as far). Beside the plain loop
stands `attention`; it runs on diffusers' own UNet of the same shape (the number of weights is checked), so its loss is not comparable and
is left out. `auto` is what a user gets. Memory is the process's peak above what it held
before the first training, libraries loaded (Linux).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

TESTS = Path(__file__).resolve().parents[1]
SIDES = ("core", "core with checkpointing", "all layers, alpha 1", "all layers", "diffusers and PEFT, attention", "attention", "auto")
PICTURES, RANK, BATCH = 12, 8, 2
RATES = {"sd15": 1e-3, "flux": 1e-3, "sd15-whole": 1e-4}  # what is usual for the size


def main() -> None:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
        return
    steps = sys.argv[1] if len(sys.argv) > 1 else "40"
    print("| model | trained by | steps a second | peak memory, MB | held-out loss before | after |\n|---|---|---|---|---|---|")
    for family in sys.argv[2:] or ("sd15", "flux"):
        for side in SIDES:
            if family != "sd15" and "attention" in side:
                continue
            answer = subprocess.run([sys.executable, __file__, "--one", family, side, steps], capture_output=True, text=True)
            if answer.returncode:
                print(f"| {family} | {side} | {answer.stderr.strip().splitlines()[-1][:90]} | | | |", flush=True)
                continue
            found = json.loads(answer.stdout.splitlines()[-1])
            losses = f"{found['before']:.4f} | {found['after']:.4f}" if "before" in found else "|"
            print(f"| {family} | {side} | {found['speed']:.2f} | {found['memory']:.0f} | {losses} |", flush=True)


def start() -> None:
    sys.path[:0] = [str(TESTS), str(TESTS / "adapters")]
    from conftest import find_comfyui  # loads the pack too

    sys.path.insert(0, str(find_comfyui()))
    sys.argv = ["main.py", "--cpu", "--disable-api-nodes"]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.cli_args
    import diffusers.training_utils
    import nodes
    import peft
    import torch

    assert nodes and comfy.cli_args and diffusers and peft
    torch.set_num_threads(1)


def wide_model(family: str) -> Any:
    """Wider than the tests' models, so that the work and not the bookkeeping is measured."""
    import comfy.supported_models
    import torch
    from tiny_models import patch_model

    if family == "flux":
        shape = {"image_model": "flux", "in_channels": 16, "out_channels": 16, "patch_size": 2, "vec_in_dim": 64, "context_in_dim": 48,
                 "hidden_size": 256, "mlp_ratio": 4.0, "num_heads": 4, "depth": 2, "depth_single_blocks": 4, "axes_dim": [16, 24, 24],
                 "txt_ids_dims": [], "theta": 10000, "qkv_bias": True, "guidance_embed": False, "dtype": torch.float32}  # fmt: skip
        return patch_model(comfy.supported_models.FluxSchnell(shape).get_model({}, device="cpu"))
    shape = {"image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 64, "num_res_blocks": [1, 1, 1],
             "transformer_depth": [1, 1, 1], "transformer_depth_output": [1, 1, 1, 1, 1, 1], "channel_mult": [1, 2, 4],
             "context_dim": 48, "transformer_depth_middle": 1, "use_spatial_transformer": True, "use_linear_in_transformer": False,
             "legacy": False, "adm_in_channels": None, "dtype": torch.float32}  # fmt: skip
    if family == "sd15-whole":
        shape |= {"model_channels": 320, "num_res_blocks": [2] * 4, "channel_mult": [1, 2, 4, 4], "context_dim": 768,
                  "transformer_depth": [1] * 6 + [0] * 2, "transformer_depth_output": [1] * 9 + [0] * 3}  # fmt: skip
    config = comfy.supported_models.SD15(shape)
    config.unet_config["num_heads"] = 8
    return patch_model(config.get_model({}, device="cpu"))


def measure(family: str, side: str, steps: int) -> dict[str, float]:
    start()
    import comfy.sd
    import psutil
    import torch
    from pack.nodes.engine.person.lesson import Example, Lesson, face_weight
    from pack.nodes.engine.person.training_loss import held_out_loss
    from pack.nodes.image_model import SamplingSettings
    from pack.nodes.training_model import HostStudent
    from tiny_models import SeededPrompts, make_vae

    width = 768 if family == "sd15-whole" else 48
    model, clip, channels = wide_model(family), SeededPrompts(width, 64), 16 if family == "flux" else 4
    model.cached_patcher_init = (lambda disable_dynamic=False: wide_model(family), ())
    parts = SimpleNamespace(clip=clip, vae=make_vae(channels))

    def student(of: Any) -> Any:
        return HostStudent(of, parts.clip, parts.vae, "fp32", 256, SamplingSettings(1, 1.0, "euler", "simple", ""))

    generator = torch.Generator().manual_seed(0)
    base = torch.randn(1, channels, 32, 32, generator=generator)
    latents = [base[0] + 0.3 * torch.randn(channels, 32, 32, generator=generator) for _ in range(PICTURES)]
    taught = student(model)
    caption = taught.encode_caption("photo of zuqvex person", latents[0])
    examples = [Example(latent, torch.ones_like(face_weight("", tuple(latent.shape))), caption, caption) for latent in latents]
    lesson = Lesson(tuple(examples[:-3]), tuple(examples[-3:]), caption)

    def judge(of: Any) -> float:
        judged = student(of)
        with judged.open():
            return held_out_loss(judged, lesson, "cpu", lambda: None)

    if side.startswith("diffusers"):
        return time_plain_loop(latents, steps, sum(weight.numel() for weight in model.model.diffusion_model.parameters()))
    before = judge(model)
    run = train_with_core if side.startswith("core") else train_with_ours
    held = psutil.Process().memory_info().rss
    run(model, taught, lesson, side, 1, clip, RATES[family])
    times = [time.monotonic()]
    for count in (1, steps):
        lora = run(model, taught, lesson, side, count, clip, RATES[family])
        times.append(time.monotonic())
    seconds = (times[2] - times[1]) - (times[1] - times[0])  # what is done once (loading; our held-out checks) falls out
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    patched, _ = comfy.sd.load_lora_for_models(model, None, lora, 1.0, 0.0)
    return {"speed": (steps - 1) / seconds, "memory": (peak - held) / 2**20, "before": before, "after": judge(patched)}


def time_plain_loop(latents: list[Any], steps: int, weights: int) -> dict[str, float]:
    """The loop of diffusers' text-to-image LoRA example, without its logging and saving: attention of a UNet of the same shape."""
    import psutil
    import torch
    from diffusers import DDPMScheduler, UNet2DConditionModel
    from diffusers.optimization import get_scheduler
    from peft import LoraConfig

    unet = UNet2DConditionModel(
        sample_size=32, block_out_channels=(64, 128, 256), layers_per_block=1, cross_attention_dim=48, attention_head_dim=8,
        down_block_types=("CrossAttnDownBlock2D",) * 3, up_block_types=("CrossAttnUpBlock2D",) * 3,
    )  # fmt: skip
    assert sum(weight.numel() for weight in unet.parameters()) == weights, "not the same UNet"
    held = psutil.Process().memory_info().rss
    unet.requires_grad_(False)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, init_lora_weights="gaussian", target_modules=["to_k", "to_q", "to_v", "to_out.0"]))
    noise_schedule, texts = DDPMScheduler(num_train_timesteps=1000), torch.randn(1, 77, 48)
    parameters = [weight for weight in unet.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATES["sd15"])
    schedule = get_scheduler("constant", optimizer)

    def step(number: int) -> None:
        picked = torch.stack([latents[(BATCH * number + place) % (PICTURES - 3)] for place in range(BATCH)])
        noise, times = torch.randn_like(picked), torch.randint(0, 1000, (BATCH,))
        believed = unet(noise_schedule.add_noise(picked, noise, times), times, texts.expand(BATCH, -1, -1), return_dict=False)[0]
        torch.nn.functional.mse_loss(believed, noise).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()

    step(0)  # what is only done once is not timed
    begin = time.monotonic()
    for number in range(1, steps + 1):
        step(number)
    seconds, peak = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"speed": steps / seconds, "memory": (peak - held) / 2**20}


def train_with_ours(model: Any, taught: Any, lesson: Any, side: str, steps: int, clip: Any, rate: float) -> dict[str, Any]:
    from pack.nodes.engine.person.adapters import AdapterShape
    from pack.nodes.engine.person.lora import TrainingSettings, _Training

    shape = AdapterShape(RANK, 1.0 if "alpha 1" in side else float(RANK), side.split(",")[0])
    settings = TrainingSettings(
        steps=steps, shape=shape, learning_rate=rate, schedule="constant", batch=BATCH,
        caption_dropout=0.0, check_every=steps, seed=1,
    )  # fmt: skip
    dataset: Any = SimpleNamespace(require_consent=lambda: None)
    return _Training(dataset, taught, settings, lesson, None, lambda progress: None).run().tensors


def train_with_core(model: Any, taught: Any, lesson: Any, side: str, steps: int, clip: Any, rate: float) -> dict[str, Any]:
    import torch
    from comfy_extras.nodes_train import TrainLoraNode

    # The latents go in as the network sees them; core's trainer scales them as a VAE's, so that is undone first.
    latents = [{"samples": model.model.process_latent_out(example.latent[None])} for example in lesson.examples]
    positive = [clip.encode_from_tokens_scheduled("photo of zuqvex person") for _ in latents]
    with torch.inference_mode():
        result = TrainLoraNode.execute(
            model=[model], latents=latents, positive=positive, batch_size=[BATCH], grad_accumulation_steps=[1], steps=[steps],
            learning_rate=[rate], rank=[RANK], optimizer=["AdamW"], loss_function=["MSE"], seed=[1], training_dtype=["fp32"],
            lora_dtype=["fp32"], quantized_backward=[False], algorithm=["LoRA"],
            gradient_checkpointing=["checkpointing" in side], checkpoint_depth=[1],
            offloading=[False], existing_lora=["[None]"], bucket_mode=[False], bypass_mode=[False],
        )  # fmt: skip
    return result.result[0]


if __name__ == "__main__":
    main()
