"""Songs laid out by bar and back; padding says nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from encoding.conditions import ROLES, Conditions
from encoding.kit import PARTS
from encoding.types import SLOTS, BarGrid
from encoding.windows import beat_indices, by_beat, whole_song


def conditions_of(bar_lengths: list[int], seed: int = 0) -> Conditions:
    """A song whose bars have these numbers of beats, with random onsets."""
    rng = np.random.default_rng(seed)
    bars, beats = len(bar_lengths), sum(bar_lengths)
    bar_beat = np.concatenate([[0], np.cumsum(bar_lengths)])
    meter = np.stack([bar_lengths, np.full(bars, 4)], 1)
    grid = BarGrid(np.arange(beats + 1) * 480, bar_beat, rng.random(beats) < 0.5, rng.random(beats) + 0.5, meter)
    return Conditions(
        grid, rng.random((beats, SLOTS, len(ROLES)), np.float32), np.array([True, False, True]),
        rng.random(beats).astype(np.float32) + 0.1, np.arange(bars, dtype=np.int32) // 2,
        np.arange(bars, dtype=np.int32) % 2, 1 - np.arange(bars, dtype=np.int32) % 2,
        rng.random(bars, np.float32), np.full(bars, np.nan, np.float32), style=7,
    )  # fmt: skip


LENGTHS = st.lists(st.integers(1, 7), min_size=1, max_size=12)


@given(LENGTHS)
def test_by_beat_undoes_the_layout(bar_lengths: list[int]) -> None:
    conditions = conditions_of(bar_lengths)
    beat, is_beat = beat_indices(conditions.grid.bar_beat, np.arange(len(bar_lengths)))
    drums = np.random.default_rng(1).random((conditions.grid.beats, SLOTS, PARTS))
    assert (by_beat(drums[beat], is_beat) == drums).all()
    assert (by_beat(drums[beat].reshape(*is_beat.shape, -1), is_beat) == drums).all()


@given(LENGTHS)
def test_a_whole_song_keeps_every_beat_once_and_in_order(bar_lengths: list[int]) -> None:
    conditions = conditions_of(bar_lengths)
    windows = whole_song(conditions)
    grid, is_beat = conditions.grid, windows.is_beat
    assert is_beat.shape == (1, len(bar_lengths), max(bar_lengths))
    assert is_beat.sum(-1)[0].tolist() == bar_lengths
    assert (windows.onsets[is_beat] == conditions.onsets).all()
    assert (windows.ternary[is_beat] == grid.ternary).all()
    assert (windows.quarters[is_beat] == grid.quarters.astype(np.float32)).all()
    assert (windows.beat_s[is_beat] == conditions.beat_s).all()


@given(LENGTHS)
def test_padding_is_silent_and_one_quarter_of_one_second(bar_lengths: list[int]) -> None:
    windows = whole_song(conditions_of(bar_lengths))
    padding = ~windows.is_beat
    assert not windows.onsets[padding].any()
    assert (windows.quarters[padding] == 1).all()
    assert (windows.beat_s[padding] == 1).all()


def test_places_of_bars() -> None:
    windows = whole_song(conditions_of([4, 3, 4]))
    assert windows.bar_number.tolist() == [[0, 1, 2]]
    assert windows.bars_to_end.tolist() == [[2, 1, 0]]
    assert windows.section.tolist() == [[0, 0, 1]]
    assert windows.style.tolist() == [7]
    assert windows.known_roles.tolist() == [[True, False, True]]
    assert np.isnan(windows.fill).all()


def test_take_chooses_stretches() -> None:
    windows = whole_song(conditions_of([4, 4]))
    twice = windows.take(np.array([0, 0]))
    assert twice.onsets.shape == (2, *windows.onsets.shape[1:])
    assert (twice.take(slice(1, 2)).onsets == windows.onsets).all()
