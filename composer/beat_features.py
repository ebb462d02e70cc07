"""What a listener hears at each moment of a sketch, as the input of the beat network."""

from __future__ import annotations

import numpy as np

from composer.tempo import HIGHEST_BASS_PITCH, Onsets, harmony_change

FRAMES_PER_S = 25
# Harmony before and after an onset is compared over these times.
HARMONY_WINDOWS_S = (0.4, 1.0, 2.0)
FEATURES = 13


def frames(onsets: Onsets) -> np.ndarray:
    """(frames, FEATURES) float32, frame k at k / FRAMES_PER_S from the first onset; silence is 0.

    Each onset is shared between the two frames around it, so that its exact time is kept.
    """
    place = (onsets.onset_s - onsets.onset_s[0]) * FRAMES_PER_S
    below = place.astype(np.int64)
    count = int(below[-1]) + 2
    share = place - below
    values = onset_features(onsets)
    columns = [
        np.bincount(below, column * (1 - share), minlength=count)
        + np.bincount(below + 1, column * share, minlength=count)
        for column in values.T
    ]
    return np.column_stack(columns).astype(np.float32)


def onset_features(onsets: Onsets) -> np.ndarray:
    """(n, FEATURES) float64, each about 0 to 2: strength, duration, the silences around, register, what changes."""
    before = np.clip(np.diff(onsets.onset_s, prepend=onsets.onset_s[0] - 2), 0.02, 2)
    after = np.clip(np.diff(onsets.onset_s, append=onsets.onset_s[-1] + 2), 0.02, 2)
    is_bass = onsets.lowest_pitch < HIGHEST_BASS_PITCH
    moves = np.diff(onsets.lowest_pitch.astype(np.float64), prepend=onsets.lowest_pitch[0])
    return np.column_stack(
        [
            np.ones(len(onsets)),
            np.sqrt(onsets.weight),
            np.sqrt(np.minimum(onsets.duration_s, 4)),
            np.sqrt(before),
            np.sqrt(after),
            np.minimum(before / after, after / before),
            is_bass,
            np.clip((onsets.lowest_pitch - 28) / 48, 0, 2),
            np.clip(-moves / 12, 0, 2),
            harmony_change(onsets),
            *(_novelty(onsets, window_s) for window_s in HARMONY_WINDOWS_S),
        ]
    )


def _novelty(onsets: Onsets, window_s: float) -> np.ndarray:
    """1 less the cosine of the pitch classes struck in the windows after and before each onset: (n,) float64."""
    until = np.concatenate([np.zeros((1, 12)), np.cumsum(onsets.pitch_class, axis=0)])
    here = np.arange(len(onsets))
    after = until[np.searchsorted(onsets.onset_s, onsets.onset_s + window_s)] - until[here]
    before = until[here] - until[np.searchsorted(onsets.onset_s, onsets.onset_s - window_s)]
    norms = np.linalg.norm(after, axis=1) * np.linalg.norm(before, axis=1)
    return 1 - np.sum(after * before, axis=1) / np.maximum(norms, 1e-9)
