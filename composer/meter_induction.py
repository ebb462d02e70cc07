"""The meter of a sketch whose quarters are known but whose time signature is not, from what the network hears."""

from __future__ import annotations

import numpy as np

from composer.beat_features import FRAMES_PER_S
from composer.tempo import Onsets
from encoding.bars import beats_of_meter

METERS = ((4, 4), (3, 4), (6, 8), (12, 8), (9, 8), (5, 4), (7, 4), (6, 4), (7, 8), (5, 8), (3, 8))
# Softmax regression on songs in 4/4 and in odd meters, whole and by bass or lead alone; the columns of _speaks_for,
# then one constant for each meter.
WEIGHTS = np.array([-1.37, 1.19, 1.02, 1.45, -0.77, 1.73, 1.73, -0.21, 4.21, 3.75, 1.65, 0.72])
CONSTANTS = np.array([5.55, 3.02, 2.73, 1.53, 2.57, 2.84, 2.31, 1.73, 2.80, 2.36, 2.95])


def meter_from_first_beat(onsets: Onsets, log_odds: np.ndarray, eighth_s: np.ndarray) -> tuple[tuple[int, int], float]:
    """The likeliest meter and its probability; ``eighth_s`` (eighths,) are all eighths, the first begins a bar.

    log_odds (frames, 2) from :mod:`composer.beat_network`.
    """
    place = (eighth_s - onsets.onset_s[0]) * FRAMES_PER_S
    heard = (place > -2) & (place < len(log_odds))
    if heard.sum() < 2 * max(numerator for numerator, _ in METERS):
        return METERS[0], 0.0
    odds = np.column_stack([_nearby(place, column) for column in log_odds.T])
    nearest = np.rint(np.interp(onsets.onset_s, eighth_s, np.arange(len(eighth_s)))).astype(np.int64)
    strength = np.sqrt(np.bincount(nearest, onsets.weight, minlength=len(eighth_s)))
    score = np.array([_speaks_for(meter, odds, strength, heard) for meter in METERS]) @ WEIGHTS + CONSTANTS
    share = np.exp(score - score.max())
    return METERS[int(share.argmax())], float(1 / share.sum())


def _nearby(place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The greatest value within a frame of each place."""
    frame = np.arange(len(values))
    around = [np.interp(place + shift, frame, values, left=0, right=0) for shift in (-1, 0, 1)]
    return np.asarray(np.max(around, axis=0))


def _speaks_for(meter: tuple[int, int], odds: np.ndarray, strength: np.ndarray, heard: np.ndarray) -> list[float]:
    """How well beats and bar lines of a meter meet what is heard, and how well that comes again after a bar."""
    lengths = 2 * np.array(beats_of_meter(*meter)[0])
    bar = round(float(lengths.sum()))
    eighth = np.arange(len(heard)) % bar
    on_beat = np.isin(eighth, np.cumsum(lengths) - lengths) & heard
    on_bar = (eighth == 0) & heard
    beat, line = _centred(1 / (1 + np.exp(-odds)), heard[:, None]).T
    level = _centred(strength, heard)
    at_beat, at_bar = level[on_beat].mean(), level[on_bar].mean()
    return [
        odds[on_beat, 0].sum() / heard.sum(),
        odds[on_bar, 1].sum() / heard.sum(),
        odds[on_beat, 0].mean(),
        odds[on_bar, 1].mean(),
        _repeats(beat, bar),
        _repeats(line, bar),
        _repeats(line, 2 * bar),
        _repeats(level, bar),
        _repeats(level, 2 * bar),
        at_beat,
        at_bar,
        at_bar - at_beat,
    ]


def _centred(values: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """Less the mean of what is heard, 0 elsewhere."""
    return np.asarray((values - np.sum(values * heard, axis=0) / heard.sum()) * heard)


def _repeats(values: np.ndarray, lag: int) -> float:
    """Autocorrelation at a lag, 0 beyond the end of the song."""
    if lag >= len(values):
        return 0.0
    return float(np.mean(values[lag:] * values[:-lag]) / (np.mean(values**2) + 1e-9))
