from __future__ import annotations

import numpy as np
import pytest
from grids import grid_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from composer.arrange import one_drummer, playable
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS

KICK = NAMES.index("kick")


def at_once(*names: str) -> np.ndarray:
    hits = np.zeros((1, SLOTS, PARTS), bool)
    hits[0, 0, [NAMES.index(name) for name in names]] = True
    return hits


def left(hits: np.ndarray) -> set[str]:
    return {NAMES[part] for part in np.nonzero(hits)[2]}


@pytest.mark.parametrize(
    ("struck", "played"),
    [
        ({"kick", "snare", "closed_hat"}, {"kick", "snare", "closed_hat"}),
        ({"kick", "snare", "crash", "closed_hat"}, {"kick", "snare", "crash"}),
        ({"open_hat", "closed_hat"}, {"open_hat"}),
        ({"snare", "open_hat", "closed_hat"}, {"snare", "open_hat"}),
        ({"high_tom", "low_tom", "ride"}, {"high_tom", "low_tom"}),
        ({"snare", "ride", "percussion"}, {"snare", "ride"}),
        (set(NAMES), {"kick", "snare", "crash"}),
    ],
)
def test_what_two_hands_keep(struck: set[str], played: set[str]) -> None:
    assert left(playable(at_once(*struck))) == played


@given(arrays(bool, st.tuples(st.integers(1, 6), st.just(SLOTS), st.just(PARTS))))
def test_playable_takes_out_as_few_as_needed(hits: np.ndarray) -> None:
    before = hits.copy()
    played = playable(hits)
    hands, hands_before = (np.delete(h, KICK, axis=2).sum(2) for h in (played, hits))
    closed, opened = (hits[:, :, NAMES.index(name)] for name in ("closed_hat", "open_hat"))
    assert np.array_equal(hits, before)
    assert not (played & ~hits).any()
    assert np.array_equal(played[:, :, KICK], hits[:, :, KICK])
    assert np.array_equal(hands_before - hands, np.maximum(hands_before - 2, (closed & opened).astype(int)))
    assert np.array_equal(playable(played), played)


def test_nothing_sounds_outside_the_beats_asked_for() -> None:
    played = playable(np.ones((8, SLOTS, PARTS), bool), first_beat=2, last_beat=5)
    assert np.flatnonzero(played.any((1, 2))).tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("busy", ["closed_hat", "open_hat", "ride", "high_tom", "mid_tom", "low_tom"])
def test_percussion_leaves_the_bars_in_which_the_hands_are_busy(busy: str) -> None:
    grid = grid_of(bars=2)
    hits = np.zeros((grid.beats, SLOTS, PARTS), bool)
    hits[:, 6, NAMES.index("percussion")] = True
    hits[0, 0, NAMES.index(busy)] = True  # the first bar only
    kept = one_drummer(hits, grid)
    first_bar = grid.bar_of_beat == 0
    assert not kept[first_bar][:, :, NAMES.index("percussion")].any()
    assert (kept[~first_bar] == hits[~first_bar]).all()
    assert kept[0, 0, NAMES.index(busy)]
