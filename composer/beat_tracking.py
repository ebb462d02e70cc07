"""Beats of played music: what the network hears, a steady path through it, and the onsets nearest to that path."""

from __future__ import annotations

import numpy as np

from composer.beat_decoding import decode
from composer.beat_features import FRAMES_PER_S
from composer.tempo import Onsets

# Beats that a straight line meets within this were played to a click.
CLICK_RMS_S = 0.02


def track_beats(onsets: Onsets, log_odds: np.ndarray, period_s: float, end_s: float) -> np.ndarray:
    """Beat times in seconds, strictly increasing, (beats,) float64 with at least two, near ``period_s`` apart.

    log_odds (frames,) that a beat begins, from :mod:`composer.beat_network`. The first beat lies at or before the
    first onset and the last at or after ``end_s``.
    """
    beats = decode(log_odds, FRAMES_PER_S, period_s) / FRAMES_PER_S + onsets.onset_s[0]
    if len(beats) < 2:
        beats = onsets.onset_s[0] + period_s * np.arange(2)
    beats = _straighten(_onto_onsets(beats, onsets, period_s))
    return _extend(beats, float(onsets.onset_s[0]), end_s)


def _onto_onsets(beats: np.ndarray, onsets: Onsets, period_s: float) -> np.ndarray:
    """Each beat moved to the mean of the onsets within a tenth of a beat; beats without one keep their place."""
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
