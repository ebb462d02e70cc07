"""Hits on the grid and back: what the grid can hold comes back on its slot and part, at its tick."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from grids import TPQ, grid_of, hits_of
from hypothesis import given
from hypothesis import strategies as st

from encoding.grid import MAX_OFFSET, Hits, allowed_slots, decode, encode, steps
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS, BarGrid

KICK, SNARE = NAMES.index("kick"), NAMES.index("snare")


def cells(hits: Hits, grid: BarGrid) -> list[list[int]]:
    """[beat, slot, part] of every hit of the encoded pattern."""
    return np.argwhere(encode(hits, grid)[0].velocity).tolist()


METERS = ((4, 4), (12, 8), (7, 8), (3, 4), (5, 8))


@st.composite
def grids_and_hits(draw: st.DrawFn) -> tuple[BarGrid, Hits]:
    grid = grid_of(
        draw(st.sampled_from(METERS)), draw(st.integers(1, 3)), draw(st.sampled_from((24, 96, 120, 480, 960))),
        draw(st.sampled_from((0, 7))),
    )  # fmt: skip
    first, last = int(grid.beat_tick[0]), int(grid.beat_tick[-1])
    hit = st.tuples(st.integers(first - 40, last + 40), st.integers(0, PARTS - 1), st.integers(1, 127))
    found = sorted(draw(st.lists(hit, min_size=1, max_size=60)), key=lambda h: h[:2])
    return grid, hits_of(*found)


@given(grids_and_hits())
def test_every_hit_that_is_not_counted_as_lost_comes_back_at_its_tick(case: tuple[BarGrid, Hits]) -> None:
    grid, hits = case
    pattern, lost = encode(hits, grid)
    back = decode(pattern, grid)
    assert len(back.part) + lost.outside + lost.merged == len(hits.part)
    played = np.maximum(hits.onset_tick, grid.beat_tick[0])  # nothing sounds before the first beat
    wanted = Counter(zip(played.tolist(), hits.part.tolist(), hits.velocity.tolist(), strict=True))
    got = Counter(zip(back.onset_tick.tolist(), back.part.tolist(), back.velocity.tolist(), strict=True))
    assert not got - wanted
    assert (np.diff(back.onset_tick) >= 0).all()


@given(grids_and_hits())
def test_offsets_stay_within_half_a_step_and_empty_cells_have_none(case: tuple[BarGrid, Hits]) -> None:
    grid, hits = case
    pattern, _ = encode(hits, grid)
    assert pattern.velocity.shape == pattern.offset.shape == (grid.beats, SLOTS, PARTS)
    assert pattern.velocity.max() <= 127
    assert (np.abs(pattern.offset) <= MAX_OFFSET).all()
    assert not pattern.offset[~pattern.hits].any()


@given(grids_and_hits())
def test_decoded_hits_fall_on_the_same_slots_again(case: tuple[BarGrid, Hits]) -> None:
    grid, hits = case
    first, _ = encode(hits, grid)
    second, lost = encode(decode(first, grid), grid)
    assert (lost.outside, lost.merged) == (0, 0)
    # A hit whose tick lies halfway between two steps may go to either: all others stay.
    halfway = (np.abs(np.abs(first.offset) - np.where(grid.ternary, 1.0, 1.5)[:, None, None]) < 1e-3) & first.hits
    early = (first.offset < 0) & (np.arange(SLOTS) == 0)[:, None]
    if not (halfway.any() or early[0].any()):
        assert (first.velocity == second.velocity).all()


@pytest.mark.parametrize("meter", METERS)
def test_a_hit_on_every_step_of_the_subdivision_is_exact(meter: tuple[int, int]) -> None:
    grid = grid_of(meter)
    slot = np.flatnonzero(allowed_slots(grid.ternary).reshape(-1))
    hits = Hits(grid.tick(slot), np.full(len(slot), SNARE), np.full(len(slot), 90, np.uint8))
    pattern, lost = encode(hits, grid)
    assert (lost.outside, lost.merged) == (0, 0)
    assert (pattern.hits[:, :, SNARE] == allowed_slots(grid.ternary)).all()
    assert not pattern.offset.any()
    assert decode(pattern, grid).onset_tick.tolist() == hits.onset_tick.tolist()


def test_a_late_snare_stays_the_snare_on_two() -> None:
    grid = grid_of()
    pattern, _ = encode(hits_of((TPQ + 30, SNARE)), grid)
    assert np.argwhere(pattern.velocity).tolist() == [[1, 0, SNARE]]
    assert pattern.offset[1, 0, SNARE] == pytest.approx(0.75)  # 30 ticks of 40 a slot


def test_an_early_snare_belongs_to_the_beat_it_leads_to() -> None:
    grid = grid_of()
    pattern, _ = encode(hits_of((TPQ - 30, SNARE)), grid)
    assert np.argwhere(pattern.velocity).tolist() == [[1, 0, SNARE]]
    assert pattern.offset[1, 0, SNARE] == pytest.approx(-0.75)
    assert decode(pattern, grid).onset_tick.tolist() == [TPQ - 30]


def test_triplets_of_a_ternary_beat() -> None:
    assert cells(hits_of((0, KICK), (240, KICK), (480, KICK)), grid_of((12, 8))) == [
        [0, 0, KICK], [0, 4, KICK], [0, 8, KICK],
    ]  # fmt: skip


def test_the_long_beat_of_seven_eight_holds_three_eighths() -> None:
    # 2+2+3: eighths of 240 ticks; the third beat begins at 960 and its eighths fall on slots 0 4 8
    hits = hits_of(*[(eighth * 240, SNARE) for eighth in range(7)])
    assert [cell[:2] for cell in cells(hits, grid_of((7, 8), bars=1))] == [
        [0, 0], [0, 6], [1, 0], [1, 6], [2, 0], [2, 4], [2, 8],
    ]  # fmt: skip


def test_a_flam_keeps_both_strokes() -> None:
    # 40 ticks are one slot: the grace note goes to the slot before the beat
    pattern, lost = encode(hits_of((TPQ - 40, SNARE, 40), (TPQ, SNARE, 110)), grid_of())
    assert lost.merged == 0
    assert np.argwhere(pattern.velocity).tolist() == [[0, 11, SNARE], [1, 0, SNARE]]
    assert pattern.velocity[1, 0, SNARE] == 110


def test_two_notes_of_one_part_at_once_are_one_hit_and_counted() -> None:
    pattern, lost = encode(hits_of((0, SNARE, 80), (0, SNARE, 100), (0, KICK, 90)), grid_of())
    assert (lost.merged, lost.outside) == (1, 0)
    assert np.argwhere(pattern.velocity).tolist() == [[0, 0, KICK], [0, 0, SNARE]]


def test_hits_beyond_the_grid_are_counted_not_moved() -> None:
    grid = grid_of(bars=1, first_tick=960)
    pattern, lost = encode(hits_of((0, KICK), (960, KICK), (960 + 4 * TPQ, KICK)), grid)
    assert lost.outside == 2
    assert np.argwhere(pattern.velocity).tolist() == [[0, 0, KICK]]


def test_nothing_sounds_before_the_first_beat() -> None:
    grid = grid_of(first_tick=960)
    pattern, lost = encode(hits_of((950, KICK)), grid)
    assert lost.outside == 0
    assert decode(pattern, grid).onset_tick.tolist() == [960]


def test_no_hits() -> None:
    nothing = Hits(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))
    pattern, lost = encode(nothing, grid_of())
    assert not pattern.hits.any()
    assert (lost.outside, lost.merged) == (0, 0)
    assert len(decode(pattern, grid_of()).part) == 0


def test_steps_are_16ths_and_sextuplets() -> None:
    binary, ternary = grid_of((4, 4), bars=1), grid_of((12, 8), bars=1)
    position = np.array([0.0, 1.4, 1.6, 4.4, 4.6, 11.0])
    assert steps(position, binary).tolist() == [0, 0, 3, 3, 6, 12]
    assert steps(position, ternary).tolist() == [0, 2, 2, 4, 4, 12]


def test_of_two_hits_of_one_part_at_one_tick_the_first_is_kept() -> None:
    grid = grid_of()
    pattern, lost = encode(hits_of((61, SNARE, 100), (61, SNARE, 50)), grid)
    assert pattern.velocity[pattern.hits].tolist() == [100]
    assert lost.merged == 1
