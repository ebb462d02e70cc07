"""Which tempos a sketch suggests: how often onsets, accents and the beats that the network hears come again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from composer.beat_features import FRAMES_PER_S
from composer.beat_network import weights
from composer.tempo import HIGHEST_BASS_PITCH, Onsets, autocorrelation, harmony_change, onset_curve

MIN_BPM, MAX_BPM = 40.0, 220.0
ONSET_FRAMES_PER_S = 100
MAX_LAG_S = 9.0
BLUR_S = 0.025
# A beat is heard where onsets repeat after these multiples of it, and where basses, long notes and changes of harmony
# do; both read as autocorrelation (combs).
COMB_BEATS = np.array([0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1, 1.5, 2, 3, 4])
ACCENT_COMB_BEATS = np.array([0.5, 1, 2, 4, 8])


def likely_tempos(onsets: Onsets, log_odds: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Up to five pairs of beats a minute and probability, best first, of two or more onsets.

    log_odds (frames, 2) from :mod:`composer.beat_network`. The probability of a tempo is the share of a softmax over
    all tempos that lies within 4 % of it; what speaks for a tempo is weighed by a layer of 24 units.
    """
    bpm, features = tempo_features(onsets, log_odds)
    learnt = weights()
    scaled = (features - learnt["tempo.mean"]) / learnt["tempo.scale"]
    units = np.tanh(scaled @ learnt["tempo.weight"] + learnt["tempo.bias"])
    score = scaled @ learnt["tempo.direct"] + units @ learnt["tempo.out"]
    share = np.exp(score - score.max())
    share /= share.sum()
    around = np.convolve(share, np.ones(9), mode="same")
    padded = np.concatenate([[-np.inf], score, [-np.inf]])
    peaks = np.flatnonzero((score >= padded[:-2]) & (score > padded[2:]))
    best = peaks[np.argsort(-score[peaks], kind="stable")][:5]
    return tuple((float(bpm[peak]), float(min(around[peak], 1))) for peak in best)


def tempo_features(onsets: Onsets, log_odds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Beats a minute (n,) from slow to fast in steps of 1 %, and what speaks for each of them (n, features)."""
    bpm = MIN_BPM * 1.01 ** np.arange(int(np.log(MAX_BPM / MIN_BPM) / np.log(1.01)) + 1)
    period_s = 60 / bpm
    bass = onsets.weight * (onsets.lowest_pitch < HIGHEST_BASS_PITCH)
    long = onsets.weight * np.minimum(onsets.duration_s, 2) ** 1.5
    accents = (bass, long, harmony_change(onsets))
    heard = 1 / (1 + np.exp(-log_odds.astype(np.float64)))  # (frames, 2)
    octaves = np.log2(bpm / 110)
    length_s = max(float(np.ptp(onsets.onset_s)), 1e-3)
    onsets_a_beat = np.log2(period_s * len(onsets) / length_s)
    beats_a_beat = np.log2(period_s * heard[:, 0].sum() / max(length_s, 1))
    columns = [
        _comb(_curve(onsets, onsets.weight), ONSET_FRAMES_PER_S, period_s, COMB_BEATS),
        *(_comb(_curve(onsets, accent), ONSET_FRAMES_PER_S, period_s, ACCENT_COMB_BEATS) for accent in accents),
        octaves,
        octaves**2,
        onsets_a_beat,
        onsets_a_beat**2,
        _comb(heard[:, 0], FRAMES_PER_S, period_s, COMB_BEATS),
        _comb(heard[:, 1], FRAMES_PER_S, period_s, ACCENT_COMB_BEATS),
        beats_a_beat,
        beats_a_beat**2,
    ]
    return bpm, np.column_stack(columns)


def _curve(onsets: Onsets, weight: np.ndarray) -> np.ndarray:
    # A weight above 0 everywhere: a line without bass still has a curve.
    return onset_curve(replace(onsets, weight=weight + 1e-6), 1 / ONSET_FRAMES_PER_S, BLUR_S, float(onsets.onset_s[-1]))


def _comb(curve: np.ndarray, frames_per_s: float, period_s: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    """Autocorrelation of a curve at multiples of each period: (periods, multiples)."""
    lagged = autocorrelation(curve, int(MAX_LAG_S * frames_per_s))
    lag = np.minimum(np.outer(period_s, multiples) * frames_per_s, len(lagged) - 1)
    return np.interp(lag, np.arange(len(lagged)), lagged)
