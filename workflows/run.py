"""Makes a film from a song, from the terminal: `python workflows/run.py --song my_song.mp3`.

Needs only Python 3.10 or newer. The first start makes `.venv`, installs ComfyUI's packages and, unless
COMFYUI_PATH names a ComfyUI or the pack lies in one, fetches ComfyUI itself. It runs the very workflow that the
editor shows, without a window, prints how far it is, and ends with the path of the film.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or newer is needed; this is Python " + sys.version.split()[0] + ".")

from runner.comfyui import ROOT, SetupError
from runner.environment import continue_in, prepare, prepared_comfyui


def main() -> int:
    arguments = read_arguments(sys.argv[1:])
    try:
        comfyui = prepared_comfyui()
        if comfyui is None:
            return continue_in(prepare(), __file__, sys.argv[1:])
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what it puts into the background deaf to it
        signal.signal(signal.SIGTERM, stop_once)
        from runner.film import FilmError, make_film

        try:
            film = make_film(arguments, comfyui)
        except FilmError as error:
            raise SetupError(str(error)) from error
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Finished clips are kept: run the same command to go on.", file=sys.stderr)
        return 130
    print(f"\n{film}")
    return 0


def stop_once(*_: object) -> None:
    """A polite kill ends the run as Ctrl-C does; those that follow change nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.raise_signal(signal.SIGINT)


def read_arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python workflows/run.py", description=str(__doc__).split("\n\n")[0])
    parser.add_argument("workflow", nargs="?", default="quickstart", help="a workflow of this pack or a file (default: quickstart)")
    parser.add_argument("--song", type=Path, help="the music: any file with sound (default: the demo song)")
    parser.add_argument("--out", type=Path, help="where the film goes (default: the folder output, named after the song)")
    parser.add_argument("--checkpoint", help="a checkpoint of yours instead of the built-in model")
    parser.add_argument("--style", help="how every picture looks, such as 'oil painting, warm light'")
    parser.add_argument("--prompts", type=Path, help="a text file with one scene a line")
    parser.add_argument("--lyrics", type=Path, help="the words: LRC, SRT, ASS, or plain text (best with --whisper); shown in the film")
    parser.add_argument("--whisper", help="a Whisper model, such as small, that hears when the words are sung, or which")
    parser.add_argument("--width", type=int, help="pixels")
    parser.add_argument("--height", type=int, help="pixels")
    parser.add_argument("--fps", type=float, help="frames per second")
    parser.add_argument("--steps", type=int, help="sampling steps for a picture")
    parser.add_argument("--seed", type=int, help="another number, another film")
    parser.add_argument("--report", action="store_true", help="measure the film when it is done: cuts, beats, sound, flicker, flashes")
    help_workers = "draw the shots on so many ComfyUI servers at once, one for each card (needs the package ray)"
    parser.add_argument("--workers", type=int, default=1, metavar="N", help=help_workers)
    help_set = "set any other input, such as StoryboardWriter.pace=calm; may be repeated"
    parser.add_argument("--set", action="append", default=[], metavar="NODE.INPUT=VALUE", help=help_set)
    arguments = parser.parse_args(words)
    arguments.workflow = find_workflow(arguments.workflow, parser)
    if arguments.workers < 1:
        parser.error("--workers must be 1 or more")
    for path in (arguments.song, arguments.prompts, arguments.lyrics):
        if path is not None and not path.is_file():
            parser.error(f"there is no file {path}")
    return arguments


def find_workflow(name: str, parser: argparse.ArgumentParser) -> Path:
    """A workflow by its path, or one of this pack by its name."""
    path = Path(name)
    bundled = ROOT / "workflows" / f"{path.stem}.json"
    if path.suffix == ".json" and path.is_file():
        return path
    if path.name in (path.stem, bundled.name) and bundled.is_file():
        return bundled
    known = ", ".join(sorted(file.stem for file in (ROOT / "workflows").glob("*.json")))
    parser.error(f"there is no workflow {name}; this pack has: {known}")


if __name__ == "__main__":
    sys.exit(main())
