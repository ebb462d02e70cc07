"""Ticks to seconds and back through a song's own tempo map: the one place where the two meet."""

from __future__ import annotations

import numpy as np

from encoding.types import Song

DEFAULT_US_PER_QUARTER = 500_000  # Standard MIDI Files 1.0: 120 quarters a minute where no tempo is given


def _tempo_map(song: Song) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Onsets of the tempos in ticks (n,) int64 from 0, the same in seconds (n,), and their seconds a tick (n,)."""
    us_at = {0: DEFAULT_US_PER_QUARTER}
    for tempo in sorted(song.tempos, key=lambda t: t.onset_tick):
        if tempo.us_per_quarter > 0:
            us_at[max(tempo.onset_tick, 0)] = tempo.us_per_quarter
    onset_tick = np.fromiter(us_at, np.int64, len(us_at))
    seconds_per_tick = np.fromiter(us_at.values(), np.float64, len(us_at)) / (1e6 * max(song.ticks_per_quarter, 1))
    onset_s = np.concatenate([[0.0], np.cumsum(np.diff(onset_tick) * seconds_per_tick[:-1])])
    return onset_tick, onset_s, seconds_per_tick


def seconds_of_ticks(song: Song, tick: np.ndarray) -> np.ndarray:
    """Seconds from the start of the file, same shape as ``tick``, float64. A tempo of 0 in the file is ignored."""
    onset_tick, onset_s, seconds_per_tick = _tempo_map(song)
    tempo = np.maximum(np.searchsorted(onset_tick, tick, side="right") - 1, 0)
    return onset_s[tempo] + (tick - onset_tick[tempo]) * seconds_per_tick[tempo]


def ticks_of_seconds(song: Song, seconds: np.ndarray) -> np.ndarray:
    """Ticks, not rounded: the inverse of :func:`seconds_of_ticks`. Same shape as ``seconds``, float64."""
    onset_tick, onset_s, seconds_per_tick = _tempo_map(song)
    tempo = np.maximum(np.searchsorted(onset_s, seconds, side="right") - 1, 0)
    return onset_tick[tempo] + (seconds - onset_s[tempo]) / seconds_per_tick[tempo]


def median_bpm(song: Song, end_tick: int) -> float:
    """Quarters a minute that hold for half of the time up to ``end_tick``."""
    _, onset_s, seconds_per_tick = _tempo_map(song)
    end_s = float(seconds_of_ticks(song, np.array([max(end_tick, 1)]))[0])
    lasting_s = np.maximum(np.diff(np.append(np.minimum(onset_s, end_s), end_s)), 0)
    order = np.argsort(seconds_per_tick)
    middle = np.searchsorted(np.cumsum(lasting_s[order]), lasting_s.sum() / 2)
    return float(60 / (seconds_per_tick[order[min(middle, len(order) - 1)]] * max(song.ticks_per_quarter, 1)))
