"""Bar grids and drum hits from a few numbers, for tests that need no file."""

from __future__ import annotations

import numpy as np

from encoding.bars import beats_of_meter
from encoding.grid import Hits
from encoding.types import BarGrid

TPQ = 480


def grid_of(meter: tuple[int, int] = (4, 4), bars: int = 2, tpq: int = TPQ, first_tick: int = 0) -> BarGrid:
    """Bars of one meter from ``first_tick`` on."""
    lengths, ternary = beats_of_meter(*meter)
    quarters = np.tile(lengths, bars)
    beat_tick = first_tick + np.rint(np.concatenate([[0], np.cumsum(quarters)]) * tpq).astype(np.int64)
    return BarGrid(
        beat_tick, np.arange(bars + 1) * len(lengths), np.tile(ternary, bars), quarters, np.tile(meter, (bars, 1))
    )


def hits_of(*hits: tuple[int, ...]) -> Hits:
    """(onset_tick, part[, velocity]) in time order; velocity 100 where not given."""
    onset, part, velocity = zip(*[(*hit, 100)[:3] for hit in hits], strict=True)
    return Hits(np.array(onset), np.array(part), np.array(velocity, np.uint8))
