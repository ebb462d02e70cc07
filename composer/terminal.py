"""Results on the screen, through rich; or as one JSON object and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from rich.console import Console

from composer import report
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
    sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")


def show_analysis(analysis: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(analysis)
        return
    on = console()
    on.print(report.analysis(analysis))
    _notes(on, analysis)


def show_drums(made: Accompaniment, *, as_json: bool, preview: bool) -> None:
    """Grid and summary, or the JSON object."""
    facts = result(made)
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


def show_batch(results: Iterable[dict[str, Any]], total: int, *, as_json: bool) -> int:
    """Progress while it runs, then the report; returns how many failed."""
    from composer.progress import progress_bar

    done = []
    with progress_bar("sketches") as bar:
        task = bar.add_task("Drums", total=total)
        for outcome in results:
            done.append(outcome)
            bar.advance(task)
    done.sort(key=lambda outcome: outcome["file"])
    failed = sum("error" in outcome for outcome in done)
    if as_json:
        print_json({"sketches": total, "done": len(done) - failed, "failed": failed, "results": done})
    else:
        console().print(report.batch(done))
    return failed
