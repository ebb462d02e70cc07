"""A drum part as a chart for the terminal: parts as rows, bars side by side, the meter counted above them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.style import Style

from composer.preview_layout import Layout, lay_out
from encoding import kit
from encoding.types import SLOTS, BarGrid, DrumPattern, Section

# From top to bottom as on a drum staff.
ROW_ORDER = ("crash", "ride", "open_hat", "closed_hat", "percussion", "high_tom", "mid_tom", "low_tom", "snare", "kick")
PARTS_IN_ROWS = np.array([kit.NAMES.index(name) for name in ROW_ORDER])
KICK = kit.NAMES.index("kick")
LINE_LABEL = "Line"
LEFT = max(len(part.label) for part in kit.KIT) + 2  # the label, a space, the first bar line
ROWS_ABOVE_PARTS = 2  # the caption and the count

# Velocities from which a hit is soft, medium and loud; below the first it is a ghost note.
LEVELS = (48, 76, 104)


@dataclass(frozen=True, slots=True)
class Glyphs:
    """``hits`` from ghost note to loud; ``with_kick`` and ``alone`` mark the onsets of the sketch's line."""

    hits: str
    rest_on_beat: str
    rest: str
    bar_line: str
    broken_line: str
    with_kick: str
    alone: str


UNICODE = Glyphs("∘○◐●", rest_on_beat="┊", rest="·", bar_line="│", broken_line="~", with_kick="▲", alone="△")
ASCII = Glyphs("-oO@", rest_on_beat=":", rest=".", bar_line="|", broken_line="~", with_kick="^", alone="+")

# A soft and a strong colour for cymbals, snare, kick and all else: of middle lightness, for dark and light terminals
# alike. A ghost note is the soft one dimmed, a loud note the strong one in bold.
_COLOURS = (("#b08f3c", "#d7a520"), ("#c06a5c", "#ee5c48"), ("#4f93b8", "#2ba3e4"), ("#9a78c0", "#b47be8"))
_COLOUR_OF_PART = np.full(kit.PARTS, 3)
for _colour, _names in enumerate((("crash", "ride", "open_hat", "closed_hat"), ("snare",), ("kick",))):
    _COLOUR_OF_PART[[kit.NAMES.index(_name) for _name in _names]] = _colour

_PLAIN, _FAINT, _STRONG, _SECTION, _WITH_KICK, _ALONE, _FIRST_HIT = range(7)
_STYLES = [Style.parse(text) for text in ("none", "dim", "bold", "bold reverse", "bold #2ba3e4", "#8a8a8a")] + [
    Style.parse(weight + colours[strong])
    for colours in _COLOURS
    for weight, strong in (("dim ", 0), ("", 0), ("", 1), ("bold ", 1))
]


def render(
    pattern: DrumPattern,
    grid: BarGrid,
    sections: Sequence[Section],
    *,
    bars: tuple[int, int] | None,
    width: int,
    line_onsets: np.ndarray | None = None,
) -> Chart:
    """The drums of ``bars`` (first and last, from 1; None for all) as a chart at most ``width`` columns wide.

    Every hit has its own character, in one of four strengths; each system has rows for the parts that play in it.
    The chart is plain ASCII on a terminal that has nothing else.

    Args:
        width: in columns, 60 or more.
        line_onsets: (beats, SLOTS), above 0 where the sketch's own line begins a note: shown in a row of its own, with
            another mark where the kick plays too.

    Raises:
        ValueError: the pattern does not belong to the grid, or there are no such bars.
    """
    if len(pattern.velocity) != grid.beats:
        raise ValueError(f"the pattern has {len(pattern.velocity)} beats, the grid {grid.beats}")
    first, last = bars or (1, grid.bars)
    if not 1 <= first <= last <= grid.bars:
        raise ValueError(f"bars {first}-{last} asked for; there are bars 1-{grid.bars}")
    used = pattern.hits.max(axis=2)
    layout = lay_out(used, grid, sections, bars=(first, last), left=LEFT, width=width)
    return Chart(pattern.velocity[layout.beat], grid, tuple(sections), layout, width, line_onsets)


@dataclass(frozen=True)
class Chart:
    """What :func:`render` returns and rich prints. velocity is that of the beats shown, (n, SLOTS, PARTS) uint8."""

    velocity: np.ndarray
    grid: BarGrid
    sections: tuple[Section, ...]
    layout: Layout
    width: int
    line_onsets: np.ndarray | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        char, style = paint(self, ASCII if options.ascii_only else UNICODE)
        for char_row, style_row in zip(char, style, strict=True):
            yield from _segments(char_row, style_row)
            yield Segment.line()

    @cached_property
    def played(self) -> np.ndarray:
        """(systems, PARTS) bool: the parts that have a row, at least the kick."""
        starts = np.flatnonzero(np.append(True, self.layout.ends_system[:-1]))
        played = np.logical_or.reduceat(self.velocity.any(axis=1), starts)
        played[:, KICK] |= ~played.any(axis=1)
        return played

    @cached_property
    def first_row(self) -> np.ndarray:
        """(systems + 1,) int64: the row of each system's caption; systems stand one empty row apart."""
        heights = ROWS_ABOVE_PARTS + self.played.sum(axis=1) + (self.line_onsets is not None) + 1
        return np.append(0, np.cumsum(heights))

    @cached_property
    def row_of_part(self) -> np.ndarray:
        """(systems, PARTS) int64, with meaning where ``played``."""
        row = np.empty(self.played.shape, np.int64)
        row[:, PARTS_IN_ROWS] = np.cumsum(self.played[:, PARTS_IN_ROWS], axis=1) - 1
        return row + self.first_row[:-1, None] + ROWS_ABOVE_PARTS

    def staff_rows(self, system: int) -> range:
        """The rows of parts and line."""
        return range(int(self.first_row[system]) + ROWS_ABOVE_PARTS, int(self.first_row[system + 1]) - 1)


class Canvas:
    """Characters and indices of their styles, both (rows, width), that are written on in place."""

    def __init__(self, rows: int, width: int) -> None:
        self.char = np.full((rows, width), " ")
        self.style = np.full((rows, width), _PLAIN, np.uint8)

    def put(self, row: np.ndarray, x: np.ndarray, char: np.ndarray | str, style: np.ndarray | int) -> None:
        self.char[row, x] = char
        self.style[row, x] = style

    def write(self, row: int, x: int, text: str, style: int = _PLAIN) -> None:
        self.char[row, x : x + len(text)] = list(text)
        self.style[row, x : x + len(text)] = style


def paint(chart: Chart, glyphs: Glyphs) -> tuple[np.ndarray, np.ndarray]:
    """The whole chart: characters (rows, width) U1 and their styles (rows, width) uint8."""
    canvas = Canvas(int(chart.first_row[-1]) - 1, chart.width)
    _paint_captions(canvas, chart)
    _paint_counts(canvas, chart)
    for system in range(chart.layout.systems):
        _paint_staff(canvas, chart, glyphs, system)
    _paint_hits(canvas, chart, glyphs)
    if chart.line_onsets is not None:
        _paint_line(canvas, chart, chart.line_onsets[chart.layout.beat], glyphs)
    return canvas.char, canvas.style


def _paint_captions(canvas: Canvas, chart: Chart) -> None:
    """Over each bar its section, where one begins, its number, and the meter where it changes."""
    layout, grid = chart.layout, chart.grid
    label_of_bar = {section.first_bar - 1: section.label for section in chart.sections}
    piece_ends = np.flatnonzero(layout.ends_bar | layout.ends_system)
    last_bar, last_meter = -1, (0, 0)
    for first, last in zip([0, *(piece_ends[:-1] + 1)], piece_ends, strict=True):
        bar = int(grid.bar_of_beat[layout.beat[first]])
        if bar == last_bar:
            continue
        meter = (int(grid.meter[bar, 0]), int(grid.meter[bar, 1]))
        section = f"[{label_of_bar[bar]}]" if bar in label_of_bar else ""
        change = "{}/{}".format(*meter) if meter != last_meter else ""
        x = int(layout.x[first])
        for text, style in ((section, _SECTION), (str(bar + 1), _FAINT), (change, _FAINT)):
            if text and x + len(text) <= layout.end_x[last]:
                canvas.write(int(chart.first_row[layout.system[first]]), x, text, style)
                x += len(text) + 1
        last_bar, last_meter = bar, meter


def _paint_counts(canvas: Canvas, chart: Chart) -> None:
    layout = chart.layout
    rows = (chart.first_row[layout.system] + 1).tolist()
    numbers = (chart.grid.beat_in_bar[layout.beat] + 1).tolist()
    ternary = chart.grid.ternary[layout.beat].tolist()
    for index, (x, columns) in enumerate(zip(layout.x.tolist(), layout.columns.tolist(), strict=True)):
        canvas.write(rows[index], x, count_of_beat(numbers[index], columns, ternary=ternary[index]), _FAINT)
        canvas.style[rows[index], x : x + len(str(numbers[index]))] = _STRONG


def count_of_beat(number: int, columns: int, *, ternary: bool) -> str:
    """How a musician counts one beat, one character a column.

    >>> count_of_beat(2, 4, ternary=False), count_of_beat(2, 3, ternary=True), count_of_beat(2, 6, ternary=True)
    ('2e&a', '2..', '2 . . ')
    """
    names = ".." if ternary else "e&a"
    count = [" "] * columns
    step = columns // (len(names) + 1)
    count[step::step] = names
    digits = str(number)
    return digits + "".join(count[len(digits) :])


def _paint_staff(canvas: Canvas, chart: Chart, glyphs: Glyphs, system: int) -> None:
    """Labels, rests and bar lines."""
    layout, rows = chart.layout, chart.staff_rows(system)
    labels = [kit.KIT[part].label for part in PARTS_IN_ROWS if chart.played[system, part]]
    for row, label in zip(rows, [*labels, LINE_LABEL][: len(rows)], strict=True):
        canvas.write(row, LEFT - 2 - len(label), label)
    first, end = np.searchsorted(layout.system, [system, system + 1])
    goes_on = first > 0 and not layout.ends_bar[first - 1]
    staff = [(LEFT - 1, glyphs.broken_line if goes_on else glyphs.bar_line)]
    for beat in range(first, end):
        rests = glyphs.rest_on_beat + glyphs.rest * int(layout.columns[beat] - 1)
        staff += enumerate(rests, int(layout.x[beat]))
        if layout.ends_bar[beat] or layout.ends_system[beat]:
            staff.append((int(layout.end_x[beat]), glyphs.bar_line if layout.ends_bar[beat] else glyphs.broken_line))
    x, char = zip(*staff, strict=True)
    canvas.put(np.array(rows)[:, None], np.array(x), np.array(char), _FAINT)


def _paint_hits(canvas: Canvas, chart: Chart, glyphs: Glyphs) -> None:
    layout = chart.layout
    beat, slot, part = np.nonzero(chart.velocity)
    level = np.searchsorted(LEVELS, chart.velocity[beat, slot, part], side="right")
    x = layout.x[beat] + slot * layout.columns[beat] // SLOTS
    style = _FIRST_HIT + len(glyphs.hits) * _COLOUR_OF_PART[part] + level
    canvas.put(chart.row_of_part[layout.system[beat], part], x, np.array(list(glyphs.hits))[level], style)


def _paint_line(canvas: Canvas, chart: Chart, onsets: np.ndarray, glyphs: Glyphs) -> None:
    """Onsets of the sketch's line, in the nearest column where they are off the columns of the drums."""
    layout = chart.layout
    beat, slot = np.nonzero(onsets > 0)
    columns = layout.columns[beat]
    column = np.minimum((slot * columns + SLOTS // 2) // SLOTS, columns - 1)
    kick = chart.velocity[beat, column * (SLOTS // columns), KICK] > 0
    row = chart.first_row[layout.system[beat] + 1] - 2
    char = np.where(kick, glyphs.with_kick, glyphs.alone)
    canvas.put(row, layout.x[beat] + column, char, np.where(kick, _WITH_KICK, _ALONE))


def _segments(char_row: np.ndarray, style_row: np.ndarray) -> Iterator[Segment]:
    """Runs of one style; no blanks at the end."""
    text = "".join(char_row.tolist()).rstrip()
    edges = np.flatnonzero(np.diff(style_row[: len(text)])) + 1
    bounds = [0, *edges.tolist(), len(text)]
    for start, end in pairwise(bounds):
        yield Segment(text[start:end], _STYLES[style_row[start]])
