"""How many beats a bar has and which beat is the first, from what is played on and after each beat."""

from __future__ import annotations

import numpy as np

from composer.metrical_profile import bar_phase_scores
from composer.tempo import Onsets

BEATS_PER_BAR = (4, 3, 5, 7)
# An onset belongs to a beat when it is closer to it than this share of the beat.
ON_BEAT = 0.2
# Log-likelihood that the tracked beats must lose to the off-beats between them.
OFF_BEAT_MARGIN = 0.5
# Softmax regression on songs in 4/4, 3/4, 5/4 and 7/4, whole and by bass or melody alone, 4/4 being 95 % of them.
METER_WEIGHTS = np.array([0.27, 2.23, 1.55, 0.45, 1.78, 2.05, 2.33, -0.35, -0.77, -1.21])


def meter_and_downbeat(onsets: Onsets, beat_s: np.ndarray) -> tuple[int, float]:
    """Quarters in a bar and the place of the first bar line, counted in beats, for beats at beat_s (beats,) seconds.

    The place may fall between two beats: then the beats given are off-beats.
    """
    hypotheses, features = meter_features(onsets, beat_s)
    beats, downbeat = hypotheses[int(np.argmax(features @ METER_WEIGHTS))]
    return (4, downbeat_of_four(onsets, beat_s)) if beats == 4 else (beats, downbeat)


def downbeat_of_four(onsets: Onsets, beat_s: np.ndarray) -> float:
    """The place of the first bar line as in :func:`meter_and_downbeat` where four beats make a bar."""
    scores = bar_phase_scores(onsets, beat_s)
    scores[np.arange(len(scores)) % 4 != 0] -= OFF_BEAT_MARGIN
    return float(np.argmax(scores)) / 4


def first_downbeat(onsets: Onsets, beat_s: np.ndarray, beats_per_bar: int) -> int:
    """Index of the first downbeat where the number of beats in a bar is known."""
    evidence = _evidence(onsets, beat_s) @ METER_WEIGHTS[:4]
    bars = [evidence[phase::beats_per_bar] for phase in range(min(beats_per_bar, len(evidence)))]
    return int(np.argmax([bar.mean() for bar in bars]))


def meter_features(onsets: Onsets, beat_s: np.ndarray) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Each meter in quarters with each of its phases, and what speaks for them: (hypotheses, features) float64.

    A phase is the index of the first beat that is a downbeat. The features: how much stronger and longer the
    onsets on the downbeats are than on all beats and how much more the harmony and the lowest note change there, in
    standard deviations; then, of the meter alone, how well beats repeat after one bar and after two, and a constant.
    """
    evidence = _evidence(onsets, beat_s)  # (beats, 4)
    repeats = _repetition(evidence)
    hypotheses, rows = [], []
    for row, beats in enumerate(BEATS_PER_BAR):
        same = np.eye(len(BEATS_PER_BAR))[row]
        for phase in range(beats):
            at_downbeat = evidence[phase::beats]
            strength = at_downbeat.mean(0) if len(at_downbeat) else np.zeros(evidence.shape[1])
            hypotheses.append((beats, phase))
            rows.append(np.concatenate([strength, repeats[[beats, 2 * beats]], same]))
    return hypotheses, np.array(rows)


def _evidence(onsets: Onsets, beat_s: np.ndarray) -> np.ndarray:
    """(beats, 4): strength and duration of what starts on each beat, change of harmony and of the lowest note there.

    Each in standard deviations from its mean.
    """
    beats = len(beat_s)
    place = np.interp(onsets.onset_s, beat_s, np.arange(beats))
    nearest = np.rint(place).astype(np.int64)
    on_beat = np.abs(place - nearest) < ON_BEAT
    weight = np.where(on_beat, onsets.weight, 0)
    strength = np.bincount(nearest, weight, minlength=beats)
    lowest = np.full(beats, 128)
    np.minimum.at(lowest, nearest[on_beat], onsets.lowest_pitch[on_beat])
    bass_moves = (lowest < 128) & (lowest != np.roll(lowest, 1))
    duration = np.bincount(nearest, np.where(on_beat, np.minimum(onsets.duration_s, 2), 0), minlength=beats)
    harmony = np.zeros((beats, 12))
    np.add.at(harmony, np.floor(place + ON_BEAT).astype(np.int64).clip(0, beats - 1), onsets.pitch_class)
    harmony /= np.maximum(np.linalg.norm(harmony, axis=1, keepdims=True), 1e-9)
    change = 1 - np.sum(harmony * np.roll(harmony, 1, axis=0), axis=1)
    evidence = np.column_stack([np.sqrt(strength), np.sqrt(duration), change, bass_moves])
    return (evidence - evidence.mean(0)) / np.maximum(evidence.std(0), 1e-9)


def _repetition(evidence: np.ndarray) -> np.ndarray:
    """Autocorrelation of the evidence over beats at lags 0 to 14: (15,) float64, 0 where the song is too short."""
    lags = 2 * max(BEATS_PER_BAR) + 1
    return np.array(
        [np.mean(evidence[lag:] * evidence[: len(evidence) - lag]) if lag < len(evidence) else 0 for lag in range(lags)]
    )
