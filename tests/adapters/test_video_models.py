"""BeatSyncedSampler on core's own video model classes with random weights: text to video, image to video, sound to video."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pack.nodes.engine.film.work import read_clip_work
from pack.nodes.engine.timeline import Shot, Timeline, frame_span
from test_beat_synced_sampler import SETTINGS as IMAGE_SETTINGS
from test_beat_synced_sampler import TIMELINE as IMAGE_TIMELINE
from tiny_models import (
    SeededPrompts,
    draw_weights,
    make_dit,
    make_halves,
    make_ltx_vae,
    make_vae,
    make_video,
    make_wan,
    make_wan_vae,
    patch_model,
)

SHOTS = (Shot(0.0, 0.2, "a red sea", 1, "pulse"), Shot(0.2, 1.1, "a city", 2, "still", "a city at night"))
TIMELINE = replace(IMAGE_TIMELINE, shots=SHOTS)
SETTINGS = IMAGE_SETTINGS | {"fps": 16.0}


@pytest.fixture(scope="module")
def vae(comfy: SimpleNamespace) -> Any:
    return make_wan_vae()


@pytest.fixture(scope="module")
def wan(comfy: SimpleNamespace) -> Any:
    return patch_model(make_wan())


@pytest.fixture(scope="module")
def wan_i2v(comfy: SimpleNamespace) -> Any:
    return patch_model(make_wan("i2v", in_dim=36))


@pytest.fixture
def draw(run_node: Callable[..., Any], vae: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the node, with clips in a folder of the test's own."""
    import folder_paths
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))

    def run(model: Any, timeline: Timeline = TIMELINE, **changes: Any) -> Any:
        given = {"model": model, "clip": SeededPrompts(48, 64), "vae": vae} | SETTINGS | changes
        return run_node(BeatSyncedSampler, timeline=timeline, **given)

    return run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """What core's sampling is asked for, call by call."""
    import comfy.sample

    calls: list[SimpleNamespace] = []
    sample = comfy.sample.sample

    def spy(model: Any, noise: torch.Tensor, *values: Any, **named: Any) -> Any:
        calls.append(SimpleNamespace(noise=noise, positive=values[4], start=values[6], mask=named.get("noise_mask"), seed=named["seed"]))
        return sample(model, noise, *values, **named)

    monkeypatch.setattr(comfy.sample, "sample", spy)
    return calls


def frames_of(result: Any) -> list[int]:
    return [video.get_frame_count() for video in result.result[0]]


def test_text_to_video_draws_one_latent_a_shot(draw: Callable[..., Any], wan: Any, asked: list[SimpleNamespace]) -> None:
    made = draw(wan)
    assert frames_of(made) == [len(frame_span(shot, Fraction(16))) for shot in SHOTS] == [3, 15]
    assert [tuple(call.noise.shape) for call in asked] == [(1, 16, 2, 6, 8), (1, 16, 5, 6, 8)], "5 and 17 frames, which are 4n+1"
    assert made.result[0][0].get_dimensions() == (64, 48) and made.result[1].shape == (2, 48, 64, 3)
    pictures = made.result[0][1].get_components().images
    assert torch.isfinite(pictures).all() and (pictures[0] - pictures[-1]).abs().mean() > 1 / 255


def test_a_rerun_samples_nothing_and_gives_the_same_files(draw: Callable[..., Any], wan: Any, asked: list[SimpleNamespace]) -> None:
    before = [Path(video.get_stream_source()).read_bytes() for video in draw(wan).result[0]]
    asked.clear()
    assert [Path(video.get_stream_source()).read_bytes() for video in draw(wan).result[0]] == before and not asked
    draw(wan, seed=1)
    assert [call.seed for call in asked] == [2, 3]


def test_a_long_shot_is_parted_on_a_beat_and_draws_from_the_same_noise(
    draw: Callable[..., Any], wan: Any, asked: list[SimpleNamespace]
) -> None:
    assert frames_of(draw(wan, batch_frames=13)) == [3, 15]
    assert [call.noise.shape[2] for call in asked] == [2, 2, 4], "the beat at 0.5 s is the fifth frame of the second shot"
    assert torch.equal(asked[2].noise[:, :, :2], asked[1].noise) and asked[1].seed == asked[2].seed


def test_image_to_video_begins_with_the_picture_and_goes_on_from_the_last(
    draw: Callable[..., Any], wan_i2v: Any, vae: Any, asked: list[SimpleNamespace]
) -> None:
    keyframes = torch.rand(2, 30, 40, 3, generator=torch.Generator().manual_seed(1))
    made = draw(wan_i2v, keyframes=keyframes, batch_frames=13)
    assert frames_of(made) == [3, 15]
    assert [call.noise.shape[2] for call in asked] == [2, 2, 4]
    pictures = [call.positive[0][1]["concat_latent_image"] for call in asked]
    assert pictures[0].shape == (1, 16, 2, 6, 8) and not torch.equal(pictures[0], pictures[1][:, :, :2]), "a picture a shot"
    assert not torch.allclose(pictures[1][:, :, :1], pictures[2][:, :, :1]), "the second piece begins elsewhere"
    assert [float(call.positive[0][1]["concat_mask"][:, :, 0].max()) for call in asked] == [0.0] * 3


def test_a_model_that_sees_is_shown_the_picture_it_begins_with(
    draw: Callable[..., Any], wan_i2v: Any, asked: list[SimpleNamespace]
) -> None:
    looked: list[torch.Tensor] = []

    def look(picture: torch.Tensor, crop: bool) -> SimpleNamespace:
        looked.append(picture)
        return SimpleNamespace(penultimate_hidden_states=torch.full((1, 257, 1280), float(picture.mean())))

    pictures = torch.stack([torch.full((48, 64, 4), grey) for grey in (0.25, 0.75)])
    vision = SimpleNamespace(encode_image=look, patcher=None)
    assert frames_of(draw(wan_i2v, keyframes=pictures, clip_vision=vision, batch_frames=13)) == [3, 15]
    assert [picture.shape[-1] for picture in looked] == [3, 3, 3]
    assert [float(picture.mean()) for picture in looked[:2]] == [0.25, 0.75] and float(looked[2].std()) > 0
    assert all("clip_vision_output" in call.positive[0][1] for call in asked)


def test_another_keyframe_redraws_its_shot_alone(draw: Callable[..., Any], wan_i2v: Any, asked: list[SimpleNamespace]) -> None:
    keyframes = torch.zeros(2, 48, 64, 3)
    draw(wan_i2v, keyframes=keyframes)
    asked.clear()
    changed = keyframes.clone()
    changed[1, 0, 0, 0] = 1.0
    draw(wan_i2v, keyframes=changed)
    assert [call.seed for call in asked] == [2]


def test_an_interrupt_leaves_finished_clips(
    draw: Callable[..., Any], wan: Any, stopped_in_the_second_clip: AbstractContextManager[None]
) -> None:
    with stopped_in_the_second_clip:
        draw(wan)


def test_a_latent_that_is_too_large_is_decoded_in_tiles(
    draw: Callable[..., Any], wan: Any, vae: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = draw(wan).result[0][1].get_components().images
    tiled: list[dict[str, int]] = []
    decode = vae.decode_tiled

    def spy(latents: torch.Tensor, **tiles: int) -> torch.Tensor:
        tiled.append(tiles)
        return decode(latents, **tiles)

    monkeypatch.setattr(vae, "decode_tiled", spy)
    monkeypatch.setattr(vae, "memory_used_decode", lambda shape, dtype: 1e18)
    made = draw(wan, seed=2**53 - 1)
    assert frames_of(made) == [3, 15]
    assert tiled[0] == {"tile_x": 64, "tile_y": 64, "overlap": 8, "tile_t": 16, "overlap_t": 2}
    assert made.result[0][1].get_components().images.shape == whole.shape


def test_an_image_model_with_the_latents_of_a_video_goes_on_as_before(comfy: SimpleNamespace, wan: Any, vae: Any) -> None:
    """Qwen-Image and Wan have one latent format and one VAE; the kind of network tells them apart."""
    import comfy.latent_formats
    import comfy.supported_models
    from pack.nodes.video_families import is_video_model

    assert is_video_model(wan, vae)
    for name in ("QwenImage", "Krea2", "Anima", "JoyImage", "CosmosT2IPredict2"):
        config = getattr(comfy.supported_models, name)
        assert config.latent_format is comfy.latent_formats.Wan21
        core = SimpleNamespace(model_config=SimpleNamespace(unet_config=config.unet_config), image_to_video=False)
        still = SimpleNamespace(model=core, get_model_object=lambda _name: comfy.latent_formats.Wan21())
        assert not is_video_model(still, vae), name
    assert not is_video_model(wan, make_vae(16)), "a VAE of pictures makes pictures"


def test_video_latents_can_be_switched_off(draw: Callable[..., Any], wan: Any, asked: list[SimpleNamespace]) -> None:
    assert frames_of(draw(wan, video_latents="off", fps=4.0, shared_steps=0.0)) == [1, 3]
    assert [call.noise.shape[2] for call in asked] == [1, 1]


def test_every_video_model_of_core_is_known_or_knowingly_not(comfy: SimpleNamespace) -> None:
    """A new kind of core's with latents in time has to be placed here."""
    import comfy.supported_models
    from pack.nodes.video_families import NESTED, STILLS

    kinds = {
        config.unet_config.get("image_model")
        for config in comfy.supported_models.models
        if config.latent_format.latent_dimensions == 3 and config.latent_format.temporal_downscale_ratio > 1
    }
    placed = {"wan2.1", "ltxv", "kandinsky5", "mochi_preview", "cosmos", "cosmos_predict2", "hunyuan_video", "cogvideox"}
    assert kinds == placed | STILLS | NESTED


def test_wishes_that_a_model_cannot_grant_are_one_sentence(draw: Callable[..., Any], wan: Any, wan_i2v: Any) -> None:
    picture = torch.zeros(1, 48, 64, 3)
    with pytest.raises(ValueError, match="cannot begin with a picture; disconnect 'keyframes'"):
        draw(wan, keyframes=picture)
    with pytest.raises(ValueError, match="connect a picture a shot, or one for all, to 'keyframes'"):
        draw(wan_i2v)
    with pytest.raises(ValueError, match="3 keyframes, but the timeline has 2 shots"):
        draw(wan_i2v, keyframes=picture.repeat(3, 1, 1, 1))
    with pytest.raises(ValueError, match="multiple of 8; choose 64"):
        draw(wan, width=65)


def test_models_of_picture_and_sound_say_what_to_do(draw: Callable[..., Any], wan: Any) -> None:
    core = wan.model
    for kind in ("ltxav", "minimax_h3"):
        core.model_config.unet_config["image_model"], before = kind, core.model_config.unet_config["image_model"]
        try:
            with pytest.raises(ValueError, match="picture and sound together.*between Shot Loop Start and Shot Loop End"):
                draw(wan)
        finally:
            core.model_config.unet_config["image_model"] = before


# Models of core's that take a picture. All but LTX have latents in the shape of Wan's, so that one VAE serves them here.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["HunyuanVideoI2V", "Kandinsky5", "CogVideoX_I2V", "CosmosI2VPredict2", "LTXV"])
def test_other_models_begin_with_a_picture_and_go_on_from_the_last(
    draw: Callable[..., Any], asked: list[SimpleNamespace], vae: Any, name: str
) -> None:
    model = patch_model(make_video(name))
    coder = make_ltx_vae() if name == "LTXV" else vae
    keyframes = torch.rand(2, 64, 64, 3, generator=torch.Generator().manual_seed(1))
    most = {"LTXV": 17, "CogVideoX_I2V": 5}.get(name, 13)
    made = draw(model, vae=coder, clip=prompts_for(name), keyframes=keyframes, height=64, fps=float(rate_of(name)), batch_frames=most)
    assert frames_of(made) == [len(frame_span(shot, Fraction(rate_of(name)))) for shot in SHOTS]
    assert len(asked) == 3, "the second shot is longer than the limit"
    beginnings = [beginning_of(call) for call in asked]
    assert all(beginning.shape[-3] >= 1 and torch.isfinite(beginning).all() for beginning in beginnings)
    assert not torch.allclose(beginnings[0], beginnings[1]) and not torch.allclose(beginnings[1], beginnings[2])
    pictures = made.result[0][1].get_components().images
    assert torch.isfinite(pictures).all() and pictures.shape[1:] == (64, 64, 3)


def prompts_for(name: str) -> SeededPrompts:
    return SeededPrompts(48, 64, masked=name == "LTXV")  # core's T5 for LTX says which tokens are words


def rate_of(name: str) -> int:
    """So many frames a second that the second shot needs two pieces."""
    return 24 if name in ("HunyuanVideoI2V", "Kandinsky5", "LTXV") else 16


def beginning_of(call: SimpleNamespace) -> torch.Tensor:
    """The first latent frame that a model was given, wherever core keeps it."""
    options = call.positive[0][1]
    given = options.get("concat_latent_image", options.get("time_dim_replace"))
    return (call.start if given is None else given)[:, :, :1]


@pytest.mark.parametrize("name", ["Kandinsky5", "LTXV"])
def test_some_draw_without_a_picture_too(draw: Callable[..., Any], asked: list[SimpleNamespace], vae: Any, name: str) -> None:
    coder = make_ltx_vae() if name == "LTXV" else vae
    made = draw(patch_model(make_video(name)), vae=coder, clip=prompts_for(name), height=64, fps=24.0)
    assert frames_of(made) == [5, 21] and not any(call.start.any() for call in asked)


class CountingEncoder:
    """Stands where an audio encoder would: 25 layers of features, 50 a second, that tell loud from silent."""

    patcher = None

    def __init__(self, layers: int, width: int) -> None:
        self.layers, self.width, self.heard = layers, width, []

    def encode_audio(self, waveform: torch.Tensor, rate: int) -> dict[str, Any]:
        self.heard.append(waveform)
        count = max(2, round(50 * waveform.shape[-1] / rate))
        loud = torch.nn.functional.adaptive_avg_pool1d(waveform.abs().mean(1, keepdim=True), count)[0, 0]
        features = loud[None, :, None].expand(1, count, self.width).contiguous()
        return {"encoded_audio": features, "encoded_audio_all_layers": [features] * self.layers, "audio_samples": waveform.shape[-1]}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s2v", "humo"])
def test_models_that_hear_are_given_the_shots_part_of_the_song(draw: Callable[..., Any], asked: list[SimpleNamespace], kind: str) -> None:
    shape = {"audio_inject_layers": [0]} if kind == "s2v" else {}
    model, encoder = patch_model(make_wan(kind, **shape)), CountingEncoder(*((25, 1024) if kind == "s2v" else (33, 1280)))
    rate = 16000
    song = {"waveform": torch.cat([torch.zeros(1, 1, rate // 2), torch.ones(1, 1, rate)], dim=-1), "sample_rate": rate}
    with pytest.raises(ValueError, match="connect the song to 'audio' and Load Audio Encoder"):
        draw(model, audio=song)
    made = draw(model, audio=song, audio_encoder=encoder, keyframes=torch.rand(1, 48, 64, 3), batch_frames=13, height=64)
    assert frames_of(made) == [3, 15]
    begins = [0.0, 0.1875, 0.1875 + 0.3125] if kind == "s2v" else [0.0, 0.1875]
    for begin, heard in zip(begins, encoder.heard, strict=False):
        start, count = round(begin * rate), min(heard.shape[-1], rate // 4)
        assert torch.equal(heard[0, 0, :count], song["waveform"][0, 0, start : start + count])
    assert all("audio_embed" in call.positive[0][1] and "reference_latents" in call.positive[0][1] for call in asked)
    if kind == "s2v":
        assert ["reference_motion" in call.positive[0][1] for call in asked] == [False, False, True]


@pytest.mark.parametrize(("kind", "channels", "picture"), [("t2v", 16, "no"), ("i2v", 36, "must"), ("t2v", 36, "must")])
def test_a_file_is_known_by_what_cores_loader_sees(comfy: SimpleNamespace, kind: str, channels: int, picture: str) -> None:
    """The last is Wan 2.2's image-to-video model, which core takes for a text-to-video one with more channels."""
    import comfy.sd
    from pack.nodes.video_families import find_family

    made = patch_model(make_wan(kind, dim=128, text_dim=4096, freq_dim=256, num_heads=1, in_dim=channels))
    loaded = comfy.sd.load_diffusion_model_state_dict(made.model.diffusion_model.state_dict())
    family = find_family(loaded)
    assert (family.picture, family.grid.fps, family.continues) == (picture, 16, picture == "must")


@pytest.fixture
def wan22_vae(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Core's VAE of Wan 2.2 with few channels; core itself builds it in full size only."""
    import comfy.ldm.wan.vae2_2
    import comfy.sd

    whole = comfy.ldm.wan.vae2_2.WanVAE
    monkeypatch.setattr(comfy.ldm.wan.vae2_2, "WanVAE", lambda **shape: whole(**shape | {"dim": 16, "dec_dim": 16}))
    coder = comfy.ldm.wan.vae2_2.WanVAE(z_dim=48, dim_mult=[1, 2, 4, 4], temperal_downsample=[False, True, True])
    draw_weights(coder)
    return comfy.sd.VAE(sd=coder.state_dict())


def test_wan_22_keeps_the_picture_in_its_first_latent(draw: Callable[..., Any], wan22_vae: Any, asked: list[SimpleNamespace]) -> None:
    model = patch_model(make_wan("t2v 2.2", in_dim=48, out_dim=48))
    made = draw(model, vae=wan22_vae, keyframes=torch.rand(1, 64, 64, 3), height=64, fps=24.0)
    assert frames_of(made) == [5, 21] and [tuple(call.noise.shape) for call in asked] == [(1, 48, 2, 4, 4), (1, 48, 6, 4, 4)]
    assert all(float(call.mask[:, :, 0].max()) == 0.0 and float(call.mask[:, :, 1:].min()) == 1.0 for call in asked)
    assert torch.equal(asked[0].start[:, :, 0], asked[1].start[:, :, 0]), "one picture for all shots"


@pytest.mark.parametrize(
    ("begin", "channels", "time", "space"),
    [("from_cosmos", 16, 8, 8), ("from_hunyuan15", 32, 4, 16), ("from_wan", 16, 4, 8), ("from_wan22", 48, 4, 16), ("from_ltx", 128, 8, 32)],
)
def test_every_start_has_the_shape_that_is_drawn(comfy: SimpleNamespace, begin: str, channels: int, time: int, space: int) -> None:
    """Also for models whose VAE core builds in full size only: here it is a stand-in that gives latents of the right shape."""
    from pack.nodes import video_starts

    def encode(pixels: torch.Tensor) -> torch.Tensor:
        frames, height, width = pixels.shape[:3]
        return torch.ones(1, channels, 1 + (frames - 1) // time, height // space, width // space)

    length, prompt = 4 * time + 1, [[torch.zeros(1, 4, 8), {}]]
    latents = torch.zeros(1, channels, 5, 64 // space, 96 // space)
    scene = video_starts.Scene(prompt, prompt, SimpleNamespace(encode=encode), latents, 96, 64, length, torch.rand(1, 50, 50, 3))
    start = getattr(video_starts, begin)(scene)
    assert start.latents.shape == latents.shape
    kept = start.mask if start.mask is not None else start.positive[0][1]["concat_mask"]
    assert float(kept[:, :, 0].max()) == 0.0 and float(kept[:, :, -1].min()) == 1.0, "the first picture stays, the rest is drawn"


@pytest.fixture(scope="module")
def halves(comfy: SimpleNamespace) -> tuple[Any, Any]:
    return make_halves(make_wan)


@pytest.fixture(scope="module")
def halves_i2v(comfy: SimpleNamespace) -> tuple[Any, Any]:
    """As core's loader takes Wan 2.2's: text-to-video models with more channels."""
    return make_halves(lambda: make_wan("t2v", in_dim=36))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[float]]]:
    """The noise levels at which each network is run, a list for each model."""

    def watch(*models: Any) -> list[list[float]]:
        seen: list[list[float]] = [[] for _ in models]
        for model, levels in zip(models, seen, strict=True):
            network = model.model.diffusion_model
            forward = network.forward

            def run(x: Any, times: torch.Tensor, *values: Any, forward: Any = forward, levels: Any = levels, **named: Any) -> Any:
                levels += [float(time) for time in times.reshape(len(x), -1)[:, 0]]
                return forward(x, times, *values, **named)

            monkeypatch.setattr(network, "forward", run)
        return seen

    return watch


def test_each_half_takes_the_steps_on_its_side_of_the_noise(
    draw: Callable[..., Any],
    halves: tuple[Any, Any],
    counted: Callable[..., list[list[float]]],
) -> None:
    high, low = counted(*halves)
    made = draw(halves[0], low_noise_model=halves[1], steps=10, cfg=1.0)
    assert [video.get_frame_count() for video in made.result[0]] == [3, 15]
    assert len(high) + len(low) == 2 * 10 and min(high) >= 875 > max(low), "Wan 2.2 changes at 0.875"
    works = [read_clip_work(Path(video.get_stream_source())) for video in made.result[0]]
    assert [work and work.evaluations for work in works] == [10, 10]


def test_image_to_video_changes_where_wan_22_does(
    draw: Callable[..., Any],
    halves_i2v: tuple[Any, Any],
    counted: Callable[..., list[list[float]]],
) -> None:
    high, low = counted(*halves_i2v)
    draw(halves_i2v[0], low_noise_model=halves_i2v[1], steps=20, cfg=1.0, keyframes=torch.rand(1, 48, 64, 3))
    assert high and min(high) >= 900 > max(low) > 875


def test_the_second_half_and_the_place_of_the_change_are_in_the_clips_names(draw: Callable[..., Any], halves: tuple[Any, Any]) -> None:
    def names(**changes: Any) -> list[str]:
        return [video.get_stream_source() for video in draw(halves[0], **{"steps": 6} | changes).result[0]]

    plain, two, later = names(), names(low_noise_model=halves[1]), names(low_noise_model=halves[1], switch_at=0.95)
    assert not {*plain} & {*two} and not {*two} & {*later} and names(low_noise_model=halves[1]) == two
    patched = halves[1].clone()
    weight = next(name for name, value in patched.model.state_dict().items() if value.ndim == 2)
    patched.add_patches({weight: ("diff", (torch.ones(patched.model.state_dict()[weight].shape),))}, 1.0)
    assert not {*two} & {*names(low_noise_model=patched)}
    assert names(switch_at=0.5) == plain, "without a second model it says nothing"


def test_halves_that_do_not_belong_together_are_one_sentence(
    draw: Callable[..., Any], halves: tuple[Any, Any], halves_i2v: tuple[Any, Any]
) -> None:
    for other in (halves_i2v[1], patch_model(make_dit())):
        with pytest.raises(ValueError, match="do not belong together.*connect the high-noise and the low-noise half") as caught:
            draw(halves[0], low_noise_model=other)
        assert "\n" not in str(caught.value)
