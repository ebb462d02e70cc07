"""How the tempo of played music wanders about its overall tempo: a path through a local autocorrelation."""

from __future__ import annotations

import numpy as np

WINDOW_BEATS, HOP_BEATS = 16, 4
# Ratios of local to overall period, in steps of 2 %.
RATIOS = 1.02 ** np.arange(-15, 16)
# Beats after which repetition is looked for; short ones read coarsely, long ones finely.
LAG_BEATS = (1, 2, 4)
# Autocorrelation that one step of 2 % a hop costs, and what being away from the overall tempo costs.
STEP_COST = 0.05
AWAY_COST = 3.0


def local_periods(curve: np.ndarray, period: int) -> np.ndarray:
    """Frames a beat at each frame of an onset-strength curve, (frames,) float64; ``period`` is the overall one."""
    window, hop = WINDOW_BEATS * period, HOP_BEATS * period
    if len(curve) < 2 * window:
        return np.full(len(curve), float(period))
    windows = np.lib.stride_tricks.sliding_window_view(curve, window)[::hop]
    centred = (windows - windows.mean(1, keepdims=True)) * np.hanning(window)
    size = 1 << (window + int(max(LAG_BEATS) * RATIOS[-1] * period)).bit_length()
    spectrum = np.fft.rfft(centred, size)
    lagged = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)
    lagged /= np.maximum(lagged[:, :1], 1e-9)  # (windows, size)
    lags = np.outer(LAG_BEATS, RATIOS) * period  # (lags, ratios)
    below = lags.astype(np.int64)
    read = lagged[:, below] * (1 - lags + below) + lagged[:, below + 1] * (lags - below)
    path = _smooth_path(read.sum(1) - AWAY_COST * np.log(RATIOS) ** 2)
    centre = np.arange(len(windows)) * hop + window / 2
    return period * np.exp(np.interp(np.arange(len(curve)), centre, np.log(RATIOS[path])))


def _smooth_path(score: np.ndarray) -> np.ndarray:
    """Index of a ratio for each window, (windows,): the best sum of scores less the cost of steps (Viterbi)."""
    ratios = np.arange(score.shape[1])
    step = STEP_COST * np.abs(ratios[:, None] - ratios)
    total, came_from = score[0], []
    for row in score[1:]:
        reached = total - step  # (to, from)
        came_from.append(reached.argmax(1))
        total = reached.max(1) + row
    path = [int(total.argmax())]
    for origin in reversed(came_from):
        path.append(int(origin[path[-1]]))
    return np.array(path[::-1])
