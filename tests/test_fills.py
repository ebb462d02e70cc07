"""Fills: the bars in which a drummer does something else."""

from __future__ import annotations

import numpy as np
from grids import grid_of

from encoding.fills import by_bar, fills, novelty
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS

KICK, SNARE, HAT, TOM = (NAMES.index(name) for name in ("kick", "snare", "closed_hat", "mid_tom"))


def groove(bars: int, meter: tuple[int, int] = (4, 4)) -> np.ndarray:
    """Kick and snare in turn, hats in eighths."""
    grid = grid_of(meter, bars)
    hits = np.zeros((grid.beats, SLOTS, PARTS), bool)
    hits[:, [0, 6], HAT] = True
    hits[::2, 0, KICK] = True
    hits[1::2, 0, SNARE] = True
    return hits


def with_fill(hits: np.ndarray, bar: int) -> np.ndarray:
    """Sixteenths on snare and toms instead of the groove of one bar."""
    played = hits.copy()
    played[4 * bar : 4 * bar + 4] = False
    played[4 * bar : 4 * bar + 4, ::3, [SNARE]] = True
    played[4 * bar + 2 : 4 * bar + 4, ::3, TOM] = True
    return played


def test_the_tom_fill_before_each_new_phrase_is_found() -> None:
    hits = with_fill(with_fill(groove(16), 7), 15)
    assert np.flatnonzero(fills(hits, grid_of(bars=16))).tolist() == [7, 15]


def test_a_groove_without_change_has_no_fill() -> None:
    grid = grid_of(bars=8)
    assert not fills(groove(8), grid).any()
    assert not novelty(groove(8), grid).any()


def test_a_break_is_new_but_no_fill() -> None:
    hits = groove(16)
    hits[4 * 7 : 4 * 8] = False
    grid = grid_of(bars=16)
    assert novelty(hits, grid)[7] == 1
    assert not fills(hits, grid)[7]


def test_silence_and_single_bars_are_no_fills() -> None:
    assert not fills(np.zeros((32, SLOTS, PARTS), bool), grid_of(bars=8)).any()
    assert novelty(groove(1), grid_of(bars=1)).tolist() == [0]


def test_bars_are_laid_out_in_order() -> None:
    grid = grid_of((3, 4), bars=2)
    hits = np.arange(grid.beats * SLOTS * PARTS).reshape(grid.beats, SLOTS, PARTS)
    assert (by_bar(hits, grid).reshape(hits.shape) == hits).all()
