"""What the networks are told: strengths, durations, places in sections, density."""

from __future__ import annotations

import numpy as np
import pytest
from grids import TPQ, grid_of
from hypothesis import given
from hypothesis import strategies as st

from encoding.conditions import (
    HITS_PER_QUARTER_AT_FULL_DENSITY,
    ROLES,
    beat_durations_s,
    density,
    onset_strengths,
    planned_fills,
    section_places,
)
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS, Notes, Section, Song, Tempo

BASS, LEAD, REST = range(len(ROLES))


def notes(*onset_and_velocity: tuple[int, int]) -> Notes:
    onset, velocity = np.array(onset_and_velocity).T
    n = len(onset)
    return Notes(onset, np.full(n, 100), np.full(n, 40, np.int16), velocity.astype(np.int16))


def test_roles_keep_to_their_own_layer() -> None:
    strength = onset_strengths([[notes((0, 127))], [notes((TPQ, 127))], []], grid_of(bars=1))
    assert strength.shape == (4, SLOTS, len(ROLES))
    assert strength.dtype == np.float32
    assert np.argwhere(strength).tolist() == [[0, 0, BASS], [1, 0, LEAD]]


def test_a_chord_is_stronger_than_a_note_and_no_stronger_than_one() -> None:
    grid = grid_of(bars=1)
    single = onset_strengths([[notes((0, 30))], [], []], grid)[0, 0, BASS]
    pair = onset_strengths([[notes((0, 30), (2, 30))], [], []], grid)[0, 0, BASS]
    over_two_tracks = onset_strengths([[notes((0, 100)), notes((0, 100))], [], []], grid)[0, 0, BASS]
    assert single == pytest.approx(30 / 127)
    assert pair == pytest.approx(60 / 127)
    assert over_two_tracks == 1


def test_a_note_played_early_counts_for_the_beat_it_means() -> None:
    strength = onset_strengths([[notes((TPQ - 20, 90))], [], []], grid_of(bars=1))
    assert np.argwhere(strength[:, :, BASS]).tolist() == [[1, 0]]


def test_notes_outside_the_bars_count_nowhere() -> None:
    strength = onset_strengths([[notes((0, 90), (3 * 4 * TPQ, 90))], [], []], grid_of(bars=1, first_tick=TPQ))
    assert not strength.any()


def test_beats_last_as_long_as_the_tempo_says() -> None:
    song = Song(TPQ, (), (Tempo(0, 500_000), Tempo(2 * TPQ, 1_000_000)), (), (), 4 * TPQ)
    assert beat_durations_s(song, grid_of(bars=1)).tolist() == [0.5, 0.5, 1, 1]
    assert beat_durations_s(song, grid_of((12, 8), bars=1))[0] == 0.75  # a dotted beat


def test_places_in_sections() -> None:
    form = [Section("A", 1, 3), Section("B", 4, 5), Section("A", 6, 6)]
    label, since, left = section_places(form, 6)
    assert label.tolist() == [0, 0, 0, 1, 1, 0]
    assert since.tolist() == [0, 1, 2, 0, 1, 0]
    assert left.tolist() == [2, 1, 0, 1, 0, 0]


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(1, 9)), min_size=1, max_size=8))
def test_bars_since_and_bars_left_sum_to_the_section(parts: list[tuple[str, int]]) -> None:
    ends = np.cumsum([length for _, length in parts])
    form = [Section(label, int(end) - length + 1, int(end)) for (label, length), end in zip(parts, ends, strict=True)]
    label, since, left = section_places(form, int(ends[-1]))
    assert (since + left + 1).tolist() == [length for _, length in parts for _ in range(length)]
    names = [name for name, length in parts for _ in range(length)]
    assert len(set(zip(names, label.tolist(), strict=True))) == len(set(names))


def test_fills_belong_at_the_end_of_long_sections_but_not_of_the_song() -> None:
    _, since, left = section_places([Section("A", 1, 4), Section("B", 5, 6), Section("A", 7, 10)], 10)
    assert np.flatnonzero(planned_fills(since, left)).tolist() == [3]


def test_density_is_hits_a_quarter() -> None:
    grid = grid_of(bars=3)
    hits = np.zeros((grid.beats, SLOTS, PARTS), bool)
    hits[:4, 0, NAMES.index("kick")] = True  # one hit a quarter
    hits[4:8] = True  # every cell
    assert density(hits, grid).tolist() == [pytest.approx(1 / HITS_PER_QUARTER_AT_FULL_DENSITY), 1.0, 0.0]


def test_density_does_not_depend_on_how_the_bar_is_told() -> None:
    # eighths through a bar of 6/4 and a bar of 12/8: two hits a quarter in both
    for meter in ((6, 4), (12, 8)):
        grid = grid_of(meter, bars=1)
        hits = np.zeros((grid.beats, SLOTS, PARTS), bool)
        hits[:, [0, 4, 8] if grid.ternary[0] else [0, 6], 0] = True
        assert density(hits, grid)[0] == pytest.approx(2 / HITS_PER_QUARTER_AT_FULL_DENSITY)
