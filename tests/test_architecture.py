"""House rules: what is imported when, and how long things may be."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import PROGRAM

ROOT = Path(__file__).parents[1]
PACKAGES = ("composer", "gan", "encoding")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
HEAVY = {"torch", "music21", "pretty_midi", "pypianoroll", "scipy", "matplotlib"}
NOT_FOR_HELP = HEAVY | {"numpy", "onnxruntime", "symusic", "mido", "gan", "encoding"}
MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 50
SHORT = 8  # lines that say themselves what they do

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    """Lines of a function without its docstring and decorators."""
    first = function.body[0]
    documented = ast.get_docstring(function) is not None
    return (function.end_lineno or 0) - function.lineno + 1 - (_lines(first) if documented else 0)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def test_help_imports_nothing_heavy() -> None:
    """Through the installed program: help and shell completion run these imports at every press of a key."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", PROGRAM, "--help"], capture_output=True, text=True, check=True
    )
    imported = {line.split("|")[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "composer" in imported
    assert "typer" in imported
    assert not imported & NOT_FOR_HELP


@pytest.mark.parametrize("command", ["drums", "analyze", "batch", "generate"])
def test_musicians_never_wait_for_what_trains_and_tests(command: str, tmp_path: Path) -> None:
    sketch = ROOT / "examples" / "funk-bass.mid"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.mid").write_bytes(sketch.read_bytes())
    words = {
        "drums": ["drums", str(sketch), "-o", str(tmp_path / "out.mid")],
        "analyze": ["analyze", str(sketch)],
        "batch": ["batch", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--jobs", "1"],
        "generate": ["generate", "-o", str(tmp_path), "--count", "1"],
    }[command]
    script = (
        "import json, sys\nfrom composer import cli\n"
        f"sys.argv = ['composer', *{words!r}]\n"
        "try:\n    cli.main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "sys.stderr.write(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported = {name.split(".")[0] for name in json.loads(done.stderr)}
    assert "symusic" in imported
    assert not imported & HEAVY


def test_files_are_short() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert len(lengths) > 40
    assert {path: lines for path, lines in lengths.items() if lines >= MOST_LINES} == {}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short_and_say_what_they_do(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {f.name: length(f) for f in functions(tree) if length(f) > MOST_LINES_OF_A_FUNCTION}
    assert long == {}
    silent = [
        f.name
        for f in functions(tree)
        if not f.name.startswith("_") and length(f) > SHORT and ast.get_docstring(f) is None
    ]
    assert silent == []
    assert ast.get_docstring(tree), "a file says what it is for"


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_hold_a_docstring_and_nothing_else(package: str) -> None:
    for path in (ROOT / package).rglob("__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert len(body) == 1, path
        assert ast.get_docstring(ast.Module(body, [])), path


def test_no_path_of_a_machine() -> None:
    files = [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "tools").rglob("*.py"), ROOT / "pyproject.toml"]
    places = [f"/{folder}/" for folder in ("home", "tmp", "work", "root")]
    assert [path.name for path in files if any(place in path.read_text(encoding="utf-8") for place in places)] == []
