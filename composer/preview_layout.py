"""Where each beat of a drum chart stands on the terminal: bars side by side, wrapped into systems as sheet music is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from encoding.types import SLOTS, BarGrid, Section

# A section this long begins a new system, as a lead sheet does; shorter ones would waste too many half-empty systems.
BARS_FOR_NEW_SYSTEM = 4
# Columns that a beat may have. Sixteenths and triplets are the rule; the rest shows what they cannot.
BINARY_COLUMNS = (4, SLOTS)
TERNARY_COLUMNS = (3, 6, SLOTS)
# The shares of bars whose hits fit the common columns; a bar of finer hits is wider than the others. All bars alike is
# best to read, unless the few that are not would make the whole chart longer.
COMMON_SHARES = (1.0, 0.8)


@dataclass(frozen=True, slots=True)
class Layout:
    """One entry for each beat shown, in order.

    beat, columns, system, x (n,) int64: which beat of the song, its columns, the system that it is on (from 0) and its
    first column. ends_bar, ends_system (n,) bool. A bar goes on in the next system where only the latter is true.
    """

    beat: np.ndarray
    columns: np.ndarray
    system: np.ndarray
    x: np.ndarray
    ends_bar: np.ndarray
    ends_system: np.ndarray

    @property
    def systems(self) -> int:
        return int(self.system[-1]) + 1

    @property
    def end_x(self) -> np.ndarray:
        """(n,) int64: the column after each beat."""
        return self.x + self.columns


def lay_out(
    used: np.ndarray, grid: BarGrid, sections: Sequence[Section], *, bars: tuple[int, int], left: int, width: int
) -> Layout:
    """Place the beats of bars[0] to bars[1] (from 1, both inside) in columns ``left`` to ``width``.

    Systems hold 1, 2, 4 or 8 bars, as many as fit, so that phrases stand under each other; columns that this leaves
    over become gaps between beats. Bars too wide for that share fewer; one wider than the terminal breaks at a beat.

    Args:
        used: (beats, SLOTS) bool, the slots on which anything is struck.
    """
    beat = np.arange(grid.bar_beat[bars[0] - 1], grid.bar_beat[bars[1]])
    bar_edges = grid.bar_beat[bars[0] - 1 : bars[1] + 1] - beat[0]
    starts = {section.first_bar - bars[0] for section in sections if _bars(section) >= BARS_FOR_NEW_SYSTEM}
    section_edges = sorted({0, *(start for start in starts if 0 < start < len(bar_edges) - 1), len(bar_edges) - 1})
    layouts = [
        _place(beat, _columns_of_beats(used[beat], grid, beat, share), bar_edges, section_edges, left, width)
        for share in COMMON_SHARES
    ]
    return min(layouts, key=lambda layout: layout.systems)


def _place(
    beat: np.ndarray, columns: np.ndarray, bar_edges: np.ndarray, section_edges: list[int], left: int, width: int
) -> Layout:
    space = width - left
    ends_bar = np.isin(np.arange(len(beat)), bar_edges[1:] - 1)
    counts = [_bars_per_system(columns + np.where(ends_bar, 1, gap), bar_edges, space) for gap in (0, 1)]
    gap = int(counts[1] == counts[0])
    steps = columns + np.where(ends_bar, 1, gap)
    first_beats: list[int] = []
    for first, last in pairwise(section_edges):
        for bar in range(first, last, counts[gap]):
            first_beats += _split(bar_edges[bar : min(bar + counts[gap], last) + 1], steps, space)
    ends_system = np.isin(np.arange(len(beat)), np.append(np.array(first_beats[1:], np.int64), len(beat)) - 1)
    system: np.ndarray = np.cumsum(ends_system) - ends_system
    before = np.cumsum(steps) - steps
    return Layout(beat, columns, system, left + before - before[first_beats][system], ends_bar, ends_system)


def _bars(section: Section) -> int:
    return section.last_bar - section.first_bar + 1


def _columns_of_beats(used: np.ndarray, grid: BarGrid, shown: np.ndarray, share: float) -> np.ndarray:
    """The fewest columns that keep every hit apart, the same for all beats of a kind in a bar: (n,) int64."""
    kind = grid.ternary[shown].astype(np.int64)
    need = np.full(len(shown), SLOTS)
    for is_ternary, choices in enumerate((BINARY_COLUMNS, TERNARY_COLUMNS)):
        for columns in reversed(choices):
            off_columns = np.arange(SLOTS) % (SLOTS // columns) != 0
            need[(kind == is_ternary) & ~used[:, off_columns].any(axis=1)] = columns
    bar = grid.bar_of_beat[shown] - grid.bar_of_beat[shown[0]]
    bar_need = np.zeros((bar[-1] + 1, 2), np.int64)
    np.maximum.at(bar_need, (bar, kind), need)
    for is_ternary in range(2):
        needs = bar_need[:, is_ternary]
        if needs.any():
            common = np.quantile(needs[needs > 0], share, method="lower")
            bar_need[:, is_ternary] = np.where(needs > 0, np.maximum(needs, common), 0)
    # Beats of 2 and of 3 eighths in one bar, as in 7/8: sixteenths in both, so that time runs evenly.
    mixed = (bar_need > 0).all(axis=1)
    bar_need[mixed, 1] = np.maximum(bar_need[mixed, 1], 6)
    return bar_need[bar, kind]


def _bars_per_system(steps: np.ndarray, bar_edges: np.ndarray, space: int) -> int:
    """The largest power of two that fits for a typical bar, at least 1."""
    fitting = space // int(np.median(np.add.reduceat(steps, bar_edges[:-1])))
    return 1 << max(fitting.bit_length() - 1, 0)


def _split(bar_edges: np.ndarray, steps: np.ndarray, space: int) -> list[int]:
    """First beats of the systems that hold these bars: one if they fit, else halves, at last beat by beat."""
    first, last = int(bar_edges[0]), int(bar_edges[-1])
    if steps[first:last].sum() <= space:
        return [first]
    bars = len(bar_edges) - 1
    if bars > 1:
        return _split(bar_edges[: bars // 2 + 1], steps, space) + _split(bar_edges[bars // 2 :], steps, space)
    first_beats, used = [first], 0
    for beat in range(first, last):
        if used + steps[beat] + 1 > space and beat > first:
            first_beats.append(beat)
            used = 0
        used += steps[beat]
    return first_beats
