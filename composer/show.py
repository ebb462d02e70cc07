"""Any MIDI file with drums -> what the preview needs: its drums on its bars, and the line they go with."""

from __future__ import annotations

from pathlib import Path

from composer import read
from composer.errors import SketchError, UsageError
from composer.listen import listen
from composer.options import DrumsOptions
from composer.preview import Chart, render
from encoding.conditions import ROLES, onset_strengths
from encoding.grid import encode
from encoding.records import drum_hits


def chart(path: Path, *, bars: tuple[int, int] | None, width: int) -> Chart:
    """The drums of a file as a chart.

    Raises:
        SketchError: the file cannot be read or has no drums.
        UsageError: there are no such bars.
    """
    sketch = read.sketch(path, needs_line=False)
    hits, _ = drum_hits(sketch.song)
    if not len(hits.part):
        raise SketchError(f"{path} has no drums to show; add some with 'composer drums'")
    heard = listen(sketch, DrumsOptions())
    pattern, _ = encode(hits, heard.grid)
    if bars and not 1 <= bars[0] <= bars[1] <= heard.grid.bars:
        raise UsageError(f"--bars {bars[0]}-{bars[1]}: {path} has bars 1 to {heard.grid.bars}")
    line = heard.roles.bass or heard.roles.lead
    notes = [[sketch.song.tracks[i].notes for i in line] if role == "bass" else [] for role in ROLES]
    strengths = onset_strengths(notes, heard.grid)[:, :, ROLES.index("bass")]
    return render(pattern, heard.grid, heard.sections, bars=bars, width=width, line_onsets=strengths if line else None)
