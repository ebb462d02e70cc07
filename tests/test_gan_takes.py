"""Which of several takes is kept: the fullest kit, as dense as was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from encoding.conditions import HITS_PER_QUARTER_AT_FULL_DENSITY, ROLES
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS
from encoding.windows import Windows
from gan.takes import fullest

BARS, BEATS = 4, 4
CELL = {name: index for index, name in enumerate(NAMES)}


def windows(density: float = np.nan, line_bars: tuple[int, ...] = (0, 1, 2, 3)) -> Windows:
    """Four bars of 4/4 with a bass note on every beat of some bars."""
    onsets = np.zeros((1, BARS, BEATS, SLOTS, len(ROLES)), np.float32)
    onsets[:, list(line_bars), :, 0, ROLES.index("bass")] = 1
    zeros = np.zeros((1, BARS), int)
    beats = (1, BARS, BEATS)
    return Windows(
        is_beat=np.ones(beats, bool), onsets=onsets, known_roles=np.array([[True, False, False]]),
        ternary=np.zeros(beats, bool), quarters=np.ones(beats, np.float32), beat_s=np.ones(beats, np.float32),
        section=zeros, section_bar=zeros, bars_left=zeros, bars_to_end=zeros, bar_number=zeros,
        density=np.full((1, BARS), density, np.float32), fill=np.zeros((1, BARS), np.float32), style=np.array([-1]),
    )  # fmt: skip


def take(*parts: str, bars: tuple[int, ...] = (0, 1, 2, 3), slots: int = 1) -> np.ndarray:
    """The named parts on the first slots of every beat of some bars."""
    hits = np.zeros((BARS, BEATS, SLOTS, PARTS), bool)
    for part in parts:
        hits[np.ix_(bars, range(BEATS), range(slots), [CELL[part]])] = True
    return hits.reshape(BARS, BEATS, -1)


def test_a_full_kit_beats_one_without_snare() -> None:
    takes = np.stack([take("kick", "closed_hat"), take("kick", "snare", "closed_hat"), take("kick", "percussion")])
    assert fullest(takes, windows()) == 1


def test_a_drummer_who_sits_a_section_out_loses() -> None:
    takes = np.stack([take("kick", "snare", "ride", bars=(2, 3)), take("kick", "snare", "ride")])
    assert fullest(takes, windows()) == 1


def test_bars_in_which_the_line_rests_do_not_count() -> None:
    """Both takes play the same where the line plays; the one that adds to its rest is the denser, and no fuller."""
    takes = np.stack([take("kick", "snare", "ride", slots=2), take("kick", "snare", "ride", bars=(0, 1), slots=2)])
    asked = windows(density=takes[1].sum() / (BARS * BEATS) / HITS_PER_QUARTER_AT_FULL_DENSITY, line_bars=(0, 1))
    asked = replace(asked, density=np.where(np.arange(BARS) < 2, 2, 0)[None] * asked.density)
    assert fullest(takes, asked) == 1


@pytest.mark.parametrize(("density", "kept"), [(0.375, 0), (0.75, 1)])
def test_the_take_nearest_to_the_density_asked_for_is_kept(density: float, kept: int) -> None:
    takes = np.stack([take("kick", "snare", "ride", slots=1), take("kick", "snare", "ride", slots=2)])
    assert fullest(takes, windows(density)) == kept
