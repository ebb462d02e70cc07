from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoding.form import boundary_strength, sections
from encoding.types import BarGrid, Marker, Notes, Section, Track

TPQ = 480
BEATS = 4
# Eighth notes of one bar: pitches, -1 for a rest.
VERSE = ([36, -1, 36, 36, 43, -1, 41, -1], [41, -1, 41, 41, 48, -1, 43, 45])
CHORUS = ([45, 45, 45, 45, 52, 52, 52, 52], [50, 50, 50, 50, 47, 47, 47, 47])
SILENCE = ([-1] * 8,)


def grid_of(bars: int, beats: int = BEATS) -> BarGrid:
    n = bars * beats
    return BarGrid(
        np.arange(n + 1) * TPQ,
        np.arange(0, n + 1, beats),
        np.zeros(n, bool),
        np.ones(n),
        np.tile([beats, 4], (bars, 1)),
    )


def track_of(bars: Sequence[Sequence[int]], transpose: int = 0) -> Track:
    pitch = np.concatenate([np.zeros(0, int), *map(np.array, bars)])
    at = np.flatnonzero(pitch >= 0)
    n = len(at)
    notes = Notes(at * (TPQ // 2), np.full(n, TPQ // 2), (pitch[at] + transpose).astype(np.int16), np.full(n, 90))
    return Track(0, "", 0, False, notes)


def riff(bars: Sequence[Sequence[int]], times: int) -> list[Sequence[int]]:
    return [*bars] * times


def form_of(bars: Sequence[Sequence[int]], markers: Sequence[Marker] = ()) -> list[tuple[str, int, int]]:
    found = sections(grid_of(len(bars)), [track_of(bars)], markers)
    return [(s.label, s.first_bar, s.last_bar) for s in found]


def test_aaba_of_two_riffs() -> None:
    a, b = riff(VERSE, 4), riff(CHORUS, 4)
    bars = [*a, *a, *b, *a]
    assert labels_by_bar(bars) == "A" * 16 + "B" * 8 + "A" * 8


def test_aaba_of_eight_bar_tunes_keeps_the_two_as_apart() -> None:
    ending = [[43, 43, -1, 43, 38, -1, 43, 47]]
    a = [*VERSE, *VERSE, *CHORUS, [43, -1, -1, -1, 38, 38, -1, 43], *ending]
    b = [[48, -1, 48, -1, 48, -1, 47, -1], [46, -1, 46, -1, 46, -1, 44, -1]] * 4
    assert form_of([*a, *a, *b, *a]) == [("A", 1, 8), ("A", 9, 16), ("B", 17, 24), ("A", 25, 32)]


def labels_by_bar(bars: Sequence[Sequence[int]]) -> str:
    return "".join(label * (last - first + 1) for label, first, last in form_of(bars))


def test_a_transposed_section_has_its_own_label() -> None:
    up = [[p + 3 if p >= 0 else p for p in bar] for bar in riff(VERSE, 4)]
    assert form_of([*riff(VERSE, 4), *up]) == [("A", 1, 8), ("B", 9, 16)]


def test_a_second_line_coming_in_starts_a_section() -> None:
    bars = riff(VERSE, 8)
    melody = track_of([*riff(SILENCE, 8), *[[72, 74, 76, -1, 79, -1, 76, -1], [77, 76, 74, -1, 72, -1, -1, -1]] * 4])
    found = sections(grid_of(16), [track_of(bars), melody])
    assert [(s.label, s.first_bar) for s in found] == [("A", 1), ("B", 9)]


def test_one_riff_throughout_keeps_its_label_and_is_cut_every_16_bars() -> None:
    assert form_of(riff(VERSE, 20)) == [("A", 1, 16), ("A", 17, 32), ("A", 33, 40)]


@pytest.mark.parametrize("silent", [1, 2, 4])
def test_bars_before_the_first_note_are_the_intro(silent: int) -> None:
    found = form_of([*riff(SILENCE, silent), *riff(VERSE, 4)])
    assert found == [("Intro", 1, silent), ("A", silent + 1, silent + 8)]


def test_markers_win_and_equal_texts_share_a_label() -> None:
    at = [(0, "Verse"), (6, "Chorus"), (12, "verse "), (14, "End")]
    markers = [Marker(bar * BEATS * TPQ, text) for bar, text in at]
    assert form_of(riff(VERSE, 8), markers) == [("A", 1, 6), ("B", 7, 12), ("A", 13, 14), ("C", 15, 16)]


def test_markers_off_the_bar_lines_and_a_lone_title_are_no_sections() -> None:
    without = form_of(riff(VERSE, 8))
    assert form_of(riff(VERSE, 8), [Marker(0, "My song")]) == without
    assert form_of(riff(VERSE, 8), [Marker(0, "a"), Marker(5 * BEATS * TPQ + TPQ, "b")]) == without


def test_one_bar_silence_and_no_bars() -> None:
    assert form_of(VERSE[:1]) == [("A", 1, 1)]
    assert sections(grid_of(5), []) == (Section("A", 1, 5),)
    assert sections(grid_of(0), []) == ()


def test_drums_do_not_count() -> None:
    line = track_of(riff(VERSE, 4))
    drums = Track(1, "", 0, True, track_of(riff(CHORUS, 4)).notes)
    assert sections(grid_of(8), [line, drums]) == sections(grid_of(8), [line])


def test_strength_peaks_where_the_riff_changes() -> None:
    features = np.eye(2, dtype=np.float32)[[0] * 8 + [1] * 8]
    assert boundary_strength(features).argmax() == 8


@given(
    st.integers(1, 40), st.integers(1, 7), st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.integers(0, 40).map(lambda beat: beat * TPQ), st.text(max_size=3)), max_size=6),
)  # fmt: skip
def test_sections_always_cover_the_song(bars: int, beats: int, seed: int, marks: list[tuple[int, str]]) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 80))
    onset = np.sort(rng.integers(0, bars * beats * TPQ + 3 * TPQ, n))
    notes = Notes(onset, rng.integers(0, 5000, n), rng.integers(0, 128, n).astype(np.int16), np.full(n, 80))
    found = sections(grid_of(bars, beats), [Track(0, "", 0, False, notes)], [Marker(*mark) for mark in marks])
    lengths = [s.last_bar - s.first_bar + 1 for s in found]
    assert found[0].first_bar == 1
    assert found[-1].last_bar == bars
    assert all(a.last_bar + 1 == b.first_bar for a, b in pairwise(found))
    inner = [length for s, length in zip(found, lengths, strict=True) if s.label != "Intro"]
    assert max(inner) <= 16
    assert min(inner) >= min(2, bars)


def test_ten_thousand_bars_take_bounded_memory() -> None:
    rng = np.random.default_rng(0)
    found = sections(grid_of(10_000), [track_of(rng.integers(36, 60, (10_000, 8)))])
    assert found[-1].last_bar == 10_000
