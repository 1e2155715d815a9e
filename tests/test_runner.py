"""The command-line runner without a server: arguments, wishes put into the prompt, safe unpacking, the progress line."""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from runner import comfyui, environment, film
from runner.client import output_files
from runner.comfyui import SetupError
from runner.graph import WorkflowError
from runner.terminal import ProgressLine, clock

ROOT = Path(__file__).resolve().parent.parent


def wishes(**given: Any) -> argparse.Namespace:
    names = ("song", "out", "checkpoint", "style", "prompts", "lyrics", "whisper", "width", "height", "fps", "steps", "seed", "report")
    return argparse.Namespace(**{name: given.get(name) for name in names}, set=given.get("set", []))


@pytest.fixture
def prompt() -> dict[str, Any]:
    return {
        "1": {"class_type": "LoadAudio", "inputs": {"audio": "demo_song.ogg"}, "_meta": {"title": "Load Audio"}},
        "2": {"class_type": "StoryboardWriter", "inputs": {"style": "", "prompts": "", "pace": "calm"}, "_meta": {"title": "Plan"}},
        "3": {"class_type": "DemoModelLoader", "inputs": {}, "_meta": {"title": "Demo Model Loader"}},
        "4": {"class_type": "BeatSyncedSampler", "inputs": {"width": 64, "seed": 0, "model": ["3", 0]}, "_meta": {"title": "Draw"}},
    }


def test_wishes_reach_their_nodes(prompt: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "BASE", tmp_path / "base")
    song, scenes = tmp_path / "my song.mp3", tmp_path / "scenes.txt"
    song.write_bytes(b"sound")
    scenes.write_text("one\ntwo", encoding="utf-8")
    film.apply_wishes(prompt, wishes(song=song, prompts=scenes, width=128, seed=0, checkpoint="mine.safetensors", set=["Plan.pace=fast"]))
    assert prompt["1"]["inputs"]["audio"] == "songs/my song.mp3"
    assert (tmp_path / "base" / "input" / "songs" / "my song.mp3").read_bytes() == b"sound"
    assert prompt["2"]["inputs"] == {"style": "", "prompts": "one\ntwo", "pace": "fast"}
    assert prompt["3"]["class_type"] == "CheckpointLoaderSimple" and prompt["3"]["inputs"] == {"ckpt_name": "mine.safetensors"}
    assert prompt["4"]["inputs"]["width"] == 128


def test_lyrics_are_aligned_between_analyser_and_all_who_asked_it(prompt: dict[str, Any], tmp_path: Path) -> None:
    words = tmp_path / "song.lrc"
    words.write_text("[00:01.00]la", encoding="utf-8-sig")
    prompt["5"] = {"class_type": "AudioBeatAnalyzer", "inputs": {"audio": ["1", 0]}, "_meta": {"title": "Listen"}}
    prompt["6"] = {"class_type": "VideoAssembler", "inputs": {"timeline": ["2", 0], "lyrics": "none"}, "_meta": {"title": "Film"}}
    prompt["2"]["inputs"]["timeline"] = ["5", 0]
    for _ in range(2):  # a workflow that has one keeps it
        film.apply_wishes(prompt, wishes(lyrics=words, whisper="small"))
        (aligner,) = [number for number, node in prompt.items() if node["class_type"] == "LyricAligner"]
        assert prompt["2"]["inputs"]["timeline"] == [aligner, 0] and prompt["6"]["inputs"]["lyrics"] == "burnt in"
        inputs = prompt[aligner]["inputs"]
        assert inputs["timeline"] == ["5", 0] and inputs["audio"] == ["1", 0]
        assert inputs["lyrics"] == "[00:01.00]la" and inputs["model"] == "small"


def test_a_report_is_asked_for_and_read(prompt: dict[str, Any]) -> None:
    with pytest.raises(WorkflowError, match="no film to report on"):
        film.apply_wishes(prompt, wishes(report=True))
    prompt["5"] = {"class_type": "VideoAssembler", "inputs": {"timeline": ["2", 0]}, "_meta": {"title": "Film"}}
    film.apply_wishes(prompt, wishes(report=True))
    (number,) = set(prompt) - {"1", "2", "3", "4", "5"}
    assert prompt[number]["class_type"] == "VideoReport" and prompt[number]["inputs"] == {"video": ["5", 0], "timeline": ["2", 0]}
    film.apply_wishes(prompt, wishes(report=True))
    assert len(prompt) == 6, "a workflow that reports already is left as it is"
    assert film.read_reports(prompt, {number: {"text": ["Cuts: ", "all"]}, "2": {"text": ["a plan"]}}) == ["Cuts: all"]


def test_lyrics_need_a_song_and_a_text(prompt: dict[str, Any], tmp_path: Path) -> None:
    words = tmp_path / "song.lrc"
    words.write_bytes("für".encode("latin-1"))
    with pytest.raises(WorkflowError, match="no Audio Beat Analyzer"):
        film.apply_wishes(prompt, wishes(whisper="small"))
    with pytest.raises(WorkflowError, match=r"song.lrc is no text in UTF-8"):
        film.apply_wishes(prompt, wishes(prompts=words))


@pytest.mark.parametrize(
    ("given", "words"),
    [({"height": 64}, "no input 'height'"), ({"set": ["pace"]}, "NODE.INPUT=VALUE"), ({"set": ["Nowhere.x=1"]}, "no node Nowhere")],
)
def test_impossible_wishes_are_explained(prompt: dict[str, Any], given: dict[str, Any], words: str) -> None:
    with pytest.raises(WorkflowError, match=words):
        film.apply_wishes(prompt, wishes(**given))


def test_film_is_copied_to_a_free_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "ROOT", tmp_path)
    made = tmp_path / "film_00001_.mp4"
    made.write_bytes(b"film")
    arguments = wishes(song=Path("tune.mp3"))
    assert film._deliver([made], arguments).name == "tune.mp4"
    assert film._deliver([made], arguments).name == "tune-2.mp4"
    assert film._deliver([made], wishes(out=tmp_path / "new" / "mine.mp4")).read_bytes() == b"film"
    with pytest.raises(film.FilmError, match="saved no film"):
        film._deliver([], arguments)


def test_saved_files_are_found_in_the_history() -> None:
    saved = {"filename": "a.mp4", "subfolder": "x", "type": "output"}
    outputs = {"1": {"images": [{"filename": "p.png", "type": "temp"}]}, "2": {"images": [saved], "animated": [True], "text": ["hello"]}}
    assert output_files(outputs, Path("base")) == [Path("base/output/x/a.mp4")]


def test_unpacking_stays_in_its_folder(tmp_path: Path) -> None:
    inside = str(comfyui.INSIDE)
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in (f"{inside}/main.py", f"{inside}/deep/x.py", f"{inside}/../../../evil.py", "/evil.py", "other/readme.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = 2
            tar.addfile(entry, io.BytesIO(b"ok"))
        link = tarfile.TarInfo(f"{inside}/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    comfyui._unpack(archive, tmp_path / "out")
    written = sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert written == ["out/deep/x.py", "out/main.py"]
    assert not list(tmp_path.glob("evil.py"))


def test_a_wrong_comfyui_path_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"no main\.py"):
        comfyui.installed_comfyui()


def test_the_pack_finds_the_comfyui_it_lies_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMFYUI_PATH", raising=False)
    here = tmp_path / "ComfyUI" / "custom_nodes" / "pack" / "workflows" / "runner"
    here.mkdir(parents=True)
    (tmp_path / "ComfyUI" / "main.py").touch()
    monkeypatch.setattr(comfyui, "__file__", str(here / "comfyui.py"))
    assert comfyui.installed_comfyui() == tmp_path / "ComfyUI"


def test_only_the_process_inside_knows_that_it_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUSIC_VIDEO_COMFYUI", raising=False)
    assert environment.prepared_comfyui() is None


@pytest.mark.parametrize(
    ("words", "answer"), [(["nowhere"], "this pack has:"), (["--song", "nowhere.mp3"], "there is no file nowhere.mp3")]
)
def test_wrong_arguments_are_refused_at_once(words: list[str], answer: str) -> None:
    result = subprocess.run([sys.executable, str(ROOT / "workflows" / "run.py"), *words], capture_output=True, text=True)
    assert result.returncode == 2 and answer in result.stderr


def test_progress_line_in_a_file_says_every_tenth() -> None:
    stream = io.StringIO()
    line = ProgressLine(2, stream)
    line.start("Draw")
    for done in range(1, 101):
        line.update(done, 100)
    line.finish()
    text = stream.getvalue().splitlines()
    assert text[0] == "[1/2] Draw" and len(text) <= 13
    assert "100 %" in text[-2]


def test_clock() -> None:
    assert [clock(0.4), clock(59.4), clock(59.6), clock(125)] == ["0 s", "59 s", "1:00", "2:05"]


def test_packages_are_installed_once_and_again_when_a_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment.subprocess, "run", lambda command: commands.append(command) or argparse.Namespace(returncode=0))
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("librosa\n", encoding="utf-8")
    for _ in range(2):
        environment._install(Path("python"), wanted)
    assert len(commands) == 1 and str(wanted) in commands[0]
    wanted.write_text("librosa>=0.10\n", encoding="utf-8")
    environment._install(Path("python"), wanted)
    assert len(commands) == 2


def test_a_failed_installation_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "VENV", tmp_path)
    monkeypatch.setattr(environment.subprocess, "run", lambda command: argparse.Namespace(returncode=1))
    (tmp_path / "requirements.txt").touch()
    with pytest.raises(SetupError, match="pip says"):
        environment._install(Path("python"), tmp_path / "requirements.txt")
    assert not (tmp_path / "music-video-installed.json").exists()
