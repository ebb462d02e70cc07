"""What musicians do on each 16th of a bar of 4/4: tells which beat of played music is the first, and where beats are.

A metrical profile (Palmer & Krumhansl, "Mental representations for musical meter", 1990), learnt instead of counted.
"""

from __future__ import annotations

import numpy as np

from composer.tempo import Onsets, harmony_change

SIXTEENTHS = 16  # in a bar
HARMONY_WINDOW = 8  # 16ths before and after, of which the harmonies are compared

# Softmax regression over the 16 rotations of a bar, on bass lines, melodies and whole songs: one row for each 16th;
# columns as in _evidence: strength, duration, change of harmony from the last onset, from the half bar before to the
# half bar after, and the silence before.
PROFILE = np.array(
    [
        [-0.07, 1.78, 0.72, 1.73, 0.69],
        [-0.36, 0.13, -0.60, 0.05, 0.11],
        [-0.44, -0.28, -0.69, -0.26, 1.22],
        [0.22, -0.20, -0.42, -0.36, 0.45],
        [-0.24, 0.35, -0.60, -0.00, 0.15],
        [-0.32, -0.66, -0.32, -0.30, 0.05],
        [0.01, 0.14, 0.40, -0.54, -0.31],
        [0.31, 0.15, -0.24, -0.09, -0.64],
        [0.32, 0.20, -0.01, -0.07, -0.40],
        [-0.25, -0.24, -0.53, -0.06, -0.35],
        [-0.19, -0.40, 0.18, -0.16, -0.21],
        [0.38, -0.24, 0.18, -0.31, -0.33],
        [0.07, -0.27, 0.56, 0.28, -0.37],
        [-0.30, -0.75, 0.09, 0.06, 0.05],
        [0.40, 0.54, 0.55, -0.21, -0.43],
        [0.47, -0.26, 0.72, 0.25, 0.33],
    ]
)


def bar_phase_scores(onsets: Onsets, beat_s: np.ndarray) -> np.ndarray:
    """Log-likelihood, up to a constant, that a bar begins p 16ths after the first beat, p = 0 to 15: (16,) float64.

    beat_s (beats,) float64: two or more beats in seconds, of which four make a bar.
    """
    evidence = _evidence(onsets, beat_s)
    bars = -(-len(evidence) // SIXTEENTHS)
    padded = np.full((bars * SIXTEENTHS, evidence.shape[1]), np.nan)
    padded[: len(evidence)] = evidence
    present = ~np.isnan(padded[:, :1]).reshape(bars, SIXTEENTHS)
    total = np.nan_to_num(padded).reshape(bars, SIXTEENTHS, -1).sum(0)
    mean = total / np.maximum(present.sum(0), 1)[:, None]
    return np.array([np.sum(np.roll(mean, -phase, axis=0) * PROFILE) for phase in range(SIXTEENTHS)])


def _evidence(onsets: Onsets, beat_s: np.ndarray) -> np.ndarray:
    """(16ths, 5) float64: the columns of PROFILE at each 16th of the beats, in standard deviations from the mean."""
    sixteenths = 4 * (len(beat_s) - 1) + 1
    beat_at_onset = np.interp(onsets.onset_s, beat_s, np.arange(len(beat_s)))
    nearest = np.rint(4 * beat_at_onset).astype(np.int64)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(nearest, values, minlength=sixteenths)

    silence = np.minimum(np.diff(onsets.onset_s, prepend=onsets.onset_s[0] - 1), 2)
    evidence = np.column_stack(
        [
            np.sqrt(total(onsets.weight)),
            np.sqrt(total(np.minimum(onsets.duration_s, 2))),
            total(harmony_change(onsets)),
            _half_bar_change(nearest, onsets.pitch_class, sixteenths),
            total(silence),
        ]
    )
    return (evidence - evidence.mean(0)) / np.maximum(evidence.std(0), 1e-9)


def _half_bar_change(nearest: np.ndarray, pitch_class: np.ndarray, sixteenths: int) -> np.ndarray:
    """1 less the cosine of the pitch classes struck in the windows after and before each 16th: (16ths,) float64."""
    cell = (12 * nearest[:, None] + np.arange(12)).ravel()
    struck = np.bincount(cell, pitch_class.ravel(), minlength=12 * sixteenths).reshape(sixteenths, 12)
    until = np.concatenate([np.zeros((1, 12)), np.cumsum(struck, axis=0)])
    here = np.arange(sixteenths)
    after = until[np.minimum(here + HARMONY_WINDOW, sixteenths)] - until[here]
    before = until[here] - until[np.maximum(here - HARMONY_WINDOW, 0)]
    norms = np.linalg.norm(after, axis=1) * np.linalg.norm(before, axis=1)
    return 1 - np.sum(after * before, axis=1) / np.maximum(norms, 1e-9)
