"""Straight, swing or triplets, and where the off-beat eighths fall."""

from __future__ import annotations

import numpy as np

from encoding.types import SLOTS, BarGrid

TRIPLET_SWING = 2 / 3
# Of the onsets off the beat in ternary beats, at least this share on the middle triplet makes triplets, not swing.
MIDDLE_SHARE = 0.15
STRAIGHT_BELOW = 0.54


def feel_of(grid: BarGrid, onset_tick: np.ndarray) -> tuple[str, float]:
    """'straight', 'swing' or 'triplet', and the swing ratio .5 to .75: the share of the beat before its off-beat.

    ``grid`` has its ternary beats marked. Compound meters are triplets. The ratio is the median of the off-beats.
    """
    inside = (onset_tick >= grid.beat_tick[0]) & (onset_tick < grid.beat_tick[-1])
    position = grid.position(onset_tick[inside])
    beat = np.minimum((position // SLOTS).astype(np.int64), grid.beats - 1)
    place = position / SLOTS - beat
    ternary = grid.ternary[beat] if len(beat) else np.zeros(0, bool)
    if grid.ternary.mean() > 0.5:
        middle = np.sum(ternary & (np.abs(place - 1 / 3) < 1 / 12))
        late = np.sum(ternary & (np.abs(place - 2 / 3) < 1 / 8))
        compound = np.all(np.isin(grid.quarters[grid.ternary], (1.5, 0.75)))
        feel = "triplet" if compound or middle > MIDDLE_SHARE * (middle + late) else "swing"
        off_beats = place[ternary & (place > 0.55) & (place < 0.78)]
        return feel, _ratio(off_beats, TRIPLET_SWING)
    off_beats = _lone_off_beats(beat, place, ~ternary)
    ratio = _ratio(off_beats, 0.5) if len(off_beats) > 8 else 0.5
    return ("swing", ratio) if ratio >= STRAIGHT_BELOW else ("straight", 0.5)


def _lone_off_beats(beat: np.ndarray, place: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Places .42 to .7 of onsets in beats that have no other onset off the beat: eighths, not 16ths."""
    off_beat = wanted & (place > 0.12) & (place < 0.88)
    eighth = off_beat & (place > 0.42) & (place < 0.7)
    others = np.bincount(beat[off_beat & ~eighth], minlength=int(beat.max(initial=0)) + 1)
    return place[eighth & (others[beat] == 0)]


def _ratio(off_beats: np.ndarray, default: float) -> float:
    return float(np.clip(np.median(off_beats), 0.5, 0.75)) if len(off_beats) else default
