"""The beats of a song from the log-odds that one begins at each moment: tempo and phase together, by Viterbi.

A semi-Markov form of the bar pointer model (Whiteley, Cemgil & Godsill, ISMIR 2006; Krebs, Böck & Widmer, ISMIR 2015):
a state is a beat and the interval before it. Frames run in blocks that no interval fits in, so that numpy does the work.
"""

from __future__ import annotations

import numpy as np

# Intervals grow in steps of this; one interval follows another up to so many steps longer or shorter.
STEP = 1.04
MOST_STEPS = 6
WIDEST = 13  # steps from the overall tempo
# Cost of an interval r times the overall one: AWAY * log2(r)^2.
AWAY = 10.0
# Cost of an interval that is the one before times r: TIGHTNESS * log2(r)^2; a frame more or less is rounding.
TIGHTNESS = 100.0
# Log-odds that a beat gets for being there: without it a song of unclear beats would have few.
BEAT_BONUS = 2.0


def decode(log_odds: np.ndarray, frames_per_s: float, period_s: float) -> np.ndarray:
    """Frames of the beats, strictly increasing, (beats,) int64, at least two; log_odds is (frames,).

    The sum of log-odds at the beats less the cost of uneven intervals is as great as it can be.
    """
    intervals = _intervals(frames_per_s * period_s)
    shortest, longest = intervals[0], intervals[-1]
    cost, origin = _changes(intervals)
    away = AWAY * np.log2(intervals / (frames_per_s * period_s)) ** 2
    gain = np.concatenate([np.zeros(longest), log_odds + BEAT_BONUS, np.zeros(longest)])
    # Best sum with a beat at this frame, by the interval that will follow; and which interval came before.
    follow = np.zeros((len(gain), len(intervals)))
    came_by = np.zeros((len(gain), len(intervals)), np.int8)
    place = np.arange(len(intervals)) - intervals * len(intervals)  # of the beat before, in follow as one row
    flat = follow.ravel()
    for start in range(longest, len(gain), shortest):
        frame = np.arange(start, min(start + shortest, len(gain)))[:, None]
        total = flat[frame * len(intervals) + place] + (gain[frame] - away)  # by the interval that came before
        reached = total[:, origin] - cost  # (frames, next interval, steps)
        came_by[start : start + shortest] = reached.argmax(2)
        follow[start : start + shortest] = reached.max(2)
    return _path(follow, came_by, origin, intervals)


def _intervals(period: float) -> np.ndarray:
    """Lengths in frames around that of the overall tempo."""
    lengths = np.rint(period * STEP ** np.arange(-WIDEST, WIDEST + 1))
    return np.unique(np.maximum(lengths, 1).astype(np.int64))


def _changes(intervals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cost (intervals, steps) of each interval after one that is some steps away, and the index of that one."""
    here = np.arange(len(intervals))[:, None]
    origin = np.clip(here + np.arange(-MOST_STEPS, MOST_STEPS + 1), 0, len(intervals) - 1)
    ratio = np.abs(np.log2(intervals[here] / intervals[origin]))
    rounding = np.log2(1 + 1 / np.minimum(intervals[here], intervals[origin]))
    return TIGHTNESS * np.maximum(ratio - rounding, 0) ** 2, origin


def _path(follow: np.ndarray, came_by: np.ndarray, origin: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """Back from the best beat that lies beyond the end of the music."""
    longest = int(intervals[-1])
    frame, interval = divmod(int(follow[-longest:].argmax()), len(intervals))
    frame += len(follow) - longest
    path = [frame]
    while frame >= longest:
        interval = int(origin[interval, came_by[frame, interval]])
        frame -= int(intervals[interval])
        path.append(frame)
    return np.array(path[::-1], np.int64) - longest
