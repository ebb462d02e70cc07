"""A folder of sketches -> the same folder with drums: in parallel, a bad file costs that file only."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from composer import batch_report, workers
from composer.errors import ComposerError, ExitCode, OutputError, SketchError, UsageError
from composer.options import DrumsOptions
from encoding.sources import MIDI_SUFFIXES

REPORT = batch_report.NAME
TIME_LIMIT_S = 60.0
"""The slowest of 13,382 songs takes a few seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """One sketch; with ``resume`` an output that is there already is verified instead of made."""

    source: Path
    target: Path
    options: DrumsOptions
    resume: bool


def sketches(folder: Path, output: Path) -> list[tuple[Path, Path]]:
    """(sketch, its output) of every MIDI file below a folder, in order; the output mirrors the folder's structure.

    Raises:
        SketchError: no such folder, or no MIDI file in it.
        UsageError: the output is that same folder.
    """
    if not folder.is_dir():
        raise SketchError(
            f"{folder} is not a folder; name a folder of MIDI files, or use 'composer drums' for one file"
        )
    source, goal = folder.resolve(), output.resolve()
    if goal == source:
        raise UsageError(f"-o {output} is the folder of the sketches itself; choose another, or one inside it")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in MIDI_SUFFIXES and path.is_file())
    # an output folder among the sketches holds the drums of earlier runs
    earlier = goal if goal.is_relative_to(source) else None
    inside = [path for path in found if not (earlier and path.resolve().is_relative_to(earlier))]
    if not inside:
        raise SketchError(f"{folder} holds no MIDI files (.mid, .midi)")
    stems: dict[Path, int] = {}
    pairs = []
    for path in inside:
        target = output / path.relative_to(folder).with_suffix(".drums.mid")
        stems[target] = stems.get(target, 0) + 1
        # a.mid and a.midi in one folder are two songs
        pairs.append((path, target if stems[target] == 1 else target.with_name(path.name + ".drums.mid")))
    return pairs


def run(
    pairs: list[tuple[Path, Path]], output: Path, options: DrumsOptions, *, jobs: int, resume: bool,
    time_limit_s: float = TIME_LIMIT_S,
) -> Generator[dict[str, Any]]:  # fmt: skip
    """Accompany all sketches; yields the result of each as it is done, and writes it to the report.

    A result has the keys of ``drums --json`` without the lists of beats, or "file", "error" and "exit_code". With
    ``resume`` the results of earlier runs come first, from the report; an output that is not in the report, because
    the run before was killed in between, is compared with its sketch and has "verified" in its result.

    Raises:
        OutputError: the output folder cannot be written, or another batch is writing there.
        InstallError: the weights of the networks cannot be used.
    """
    try:
        for folder in {target.parent for _, target in pairs} | {output}:
            folder.mkdir(parents=True, exist_ok=True)
        with _claimed(output):
            batch_report.remove_strays(output)
            try:
                yield from _results(pairs, output, options, jobs, resume, time_limit_s)
            finally:
                batch_report.remove_strays(output)
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}; choose another folder with -o") from error


def _results(
    pairs: list[tuple[Path, Path]], output: Path, options: DrumsOptions, jobs: int, resume: bool, time_limit_s: float
) -> Iterator[dict[str, Any]]:
    wanted = {str(source): str(target) for source, target in pairs}
    with batch_report.renew(output, wanted, resume=resume) as report:
        done = set()
        for row in batch_report.rows(output / REPORT):
            done.add(row["file"])
            yield row
        waiting = (Job(*pair, options, resume) for pair in pairs if str(pair[0]) not in done)
        for job, result in workers.each(_one, waiting, prepare=_load, jobs=jobs, time_limit_s=time_limit_s):
            if isinstance(result, workers.Lost):
                message = f"{job.source} cannot be done: {result.reason}; see --time-limit, or report this"
                result = _failure(job, message, ExitCode.BUG)
            batch_report.append(report, result)
            yield result


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Keep other batches out of a folder; the lock ends with this process, whatever ends it."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # some network shares have no locks for folders
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(place)
            raise OutputError(f"{folder}: another batch is writing there; wait for it, or choose another") from error
    try:
        yield
    finally:
        os.close(place)


def _load() -> None:
    """Once in every worker: what all sketches need."""
    from composer import pipeline

    pipeline.load()


def _one(job: Job) -> dict[str, Any]:
    try:
        result = _made(job)
    except ComposerError as error:
        return _failure(job, str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001  # a bug met by one sketch is reported and must not cost the others
        message = f"{job.source}: a bug in composer ({type(error).__name__}: {error}); please report it"
        return _failure(job, message, ExitCode.BUG)
    return {name: value for name, value in result.items() if name not in ("beats_s", "downbeats_s")}


def _made(job: Job) -> dict[str, Any]:
    from composer import pipeline

    may_be_there = job.resume and not job.options.force
    if may_be_there and job.target.exists():
        return _verified(job)
    try:
        return pipeline.result(pipeline.accompany(job.source, job.target, job.options))
    except OutputError:
        # a worker may outlive its killed batch by a moment, and finish this very file
        if may_be_there and job.target.exists():
            return _verified(job)
        raise


def _verified(job: Job) -> dict[str, Any]:
    """What can be said of an output without making it again."""
    from composer import listen, merge, read

    sketch = read.sketch(job.source)
    hits = merge.verify_output(sketch, job.target, replace_drums=job.options.replace_drums)
    heard = listen.listen(sketch, job.options)
    return listen.analysis(heard) | {"output": str(job.target), "hits": hits, "verified": True}


def _failure(job: Job, message: str, exit_code: ExitCode) -> dict[str, Any]:
    return {"file": str(job.source), "error": message, "exit_code": int(exit_code)}
