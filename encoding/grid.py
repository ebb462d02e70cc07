"""Hits <-> arrays: drum hits on the ticks of a file to a ``DrumPattern`` on its bar grid, and back.

A hit goes to the nearest step of its beat's own subdivision (16ths in a binary beat, sextuplets in a ternary one)
and keeps what is left as its offset, so a snare played late stays the snare on 2. A second hit of the same part on
the same step (a roll, a flam) goes to the nearest of the twelve slots instead, if that one is free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from encoding.kit import PARTS
from encoding.types import SLOTS, BarGrid, DrumPattern

BINARY_STEP, TERNARY_STEP = 3, 2  # slots between two steps of the subdivision
MAX_OFFSET = 1.5  # slots: half a step of a binary beat


@dataclass(frozen=True, slots=True)
class Hits:
    """Drum hits in time order: onset_tick (n,) int64, part (n,) int64 index into KIT, velocity (n,) uint8 1-127."""

    onset_tick: np.ndarray
    part: np.ndarray
    velocity: np.ndarray


@dataclass(frozen=True, slots=True)
class Unrepresented:
    """How many hits the grid could not hold, by cause."""

    outside: int  # before the first beat or after the last
    merged: int  # a hit of the same part was there already


def steps(position: np.ndarray, grid: BarGrid) -> np.ndarray:
    """Nearest step of the subdivision for each position in slots: (n,) int64, counted in slots."""
    beat = np.clip(np.floor(position / SLOTS).astype(np.int64), 0, grid.beats - 1)
    step = np.where(grid.ternary[beat], TERNARY_STEP, BINARY_STEP)
    return (beat * SLOTS + np.rint((position - beat * SLOTS) / step) * step).astype(np.int64)


def allowed_slots(ternary: np.ndarray) -> np.ndarray:
    """Which slots lie on the steps of each beat's subdivision: ternary (...,) bool -> (..., SLOTS) bool."""
    slot = np.arange(SLOTS)
    return np.where(np.asarray(ternary)[..., None], slot % TERNARY_STEP == 0, slot % BINARY_STEP == 0)


def encode(hits: Hits, grid: BarGrid) -> tuple[DrumPattern, Unrepresented]:
    """Put hits on the grid; the inverse of :func:`decode` for every hit that is not counted as unrepresented."""
    position = grid.position(hits.onset_tick)
    slot = steps(position, grid)
    on_grid = _inside(position, slot, grid)
    inside = on_grid & _first_of_each(hits)
    slot[inside] = _without_collisions(position[inside], slot[inside], hits.part[inside], grid)
    kept = inside & (slot >= 0)
    velocity = np.zeros((grid.beats * SLOTS, PARTS), np.uint8)
    offset = np.zeros((grid.beats * SLOTS, PARTS), np.float32)
    velocity[slot[kept], hits.part[kept]] = np.clip(hits.velocity[kept], 1, 127)
    offset[slot[kept], hits.part[kept]] = position[kept] - slot[kept]
    shape = (grid.beats, SLOTS, PARTS)
    lost = Unrepresented(outside=int((~on_grid).sum()), merged=int((on_grid & ~kept).sum()))
    return DrumPattern(velocity.reshape(shape), offset.reshape(shape)), lost


def _first_of_each(hits: Hits) -> np.ndarray:
    """False for a hit of the same part at the same tick as an earlier one: (n,) bool."""
    is_first = np.zeros(len(hits.part), bool)
    is_first[np.unique(hits.onset_tick * PARTS + hits.part, return_index=True)[1]] = True
    return is_first


def _inside(position: np.ndarray, slot: np.ndarray, grid: BarGrid) -> np.ndarray:
    on_grid = (slot >= 0) & (slot < grid.beats * SLOTS)
    return on_grid & (np.abs(position - slot) <= MAX_OFFSET)


def _without_collisions(position: np.ndarray, slot: np.ndarray, part: np.ndarray, grid: BarGrid) -> np.ndarray:
    """The nearest hit keeps its step; the others take their nearest slot if free, else -1."""
    owner = np.full(grid.beats * SLOTS * PARTS, -1)  # which hit has each cell; of those written last wins
    cell = slot * PARTS + part
    nearest_last = np.argsort(np.abs(position - slot), kind="stable")[::-1]
    owner[cell[nearest_last]] = nearest_last
    result = np.where(owner[cell] == np.arange(len(cell)), slot, -1)

    losers = np.flatnonzero(result < 0)
    second = np.clip(np.rint(position[losers]).astype(np.int64), 0, grid.beats * SLOTS - 1) * PARTS + part[losers]
    free = owner[second] < 0
    losers, second = losers[free], second[free]
    owner[second[::-1]] = losers[::-1]
    result[losers] = np.where(owner[second] == losers, second // PARTS, -1)
    return result


def decode(pattern: DrumPattern, grid: BarGrid) -> Hits:
    """Hits in time order, their offsets applied; nothing sounds before the first beat."""
    beat, slot, part = np.nonzero(pattern.velocity)
    offset = pattern.offset[beat, slot, part].astype(np.float64)
    onset_tick = np.maximum(grid.tick(beat * SLOTS + slot + offset), grid.beat_tick[0])
    order = np.lexsort((part, onset_tick))
    return Hits(onset_tick[order], part[order], pattern.velocity[beat, slot, part][order])
