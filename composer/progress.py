"""Progress on standard error. A file of its own, since only the long commands should pay for loading it."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


def progress_bar(unit: str) -> Progress:
    """Progress on standard error, out of the way of results: done of all, files a second, time left."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Speed(unit), TimeRemainingColumn()
    )  # fmt: skip
    # rich ends its progress with an empty line where there is no terminal
    return Progress(*columns, console=Console(stderr=True, quiet=not sys.stderr.isatty()), transient=True)


class _Speed(ProgressColumn):
    """Items a second, nothing before the first is done."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} {self.unit}/s" if task.speed else "", style="dim")
