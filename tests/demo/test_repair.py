"""The stages that mend the decoder: weights come back as they were, scenes are redrawn, blocks are seen and fade, the encoder stays."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.demo.load import WEIGHTS


@pytest.fixture(scope="module")
def work(comfy: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from pack.nodes.engine.demo.training import release

    folder = tmp_path_factory.mktemp("training")
    release.unpack_weights(WEIGHTS.parent, folder)
    return folder


@pytest.fixture
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.engine.demo.training import repair

    whole = repair.Crops
    monkeypatch.setattr(repair, "Crops", lambda *given: whole(*given, textures=4))


def lay_shard(work: Path) -> None:
    """Scenes whose latents are a little wrong, half of them said to be free."""
    from pack.nodes.engine.demo.training import drawn
    from pack.nodes.engine.demo.training.compression import load_autoencoder
    from seams import draw_scenes

    pictures = (draw_scenes(4, seed=3) * 255).astype(np.uint8)
    latents = load_autoencoder(work).encode(drawn.as_tensor(pictures)).detach().numpy()
    latents += np.random.default_rng(0).normal(0, 0.2, latents.shape).astype(np.float32)
    folder = work / "drawn"
    folder.mkdir(exist_ok=True)
    np.savez(folder / "0000.npz", pictures=pictures, latents=latents.astype(np.float16), levels=np.array([0.3, 0.6, 1, 1], np.float32))


@pytest.mark.slow
def test_unpacked_weights_are_written_as_they_were(work: Path, tmp_path: Path) -> None:
    import torch
    from pack.nodes.engine.demo.training import release
    from safetensors.torch import load_file

    release.write_weights(work, tmp_path)
    known, written = load_file(WEIGHTS), load_file(tmp_path / release.WEIGHTS_NAME)
    assert known.keys() == written.keys()
    for name, value in known.items():
        if name != "latents.preview":  # fitted anew, to the last digit only on the same machine
            assert torch.equal(value, written[name]), name
    assert torch.allclose(known["latents.preview"].float(), written["latents.preview"].float(), atol=2e-3)


@pytest.mark.slow
def test_scenes_are_redrawn_and_keep_their_layout_at_low_levels(work: Path, tmp_path: Path) -> None:
    import torch
    from pack.nodes.engine.demo.scene import sample_scene
    from pack.nodes.engine.demo.training import drawn

    (tmp_path / "pictures").mkdir()
    for name in ("autoencoder.pt", "text.pt", "denoiser.pt"):
        (tmp_path / name).symlink_to(work / name)
    drawn.redraw_pictures(tmp_path, count=3)
    (group,) = drawn.load_drawn(tmp_path)
    assert group.pictures.shape == (3, 256, 448, 3) and group.latents.shape == (3, 16, 16, 28) and len(group.levels) == 3
    drawer, rng = drawn.Drawer(tmp_path), np.random.default_rng(0)
    scenes = [sample_scene(rng) for _ in range(3)]
    codes = drawn.load_autoencoder(tmp_path).encode(drawn.as_tensor(group.pictures)).detach()
    near, far = (drawer.redraw(codes, scenes, level, rng) for level in (0.15, 1.0))
    assert float((near - codes).square().mean()) < 0.5 * float((far - codes).square().mean())
    assert torch.isfinite(far).all() and 0.3 < float(far.square().mean().sqrt()) < 2


def test_levels_go_down_as_the_simple_schedule_does(painter: Any) -> None:
    import comfy.samplers
    from pack.nodes.engine.demo.training.drawn import walk_down

    wanted = comfy.samplers.calculate_sigmas(painter.model.get_model_object("model_sampling"), "simple", 6)
    assert np.allclose(walk_down(1.0, 6), wanted.numpy(), atol=2e-3)


def blocks(smooth: bool) -> Any:
    import torch
    from torch.nn import functional

    coarse = torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (2, 3, 4, 4)).astype(np.float32))
    return functional.interpolate(coarse, scale_factor=16, mode="bilinear" if smooth else "nearest")


def test_blocks_are_seen(comfy: SimpleNamespace) -> None:
    import torch
    from pack.nodes.engine.demo.training.repair import seam_loss, weave_loss

    smooth, hard = blocks(smooth=True), blocks(smooth=False)
    assert float(seam_loss(smooth, smooth, torch.ones(2))) == 0 < float(seam_loss(hard, smooth, torch.ones(2)))
    assert float(seam_loss(hard, smooth, torch.zeros(2))) == 0  # where the picture is no answer it is not asked
    grain = 0.02 * torch.randn(smooth.shape, generator=torch.Generator().manual_seed(0))
    assert float(weave_loss(grain)) < 0.2 * float(weave_loss(hard))


def test_the_road_is_fitted_to_what_is_missing(work: Path) -> None:
    import torch
    from pack.nodes.engine.demo.training import compression, crops, drawn, repair

    lay_shard(work)
    model = compression.load_autoencoder(work)
    sample = crops.Crops(model, drawn.load_drawn(work), seed=0, textures=4)
    with torch.no_grad():
        model.decoder.straight.weight.mul_(0.7)
    batch = sample.pick()

    @torch.no_grad()
    def error() -> float:
        return float(compression.picture_loss(model.decode(batch.latents), batch.pictures, batch.trust))

    before = error()
    repair.fit_road(model, sample, batches=6)
    assert error() < 0.9 * before


@pytest.mark.slow
@pytest.mark.usefixtures("few_crops")
def test_repair_changes_the_decoder_only_and_goes_on(work: Path) -> None:
    import torch
    from pack.nodes.engine.demo.training import repair

    lay_shard(work)
    before = torch.load(work / "autoencoder.pt")
    repair.repair_decoder(work, minutes=0.02, road_batches=4)
    first = torch.load(work / "autoencoder.pt")
    assert first["step"] > before["step"]
    changed = {name for name, value in first["weights"].items() if not torch.equal(value, before["weights"][name])}
    assert changed and all(name.startswith("decoder.") for name in changed)
    repair.repair_decoder(work, minutes=0.01)
    assert torch.load(work / "autoencoder.pt")["step"] > first["step"]
    torch.save(before, work / "autoencoder.pt")


def test_the_critic_learns_what_is_decoded(comfy: SimpleNamespace) -> None:
    import torch
    from pack.nodes.engine.demo.training.critic import Critic, judge_loss

    torch.manual_seed(0)
    critic = Critic()
    optimizer = torch.optim.AdamW(critic.parameters(), lr=2e-3)
    losses = []
    for _ in range(25):
        loss = judge_loss(critic, blocks(smooth=True), blocks(smooth=False))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.slow
def test_made_pictures_show_no_blocks(painter: Any) -> None:
    """Once they did: edges of blocks stood out six times in made pictures, and as much in encoded and decoded ones."""
    from seams import draw_scenes, paint_prompts, round_trip, seam_strength, sharpness, weave

    scenes, made = draw_scenes(12), paint_prompts(painter, 12)
    assert seam_strength(made) < 1.5 and round_trip(painter, scenes).seams < 1.5
    assert weave(made) < 0.4
    assert sharpness(made) > 0.8 * sharpness(scenes)
