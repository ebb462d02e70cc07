"""Results on the screen, through rich; or as one JSON object and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console

from composer import report
from composer.errors import ComposerError, ExitCode
from composer.pipeline import Accompaniment, result
from composer.preview import render
from encoding.conditions import ROLES

LEAST_WIDTH = 60
WIDTH_WITHOUT_TERMINAL = 100


def console() -> Console:
    """Standard output; a fixed width where it is no terminal, so that files and pipes read well."""
    is_fixed = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(width=WIDTH_WITHOUT_TERMINAL if is_fixed else None)


def width(on: Console) -> int:
    return max(on.width, LEAST_WIDTH)


def jobs(asked: int | None) -> int:
    return asked or len(os.sched_getaffinity(0))


def print_json(content: object) -> None:
    sys.stdout.write(_json(content) + "\n")


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False)


def show_analysis(analysis: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(analysis)
        return
    on = console()
    on.print(report.analysis(analysis))
    _notes(on, analysis)


def show_drums(made: Accompaniment, *, as_json: bool, preview: bool, verify: bool) -> None:
    """Grid and summary, or the JSON object; with ``verify`` the proof that all chunks of the sketch are kept."""
    facts = result(made)
    if verify:
        facts["proof"] = [asdict(chunk) for chunk in made.proof.chunks]
    if as_json:
        print_json(facts)
        return
    on = console()
    if preview:
        line = made.asked.onsets[:, :, ROLES.index("bass" if made.heard.roles.bass else "lead")]
        chart = render(
            made.pattern, made.heard.grid, made.heard.sections, bars=None, width=width(on),
            line_onsets=line if np.any(line) else None,
        )  # fmt: skip
        on.print(chart)
        on.print()
    on.print(report.drums(facts))
    if verify:
        on.print(report.proof(facts["proof"]))
    _notes(on, facts)
    if facts["drums_in_sketch"] and not made.options.replace_drums:
        on.print(
            f"The sketch has drums of its own ({facts['drums_in_sketch']} hits): they are still there beside the new "
            "track; --replace-drums takes them out.", highlight=False,
        )  # fmt: skip


def _notes(on: Console, facts: dict[str, Any]) -> None:
    if facts["tempo_source"] == "estimated" and facts["confidence"] < 0.5:
        on.print(
            f"Not sure of the bars ({facts['confidence']:.0%}): if the drums are off, give --tempo, --meter or "
            "--first-bar.", highlight=False, style="yellow",
        )  # fmt: skip
    for repair in facts["repairs"]:
        on.print(f"Note: {repair}", highlight=False, style="dim")


def show_batch(results: Generator[dict[str, Any]], total: int, *, as_json: bool) -> int:
    """Progress while it runs, then the report; returns how many failed.

    The JSON object has its results in the order in which they were done and is printed as they come, and of the table
    only the first rows are kept: memory is the same for ten files and for ten thousand.
    """
    from composer.progress import progress_bar

    tally = report.Tally()
    with closing(results), progress_bar("sketches") as bar:
        task = bar.add_task("Drums", total=total)
        try:
            for outcome in results:
                if as_json:
                    sys.stdout.write(('{"results": [' if tally.is_empty else ", ") + _json(outcome))
                tally.add(outcome)
                bar.advance(task)
        except KeyboardInterrupt as error:
            at = f", the last being {tally.last}" if tally.last else ""
            done = f"{tally.done + tally.failed} of {total} sketches"
            raise ComposerError(f"stopped after {done}{at}; go on with --resume", ExitCode.STOPPED) from error
        finally:
            if as_json:
                start = '{"results": [' if tally.is_empty else ""
                counts = {"sketches": total, "done": tally.done, "failed": tally.failed}
                sys.stdout.write(f"{start}], {_json(counts)[1:]}\n")
    if not as_json:
        console().print(report.batch(tally))
    return tally.failed
