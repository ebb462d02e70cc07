"""A fault at every step of writing: the sketch stays as it is, nothing half-written stays behind, exit code 4."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM, names, one_line, run
from songs import made_song

from composer import batch_report, merge, pipeline
from composer.errors import ExitCode
from gan import generate

SONG = made_song(3, bars=4, drums=False)
FAULTS = {
    errno.ENOSPC: "no space left on the disk",
    errno.EACCES: "no permission",
    errno.EROFS: "the disk is read-only",
    errno.EIO: "Input/output error",
    errno.EDQUOT: "the disk quota is used up",
}
# Every call to the system between the pattern and its file, as (owner, name).
STEPS: list[tuple[Any, str]] = [
    (Path, "open"),
    (merge.os, "fsync"),
    (Path, "read_bytes"),
    (Path, "hardlink_to"),
    (Path, "touch"),
    (Path, "replace"),
]


@pytest.fixture
def sketch(tmp_path: Path) -> Path:
    """A sketch alone in one folder; outputs go to another."""
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    path = tmp_path / "in" / "song.mid"
    path.write_bytes(SONG)
    return path


def break_at(monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str], fault: Callable[[], None], where: Path) -> None:
    """Let a step meet a fault wherever it touches files of one folder; before it, for steps on whole files."""
    owner, name = step
    real = getattr(owner, name)

    def broken(target: Any, *args: Any, **options: Any) -> Any:
        if isinstance(target, int) or target.parent == where:
            fault()
        return real(target, *args, **options)

    monkeypatch.setattr(owner, name, broken)


def failing(number: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", FAULTS)
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[1])
@pytest.mark.parametrize("force", [False, True], ids=["new", "force"])
def test_a_fault_at_any_step(
    sketch: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str], number: int, force: bool
) -> None:
    output = sketch.parents[1] / "out" / "song.drums.mid"
    if force:
        output.write_bytes(b"an older take")
    if step[1] in ("touch", "replace") and not force:  # the way without hard links
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: failing(errno.EPERM)())
    break_at(monkeypatch, step, failing(number), output.parent)
    done = run("drums", sketch, "-o", output, *(["--force"] if force else []))
    monkeypatch.undo()
    if step[1] == "hardlink_to" or (step[1] == "touch" and force):
        assert done.exit_code == 0  # there is another way, or that step is not taken
        assert names(output.parent) == [output.name]
    else:
        assert (done.exit_code, done.out) == (ExitCode.OUTPUT, "")
        assert f"{output} cannot be written: {FAULTS[number]}" in one_line(done.err)
        assert names(output.parent) == ([output.name] if force else [])
        assert not force or output.read_bytes() == b"an older take"
    assert sketch.read_bytes() == SONG
    assert names(sketch.parent) == [sketch.name]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[1])
def test_a_folder_that_vanishes_at_any_step(
    sketch: Path, monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str]
) -> None:
    folder = sketch.parents[1] / "out"
    if step[1] in ("touch", "replace"):
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: failing(errno.EPERM)())
    break_at(monkeypatch, step, lambda: shutil.rmtree(folder, ignore_errors=True), folder)
    done = run("drums", sketch, "-o", folder / "song.drums.mid")
    monkeypatch.undo()
    assert done.exit_code == ExitCode.OUTPUT
    assert "the folder is not there any more" in one_line(done.err)
    assert not folder.exists()
    assert names(sketch.parent) == [sketch.name]
    assert sketch.read_bytes() == SONG


def test_a_disk_that_takes_half_of_the_file(sketch: Path) -> None:
    """No imitation: the system itself cuts the file off, as a full disk does."""
    limit = len(SONG) // 2
    done = subprocess.run(
        [PROGRAM, "drums", sketch, "-o", sketch.parents[1] / "out" / "song.mid"],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (ExitCode.OUTPUT, "")
    assert "cannot be written: the file is larger than" in one_line(done.stderr)
    assert names(sketch.parents[1] / "out") == []
    assert sketch.read_bytes() == SONG


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(sketch: Path) -> None:
    folder = sketch.parents[1] / "out"
    folder.chmod(0o500)
    done = run("drums", sketch, "-o", folder / "song.mid")
    folder.chmod(0o700)
    assert done.exit_code == ExitCode.OUTPUT
    assert "no permission" in one_line(done.err)


def test_a_report_that_cannot_be_written_ends_the_batch(sketch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_report, "append", lambda *_: failing(errno.ENOSPC)())
    output = sketch.parents[1] / "out"
    done = run("batch", sketch.parent, "-o", output, "--jobs", 1)
    monkeypatch.undo()
    assert done.exit_code == ExitCode.OUTPUT
    assert "No space left on device" in one_line(done.err)
    assert not list(output.rglob(".composer-*"))
    assert run("batch", sketch.parent, "-o", output, "--jobs", 1, "--resume").exit_code == 0


def test_patterns_are_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merge.os, "fsync", lambda *_: failing(errno.ENOSPC)())
    done = run("generate", "-o", tmp_path, "--count", 2)
    assert done.exit_code == ExitCode.OUTPUT
    assert "no space left" in one_line(done.err)
    assert names(tmp_path) == []


@pytest.mark.parametrize("words", [("drums", "SKETCH"), ("generate", "-o", "OUT"), ("batch", "IN", "-o", "OUT")])
def test_weights_that_are_damaged_are_no_bug(
    sketch: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    def damaged(*_: object) -> None:
        raise generate.WeightsError("generator.onnx: damaged or of another version; export again")

    monkeypatch.setattr(pipeline.generate, "network", damaged)
    if words[0] == "batch":  # its processes are others: what they would send back is raised here
        monkeypatch.setattr("composer.workers.each", lambda *_, **__: iter(pipeline.load() or ()))
    places = {"SKETCH": sketch, "IN": sketch.parent, "OUT": sketch.parents[1] / "out"}
    done = run(*(places.get(word, word) for word in words))
    assert done.exit_code == ExitCode.BUG
    line = one_line(done.err)
    assert "generator.onnx: damaged" in line
    assert "install composer again" in line
    assert "bug" not in line
    assert names(sketch.parent) == [sketch.name]
