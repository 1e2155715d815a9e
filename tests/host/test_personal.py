"""The personal template on a real server: a verified person, a LoRA, a film; core's own loader; everything gone after the withdrawal."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runner.client import output_files

pytestmark = [pytest.mark.host, pytest.mark.slow]
sys.path.append(str(Path(__file__).parents[1] / "person"))
NAME = "Aiko Example"
TRAINING = {"resolution": 64, "steps": 4, "rank": 2, "checkpoint_every": 2, "preview_steps": 1, "keep_others": False}
DRAWING = {"width": 128, "height": 64, "fps": 6, "steps": 1, "cfg": 1}


@pytest.fixture(scope="module")
def personal_host(start_host: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return start_host(tmp_path_factory.mktemp("personal"))


@pytest.fixture(scope="module")
def store(personal_host: Any) -> Any:
    """The store of the server, seen from this process."""
    from pack.nodes.engine.person.storage import PersonStore

    base = personal_host.base
    clips = base / "output" / "music_video" / "clips"
    return PersonStore(base / "user" / "__music_video", scan_folders=[base / "models" / "loras", clips])


@pytest.fixture(scope="module")
def person(store: Any) -> str:
    from sitting import verify_somebody

    return verify_somebody(store, purposes=("train_lora", "make_images", "make_videos"), name=NAME).receipt_id


def id_of(prompt: dict[str, Any], kind: str) -> str:
    return next(node_id for node_id, node in prompt.items() if node["class_type"] == kind)


def personal(host: Any, person: str) -> dict[str, Any]:
    """The template as it stands, but small."""
    prompt = host.template("personal music video")
    prompt[id_of(prompt, "CharchaVerify")]["inputs"]["person"] = person
    prompt[id_of(prompt, "LoRATrainer")]["inputs"].update(TRAINING)
    prompt[id_of(prompt, "BeatSyncedSampler")]["inputs"].update(DRAWING)
    prompt[id_of(prompt, "VideoAssembler")]["inputs"].update(filename_prefix="test/personal")
    return prompt


def picture_with(host: Any, lora: str | None) -> bytes:
    """One picture by core's own nodes, with or without the LoRA by core's own loader."""
    from hashlib import sha256

    model = ["1", 0]
    nodes: dict[str, Any] = {"1": {"class_type": "DemoModelLoader", "inputs": {}}}
    if lora is not None:
        nodes["2"] = {"class_type": "LoraLoaderModelOnly", "inputs": {"model": model, "lora_name": lora, "strength_model": 1.0}}
        model = ["2", 0]
    nodes |= {
        "3": {"class_type": "CLIPTextEncode", "inputs": {"clip": ["1", 1], "text": "photo of a person, portrait"}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}},
        "5": {"class_type": "KSampler", "inputs": {
            "model": model, "positive": ["3", 0], "negative": ["3", 0], "latent_image": ["4", 0],
            "seed": 1, "steps": 2, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}},
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": f"test/{lora is None}"}},
    }  # fmt: skip
    for number, node in nodes.items():
        node["_meta"] = {"title": number}
    return sha256(output_files(host.run(nodes), host.base)[0].read_bytes().split(b"IDAT", 1)[1]).digest()


def test_a_person_becomes_the_film_of_a_song(personal_host: Any, store: Any, person: str) -> None:
    from pack.nodes.engine.person.lora_file import read_header, receipt_in

    host = personal_host
    prompt = personal(host, person)
    outputs = host.run(prompt)
    film = next(path for path in output_files(outputs, host.base) if path.suffix == ".mp4")
    plan = json.loads("".join(outputs[id_of(prompt, "StoryboardWriter")]["music_video_plan"]))
    trigger = store.receipt(person).trigger
    assert film.stat().st_size > 10_000 and all(f"photo of {trigger} person" in shot["prompt"] for shot in plan["shots"])
    lora = host.base / "models" / "loras" / "personal" / f"{trigger}.safetensors"
    assert receipt_in(read_header(lora)) == person
    assert picture_with(host, None) != picture_with(host, f"personal/{lora.name}")
    assert {"train_started", "train_ended", "lora_written", "film_rendered"} <= {entry.event for entry in store.ledger.read()}
    assert NAME not in json.dumps(host.get("/history")) and NAME not in host.server.log_tail(10**6)


def test_own_nodes_in_a_loop_name_the_consent_too(personal_host: Any, store: Any, person: str) -> None:
    """The LoRA comes straight from the trainer, so only the model itself tells whom it shows."""
    import av

    host = personal_host
    prompt = personal(host, person)
    sampler = prompt.pop(id_of(prompt, "BeatSyncedSampler"))["inputs"]
    prompt |= {
        "start": {"class_type": "ShotLoopStart", "inputs": {
            "timeline": sampler["timeline"], "fps": 6.0, "model_fps": 0.0, "frame_grid": "any", "seed": 0,
            "first_shot": 1, "last_shot": 0}},
        "words": {"class_type": "CLIPTextEncode", "inputs": {"clip": sampler["clip"], "text": ["start", 2]}},
        "latent": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "draw": {"class_type": "KSampler", "inputs": {
            "model": sampler["model"], "positive": ["words", 0], "negative": ["words", 0], "latent_image": ["latent", 0],
            "seed": ["start", 4], "steps": 1, "cfg": 1.0, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}},
        "decode": {"class_type": "VAEDecode", "inputs": {"samples": ["draw", 0], "vae": sampler["vae"]}},
        "end": {"class_type": "ShotLoopEnd", "inputs": {
            "loop": ["start", 0], "frames": ["decode", 0], "short_clips": "hold last frame", "frames_fps": 0.0}},
    }  # fmt: skip
    prompt[id_of(prompt, "VideoAssembler")]["inputs"]["clips"] = ["end", 0]
    for name in ("start", "words", "latent", "draw", "decode", "end"):
        prompt[name]["_meta"] = {"title": name}
    folder = host.base / "output" / "music_video" / "clips"
    before = set(folder.glob("*.mp4"))
    host.run(prompt)
    made = set(folder.glob("*.mp4")) - before
    assert made
    for path in made:
        with av.open(str(path)) as container:
            assert container.metadata["comment"] == f"consent {person}"


def test_nothing_is_left_after_the_withdrawal(personal_host: Any, store: Any, person: str) -> None:
    host = personal_host
    clips = host.base / "output" / "music_video" / "clips"
    assert list(clips.glob("*.mp4")) and list((host.base / "models" / "loras").rglob("*.safetensors"))
    store.withdraw(person)
    assert not list(clips.glob("*.mp4")) and not list((host.base / "models" / "loras").rglob("*.safetensors"))
    entry = host.wait(host.queue(personal(host, person)))
    assert "has withdrawn" in host.error_of(entry), "although the same prompt is in the cache"
