"""Measures of drums on the grid: arrays in, numbers out. Definitions and sources in each docstring.

Drums are hits (beats, SLOTS, PARTS) bool or, by bar, (bars, cells) bool.
"""

from __future__ import annotations

import numpy as np

from encoding.kit import NAMES

KICK = NAMES.index("kick")
SNARE = NAMES.index("snare")
CLOSED_HAT = NAMES.index("closed_hat")


def f1(found: np.ndarray, wanted: np.ndarray) -> float:
    """Harmonic mean of precision and recall of two bool arrays of one shape; NaN when either is empty."""
    if not found.any() or not wanted.any():
        return float("nan")
    return float(2 * (found & wanted).sum() / (found.sum() + wanted.sum()))


def kick_bass_f1(hits: np.ndarray, bass: np.ndarray) -> float:
    """F1 of kick against bass onsets in the same slot (peers.md part 3.3 b).

    Args:
        hits: (beats, SLOTS, PARTS) bool. bass: (beats, SLOTS) bool, True where the bass strikes.
    """
    return f1(hits[:, :, KICK], bass)


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Hits in both over hits in either (LTA hit similarity); 1 when both are silent."""
    union = (a | b).sum()
    return float((a & b).sum() / union) if union else 1.0


def bar_similarity(bars: np.ndarray) -> float:
    """Mean Jaccard likeness of each bar to the next one, silent pairs left out; NaN when there is none.

    Args:
        bars: (bars, cells) bool.
    """
    union = (bars[1:] | bars[:-1]).sum(1)
    common = (bars[1:] & bars[:-1]).sum(1)
    return float((common[union > 0] / union[union > 0]).mean()) if (union > 0).any() else float("nan")


def pattern_divergence(a: np.ndarray, b: np.ndarray) -> float:
    """Jensen-Shannon divergence in nats between two distributions of hits over the cells of a beat in the bar.

    Args:
        a, b: (cells,) counts of hits by place.

    Returns: NaN when either is silent.
    """
    if not a.any() or not b.any():
        return float("nan")
    p, q = a / a.sum(), b / b.sum()
    middle = (p + q) / 2

    def relative_entropy(x: np.ndarray) -> float:
        return float((x[x > 0] * np.log(x[x > 0] / middle[x > 0])).sum())

    return (relative_entropy(p) + relative_entropy(q)) / 2


def empty_bars(bars: np.ndarray) -> float:
    """Share of bars without a hit (MuseGAN's EB, Dong et al. 2018). bars (bars, cells) bool."""
    return float((~bars.any(1)).mean())


def grooving_similarity(bars: np.ndarray) -> float:
    """GS of neighbouring bars: one minus the share of cells that differ (Wu & Yang 2020, arXiv 2008.01307)."""
    return float((bars[1:] == bars[:-1]).mean())


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rho: the linear correlation of ranks, ties given their mean rank. NaN when one is constant."""
    first, second = _ranks(np.asarray(a)), _ranks(np.asarray(b))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return ((last - count + 1 + last) / 2)[group]
