"""The command line in tests: in this process, which is quick, or as the installed program, which proves it."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import mido

from composer import cli

PROGRAM = Path(sysconfig.get_path("scripts")) / "composer"


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be exactly one JSON object on one line, NaN not being JSON."""
        (line,) = self.out.splitlines()
        content = json.loads(line, parse_constant=_refuse)
        assert isinstance(content, dict)
        return content


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def run(*words: object) -> Outcome:
    """``composer WORDS`` through its entry point, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["composer", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
    assert code is None or isinstance(code, int)
    return Outcome(code or 0, out.getvalue(), err.getvalue())


def installed(*words: object, cwd: Path | None = None) -> Outcome:
    """``composer WORDS`` as the shell starts it."""
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, cwd=cwd, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


def one_line(err: str) -> str:
    """The error, which must be one line and no traceback."""
    assert err.endswith("\n")
    (line,) = err.splitlines()
    assert line.startswith("composer: ")
    assert "Traceback" not in line
    return line


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def drum_notes(path: Path) -> list[mido.Message]:
    return [m for t in mido.MidiFile(path).tracks for m in t if m.type == "note_on" and m.velocity and m.channel == 9]
