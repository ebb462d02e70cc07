"""Beats, tempo and meter of played lines: what a listener would tap along."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.beat_decoding import decode
from composer.beat_features import FEATURES, FRAMES_PER_S, frames
from composer.beat_network import activations
from composer.beat_tracking import track_beats
from composer.meter_induction import meter_from_first_beat
from composer.tempo import Onsets, onsets_of
from composer.tempo_induction import likely_tempos
from composer.timing import bar_grid
from encoding import midi

EXAMPLES = Path(__file__).parents[1] / "examples"
# Eighths of a bass bar, its length in eighths, and semitones above the root.
ROCK = ((0, 3, 0), (3, 1, 0), (4, 2, 7), (6, 1, 5), (7, 1, 3))
JIG = ((0, 2, 0), (2, 1, 7), (3, 2, 12), (5, 1, 7))
SEVEN = ((0, 2, 0), (2, 2, 7), (4, 2, 12), (6, 1, 7))


def riff(bar: tuple[tuple[int, int, int], ...], eighths: int, bars: int, eighth_s: float) -> Onsets:
    """A bar over four roots, as often as asked."""
    rows = [
        (
            (b * eighths + place) * eighth_s,
            0.9 * length * eighth_s,
            (40, 45, 43, 38)[b % 4] + step,
            100 - 20 * (place > 0),
        )
        for b in range(bars)
        for place, length, step in bar
    ]
    onset_s, duration_s, pitch, velocity = (np.array(column) for column in zip(*rows, strict=True))
    return onsets_of(onset_s, duration_s, pitch, velocity)


def test_features_keep_every_onset_and_its_time() -> None:
    onsets = riff(ROCK, 8, 8, 0.25)
    heard = frames(onsets)
    assert heard.shape[1] == FEATURES
    assert heard[:, 0].sum() == pytest.approx(len(onsets))
    assert heard[:, 0] @ np.arange(len(heard)) / FRAMES_PER_S == pytest.approx(onsets.onset_s.sum(), rel=1e-3)


def test_the_network_hears_beats_where_they_are() -> None:
    onsets = riff(ROCK, 8, 24, 0.26)
    odds = activations(onsets)
    place = np.rint(np.arange(180) * 0.26 * FRAMES_PER_S).astype(int)
    beat, off_beat = odds[place[0::2], 0].mean(), odds[place[1::2], 0].mean()
    assert beat > off_beat + 1
    assert odds[place[0::8], 1].mean() > odds[place[4::8], 1].mean()


@pytest.mark.parametrize("bpm", [66, 92, 118, 140])
def test_tempo_and_beats_of_a_bass(bpm: float) -> None:
    onsets = riff(ROCK, 8, 24, 30 / bpm)
    odds = activations(onsets)
    likely = [tempo for tempo, _ in likely_tempos(onsets, odds)[:3]]  # a bass may well count twice as fast
    assert min(abs(tempo / bpm - 1) for tempo in likely) < 0.03
    beats = track_beats(onsets, odds[:, 0], 60 / bpm, float(onsets.onset_s[-1]))
    away = np.abs(beats * bpm / 60 - np.rint(beats * bpm / 60))
    assert np.median(away) < 0.05


@pytest.mark.parametrize(
    ("bar", "eighths", "meters"), [(ROCK, 8, {(4, 4)}), (JIG, 6, {(6, 8), (12, 8)}), (SEVEN, 7, {(7, 8)})]
)
def test_meter_of_a_riff(bar: tuple[tuple[int, int, int], ...], eighths: int, meters: set[tuple[int, int]]) -> None:
    onsets = riff(bar, eighths, 32, 0.25)
    found, probability = meter_from_first_beat(onsets, activations(onsets), 0.25 * np.arange(32 * eighths))
    assert found in meters
    assert 0 < probability <= 1


def test_free_ballad_is_followed() -> None:
    """Sixteen bars of four beats at about 76 a minute that speed up and slow down."""
    timing = bar_grid(midi.parse((EXAMPLES / "free-ballad.mid").read_bytes()))
    assert (timing.tempo_source, timing.meter) == ("estimated", (4, 4))
    assert timing.tempo_bpm == pytest.approx(76, rel=0.06)
    assert timing.grid.bars in (16, 17)


@settings(max_examples=40, deadline=None)
@given(period=st.floats(0.05, 3), frames_=st.integers(1, 400), spikes=st.lists(st.integers(0, 399), max_size=30))
def test_beats_cover_whatever_is_heard(period: float, frames_: int, spikes: list[int]) -> None:
    odds = np.full(frames_, -3.0)
    odds[[spike for spike in spikes if spike < frames_]] = 3
    beats = decode(odds, 25, period)
    assert (np.diff(beats) > 0).all()
    assert beats[0] <= 0
    assert beats[-1] >= frames_ - 1


def test_beats_fall_on_a_steady_pulse() -> None:
    odds = np.full(500, -3.0)
    odds[4::13] = 3
    beats = decode(odds, 25, 0.5)
    inside = beats[(beats >= 0) & (beats < 500)]
    assert np.array_equal(inside, np.arange(4, 500, 13))


def test_fitting_explains_itself_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "composer.fit_beats", "--help"], capture_output=True, text=True, check=True
    )
    assert "--minutes" in done.stdout
