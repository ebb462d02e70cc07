"""Stretches of bars as rectangular arrays, bars padded to the longest: what the networks take.

B stretches of N bars of at most K beats. The same layout serves a batch of training windows and a whole song (B = 1).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from encoding.conditions import Conditions
from encoding.kit import PARTS
from encoding.types import SLOTS


@dataclass(frozen=True, slots=True)
class Windows:
    """Conditions laid out by bar.

    is_beat (B, N, K) bool: False where a bar is shorter than K beats.
    onsets (B, N, K, SLOTS, roles) float32; known_roles (B, roles) bool.
    ternary (B, N, K) bool; quarters, beat_s (B, N, K) float32, 1 where padded.
    section (B, N) int: which sections sound alike. section_bar, bars_left (B, N) int; bars_to_end (B, N) int: bars until the song ends; bar_number (B, N) int from 0.
    density, fill (B, N) float32, NaN where free; style (B,) int, -1 where unknown.
    """

    is_beat: np.ndarray
    onsets: np.ndarray
    known_roles: np.ndarray
    ternary: np.ndarray
    quarters: np.ndarray
    beat_s: np.ndarray
    section: np.ndarray
    section_bar: np.ndarray
    bars_left: np.ndarray
    bars_to_end: np.ndarray
    bar_number: np.ndarray
    density: np.ndarray
    fill: np.ndarray
    style: np.ndarray

    def take(self, rows: np.ndarray | slice) -> Windows:
        """Some of the B stretches."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def beat_indices(bar_beat: np.ndarray, bars: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Beats of the given bars, padded: indices (..., K) int64 and is_beat (..., K) bool for bars (...) int64."""
    first, count = bar_beat[bars], bar_beat[bars + 1] - bar_beat[bars]
    place = np.arange(int(count.max()))
    is_beat = place < count[..., None]
    return np.where(is_beat, first[..., None] + place, first[..., None]), is_beat


def whole_song(conditions: Conditions) -> Windows:
    """A whole song as one stretch: B = 1."""
    grid = conditions.grid
    bars = np.arange(grid.bars)[None]
    beat, is_beat = beat_indices(grid.bar_beat, bars)
    return Windows(
        is_beat=is_beat,
        onsets=conditions.onsets[beat] * is_beat[..., None, None],
        known_roles=conditions.known_roles[None],
        ternary=grid.ternary[beat],
        quarters=np.where(is_beat, grid.quarters[beat], 1.0).astype(np.float32),
        beat_s=np.where(is_beat, conditions.beat_s[beat], 1.0).astype(np.float32),
        section=conditions.section[bars],
        section_bar=conditions.section_bar[bars],
        bars_left=conditions.bars_left[bars],
        bars_to_end=grid.bars - 1 - bars,
        bar_number=bars,
        density=conditions.density[bars],
        fill=conditions.fill[bars],
        style=np.array([conditions.style]),
    )


def by_beat(laid_out: np.ndarray, is_beat: np.ndarray) -> np.ndarray:
    """Undo the layout for one stretch: (N, K, SLOTS * PARTS or SLOTS, PARTS) -> (beats, SLOTS, PARTS)."""
    return laid_out.reshape(*is_beat.shape, SLOTS, PARTS)[is_beat]
