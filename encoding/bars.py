"""The beats and bars that a file's own time signatures say, and which of its beats divide in three.

The denominator decides the beats: quarters over 1, 2, 4 and 32; dotted beats where the numerator over 8 or 16 is a
multiple of 3 (compound meter); else beats of two with one of three at the end (additive meter: 7/8 = 2+2+3).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from encoding.types import SLOTS, BarGrid, Song

MAX_BARS = 20_000
MAX_NUMERATOR = 64
DENOMINATORS = (1, 2, 4, 8, 16, 32)
# Signatures are often written a few ticks off the bar line: what is shorter than this is no beat of its own.
SHORTEST_BEAT_QUARTERS = 1 / 16

# Slots of margin, chosen by hand: one clear triplet note (a gain of 1) makes a bar ternary, one stray note does not
# make it sextuplets. The share is a little above the .25 slot a note that random onsets gain on the finer grid.
TRIPLET_MARGIN = 0.5
SEXTUPLET_MARGIN = 1.5
SEXTUPLET_MARGIN_PER_NOTE = 0.35
# An onset closer to a beat than this says nothing about the grid.
ON_BEAT_SLOTS = 1.0
VOTE_BARS = 8


@lru_cache(maxsize=256)
def beats_of_meter(numerator: int, denominator: int) -> tuple[tuple[float, ...], tuple[bool, ...]]:
    """Length in quarters of each beat of one bar, and whether it divides in three.

    >>> beats_of_meter(7, 8)
    ((1.0, 1.0, 1.5), (False, False, True))

    Raises:
        ValueError: the meter is absurd: numerator outside 1-64 or denominator not one of 1 2 4 8 16 32.
    """
    if not 1 <= numerator <= MAX_NUMERATOR or denominator not in DENOMINATORS:
        raise ValueError(f"no meter: {numerator}/{denominator}")
    unit = 4 / denominator
    if denominator not in (8, 16):
        whole, rest = divmod(numerator * unit, 1)
        lengths = [1.0] * int(whole) + [rest] * (rest > 0)
        return tuple(lengths), (False,) * len(lengths)
    if numerator % 3 == 0:
        return (3 * unit,) * (numerator // 3), (True,) * (numerator // 3)
    if numerator == 1:
        return (unit,), (False,)
    twos = (numerator - 3 * (numerator % 2)) // 2
    return (2 * unit,) * twos + (3 * unit,) * (numerator % 2), (False,) * twos + (True,) * (numerator % 2)


def grid_from_file(song: Song, end_tick: int | None = None) -> BarGrid:
    """Bars and beats as the time signatures of the file say: 4/4 from the first tick where there is none.

    ``end_tick`` is where the music ends, by default the end of the song. The last bar is complete: the grid ends on
    a bar line at or after it. A bar cut short by the next signature keeps the beats that fit, the last one shortened.
    ``ternary`` follows from the meter only; see :func:`mark_ternary`. Absurd signatures (0/4, 1/1024, a beat shorter
    than a tick) are ignored. At most ``MAX_BARS`` bars: in a longer file the grid ends early.
    """
    tpq = max(song.ticks_per_quarter, 1)
    end = max(song.end_tick if end_tick is None else end_tick, 1)
    starts, meters = _segments(song, tpq, end)
    return _lay_bars(starts, meters, tpq, end)


def _segments(song: Song, tpq: int, end: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """First tick (segments,) int64 and meter of each stretch of one signature; the last one given at a tick holds."""
    meter_at = {0: (4, 4)}
    for signature in sorted(song.time_signatures, key=lambda s: s.onset_tick):
        tick = max(signature.onset_tick, 0)
        if tick < end and _is_meter(signature.numerator, signature.denominator, tpq):
            meter_at[0 if tick < tpq * SHORTEST_BEAT_QUARTERS else tick] = (signature.numerator, signature.denominator)
    return np.fromiter(meter_at, np.int64, len(meter_at)), list(meter_at.values())


def _is_meter(numerator: int, denominator: int, tpq: int) -> bool:
    if not 1 <= numerator <= MAX_NUMERATOR or denominator not in DENOMINATORS:
        return False
    return min(beats_of_meter(numerator, denominator)[0]) * tpq >= 1


def _lay_bars(starts: np.ndarray, meters: list[tuple[int, int]], tpq: int, end: int) -> BarGrid:
    """All bars of all segments at once: bars repeat their segment, beats repeat their bar."""
    lengths, onsets, ternary, first = _bar_patterns(meters)
    bar_quarters = np.add.reduceat(lengths, first)
    stops = np.append(starts[1:], end)
    # No slack at the end of the music: the last bar is always complete.
    # Elsewhere at least half a tick, or a beat would be rounded onto the next signature's first.
    slack = np.append(np.full(len(starts) - 1, max(tpq * SHORTEST_BEAT_QUARTERS, 0.5)), 0.0)
    bars = np.maximum(np.ceil((stops - starts - slack) / (bar_quarters * tpq)), 1)
    bars = np.diff(np.minimum(np.cumsum(bars), MAX_BARS), prepend=0).astype(np.int64)
    segment = np.repeat(np.arange(len(starts)), bars)  # (bars,)
    bar_in_segment = np.arange(len(segment)) - (np.cumsum(bars) - bars)[segment]
    bar_onset = starts[segment] + bar_in_segment * bar_quarters[segment] * tpq
    grid_end = int(np.floor(bar_onset[-1] + bar_quarters[segment[-1]] * tpq + 0.5))

    beats = np.diff(np.append(first, len(lengths)))[segment]
    bar = np.repeat(np.arange(len(segment)), beats)  # (beats,)
    row = np.arange(len(bar)) - (np.cumsum(beats) - beats)[bar] + first[segment[bar]]
    onset = bar_onset[bar] + onsets[row] * tpq
    limit = np.append((stops - slack)[:-1], np.inf)[segment[bar]]
    kept = (onset < limit) | (onsets[row] == 0)
    bar, row = bar[kept], row[kept]
    beat_tick = np.append(np.floor(onset[kept] + 0.5).astype(np.int64), grid_end)
    return BarGrid(
        beat_tick=beat_tick,
        bar_beat=np.searchsorted(bar, np.arange(len(segment) + 1)),
        ternary=ternary[row],
        quarters=_notated_or_cut(lengths[row], np.diff(beat_tick), tpq),
        meter=np.array(meters, np.int64)[segment],
    )


def _bar_patterns(meters: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One bar of each meter, one after the other: length of each beat and onset in its bar, both in quarters, whether
    it is ternary, and the index of each bar's first beat.
    """
    patterns = [beats_of_meter(*meter) for meter in meters]
    beats = np.array([len(lengths) for lengths, _ in patterns])
    lengths = np.concatenate([lengths for lengths, _ in patterns])
    ternary = np.concatenate([flags for _, flags in patterns])
    first = np.cumsum(beats) - beats
    onsets = np.cumsum(lengths) - lengths
    return lengths, onsets - np.repeat(onsets[first], beats), ternary, first


def _notated_or_cut(notated: np.ndarray, ticks: np.ndarray, tpq: int) -> np.ndarray:
    """Notated length of each beat in quarters, or what is left of it: less than a tick of difference is rounding."""
    return np.where(np.abs(ticks - notated * tpq) < 1, notated, ticks / tpq)


def mark_ternary(grid: BarGrid, onset_tick: np.ndarray, weights: np.ndarray | None = None) -> BarGrid:
    """The grid with the beats of each bar marked ternary where its onsets sit better on triplets than on 16ths.

    The grid with the least total error wins, bar by bar: 16ths (slots 0 3 6 9), triplets (0 4 8) or sextuplets
    (0 2 .. 10), the latter two with a margin against them. A bar with no onset off the beat follows the bars around
    it, then the whole song. Beats that are ternary already (compound meters, the long beat of 7/8) stay so.

    onset_tick (n,) in the ticks of the grid, in any order; weights (n,) from 0 up, all 1 where None.
    """
    onset_tick = np.asarray(onset_tick)
    inside = (onset_tick >= grid.beat_tick[0]) & (onset_tick < grid.beat_tick[-1])
    position = grid.position(onset_tick[inside])
    weight = np.ones(len(position)) if weights is None else np.asarray(weights, np.float64)[inside]
    beat = np.minimum((position // SLOTS).astype(np.int64), grid.beats - 1)
    binary = ~grid.ternary[beat] & (_error(position, SLOTS) > ON_BEAT_SLOTS)
    position, weight, bar = position[binary], weight[binary], grid.bar_of_beat[beat[binary]]

    def total(per_onset: np.ndarray) -> np.ndarray:
        return np.bincount(bar, weight * per_onset, minlength=grid.bars)

    sixteenths = _error(position, 3)
    to_triplets = total(sixteenths - _error(position, 4)) - TRIPLET_MARGIN
    to_sextuplets = total(sixteenths - _error(position, 2) - SEXTUPLET_MARGIN_PER_NOTE) - SEXTUPLET_MARGIN
    evidence = total(np.ones(len(position)))
    score = np.where(evidence > 0, np.clip(np.maximum(to_triplets, to_sextuplets), -2, 2), 0)
    ternary_bar = np.where(evidence > 0, score, _vote(score)) > 0
    return replace(grid, ternary=grid.ternary | ternary_bar[grid.bar_of_beat])


def _error(position: np.ndarray, spacing: int) -> np.ndarray:
    """Distance in slots to the nearest multiple of ``spacing`` slots."""
    return np.abs(position - spacing * np.rint(position / spacing))


def _vote(score: np.ndarray) -> np.ndarray:
    """What the bars around each bar say, near ones more; the sum of the song where all of them are silent."""
    kernel = 1 / (1 + np.abs(np.arange(-VOTE_BARS, VOTE_BARS + 1)))
    around = np.convolve(score, kernel)[VOTE_BARS:-VOTE_BARS]
    return np.where(around == 0, score.sum(), around)
