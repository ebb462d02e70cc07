"""The encoding of the 2018 seed of this project: a bar of 4/4 is 16 steps of 7 drum parts, struck or not.

``encode`` gives a grid's drums as the seed saw them; ``decode`` puts them back on a grid. Decoded bars encode to
themselves exactly; the other way round the grid holds what 16 steps cannot: velocity, micro-timing, triplets, which
tom, ride or hat. Drums off the 16ths go to the nearest of them.
"""

from __future__ import annotations

from math import prod

import numpy as np

from encoding.kit import NAMES, PARTS, SEED_NAMES, SEED_OF_PART
from encoding.types import SLOTS, BarGrid, DrumPattern

STEPS, BEATS = 16, 4
SEED_PARTS = len(SEED_NAMES)
STEPS_PER_BEAT = STEPS // BEATS
SLOTS_PER_STEP = SLOTS // STEPS_PER_BEAT
VELOCITY = 100
# A bar of MuseGAN is 84 pitches by 96 time steps (Dong et al., "MuseGAN", AAAI 2018, part "Data representation").
MUSEGAN_BAR = (96, 84)
# The part of the ten that stands for each of the seven: the one of the same name, and the middle tom for the toms.
PART_OF_SEED = np.array([NAMES.index({"tom": "mid_tom"}.get(name, name)) for name in SEED_NAMES])


def reduction() -> float:
    """Share of MuseGAN's cells that the seed's bar does without.

    >>> round(reduction(), 3)
    0.986
    """
    return 1 - STEPS * SEED_PARTS / prod(MUSEGAN_BAR)


def encode(pattern: DrumPattern, grid: BarGrid) -> np.ndarray:
    """Drums as the seed's bars: (bars, 16, 7) bool, parts in the order of ``kit.SEED_NAMES``.

    Hits go to the nearest 16th of where they sound, offsets counted; a triplet lands beside its place.

    Raises:
        ValueError: a bar has not four beats of a quarter; the message says which.
    """
    wrong = np.flatnonzero(np.diff(grid.bar_beat) != BEATS)
    if not len(wrong):
        wrong = grid.bar_of_beat[grid.quarters != 1]
    if len(wrong):
        numerator, denominator = grid.meter[wrong[0]]
        raise ValueError(f"bar {wrong[0] + 1} is no full bar of 4/4 (meter {numerator}/{denominator}): no seed's bar")
    beat, slot, part = np.nonzero(pattern.velocity)
    step = np.floor((beat * SLOTS + slot + pattern.offset[beat, slot, part]) / SLOTS_PER_STEP + 0.5).astype(np.int64)
    bars = np.zeros((grid.bars * STEPS, SEED_PARTS), bool)
    bars[np.clip(step, 0, len(bars) - 1), SEED_OF_PART[part]] = True
    return bars.reshape(-1, STEPS, SEED_PARTS)


def decode(bars: np.ndarray, *, ticks_per_quarter: int = 480) -> tuple[DrumPattern, BarGrid]:
    """The seed's bars (bars, 16, 7) on a grid of 4/4 from tick 0: on the 16ths, all of one velocity.

    Raises:
        ValueError: another shape, or no bar.
    """
    bars = np.asarray(bars)
    if bars.ndim != 3 or bars.shape[1:] != (STEPS, SEED_PARTS) or not len(bars):
        raise ValueError(f"bars of shape {bars.shape}; expected (bars, {STEPS}, {SEED_PARTS}) with a bar at least")
    beats = len(bars) * BEATS
    velocity = np.zeros((beats, SLOTS, PARTS), np.uint8)
    steps = velocity[:, ::SLOTS_PER_STEP]  # (beats, 4, parts), a view
    steps[:, :, PART_OF_SEED] = (bars != 0).reshape(beats, STEPS_PER_BEAT, SEED_PARTS) * VELOCITY
    grid = BarGrid(
        beat_tick=np.arange(beats + 1, dtype=np.int64) * ticks_per_quarter,
        bar_beat=np.arange(len(bars) + 1, dtype=np.int64) * BEATS,
        ternary=np.zeros(beats, bool),
        quarters=np.ones(beats),
        meter=np.full((len(bars), 2), BEATS, np.int64),
    )
    return DrumPattern(velocity, np.zeros(velocity.shape, np.float32)), grid
