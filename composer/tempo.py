"""How strong each onset of a sketch is, and what changes there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Notes of one chord are played up to this far apart (Dixon 2001 uses 70 ms; arpeggios at 16 notes a second stay apart).
CHORD_S = 0.04
HIGHEST_BASS_PITCH = 52


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


def harmony_change(onsets: Onsets) -> np.ndarray:
    """1 less the cosine of the pitch classes of each onset and the one before: (n,) float64, 0 to 1."""
    norm = np.linalg.norm(onsets.pitch_class, axis=1, keepdims=True)
    unit = onsets.pitch_class / np.maximum(norm, 1e-9)
    return np.append(1.0, 1 - np.sum(unit[1:] * unit[:-1], axis=1))
