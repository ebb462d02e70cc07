"""What the commands found, as tables for people; each takes the dict that ``--json`` prints (design.md part 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

# One cell of the strip is one bar, up to this many bars; in longer songs a cell is 2, 4, 8 ... bars.
STRIP_CELLS = 64
MOST_ROWS = 50
SECTION_COLOURS = ("#2ba3e4", "#d7a520", "#ee5c48", "#4caf7a", "#b47be8", "#8a8a8a")


def analysis(result: dict[str, Any]) -> RenderableType:
    """Tempo, meter, bars, feel, other readings of the tempo, sections as a strip over the bars, and the tracks."""
    facts = _facts()
    tempo = f"{result['tempo_bpm']:.4g} BPM {_source(result['tempo_source'])}"
    if result["tempo_source"] == "estimated":
        tempo += f", confidence {result['confidence']:.0%}"
    facts.add_row("Tempo", tempo)
    if runners_up := _runners_up(result):
        facts.add_row("Or", Text(runners_up, style="dim"))
    facts.add_row("Meter", f"{result['meter']} {_source(result['meter_source'])}")
    facts.add_row("Bars", str(result["bars"]))
    facts.add_row("Feel", _feel(result["feel"], result["swing"]))
    facts.add_row("Sections", section_strip(result["sections"], result["bars"]))
    return Group(facts, Padding(_tracks(result["tracks"]), (1, 0, 0, 0)))


def drums(result: dict[str, Any]) -> RenderableType:
    """A few lines: the file written, how to get the same drums again, how much they play and how they fit the line."""
    facts = _facts()
    facts.add_row("Written", Text(str(result["output"]), style="bold", overflow="fold"))
    facts.add_row("Seed", f"{result['seed']}   style {result['style'] or 'free'}")
    requested = result["density_requested"]
    wanted = f"{requested:.2f} asked for" if isinstance(requested, int | float) else "chosen from the sketch"
    facts.add_row("Drums", f"{_count(result['hits'], 'hit')}, density {result['density_measured']:.2f} ({wanted})")
    if result["kick_bass_f1"] is not None:
        facts.add_row("Kick and bass", _kick_bass(result["kick_bass_f1"], result["kick_bass_f1_shuffled"]))
    return facts


def proof(chunks: Iterable[dict[str, Any]]) -> RenderableType:
    """One row for each chunk of the file, as ``drums --verify --json`` has them under ``proof``."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Chunk")
    table.add_column("Bytes", justify="right")
    table.add_column("SHA-256", overflow="fold")
    table.add_column("State")
    for chunk in chunks:
        colour = {"kept": "green", "added": "cyan"}.get(chunk["state"], "yellow")
        name = Text(chunk["id"] or "stray bytes")
        table.add_row(name, str(chunk["length"]), chunk["sha256"], Text(chunk["state"], style=colour))
    return Padding(table, (1, 0, 1, 0))


class Tally:
    """Counts of a batch and as many of its results as a person reads; the report on the disk has all of them.

    A result that failed has the key ``error``, the others the keys of ``drums --json``.
    """

    def __init__(self) -> None:
        self.done = self.failed = 0
        self.last = ""
        self.results: list[dict[str, Any]] = []
        self.errors: list[str] = []

    @property
    def is_empty(self) -> bool:
        return not self.done + self.failed

    def add(self, result: dict[str, Any]) -> None:
        """Count a result; its row is kept only among the first."""
        self.last = str(result["file"])
        if "error" in result:
            self.failed += 1
            if len(self.errors) < MOST_ROWS:
                self.errors.append(str(result["error"]))
        else:
            self.done += 1
            if len(self.results) < MOST_ROWS:
                self.results.append(result)


def batch(tally: Tally) -> RenderableType:
    """One row for each of the first files, one line for each of the first that failed, and the counts."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("File", "Tempo", "Meter", "Bars", "Hits", "Density", "Kick-bass F1"):
        table.add_column(name, justify="left" if name == "File" else "right", overflow="fold")
    for result in sorted(tally.results, key=lambda result: str(result["output"])):
        # an output of an interrupted run that was verified, not made again, is not measured
        density, fit = result.get("density_measured"), result.get("kick_bass_f1")
        table.add_row(
            Text(str(result["output"])),
            f"{result['tempo_bpm']:.4g}",
            result["meter"],
            str(result["bars"]),
            str(result["hits"]),
            "-" if density is None else f"{density:.2f}",
            "-" if fit is None else f"{fit:.2f}",
        )
    errors = [Text.assemble(("failed ", "bold red"), error) for error in sorted(tally.errors)]
    left_out = tally.done + tally.failed - len(tally.results) - len(errors)
    more = [Text(f"and {_count(left_out, 'file')} more in the report", style="dim")] if left_out else []
    total = f"{_count(tally.done, 'file')} done" + (f", {tally.failed} failed" if tally.failed else "")
    return Group(table, *errors, *more, Text(total, style="bold"))


def section_strip(sections: Iterable[dict[str, Any]], bars: int) -> RenderableType:
    """Sections in proportion to their bars, each label where it begins, and the bars in words below."""
    sections = list(sections)
    labels = list(dict.fromkeys(section["label"] for section in sections))
    bars_per_cell = 1
    while bars > STRIP_CELLS * bars_per_cell:
        bars_per_cell *= 2
    strip, words = Text(), Text(style="dim")
    for section in sections:
        cells = -(-section["last_bar"] // bars_per_cell) - -(-(section["first_bar"] - 1) // bars_per_cell)
        colour = SECTION_COLOURS[labels.index(section["label"]) % len(SECTION_COLOURS)]
        strip.append(str(section["label"])[:cells].ljust(cells, "-"), style=f"bold {colour}")
        words.append(f"{'   ' if words else ''}{section['label']} {section['first_bar']}-{section['last_bar']}")
    return Group(strip, words)


def _facts() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _tracks(tracks: Iterable[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Track", justify="right")
    table.add_column("Name", overflow="fold")
    table.add_column("Role")
    table.add_column("Notes", justify="right")
    for track in tracks:
        table.add_row(str(track["index"]), Text(track["name"] or "-"), str(track["role"]), str(track["notes"]))
    return table


def _source(source: str) -> str:
    known = {"file": "from the file", "user": "as you say", "default": "assumed"}
    return f"({known.get(source, source)})"


def _runners_up(result: dict[str, Any]) -> str:
    """The other tempos that the notes allow; candidates are pairs, or dicts, of tempo_bpm and confidence."""
    pairs = [(c["tempo_bpm"], c["confidence"]) if isinstance(c, dict) else c for c in result["candidates"]]
    return "   ".join(
        f"{bpm:.4g} BPM ({part:.0%})" for bpm, part in pairs if abs(bpm / result["tempo_bpm"] - 1) > 0.005
    )


def _feel(feel: str, swing: float | None) -> str:
    return f"{feel}, off-beats at {swing:.2f} of the beat" if feel == "swing" and swing is not None else feel


def _kick_bass(own: float, shuffled: float | None) -> str:
    words = f"F1 {own:.2f} on the same steps"
    return words if shuffled is None else f"{words}; {shuffled:.2f} against bars in another order"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
