"""Bars of one meter laid along a row of pulses, evenly spaced or not."""

from __future__ import annotations

import numpy as np

from encoding.bars import MAX_BARS, beats_of_meter
from encoding.types import BarGrid


def lay_bars(
    pulse_tick: np.ndarray, meter: tuple[int, int], first_bar: float, first_tick: int, end_tick: int, early: float = 0.0
) -> BarGrid:
    """Bars from the last bar line at or before ``first_tick`` to the first at or after ``end_tick``.

    pulse_tick (pulses,) float64, strictly increasing, at least two: a tick for each quarter note; it is continued
    evenly at both ends. first_bar is the place of some bar line, counted in pulses. A first bar that would begin
    before tick 0 holds only its beats from tick 0 on, the first of them shortened where a note needs it. A first tick
    no more than ``early`` pulses before a bar line is played on that line, which moves there.

    Raises:
        ValueError: the meter is absurd (see :func:`encoding.bars.beats_of_meter`).
    """
    lengths, ternary = (np.array(values) for values in beats_of_meter(*meter))
    bar_quarters = lengths.sum()
    first_place, end_place = place_of_ticks(pulse_tick, np.array([first_tick, max(end_tick, first_tick + 1)]))
    first = np.floor((first_place - first_bar + early) / bar_quarters + 1e-6)
    bars = int(np.clip(np.ceil((end_place - first_bar) / bar_quarters - first - 1e-6), 1, MAX_BARS))
    bar_place = first_bar + bar_quarters * (first + np.arange(bars + 1))
    place = np.append((bar_place[:-1, None] + np.cumsum(lengths) - lengths).ravel(), bar_place[-1])
    tick = np.rint(ticks_of_place(pulse_tick, place)).astype(np.int64)
    tick[0] = min(tick[0], first_tick) if early else tick[0]
    # Pulses closer than a tick can only come from a file with next to no resolution.
    tick = np.maximum.accumulate(tick - np.arange(len(tick))) + np.arange(len(tick))

    cut = int(np.searchsorted(tick[:-1], 0))  # beats that begin before tick 0
    quarters = np.tile(lengths, bars)
    if cut and (cut == len(tick) - 1 or first_tick < tick[cut]):
        cut -= 1
        quarters[cut] *= tick[cut + 1] / (tick[cut + 1] - tick[cut])
        tick[cut] = 0
    bar_beat = np.unique(np.maximum(np.arange(bars + 1) * len(lengths) - cut, 0))
    return BarGrid(
        beat_tick=tick[cut:],
        bar_beat=bar_beat,
        ternary=np.tile(ternary, bars)[cut:],
        quarters=quarters[cut:],
        meter=np.tile(np.array(meter, np.int64), (len(bar_beat) - 1, 1)),
    )


def ticks_of_place(pulse_tick: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Ticks, not rounded, of places counted in pulses: linear between pulses and beyond them."""
    pulse = np.clip(np.floor(place).astype(np.int64), 0, len(pulse_tick) - 2)
    return pulse_tick[pulse] + (place - pulse) * (pulse_tick[pulse + 1] - pulse_tick[pulse])


def place_of_ticks(pulse_tick: np.ndarray, tick: np.ndarray) -> np.ndarray:
    """The inverse of :func:`ticks_of_place`."""
    pulse = np.clip(np.searchsorted(pulse_tick, tick, side="right") - 1, 0, len(pulse_tick) - 2)
    return pulse + (tick - pulse_tick[pulse]) / (pulse_tick[pulse + 1] - pulse_tick[pulse])
