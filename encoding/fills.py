"""Which bars of a drum part are fills: bars unlike their neighbours, with more snare and toms than the groove has."""

from __future__ import annotations

import numpy as np

from encoding.kit import NAMES
from encoding.types import SLOTS, BarGrid

FILL_PARTS = [NAMES.index(name) for name in ("snare", "high_tom", "mid_tom", "low_tom")]
LEAST_NOVELTY = 0.3
NEIGHBOURS = (-2, -1, 1, 2)


def by_bar(hits: np.ndarray, grid: BarGrid) -> np.ndarray:
    """Hits laid out by bar, padded with silence to the longest bar: (bars, most beats, SLOTS, parts)."""
    most = int(np.diff(grid.bar_beat).max())
    laid_out = np.zeros((grid.bars, most, SLOTS, hits.shape[2]), hits.dtype)
    laid_out[grid.bar_of_beat, grid.beat_in_bar] = hits
    return laid_out


def novelty(hits: np.ndarray, grid: BarGrid) -> np.ndarray:
    """One minus the mean Jaccard likeness of each bar to the two bars on either side (after Dahale et al. 2022).

    Args:
        hits: (beats, SLOTS, parts) bool.

    Returns: (bars,) float64 0-1; a silent bar among silent bars has 0.
    """
    bars = by_bar(hits, grid).reshape(grid.bars, -1)
    total, count = np.zeros(grid.bars), np.zeros(grid.bars)
    for shift in NEIGHBOURS:
        here = np.arange(max(0, -shift), grid.bars - max(0, shift))
        union = (bars[here] | bars[here + shift]).sum(1)
        common = (bars[here] & bars[here + shift]).sum(1)
        total[here] += np.where(union > 0, common / np.maximum(union, 1), 1.0)
        count[here] += 1
    return np.where(count > 0, 1.0 - total / np.maximum(count, 1), 0.0)


def fills(hits: np.ndarray, grid: BarGrid) -> np.ndarray:
    """Fill flags: (bars,) bool: among the song's most novel tenth, with more snare and toms than its median bar."""
    new = novelty(hits, grid)
    busy = np.add.reduceat(hits[:, :, FILL_PARTS].sum((1, 2)), grid.bar_beat[:-1])
    return (new >= max(LEAST_NOVELTY, float(np.quantile(new, 0.9)))) & (busy > np.median(busy))
