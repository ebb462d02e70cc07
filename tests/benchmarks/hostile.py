"""Files that are broken on purpose: `python tests/benchmarks/hostile.py FOLDER [--jobs 1] [--limit 10]`.

Every file below FOLDER goes through `composer drums` in a process of its own worker, with a time limit. The table
tells, for each folder right below FOLDER, how many were accompanied and how many refused, with what exit code. An
output must hold every chunk of its file unchanged and notes on channel 10; nothing else may be written.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from composer import workers
from composer.errors import ComposerError, ExitCode


@dataclass
class Outcome:
    """What became of one file: an exit code as the command has it, and what was wrong besides."""

    code: str
    line: str
    seconds: float
    memory_mib: float
    faults: list[str] = field(default_factory=list)


def prepare() -> None:
    from composer import pipeline

    pipeline.load()


def run(job: tuple[Path, Path]) -> Outcome:
    """One file through the product; with ``target`` the output and whatever else lies in its folder are removed."""
    from composer import pipeline
    from composer.options import DrumsOptions

    source, target = job
    before = hashlib.sha256(source.read_bytes()).hexdigest()
    start = time.perf_counter()
    code, line = "DONE", ""
    try:
        pipeline.result(pipeline.accompany(source, target, DrumsOptions()))
    except ComposerError as error:
        code, line = error.exit_code.name, " ".join(str(error).split())
    except Exception as error:  # noqa: BLE001  # a traceback without --debug's help: what this program looks for
        code, line = ExitCode.BUG.name, f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - start
    faults = checks(source, target) if code == "DONE" else []
    if (target.exists()) != (code == "DONE") or [path for path in target.parent.iterdir() if path != target]:
        faults.append("partial output")
    if hashlib.sha256(source.read_bytes()).hexdigest() != before:
        faults.append("source changed")
    target.unlink(missing_ok=True)
    return Outcome(code, line, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, faults)


def checks(source: Path, target: Path) -> list[str]:
    """Each chunk found anew by its own bytes, without the code that made the file."""
    from encoding import midi, smf

    data, written = source.read_bytes(), target.read_bytes()
    place, lost = written.find(b"MThd") + 14, []
    for chunk in smf.split(data).chunks:
        found = written.find(chunk.raw, place)
        if found < 0:
            lost.append(f"chunk at byte {chunk.start} lost")
        else:
            place = found + len(chunk.raw)
    tracks = midi.parse(written).tracks
    silent = [] if any(len(track.notes) for track in tracks if track.is_drums) else ["no drums"]
    return lost + silent


def main() -> None:
    """Print the table; exit code 1 if anything but outputs and refusals was met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--limit", type=float, default=10.0, help="seconds for one file")
    parser.add_argument("--lines", action="store_true", help="print every refusal")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.rglob("*") if path.is_file())
    table: dict[str, Counter[str]] = defaultdict(Counter)
    slowest, most_mib, trouble = (0.0, Path()), 0.0, []
    with tempfile.TemporaryDirectory() as scratch:
        jobs = []
        for number, path in enumerate(files):
            (Path(scratch) / str(number)).mkdir()
            jobs.append((path, Path(scratch) / str(number) / "out.mid"))
        for (path, _), outcome in workers.each(
            run, jobs, prepare=prepare, jobs=arguments.jobs, time_limit_s=arguments.limit
        ):
            kind = path.relative_to(arguments.folder).parts[0]
            table[kind][code(outcome)] += 1
            if isinstance(outcome, workers.Lost) or outcome.code == "BUG" or outcome.faults:
                trouble.append(f"{path}: {outcome}")
                continue
            if outcome.line and arguments.lines:
                print(outcome.code, outcome.line)
            slowest = max(slowest, (outcome.seconds, path))
            most_mib = max(most_mib, outcome.memory_mib)
        left = [path for path in Path(scratch).rglob("*") if path.is_file()]
    report(table, len(files))
    print(f"slowest {slowest[0]:.2f} s ({slowest[1].name}), {most_mib:.0f} MiB, {len(left)} stray files")
    print(*trouble, sep="\n")
    sys.exit(bool(trouble or left))


def code(outcome: Any) -> str:
    return "LOST" if isinstance(outcome, workers.Lost) else outcome.code


def report(table: dict[str, Counter[str]], total: int) -> None:
    codes = sorted({code for row in table.values() for code in row})
    print(f"{'class':20}", *(f"{code:>8}" for code in codes))
    for kind, row in sorted(table.items()):
        print(f"{kind:20}", *(f"{row[code]:8}" for code in codes))
    print(f"{f'all {total}':20}", *(f"{sum(row[code] for row in table.values()):8}" for code in codes))


if __name__ == "__main__":
    main()
