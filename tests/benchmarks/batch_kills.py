"""Killed at random and resumed: `python tests/benchmarks/batch_kills.py FOLDER [--kills 10] [--files 100] [--jobs 2]`.

The first files of FOLDER go through `composer batch` once without harm. Then, so many times, into a new folder: killed
(SIGKILL, the parent alone, or one of its workers instead with --workers) at a random moment of the time that took,
then resumed. Every output must be the unharmed one byte for byte, the report must have one row for each sketch, none
made twice, and no other file may remain.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPORT = "composer-batch.jsonl"


def start(source: Path, output: Path, jobs: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "composer.cli", "batch", source, "-o", output, "--jobs", jobs, "--resume"]
    return subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / REPORT).read_text(encoding="utf-8").splitlines()]


def kill_a_worker(parent: subprocess.Popen[bytes], rng: np.random.Generator) -> None:
    """One of the processes that the parent started, whichever it is."""
    listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text(encoding="ascii").split()
    if listed:
        os.kill(int(rng.choice(listed)), signal.SIGKILL)


def harm(source: Path, output: Path, arguments: argparse.Namespace, moment: float, rng: np.random.Generator) -> bool:
    """Kill at a moment; whether there was still something to kill."""
    process = start(source, output, arguments.jobs)
    time.sleep(moment)
    in_time = process.poll() is None
    if arguments.workers and in_time:
        kill_a_worker(process, rng)
    else:
        process.kill()
    process.wait()
    return in_time


def main() -> None:
    """Print what was killed and what was lost; exit code 1 if anything was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--workers", action="store_true", help="kill a worker instead of the whole batch")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "in"
        for number, path in enumerate(sorted(arguments.folder.rglob("*.mid"))[: arguments.files]):
            target = source / str(number % 3) / path.name  # in folders, which the output mirrors
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
        began = time.perf_counter()
        start(source, Path(scratch) / "whole", arguments.jobs).wait()
        whole_s = time.perf_counter() - began
        wanted = contents(Path(scratch) / "whole")
        sound, in_time, done_before, verified, remade, wrong = 0, 0, [], 0, 0, []
        for number in range(arguments.kills):
            output = Path(scratch) / str(number)
            in_time += harm(source, output, arguments, rng.uniform(0, whole_s), rng)
            before = {path: path.stat().st_mtime_ns for path in output.rglob("*.mid")}
            done_before.append(len(before))
            start(source, output, arguments.jobs).wait()
            remade += sum(path.stat().st_mtime_ns != moment for path, moment in before.items())
            found, report = contents(output), rows(output)
            verified += sum("verified" in row for row in report)
            names = {row["file"] for row in report}
            differing = {
                name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name) and name != REPORT
            }
            is_complete = len(report) == len(names) == len(rows(Path(scratch) / "whole"))
            sound += not differing and is_complete
            wrong += sorted(differing) + ([] if is_complete else [f"report of {len(report)} rows"])
    figures = {
        "seconds_unharmed": round(whole_s, 1), "outputs": len(wanted) - 1, "killed": in_time, "done_before": done_before,
        "verified": verified, "made_twice": remade, "sound": sound, "of": arguments.kills, "wrong": wrong[:10],
    }  # fmt: skip
    print(json.dumps(figures))
    sys.exit(sound != arguments.kills or remade > 0)


if __name__ == "__main__":
    main()
