"""How strong each onset of a sketch is, and which tempos its onsets suggest."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

MIN_BPM, MAX_BPM = 40.0, 220.0
FRAMES_PER_S = 100
MAX_LAG_S = 9.0
# Notes of one chord are played up to this far apart (Dixon 2001 uses 70 ms; arpeggios at 16 notes a second stay apart).
CHORD_S = 0.04
BLUR_S = 0.025
HIGHEST_BASS_PITCH = 52
# A beat is heard where onsets repeat after these multiples of it, and where basses, long notes and changes of harmony
# do; both read as autocorrelation (combs).
COMB_BEATS = np.array([0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1, 1.5, 2, 3, 4])
ACCENT_COMB_BEATS = np.array([0.5, 1, 2, 4, 8])
# Softmax regression on bass lines, melodies and whole songs, a fifth of them ballads at 50 to 90 quarters a minute.
TEMPO_WEIGHTS = np.concatenate(
    [
        [0.54, -0.62, 1.11, -0.5, 0.42, 1.99, 1.36, 1.03, 1.76, 1.62],  # all onsets
        [-2.62, -2.06, 0.67, -0.28, 0.32],  # basses
        [-0.14, -0.22, 0.76, 0.92, 1.61],  # long notes
        [1.35, 0.61, 0.22, 0.91, 2.48],  # changes of harmony
        [0.0, -1.8],  # octaves from 110 a minute, squared
        [0.0, -0.43],  # log2 of the onsets a beat, squared
    ]
)


@dataclass(frozen=True, slots=True)
class Onsets:
    """Chords and single notes in time order; arrays of equal length n.

    onset_s (n,) float64; weight (n,) float64 above 0, mean 1; lowest_pitch (n,) 0-127; duration_s (n,)
    float64: of the longest note; pitch_class (n, 12) float64: how much of each pitch class is struck.
    """

    onset_s: np.ndarray
    weight: np.ndarray
    lowest_pitch: np.ndarray
    duration_s: np.ndarray
    pitch_class: np.ndarray

    def __len__(self) -> int:
        return len(self.onset_s)


def onsets_of(onset_s: np.ndarray, duration_s: np.ndarray, pitch: np.ndarray, velocity: np.ndarray) -> Onsets:
    """Notes in any order, four arrays (n,), to weighted onsets.

    Loud, long, low and many notes weigh more (the salience of Dixon, "Automatic extraction of tempo and beat from
    expressive performances", 2001).
    """
    if len(onset_s) == 0:
        nothing = np.zeros(0)
        return Onsets(nothing, nothing, nothing, nothing, np.zeros((0, 12)))
    order = np.argsort(onset_s, kind="stable")
    onset_s, duration_s, pitch, velocity = onset_s[order], duration_s[order], pitch[order], velocity[order]
    first = np.flatnonzero(np.diff(onset_s, prepend=-np.inf) > CHORD_S)
    chord = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(onset_s))))
    strength = (
        (np.maximum(velocity, 1) / 127)
        * (0.3 + np.minimum(duration_s, 1))
        * np.where(pitch < HIGHEST_BASS_PITCH, 1.5, 1)
    )
    total = np.add.reduceat(strength, first)
    until_next = np.minimum(np.diff(onset_s[first], append=onset_s[-1] + 1), 1)
    weight = np.sqrt(total) * (0.3 + until_next)
    pitch_class = np.bincount(12 * chord + pitch % 12, strength, minlength=12 * len(first)).reshape(-1, 12)
    return Onsets(
        onset_s=np.add.reduceat(strength * onset_s, first) / total,
        weight=weight / weight.mean(),
        lowest_pitch=np.minimum.reduceat(pitch, first),
        duration_s=np.maximum.reduceat(duration_s, first),
        pitch_class=pitch_class,
    )


def onset_curve(onsets: Onsets, frame_s: float, blur_s: float, end_s: float) -> np.ndarray:
    """Onset strength over time, (frames,) float64, frame k at k * frame_s from the first onset: Gaussian bumps."""
    frames = int((end_s - onsets.onset_s[0]) / frame_s) + 2
    place = (onsets.onset_s - onsets.onset_s[0]) / frame_s
    below = place.astype(np.int64)
    curve = np.bincount(below, onsets.weight * (1 - place + below), minlength=frames + 1)
    curve += np.bincount(below + 1, onsets.weight * (place - below), minlength=frames + 1)[: len(curve)]
    reach = max(int(3 * blur_s / frame_s), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * frame_s / blur_s) ** 2)
    return np.convolve(curve, kernel, mode="same")[:frames]


def autocorrelation(curve: np.ndarray, lags: int) -> np.ndarray:
    """Unbiased autocorrelation of the curve less its mean at lags 0 to lags - 1, 1 at lag 0: (lags,) float64."""
    centred = curve - curve.mean()
    size = 1 << (len(curve) + lags).bit_length()
    spectrum = np.fft.rfft(centred, size)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:lags]
    terms = np.maximum(len(curve) - np.arange(lags), len(curve) // 4 + 1)
    return products / terms / max(products[0] / len(curve), 1e-12)


def tempo_features(onsets: Onsets) -> tuple[np.ndarray, np.ndarray]:
    """Beats a minute (n,) from slow to fast in steps of 1 %, and what speaks for each of them (n, features)."""
    bpm = MIN_BPM * 1.01 ** np.arange(int(np.log(MAX_BPM / MIN_BPM) / np.log(1.01)) + 1)
    period_s = 60 / bpm
    bass = onsets.weight * (onsets.lowest_pitch < HIGHEST_BASS_PITCH)
    long = onsets.weight * np.minimum(onsets.duration_s, 2) ** 1.5
    combs = [
        _comb(onsets, onsets.weight, period_s, COMB_BEATS),
        *(_comb(onsets, accent, period_s, ACCENT_COMB_BEATS) for accent in (bass, long, harmony_change(onsets))),
    ]
    octaves = np.log2(bpm / 110)
    onsets_a_beat = np.log2(period_s * len(onsets) / max(float(np.ptp(onsets.onset_s)), 1e-3))
    return bpm, np.column_stack([*combs, octaves, octaves**2, onsets_a_beat, onsets_a_beat**2])


def _comb(onsets: Onsets, weight: np.ndarray, period_s: np.ndarray, multiples: np.ndarray) -> np.ndarray:
    """Autocorrelation of the weighted onsets at multiples of each period: (periods, multiples)."""
    # A weight above 0 everywhere: a line without bass still has a curve.
    curve = onset_curve(replace(onsets, weight=weight + 1e-6), 1 / FRAMES_PER_S, BLUR_S, float(onsets.onset_s[-1]))
    lagged = autocorrelation(curve, int(MAX_LAG_S * FRAMES_PER_S))
    lag = np.minimum(np.outer(period_s, multiples) * FRAMES_PER_S, len(lagged) - 1)
    return np.interp(lag, np.arange(len(lagged)), lagged)


def harmony_change(onsets: Onsets) -> np.ndarray:
    """1 less the cosine of the pitch classes of each onset and the one before: (n,) float64, 0 to 1."""
    norm = np.linalg.norm(onsets.pitch_class, axis=1, keepdims=True)
    unit = onsets.pitch_class / np.maximum(norm, 1e-9)
    return np.append(1.0, 1 - np.sum(unit[1:] * unit[:-1], axis=1))


def likely_tempos(onsets: Onsets) -> tuple[tuple[float, float], ...]:
    """Up to five pairs of quarters a minute and probability, best first, of two or more onsets.

    The probability of a tempo is the share of a softmax over all tempos that lies within 4 % of it.
    """
    bpm, features = tempo_features(onsets)
    score = features @ TEMPO_WEIGHTS
    share = np.exp(score - score.max())
    share /= share.sum()
    around = np.convolve(share, np.ones(9), mode="same")
    padded = np.concatenate([[-np.inf], score, [-np.inf]])
    peaks = np.flatnonzero((score >= padded[:-2]) & (score > padded[2:]))
    best = peaks[np.argsort(-score[peaks], kind="stable")][:5]
    return tuple((float(bpm[peak]), float(min(around[peak], 1))) for peak in best)
