"""Several takes of one song, and which of them to keep: the one that plays the fullest kit, as loud as was asked for.

A latent drawn at random is sometimes a drummer who sits a section out: real ones do so as well, but a musician who
asks for drums has not asked for that.
"""

from __future__ import annotations

import numpy as np

from encoding.conditions import HITS_PER_QUARTER_AT_FULL_DENSITY
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS
from encoding.windows import Windows

# What carries a beat: a kick, a snare, and a cymbal or hat that keeps time.
CARRIERS = tuple(
    [NAMES.index(name) for name in names] for names in (("kick",), ("snare",), ("closed_hat", "open_hat", "ride"))
)
ASKED_DENSITY_WEIGHT = 2.0
# Where the density is free, a take near the median of the songs trained on is liked a little better.
TYPICAL_DENSITY, TYPICAL_DENSITY_WEIGHT = 0.5, 0.5


def fullest(takes: np.ndarray, windows: Windows) -> int:
    """Index of the take to keep.

    Args:
        takes: (takes, N, K, CELLS) bool.
        windows: their conditions, B = 1.
    """
    hits = takes.reshape(*takes.shape[:3], SLOTS, PARTS)
    return int(np.argmax(_fullness(hits, windows) - _density_cost(hits, windows)))


def _fullness(hits: np.ndarray, windows: Windows) -> np.ndarray:
    """Mean share of carriers that play, over the bars in which the line plays: (takes,)."""
    known = windows.onsets[0] * windows.known_roles[0]
    line_plays = known.reshape(len(known), -1).any(1)
    counted = line_plays if line_plays.any() else ~line_plays
    played = hits[:, counted].max((2, 3))  # (takes, bars, PARTS)
    return np.mean([played[:, :, carrier].any(2).mean(1) for carrier in CARRIERS], axis=0)


def _density_cost(hits: np.ndarray, windows: Windows) -> np.ndarray:
    """Mean distance over bars to the density asked for, or to the typical one where it is free: (takes,)."""
    asked = windows.density[0]
    is_free = np.isnan(asked)
    wanted = np.where(is_free, TYPICAL_DENSITY, asked)
    weight = np.where(is_free, TYPICAL_DENSITY_WEIGHT, ASKED_DENSITY_WEIGHT)
    quarters = (windows.quarters[0] * windows.is_beat[0]).sum(1)
    measured = hits.sum((2, 3, 4)) / quarters / HITS_PER_QUARTER_AT_FULL_DENSITY
    return (np.abs(measured - wanted) * weight).mean(1)
