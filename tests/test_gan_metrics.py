"""Measures: cases worked out by hand, and what must hold for any drums."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from encoding.kit import PARTS
from encoding.types import SLOTS
from gan import metrics

BARS = arrays.arrays(bool, (6, 8))
COUNTS = arrays.arrays(np.int64, 12, elements=st.integers(0, 50)).filter(lambda counts: counts.any())


def drums(*places: tuple[int, int, int]) -> np.ndarray:
    """Two beats struck at (beat, slot, part)."""
    hits = np.zeros((2, SLOTS, PARTS), bool)
    for place in places:
        hits[place] = True
    return hits


def test_kick_meets_bass_on_the_same_slot_only() -> None:
    bass = np.zeros((2, SLOTS), bool)
    bass[0, 0] = bass[0, 6] = bass[1, 0] = True
    kick, snare = metrics.KICK, metrics.SNARE
    assert metrics.kick_bass_f1(drums((0, 0, kick), (0, 6, kick), (1, 0, kick)), bass) == 1
    assert metrics.kick_bass_f1(drums((0, 0, kick)), bass) == pytest.approx(2 * 1 / (1 + 3))
    assert metrics.kick_bass_f1(drums((0, 3, kick)), bass) == 0
    assert math.isnan(metrics.kick_bass_f1(drums((0, 0, snare)), bass))
    assert math.isnan(metrics.kick_bass_f1(drums((0, 0, kick)), np.zeros_like(bass)))


def test_jaccard() -> None:
    a, b = drums((0, 0, 0), (0, 6, 2), (1, 0, 1)), drums((0, 0, 0), (0, 6, 2), (1, 6, 1))
    assert metrics.jaccard(a, b) == pytest.approx(2 / 4)
    assert metrics.jaccard(drums(), drums()) == 1
    assert metrics.jaccard(a, drums()) == 0


def test_likeness_of_neighbouring_bars() -> None:
    one, two, rest = [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]
    bars = np.array([one, one, two, rest, rest], bool)
    assert metrics.bar_similarity(bars) == pytest.approx((1 + 1 / 3 + 0) / 3)  # the pair of rests is left out
    assert metrics.grooving_similarity(bars) == pytest.approx((4 + 2 + 2 + 4) / 16)
    assert metrics.empty_bars(bars) == pytest.approx(2 / 5)
    assert math.isnan(metrics.bar_similarity(np.zeros((3, 4), bool)))


def test_divergence_of_places() -> None:
    a, b = np.array([4, 0]), np.array([0, 7])
    assert metrics.pattern_divergence(a, 3 * a) == 0
    assert metrics.pattern_divergence(a, b) == pytest.approx(math.log(2))
    middle = 0.75 * math.log(0.75 / 0.625) + 0.25 * math.log(0.25 / 0.375)
    half = 0.5 * math.log(0.5 / 0.625) + 0.5 * math.log(0.5 / 0.375)
    assert metrics.pattern_divergence(np.array([3, 1]), np.array([5, 5])) == pytest.approx((middle + half) / 2)
    assert math.isnan(metrics.pattern_divergence(a, np.zeros(2)))


def test_rank_correlation() -> None:
    assert metrics.rank_correlation(np.array([1, 2, 3, 4]), np.array([10, 20, 30, 1000])) == pytest.approx(1)
    assert metrics.rank_correlation(np.array([1, 2, 3, 4]), np.array([9, 7, 5, -3])) == pytest.approx(-1)
    # one tie: ranks 1.5 1.5 3 against 1 2 3
    assert metrics.rank_correlation(np.array([5, 5, 6]), np.array([1, 2, 3])) == pytest.approx(math.sqrt(3) / 2)
    assert math.isnan(metrics.rank_correlation(np.array([1, 2, 3]), np.array([4, 4, 4])))


@given(BARS, BARS)
def test_two_way_measures_are_symmetric_and_bounded(a: np.ndarray, b: np.ndarray) -> None:
    for measure in (metrics.jaccard, metrics.f1):
        value = measure(a, b)
        assert math.isnan(value) or 0 <= value <= 1
        assert value == pytest.approx(measure(b, a), nan_ok=True)
    assert metrics.jaccard(a, a) == 1


@given(BARS)
def test_one_way_measures_are_bounded_and_blind_to_direction(bars: np.ndarray) -> None:
    for measure in (metrics.bar_similarity, metrics.grooving_similarity, metrics.empty_bars):
        value = measure(bars)
        assert math.isnan(value) or 0 <= value <= 1
        assert value == pytest.approx(measure(bars[::-1]), nan_ok=True)


@given(COUNTS, COUNTS)
def test_divergence_is_symmetric_and_at_most_log_2(a: np.ndarray, b: np.ndarray) -> None:
    value = metrics.pattern_divergence(a, b)
    assert -1e-12 <= value <= math.log(2) + 1e-12
    assert value == pytest.approx(metrics.pattern_divergence(b, a), abs=1e-12)


@given(arrays.arrays(np.int64, 7, elements=st.integers(-5, 5)), arrays.arrays(np.int64, 7, elements=st.integers(-5, 5)))
def test_rank_correlation_sees_only_the_order(a: np.ndarray, b: np.ndarray) -> None:
    value = metrics.rank_correlation(a, b)
    assert math.isnan(value) or -1 - 1e-9 <= value <= 1 + 1e-9
    assert value == pytest.approx(metrics.rank_correlation(b, a), nan_ok=True)
    assert value == pytest.approx(metrics.rank_correlation(a**3, 2 * b + 1), nan_ok=True)
