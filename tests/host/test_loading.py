"""ComfyUI takes the pack: all nodes, quickly, with templates, help pages and translations."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.host
ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "data" / "node_schemas.json"
ENGLISH = ROOT / "locales" / "en" / "nodeDefs.json"
PACK = "personal-music-video"
NODES = [
    "AudioBeatAnalyzer",
    "LyricAligner",
    "StoryboardWriter",
    "CharchaVerify",
    "LoRATrainer",
    "PersonalLoraLoader",
    "DemoModelLoader",
    "BeatSyncedSampler",
    "ShotLoopStart",
    "ShotLoopEnd",
    "ShotClip",
    "ShotLoopNext",
    "VideoAssembler",
    "VideoReport",
    "TimelineCurves",
    "StoryboardExport",
]
LANGUAGES = ["en", "ja", "zh"]


@pytest.fixture(scope="module")
def our_nodes(host: Any) -> dict[str, Any]:
    return {name: info for name, info in host.get("/object_info").items() if info["python_module"] == f"custom_nodes.{PACK}"}


def import_seconds(log: str) -> float:
    """What ComfyUI measured, from its table of import times."""
    found = re.search(rf"([\d.]+) seconds(.*): .*{PACK}", log)
    assert found and "FAILED" not in found[2], log
    return float(found[1])


def import_share(comfyui: Path, base: Path, cache: Path) -> float:
    """Processor time of the pack's import as a share of ComfyUI's own, which a busy machine lengthens alike.

    From the second start on, when Python has compiled both.
    """
    code = f"""
import sys, time, asyncio, warnings
sys.argv = ["main.py", "--cpu", "--base-directory", {str(base)!r}, "--disable-api-nodes"]
sys.path.insert(0, {str(comfyui)!r})
begin = time.process_time()
import comfy.options
comfy.options.enable_args_parsing()
import nodes, server, comfy_api.latest, comfy_config.config_parser  # what every pack needs is not ours
start = time.process_time()
assert asyncio.run(nodes.load_custom_node({str(base / "custom_nodes" / PACK)!r}))
print((time.process_time() - start) / (start - begin))
"""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(cache)
    for _ in range(2):
        result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return float(result.stdout.split()[-1])


def test_pack_loads_quickly(host: Any, comfyui_path: Path, tmp_path: Path) -> None:
    seconds = import_seconds(host.server.log_tail(10_000))
    if seconds >= 0.3:  # on a busy machine the clock says little
        assert import_share(comfyui_path, host.base, tmp_path) < 0.04  # ComfyUI itself takes eight seconds and more


def test_exactly_our_nodes(our_nodes: dict[str, Any]) -> None:
    assert sorted(our_nodes) == sorted(NODES)
    assert {info["category"] for info in our_nodes.values()} == {"music video"}


def schema_of(info: dict[str, Any]) -> dict[str, Any]:
    """What saved workflows depend on: inputs in their order with their types, and outputs."""
    return {
        "inputs": {
            group: {name: "COMBO" if isinstance(spec[0], list) else spec[0] for name, spec in inputs.items()}
            for group, inputs in info["input"].items()
            if group != "hidden"
        },
        "outputs": [list(output) for output in zip(info["output_name"], info["output"], info["output_is_list"], strict=True)],
        "output_node": info["output_node"],
    }


def test_schemas_are_kept(our_nodes: dict[str, Any]) -> None:
    """Saved workflows hold values by position: append inputs, never rename or reorder them.

    After a deliberate addition write the golden file anew with WRITE_GOLDEN=1.
    """
    schemas = {name: schema_of(our_nodes[name]) for name in sorted(our_nodes)}
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(schemas, indent=1) + "\n", encoding="utf-8")
    assert json.dumps(schemas, indent=1) == json.dumps(json.loads(GOLDEN.read_text(encoding="utf-8")), indent=1)


def test_every_input_is_explained(our_nodes: dict[str, Any]) -> None:
    for name, info in our_nodes.items():
        assert info["description"], name
        for group in ("required", "optional"):
            for socket, spec in info["input"].get(group, {}).items():
                assert len(spec) > 1 and spec[1].get("tooltip"), f"{name}.{socket} has no tooltip"
        assert all(info["output_tooltips"]), f"{name} has an output without a tooltip"


def test_templates_are_offered(host: Any) -> None:
    names = sorted(path.stem for path in (ROOT / "workflows").glob("*.json"))
    assert sorted(host.get("/api/workflow_templates")[PACK]) == names
    for name in names:
        assert host.get(f"/api/workflow_templates/{PACK}/{name}.json")["nodes"]


@pytest.mark.parametrize("node", NODES)
def test_help_is_served(host: Any, node: str) -> None:
    assert host.get(f"/extensions/{PACK}/docs/{node}.md").startswith("#")
    for language in LANGUAGES[1:]:
        assert host.get(f"/extensions/{PACK}/docs/{node}/{language}.md").startswith("#")


def english(info: dict[str, Any]) -> dict[str, Any]:
    """The words of a schema in the shape of a translation file."""
    specs = {name: spec for group in ("required", "optional") for name, spec in info["input"].get(group, {}).items()}
    outputs = zip(info["output_name"], info["output_tooltips"], strict=True)
    return {
        "display_name": info["display_name"],
        "description": info["description"],
        "inputs": {name: {"name": name, "tooltip": spec[1].get("tooltip", "")} for name, spec in specs.items()},
        "outputs": {str(index): {"name": name, "tooltip": tooltip} for index, (name, tooltip) in enumerate(outputs)},
    }


def test_english_words_are_those_of_the_schemas(our_nodes: dict[str, Any]) -> None:
    """What translators start from. Written anew with WRITE_GOLDEN=1."""
    words = {name: english(our_nodes[name]) for name in NODES}
    if os.environ.get("WRITE_GOLDEN"):
        ENGLISH.parent.mkdir(parents=True, exist_ok=True)
        ENGLISH.write_text(json.dumps(words, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert json.loads(ENGLISH.read_text(encoding="utf-8")) == words


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_cover_every_word(host: Any, our_nodes: dict[str, Any], language: str) -> None:
    texts = host.get("/i18n")[language]["nodeDefs"]
    for name, info in our_nodes.items():
        inputs = {socket for group in ("required", "optional") for socket in info["input"].get(group, {})}
        assert texts[name]["display_name"] and texts[name]["description"], name
        assert set(texts[name]["inputs"]) == inputs, name
        assert all(texts[name]["inputs"][socket]["name"] and texts[name]["inputs"][socket]["tooltip"] for socket in inputs), name
        assert set(texts[name]["outputs"]) == {str(index) for index in range(len(info["output"]))}, name


def test_page_scripts_are_served(host: Any) -> None:
    scripts = [path for path in host.get("/extensions") if path.startswith(f"/extensions/{PACK}/")]
    assert scripts
    for path in scripts:
        assert "registerExtension" in host.get(path) or "export" in host.get(path)


def test_demo_song_is_offered(host: Any) -> None:
    spec = host.get("/object_info/LoadAudio")["LoadAudio"]["input"]["required"]["audio"]
    options = spec[0] if isinstance(spec[0], list) else spec[1]["options"]
    assert any(name.startswith("demo_song.") for name in options)
