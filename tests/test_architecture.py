"""The laws of the architecture, as far as a program can hold people to them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NODES = ROOT / "nodes"
ENGINE = NODES / "engine"
HOST = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "folder_paths", "server", "nodes", "execution", "latent_preview"}
HEAVY = {
    "torch",
    "torchvision",
    "torchaudio",
    "librosa",
    "av",
    "scipy",
    "cv2",
    "transformers",
    "numba",
    "peft",
    "diffusers",
    "faster_whisper",
}
ENGINE_FILES = sorted(ENGINE.rglob("*.py"))
NODE_FILES = sorted(path for path in NODES.glob("*.py") if path.name != "__init__.py")
ALL_FILES = sorted([*NODES.rglob("*.py"), *(ROOT / "workflows").rglob("*.py"), ROOT / "__init__.py"])
# What is drawn or composed is data written as code; it may be long.
LONG_BY_NATURE = {"compose_demo_song.py"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(level of relative import, dotted module) of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.level, node.module
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, alias.name) for alias in node.names)


def import_time_statements(tree: ast.Module) -> ast.Module:
    """The tree without what runs later (functions) or never (`if TYPE_CHECKING`)."""

    class Drop(ast.NodeTransformer):
        def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # noqa: N802
            return None

        visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

        def visit_If(self, node: ast.If) -> ast.AST | None:  # noqa: N802
            return None if "TYPE_CHECKING" in ast.unparse(node.test) else self.generic_visit(node)

    return Drop().visit(tree)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", ENGINE_FILES, ids=name_of)
def test_engine_knows_nothing_of_the_host(path: Path) -> None:
    if ENGINE / "demo" in path.parents:
        tree: ast.AST = import_time_statements(tree_of(path))  # it builds the host's model classes, inside functions
    else:
        tree = tree_of(path)
    foreign = {module for level, module in imports(tree) if level == 0 and module.split(".")[0] in HOST}
    assert not foreign


@pytest.mark.parametrize("part", ["song", "person", "film"])
def test_song_person_and_film_never_import_each_other(part: str) -> None:
    others = {"song", "person", "film"} - {part}
    for path in sorted((ENGINE / part).rglob("*.py")):
        for level, module in imports(tree_of(path)):
            assert not (level >= 2 and module.split(".")[0] in others), f"{name_of(path)} imports {module}"


def loaded_at_start() -> set[Path]:
    """Our files that ComfyUI's start imports, followed from the table of contents."""
    found: set[Path] = set()
    waiting = [NODES / "extension.py"]
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found.add(path)
        for node in ast.walk(import_time_statements(tree_of(path))):
            if isinstance(node, ast.ImportFrom) and node.level:
                module = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                waiting += [module.with_suffix(".py"), module / "__init__.py"]
                waiting += [(module / alias.name).with_suffix(".py") for alias in node.names]
    return found


def test_nothing_heavy_is_imported_when_comfyui_starts() -> None:
    for path in sorted(loaded_at_start()):
        modules = {module for level, module in imports(import_time_statements(tree_of(path))) if level == 0}
        heavy = {module for module in modules if module.split(".")[0] in HEAVY}
        assert not heavy, f"{name_of(path)} imports {heavy}"


@pytest.mark.parametrize("path", sorted(NODES.rglob("*.py")), ids=name_of)
def test_pack_imports_itself_relatively(path: Path) -> None:
    """Inside ComfyUI `nodes` is ComfyUI's own module, and the pack's name is whatever its folder is called."""
    absolute = {module for level, module in imports(tree_of(path)) if level == 0 and module.split(".")[0] in ("pack", "custom_nodes")}
    assert not absolute


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "a module begins with what it turns into what"


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_files_and_functions_stay_short(path: Path) -> None:
    limit = 150 if path in NODE_FILES else 300
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= limit or path.name in LONG_BY_NATURE, f"{len(lines)} lines, at most {limit}"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            # A schema is a table of inputs, not logic.
            longest = 90 if node.name == "define_schema" else 20 if node.name == "execute" else 40
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= longest, f"{node.name} has {length} lines, at most {longest}"


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_every_signature_is_typed(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            untyped = [argument.arg for argument in arguments if argument.annotation is None and argument.arg not in ("self", "cls")]
            assert not untyped and node.returns is not None, f"{node.name} line {node.lineno}: {untyped or 'no return type'}"


def test_names_say_something() -> None:
    vague = {"utils", "helpers", "common", "core", "manager", "misc", "util", "helper"}
    assert not [name_of(path) for path in ALL_FILES if path.stem in vague or path.parent.name in vague]


def test_workflows_folder_holds_only_templates() -> None:
    """ComfyUI offers every JSON file that lies directly in it to the user."""
    allowed = {".json", ".jpg", ".py"}
    assert not [path.name for path in (ROOT / "workflows").iterdir() if path.is_file() and path.suffix not in allowed]
