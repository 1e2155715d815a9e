"""One film from the terminal: the workflow with the user's wishes put in, run on a server of its own.

Goes in: the command's arguments and ComfyUI's folder. Comes out: the film's path. This process already runs
inside the environment with everything installed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from .client import Client, RunError, output_files
from .comfyui import CACHE, ROOT
from .environment import has_accelerator
from .graph import Prompt, WorkflowError, to_prompt
from .server import start_server
from .shares import count_shots, planning_prompt, share_prompt
from .terminal import ProgressLine
from .workers import draw_shots

BASE = CACHE / "run"  # kept between runs, so that finished clips are found again
FILMS = {".mp4", ".webm", ".mov", ".mkv"}
SAMPLER, WRITER, LOADER = "BeatSyncedSampler", "StoryboardWriter", "DemoModelLoader"
ANALYZER, ALIGNER, ASSEMBLER, REPORT = "AudioBeatAnalyzer", "LyricAligner", "VideoAssembler", "VideoReport"


class FilmError(RuntimeError):
    """The film could not be made; the message says why and what to do."""


def make_film(arguments: argparse.Namespace, comfyui: Path) -> Path:
    """Runs the workflow and returns the path of the finished film. Raises FilmError; cleans up on Ctrl-C."""
    workflow = _read_workflow(arguments.workflow)
    python = Path(sys.executable)
    cpu = not has_accelerator(python)
    print(f"Starting ComfyUI ({'on the CPU' if cpu else 'on the graphics card'}) ...", flush=True)
    server = start_server(python, comfyui, BASE, cpu=cpu)
    try:
        prompt = asyncio.run(_read_prompt(server.url, workflow, arguments))
        if arguments.workers > 1:
            draw_by_many(server.url, prompt, arguments.workers, comfyui, cpu)
        outputs = asyncio.run(_run(server.url, prompt))
    except (RunError, WorkflowError) as error:
        raise FilmError(f"{error}\n(ComfyUI's log: {server.log})") from error
    finally:
        server.stop()
        with contextlib.suppress(OSError):  # Windows may still hold a file there for a moment; the next start empties it
            shutil.rmtree(BASE / f"temp-{server.port}")
    film = _deliver(output_files(outputs, BASE), arguments)
    for report in read_reports(prompt, outputs):
        print(f"\n{report}")
    server.log.unlink(missing_ok=True)
    return film


async def _read_prompt(url: str, workflow: dict[str, Any], arguments: argparse.Namespace) -> Prompt:
    async with Client(url) as client:
        prompt = to_prompt(workflow, await client.object_info())
    apply_wishes(prompt, arguments)
    return prompt


async def _run(url: str, prompt: Prompt) -> dict[str, Any]:
    async with Client(url) as client:
        return await client.run(prompt, ProgressLine(len(prompt)))


def draw_by_many(url: str, prompt: Prompt, workers: int, comfyui: Path, cpu: bool) -> None:
    """Plans the film and has its shots drawn by several servers; the run that follows finds them and only joins them."""
    share_prompt(prompt, range(1, 2))  # says at once where that cannot be
    planning = planning_prompt(prompt)
    shots = count_shots(planning, asyncio.run(_run(url, planning)))
    draw_shots(prompt, shots, workers, comfyui, BASE, cpu, ProgressLine(1))


def apply_wishes(prompt: Prompt, arguments: argparse.Namespace) -> None:
    """Puts what the user asked for on the command line into the prompt. Raises WorkflowError where it has no place for it."""
    for name in ("width", "height", "fps", "steps", "seed"):
        if getattr(arguments, name) is not None:
            _set_input(prompt, SAMPLER, name, getattr(arguments, name))
    if arguments.style is not None:
        _set_input(prompt, WRITER, "style", arguments.style)
    if arguments.prompts is not None:
        _set_input(prompt, WRITER, "prompts", _read_text(arguments.prompts))
    if arguments.song is not None:
        _set_input(prompt, "LoadAudio", "audio", _import_song(arguments.song))
    if arguments.lyrics is not None or arguments.whisper is not None:
        _add_lyrics(prompt, arguments)
    if arguments.checkpoint is not None:
        _replace_model(prompt, arguments.checkpoint)
    for wish in arguments.set:
        _set_wish(prompt, wish)
    if arguments.report:
        _add_report(prompt)


def _set_wish(prompt: Prompt, wish: str) -> None:
    place, equals, text = wish.partition("=")
    node, dot, name = place.rpartition(".")
    if not equals or not dot:
        raise WorkflowError(f"--set {wish}: write it as NODE.INPUT=VALUE, such as StoryboardWriter.pace=calm.")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = text
    _set_input(prompt, node, name, value)


def _set_input(prompt: Prompt, kind: str, name: str, value: Any) -> None:
    """Sets an input on every node of that type (or title)."""
    nodes = [node for node in prompt.values() if kind in (node["class_type"], node["_meta"]["title"])]
    if not nodes:
        raise WorkflowError(f"This workflow has no node {kind}, so '{name}' cannot be set.")
    for node in nodes:
        if name not in node["inputs"]:
            raise WorkflowError(f"{kind} has no input '{name}'; it has: {', '.join(node['inputs'])}.")
        node["inputs"][name] = value


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise WorkflowError(f"{path.name} is no text in UTF-8; save it as UTF-8 in your editor.") from error


def _import_song(song: Path) -> str:
    """Puts the song into ComfyUI's input folder and returns its name there."""
    (BASE / "input" / "songs").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(song, BASE / "input" / "songs" / song.name)
    return f"songs/{song.name}"


def _add_lyrics(prompt: Prompt, arguments: argparse.Namespace) -> None:
    """Lyric Aligner behind the analyser, unless the workflow has one, and its lines burnt into the film."""
    if not any(node["class_type"] == ALIGNER for node in prompt.values()):
        analyser = next((number for number, node in prompt.items() if node["class_type"] == ANALYZER), None)
        if analyser is None:
            raise WorkflowError("This workflow has no Audio Beat Analyzer, so its song cannot be given lyrics.")
        for node in prompt.values():
            node["inputs"].update({name: ["lyrics", 0] for name, value in node["inputs"].items() if value == [analyser, 0]})
        inputs = {
            "timeline": [analyser, 0],
            "audio": prompt[analyser]["inputs"]["audio"],
            "language": "auto",
            "model": "none",
            "lyrics": "",
        }
        prompt["lyrics"] = {"class_type": ALIGNER, "inputs": inputs, "_meta": {"title": "Lyric Aligner"}}
        _set_input(prompt, ASSEMBLER, "lyrics", "burnt in")
    if arguments.lyrics is not None:
        _set_input(prompt, ALIGNER, "lyrics", _read_text(arguments.lyrics))
    if arguments.whisper is not None:
        _set_input(prompt, ALIGNER, "model", arguments.whisper)


def _add_report(prompt: Prompt) -> None:
    """Video Report behind every Video Assembler, unless the workflow has one."""
    if any(node["class_type"] == REPORT for node in prompt.values()):
        return
    films = [(number, node) for number, node in prompt.items() if node["class_type"] == ASSEMBLER]
    if not films:
        raise WorkflowError("This workflow has no Video Assembler, so there is no film to report on.")
    for number, node in films:
        inputs = {"video": [number, 0], "timeline": node["inputs"]["timeline"]}
        prompt[f"report {number}"] = {"class_type": REPORT, "inputs": inputs, "_meta": {"title": "Video Report"}}


def read_reports(prompt: Prompt, outputs: dict[str, Any]) -> list[str]:
    """What the Video Report nodes of a prompt showed."""
    shown = [outputs.get(number, {}).get("text", []) for number, node in prompt.items() if node["class_type"] == REPORT]
    return ["".join(text) for text in shown if text]


def _replace_model(prompt: Prompt, checkpoint: str) -> None:
    """The user's checkpoint in the place of the built-in model; both give MODEL, CLIP, VAE in this order."""
    nodes = [node for node in prompt.values() if node["class_type"] == LOADER]
    if not nodes:
        raise WorkflowError("This workflow does not use the built-in model, so --checkpoint has nothing to replace.")
    for node in nodes:
        node.update(class_type="CheckpointLoaderSimple", inputs={"ckpt_name": checkpoint}, _meta={"title": "Load Checkpoint"})


def _read_workflow(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FilmError(f"{path} cannot be read as a workflow: {error}") from error


def _deliver(files: list[Path], arguments: argparse.Namespace) -> Path:
    films = [path for path in files if path.suffix.lower() in FILMS and path.is_file()]
    if not films:
        raise FilmError("The workflow ran, but it saved no film; end it with Video Assembler or Save Video.")
    target = arguments.out or _free_name(ROOT / "output", arguments.song or arguments.workflow, films[-1].suffix)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(films[-1], target)
    return target.resolve()


def _free_name(folder: Path, named_after: Path, suffix: str) -> Path:
    """The first of name, name-2, name-3 ... that is not taken."""
    number = 1
    while True:
        path = folder / f"{named_after.stem}{'' if number == 1 else f'-{number}'}{suffix}"
        if not path.exists():
            return path
        number += 1
