"""Beats of played music by dynamic programming over an onset-strength curve.

Ellis, "Beat Tracking by Dynamic Programming", Journal of New Music Research 36(1), 2007; the recursion runs over
blocks of frames that cannot reach one another, so that numpy does the work.
"""

from __future__ import annotations

import numpy as np

from composer.tempo import Onsets, onset_curve
from composer.tempo_curve import local_periods

FRAMES_PER_BEAT = 24
SHORTEST, LONGEST = 16, 36  # frames between two beats: 1.5 times as fast to 1.5 times as slow
TIGHTNESS = 400.0
BLUR_S = 0.03
# Beats that a straight line meets within this were played to a click.
CLICK_RMS_S = 0.02


def track_beats(onsets: Onsets, period_s: float, end_s: float) -> np.ndarray:
    """Beat times in seconds, strictly increasing, (beats,) float64 with at least two, near ``period_s`` apart.

    The first lies at or before the first onset and the last at or after ``end_s``.
    """
    frame_s = period_s / FRAMES_PER_BEAT
    curve = onset_curve(onsets, frame_s, min(BLUR_S, period_s / 8), end_s)
    periods = local_periods(curve, FRAMES_PER_BEAT)
    beats = _best_path(curve / max(curve.std(), 1e-9), periods) * frame_s + onsets.onset_s[0]
    if len(beats) < 2:
        beats = onsets.onset_s[0] + period_s * np.arange(2)
    beats = _straighten(_onto_onsets(beats, onsets, period_s))
    return _extend(beats, float(onsets.onset_s[0]), end_s)


def _best_path(strength: np.ndarray, periods: np.ndarray) -> np.ndarray:
    """Frames (beats,) float64 of the beat sequence with the highest strength less the cost of uneven steps."""
    steps = np.arange(LONGEST, SHORTEST - 1, -1)
    log_steps = np.log(steps)
    log_periods = np.log(np.append(periods, np.full(SHORTEST, periods[-1])))[:, None]
    total = np.concatenate([np.zeros(LONGEST), strength, np.zeros(SHORTEST)])
    came_from = np.zeros(len(total), np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(total, len(steps))
    rows = np.arange(SHORTEST)
    for start in range(LONGEST, LONGEST + len(strength), SHORTEST):
        uneven = log_steps - log_periods[start - LONGEST : start - LONGEST + SHORTEST]  # (SHORTEST, steps)
        reachable = windows[start - LONGEST : start - LONGEST + SHORTEST] - TIGHTNESS * uneven * uneven
        best = reachable.argmax(1)
        total[start : start + SHORTEST] += reachable[rows, best]
        came_from[start : start + SHORTEST] = start + rows - steps[best]
    last_beat = LONGEST + len(strength) - FRAMES_PER_BEAT
    frame = max(last_beat, LONGEST) + int(total[max(last_beat, LONGEST) : LONGEST + len(strength)].argmax())
    path = []
    while frame >= LONGEST:
        path.append(frame - LONGEST)
        frame = came_from[frame]
    return np.array(path[::-1], np.float64)


def _onto_onsets(beats: np.ndarray, onsets: Onsets, period_s: float) -> np.ndarray:
    """Each beat moved to the strongest onset within a tenth of a beat; beats without one keep their place."""
    reach = period_s / 10
    nearest = np.clip(np.rint(np.interp(onsets.onset_s, beats, np.arange(len(beats)))), 0, len(beats) - 1).astype(int)
    near = np.abs(onsets.onset_s - beats[nearest]) < reach
    weight = np.bincount(nearest[near], onsets.weight[near], minlength=len(beats))
    shift = np.bincount(nearest[near], (onsets.weight * (onsets.onset_s - beats[nearest]))[near], minlength=len(beats))
    return beats + shift / np.maximum(weight, 1e-9)


def _straighten(beats: np.ndarray) -> np.ndarray:
    """A straight line through the beats where most of them lie on one: music played to a click."""
    if len(beats) < 8:
        return beats
    count = np.arange(len(beats))
    near = np.ones(len(beats), bool)
    for _ in range(3):
        slope, start = np.polyfit(count[near], beats[near], 1)
        residual = np.abs(beats - start - slope * count)
        near = residual <= max(3 * CLICK_RMS_S, float(np.median(residual)))
    if np.sqrt(np.mean(residual[near] ** 2)) < CLICK_RMS_S and near.mean() > 0.8:
        return start + slope * count
    return beats


def _extend(beats: np.ndarray, first_s: float, end_s: float) -> np.ndarray:
    """Beats before and after, as far apart as their neighbours are, so that they hold all of the music."""
    early, late = np.median(np.diff(beats[:9])), np.median(np.diff(beats[-9:]))
    before = max(int(np.ceil((beats[0] - first_s) / early - 0.1)), 0)
    after = max(int(np.ceil((end_s - beats[-1]) / late)), 0)
    return np.concatenate(
        [beats[0] - early * np.arange(before, 0, -1), beats, beats[-1] + late * np.arange(1, after + 1)]
    )
