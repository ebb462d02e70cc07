"""The report of a batch: one JSON line for each sketch, complete whatever stopped the batch before."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

NAME = "composer-batch.jsonl"
STRAYS = ".composer-*.tmp"


def remove_strays(folder: Path) -> None:
    """Remove what runs that were killed had begun to write below a folder."""
    for path in folder.rglob(STRAYS):
        path.unlink(missing_ok=True)


def renew(folder: Path, wanted: Mapping[str, str], *, resume: bool) -> TextIO:
    """The report, open to append to; with ``resume`` it begins with the rows of what is done, else it is empty.

    A row is kept where it tells of no error, its sketch is wanted and its output exists. A line that a kill cut off is
    left out, and the old report stays until the new one is complete.

    Args:
        wanted: output by sketch.
    """
    path = folder / NAME
    temporary = folder / f".composer-{secrets.token_hex(8)}.tmp"
    # a name that is no UTF-8 is lone surrogates in Python; escaped by a backslash they are JSON
    report = temporary.open("w", encoding="utf-8", errors="backslashreplace")
    try:
        if resume and path.is_file():
            seen = set()
            for row in rows(path):
                file, output = row.get("file"), row.get("output")
                if file not in seen and output and wanted.get(str(file)) == output and Path(output).exists():
                    seen.add(file)
                    append(report, row)
        temporary.replace(path)
    except BaseException:
        report.close()
        raise
    return report


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a report, one after the other; lines that are no JSON objects are passed over."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                yield row


def append(report: TextIO, row: Mapping[str, Any]) -> None:
    """Add a row so that it survives the end of this process."""
    report.write(json.dumps(row, ensure_ascii=False) + "\n")
    report.flush()
