"""A folder of sketches -> the same folder with drums: in parallel, a bad file costs that file only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from composer.errors import ComposerError, OutputError, SketchError, UsageError
from composer.options import DrumsOptions
from encoding.sources import MIDI_SUFFIXES

REPORT = "composer-batch.jsonl"


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
    pairs: list[tuple[Path, Path]], output: Path, options: DrumsOptions, *, jobs: int, resume: bool
) -> Iterator[dict[str, Any]]:
    """Accompany all sketches; yields the result of each as it is done, and writes it to the report.

    A result has the keys of ``drums --json``, or "file" and "error" and "exit_code". With ``resume`` files whose
    output exists are left out.

    Raises:
        OutputError: the output folder cannot be written.
    """
    waiting = [pair for pair in pairs if not (resume and pair[1].exists())]
    try:
        for folder in {target.parent for _, target in waiting} | {output}:
            folder.mkdir(parents=True, exist_ok=True)
        report = (output / REPORT).open("a" if resume else "w", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}; choose another folder with -o") from error
    with report, ProcessPoolExecutor(max_workers=jobs) as pool:
        futures = {pool.submit(_one, source, target, options): source for source, target in waiting}
        for future in as_completed(futures):
            result = future.result()
            report.write(json.dumps(result, ensure_ascii=False) + "\n")
            report.flush()
            yield result


def _one(source: Path, target: Path, options: DrumsOptions) -> dict[str, Any]:
    from composer import pipeline

    try:
        result = pipeline.result(pipeline.accompany(source, target, options))
    except ComposerError as error:
        return {"file": str(source), "error": str(error), "exit_code": int(error.exit_code)}
    except Exception as error:  # noqa: BLE001  # a bug met by one sketch is reported and must not cost the others
        message = f"{source}: a bug in composer ({type(error).__name__}: {error}); please report it"
        return {"file": str(source), "error": message, "exit_code": 1}
    return {name: value for name, value in result.items() if name not in ("beats_s", "downbeats_s")}
