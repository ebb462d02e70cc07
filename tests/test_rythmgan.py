"""The seed's bars of 16 steps and 7 parts."""

from __future__ import annotations

import numpy as np
import pytest
from grids import TPQ, grid_of, hits_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from encoding import grid as hits_and_grid
from encoding import rythmgan
from encoding.kit import NAMES, SEED_NAMES


def seed_of(*hits: tuple[int, int], meter: tuple[int, int] = (4, 4)) -> np.ndarray:
    grid = grid_of(meter, bars=1)
    return rythmgan.encode(hits_and_grid.encode(hits_of(*hits), grid)[0], grid)


def struck(bars: np.ndarray) -> list[tuple[int, str]]:
    """(step, part) of one bar."""
    return [(int(step), SEED_NAMES[part]) for step, part in np.argwhere(bars[0])]


@given(arrays.arrays(bool, st.tuples(st.integers(1, 6), st.just(16), st.just(7))))
def test_encode_undoes_decode(bars: np.ndarray) -> None:
    assert (rythmgan.encode(*rythmgan.decode(bars)) == bars).all()


def test_a_rock_bar() -> None:
    kick, snare = NAMES.index("kick"), NAMES.index("snare")
    bars = seed_of((0, kick), (TPQ, snare), (2 * TPQ, kick), (3 * TPQ + 240, snare))
    assert bars.shape == (1, 16, 7)
    assert struck(bars) == [(0, "kick"), (4, "snare"), (8, "kick"), (14, "snare")]


def test_ten_parts_fold_into_seven() -> None:
    bars = seed_of(*[(0, part) for part in range(len(NAMES))])
    assert [name for _, name in struck(bars)] == list(SEED_NAMES)
    assert struck(seed_of((0, NAMES.index("ride")))) == [(0, "closed_hat")]
    assert struck(seed_of((0, NAMES.index("low_tom")))) == [(0, "tom")]


def test_what_16_steps_cannot_hold_goes_to_the_nearest() -> None:
    kick = NAMES.index("kick")
    assert struck(seed_of((160, kick))) == [(1, "kick")]  # a triplet, at 120 ticks a step
    assert struck(seed_of((TPQ - 50, kick))) == [(4, "kick")]  # played early


def test_the_reduction_is_98_6_percent() -> None:
    assert rythmgan.reduction() == pytest.approx(0.986, abs=5e-4)
    assert pytest.approx(1 - 112 / 8064) == rythmgan.reduction()


@pytest.mark.parametrize("meter", [(3, 4), (12, 8), (7, 8)])
def test_other_meters_are_refused_by_name(meter: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"bar 1 .*{meter[0]}/{meter[1]}"):
        seed_of((0, 0), meter=meter)


@pytest.mark.parametrize("shape", [(0, 16, 7), (2, 16, 9), (16, 7)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected"):
        rythmgan.decode(np.zeros(shape, bool))
