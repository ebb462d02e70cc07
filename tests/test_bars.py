"""Bars and beats from time signatures: what a musician would count, meter by meter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from encoding.bars import MAX_BARS, beats_of_meter, grid_from_file, mark_ternary
from encoding.types import BarGrid, Song, TimeSignature

TPQ = 480


def song(*signatures: tuple[int, int, int], end_tick: int = 4 * TPQ, tpq: int = TPQ) -> Song:
    """A song without notes; signatures are (onset_tick, numerator, denominator)."""
    return Song(tpq, (), (), tuple(TimeSignature(*signature) for signature in signatures), (), end_tick)


def quarters_of_bars(grid: BarGrid) -> list[list[float]]:
    return [part.tolist() for part in np.split(grid.quarters, grid.bar_beat[1:-1])]


def check(grid: BarGrid) -> None:
    """What every grid promises to those downstream."""
    assert (np.diff(grid.beat_tick) > 0).all()
    assert (np.diff(grid.bar_beat) > 0).all()
    assert grid.bar_beat[0] == 0
    assert grid.bar_beat[-1] == grid.beats == len(grid.ternary) == len(grid.quarters)
    assert len(grid.meter) == grid.bars
    assert (grid.quarters > 0).all()
    assert grid.beat_tick.dtype == grid.bar_beat.dtype == grid.meter.dtype == np.int64


def test_no_signature_means_four_quarters_from_the_first_tick() -> None:
    grid = grid_from_file(song(end_tick=5 * TPQ))
    assert grid.beat_tick.tolist() == [TPQ * beat for beat in range(9)]  # the second bar is complete
    assert grid.bar_tick.tolist() == [0, 4 * TPQ, 8 * TPQ]
    assert grid.meter.tolist() == [[4, 4], [4, 4]]
    assert not grid.ternary.any()
    check(grid)


@pytest.mark.parametrize(
    ("meter", "quarters", "ternary"),
    [
        ((3, 4), [1, 1, 1], [0, 0, 0]),  # a waltz
        ((5, 4), [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]),
        ((2, 2), [1, 1, 1, 1], [0, 0, 0, 0]),  # cut time, kept in quarters
        ((3, 2), [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]),
        ((6, 8), [1.5, 1.5], [1, 1]),
        ((12, 8), [1.5, 1.5, 1.5, 1.5], [1, 1, 1, 1]),  # a slow blues
        ((3, 8), [1.5], [1]),
        ((6, 16), [0.75, 0.75], [1, 1]),
        ((5, 8), [1, 1.5], [0, 1]),  # 2+3
        ((7, 8), [1, 1, 1.5], [0, 0, 1]),  # 2+2+3
        ((11, 8), [1, 1, 1, 1, 1.5], [0, 0, 0, 0, 1]),
        ((4, 8), [1, 1], [0, 0]),
        ((7, 16), [0.5, 0.5, 0.75], [0, 0, 1]),
        ((1, 8), [0.5], [0]),
        ((9, 32), [1, 0.125], [0, 0]),  # quarters and what is left over
    ],
)
def test_beats_of_a_bar(meter: tuple[int, int], quarters: list[float], ternary: list[int]) -> None:
    grid = grid_from_file(song((0, *meter), end_tick=1))
    assert quarters_of_bars(grid) == [quarters]
    assert grid.ternary.tolist() == [bool(flag) for flag in ternary]
    assert grid.meter.tolist() == [list(meter)]
    assert grid.beat_tick[-1] == sum(quarters) * TPQ
    check(grid)


def test_meter_change_on_the_bar_line() -> None:
    # two bars of 4/4, then 7/8 for two bars, then 3/4
    grid = grid_from_file(song((0, 4, 4), (8 * TPQ, 7, 8), (15 * TPQ, 3, 4), end_tick=18 * TPQ))
    assert grid.meter.tolist() == [[4, 4], [4, 4], [7, 8], [7, 8], [3, 4]]
    assert (grid.bar_tick / TPQ).tolist() == [0, 4, 8, 11.5, 15, 18]


def test_bar_cut_short_by_the_next_signature_keeps_the_beats_that_fit() -> None:
    # 3/4 comes two and a half beats into a bar of 4/4
    grid = grid_from_file(song((0, 4, 4), (5 * TPQ // 2, 3, 4), end_tick=5 * TPQ))
    assert quarters_of_bars(grid) == [[1, 1, 0.5], [1, 1, 1]]
    assert (grid.beat_tick / TPQ).tolist() == [0, 1, 2, 2.5, 3.5, 4.5, 5.5]
    check(grid)


def test_signature_a_few_ticks_late_makes_no_bar_of_a_few_ticks() -> None:
    grid = grid_from_file(song((0, 4, 4), (4 * TPQ + 3, 3, 4), end_tick=7 * TPQ))
    assert grid.bar_tick.tolist() == [0, 4 * TPQ + 3, 7 * TPQ + 3]
    assert quarters_of_bars(grid)[0] == pytest.approx([1, 1, 1, 1 + 3 / TPQ])


def test_pickup_bar_of_its_own_meter() -> None:
    # a way to write a pickup: one bar of 1/4, then 4/4
    grid = grid_from_file(song((0, 1, 4), (TPQ, 4, 4), end_tick=5 * TPQ))
    assert (grid.bar_tick / TPQ).tolist() == [0, 1, 5]


def test_first_signature_after_the_first_tick() -> None:
    grid = grid_from_file(song((4 * TPQ, 3, 4), end_tick=7 * TPQ))
    assert grid.meter.tolist() == [[4, 4], [3, 4]]


def test_of_two_signatures_at_one_tick_the_last_holds() -> None:
    assert grid_from_file(song((0, 4, 4), (0, 6, 8))).meter[0].tolist() == [6, 8]


@pytest.mark.parametrize("absurd", [(0, 4), (4, 0), (1, 1024), (-3, 4), (255, 4), (3, 7)])
def test_absurd_signatures_are_ignored(absurd: tuple[int, int]) -> None:
    grid = grid_from_file(song((0, 3, 4), (3 * TPQ, *absurd), end_tick=6 * TPQ))
    assert grid.meter.tolist() == [[3, 4], [3, 4]]
    with pytest.raises(ValueError, match="no meter"):
        beats_of_meter(*absurd)


def test_long_and_busy_files_stay_bounded() -> None:
    assert grid_from_file(song((0, 1, 4), end_tick=10**9)).bars == MAX_BARS
    changes = [(tick, 3 + tick % 2, 4) for tick in range(0, 5000, 10)]
    check(grid_from_file(song(*changes, end_tick=10**7)))


@settings(max_examples=150)
@given(
    signatures=st.lists(
        st.tuples(st.integers(-10, 5000), st.integers(-1, 70), st.sampled_from([0, 1, 2, 3, 4, 8, 16, 32, 64])),
        max_size=12,
    ),
    end_tick=st.integers(0, 20_000),
    tpq=st.integers(1, 960),
)
@example(signatures=[(0, 3, 8), (20, 1, 1)], end_tick=21, tpq=1)  # a beat half a tick before the next signature
def test_any_signatures_give_a_sound_grid(signatures: list[tuple[int, int, int]], end_tick: int, tpq: int) -> None:
    grid = grid_from_file(song(*signatures, end_tick=end_tick, tpq=tpq))
    check(grid)
    assert grid.beat_tick[0] == 0
    assert grid.beat_tick[-1] >= end_tick or grid.bars == MAX_BARS
    np.testing.assert_allclose(np.diff(grid.beat_tick), grid.quarters * tpq, atol=1.001)


def in_slots(*positions: float, bar: int = 0) -> np.ndarray:
    """Ticks of places in 4/4 counted in slots from the bar line: 12 to the beat."""
    return (np.array(positions) * TPQ / 12).astype(np.int64) + bar * 4 * TPQ


def test_sixteenths_and_eighths_stay_binary() -> None:
    grid = grid_from_file(song(end_tick=4 * TPQ))
    assert not mark_ternary(grid, in_slots(*range(0, 48, 3))).ternary.any()
    assert not mark_ternary(grid, in_slots(*range(0, 48, 6))).ternary.any()


def test_triplets_sextuplets_and_shuffle_are_ternary() -> None:
    grid = grid_from_file(song(end_tick=4 * TPQ))
    assert mark_ternary(grid, in_slots(*range(0, 48, 4))).ternary.all()
    assert mark_ternary(grid, in_slots(*range(0, 48, 2))).ternary.all()
    assert mark_ternary(grid, in_slots(0, 8, 12, 20, 24, 32, 36, 44)).ternary.all()
    played = in_slots(0.3, 7.6, 12.2, 19.9, 24, 32.4, 36.5, 43.7)  # a shuffle played by hand
    assert mark_ternary(grid, played).ternary.all()


def test_dotted_eighths_are_not_a_shuffle() -> None:
    grid = grid_from_file(song(end_tick=4 * TPQ))
    assert not mark_ternary(grid, in_slots(0, 9, 12, 21, 24, 33, 36, 45)).ternary.any()


def test_each_bar_has_its_own_grid_and_silent_bars_follow_their_neighbours() -> None:
    grid = grid_from_file(song(end_tick=24 * TPQ))
    onsets = np.concatenate(
        [
            in_slots(*range(0, 48, 3), bar=0),  # 16ths
            in_slots(*range(0, 48, 4), bar=1),  # triplets, and bars 2 and 3 only beats
            *(in_slots(0, 12, 24, 36, bar=bar) for bar in (2, 3)),
            in_slots(*range(0, 48, 4), bar=4),
        ]
    )
    ternary = mark_ternary(grid, onsets).ternary[grid.bar_beat[:-1]]
    assert ternary.tolist() == [False, True, True, True, True, True]


def test_one_stray_note_among_sixteenths_changes_nothing() -> None:
    grid = grid_from_file(song(end_tick=4 * TPQ))
    assert not mark_ternary(grid, in_slots(*range(0, 48, 3), 8)).ternary.any()


def test_weights_decide() -> None:
    grid = grid_from_file(song(end_tick=4 * TPQ))
    onsets = in_slots(3, 4, 9, 8)
    assert mark_ternary(grid, onsets, np.array([0, 1, 0, 1])).ternary.all()
    assert not mark_ternary(grid, onsets, np.array([1, 0, 1, 0])).ternary.any()


def test_compound_and_long_beats_stay_ternary() -> None:
    for meter in [(12, 8), (7, 8)]:
        grid = grid_from_file(song((0, *meter)))
        marked = mark_ternary(grid, np.arange(0, 4 * TPQ, TPQ // 4))
        assert (marked.ternary == grid.ternary).all()


@given(st.lists(st.integers(-1000, 10_000), max_size=60))
def test_any_onsets_only_add_ternary_beats(onsets: list[int]) -> None:
    grid = grid_from_file(song((0, 4, 4), (4 * TPQ, 5, 8), end_tick=9000))
    marked = mark_ternary(grid, np.array(onsets, np.int64))
    assert (marked.ternary >= grid.ternary).all()
    assert mark_ternary(marked, np.array(onsets, np.int64)).ternary.tolist() == marked.ternary.tolist()
