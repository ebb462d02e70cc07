"""The drum chart: every hit once and where the count says, at any width, with and without Unicode."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from composer.preview import ASCII, LEFT, PARTS_IN_ROWS, UNICODE, Glyphs, render
from encoding import kit
from encoding.bars import beats_of_meter
from encoding.types import SLOTS, BarGrid, DrumPattern, Section

WIDTHS = (60, 80, 120)
KICK, SNARE, HAT = (kit.NAMES.index(name) for name in ("kick", "snare", "closed_hat"))
COUNTED = {UNICODE: "utf-8", ASCII: "ascii"}


def grid_of(*meters: tuple[int, int], triplets: bool = False) -> BarGrid:
    bars = [beats_of_meter(*meter) for meter in meters]
    quarters = np.concatenate([lengths for lengths, _ in bars])
    ternary = np.concatenate([flags for _, flags in bars])
    return BarGrid(
        beat_tick=np.append(0, np.rint(480 * np.cumsum(quarters))).astype(np.int64),
        bar_beat=np.append(0, np.cumsum([len(lengths) for lengths, _ in bars])),
        ternary=np.ones(len(ternary), bool) if triplets else ternary,
        quarters=quarters,
        meter=np.array(meters),
    )


def pattern_of(grid: BarGrid, hits: list[tuple[int, int, int]], velocity: int = 100) -> DrumPattern:
    """hits are (beat, slot, part)."""
    array = np.zeros((grid.beats, SLOTS, kit.PARTS), np.uint8)
    for hit in hits:
        array[hit] = velocity
    return DrumPattern(array, np.zeros(array.shape, np.float32))


def lines_of(pattern: DrumPattern, grid: BarGrid, width: int, glyphs: Glyphs = UNICODE, **options: object) -> list[str]:
    encoding = COUNTED[glyphs]
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    arguments: dict = {"bars": None, "sections": ()} | options
    Console(file=file, width=width).print(render(pattern, grid, width=width, **arguments))
    file.flush()
    return file.buffer.getvalue().decode(encoding).splitlines()  # type: ignore[attr-defined]


def hits_in(lines: list[str], glyphs: Glyphs) -> int:
    parts = {part.label for part in kit.KIT}
    rows = [line for line in lines if line[: LEFT - 2].strip() in parts]
    return sum(character in glyphs.hits for row in rows for character in row[LEFT:])


def counts_above(lines: list[str], label: str, glyphs: Glyphs = UNICODE) -> str:
    """What the count says over each hit of one part, in order."""
    text, count = "", ""
    for line in lines:
        if line.strip() and not line[:LEFT].strip():
            count = line
        elif line[: LEFT - 2].strip() == label:
            padded = count.ljust(len(line))
            text += "".join(padded[x] for x in range(LEFT, len(line)) if line[x] in glyphs.hits)
    return text


@st.composite
def charts(draw: st.DrawFn) -> tuple[DrumPattern, BarGrid]:
    meters = draw(
        st.lists(
            st.sampled_from([(4, 4), (3, 4), (12, 8), (7, 8), (5, 4), (6, 8), (2, 2), (1, 4), (15, 8)]), min_size=1
        )
    )
    grid = grid_of(*meters, triplets=draw(st.booleans()))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    velocity = random.integers(1, 128, (grid.beats, SLOTS, kit.PARTS)).astype(np.uint8)
    velocity[random.random(velocity.shape) >= draw(st.sampled_from([0.01, 0.1, 0.9]))] = 0
    coarse = draw(st.sampled_from([1, 2, 3, 4]))
    velocity[:, np.arange(SLOTS) % coarse != 0] = 0
    return DrumPattern(velocity, np.zeros(velocity.shape, np.float32)), grid


@settings(max_examples=60, deadline=None)
@given(chart=charts(), width=st.integers(60, 200), glyphs=st.sampled_from([UNICODE, ASCII]))
def test_every_hit_appears_once_and_no_line_is_too_wide(
    chart: tuple[DrumPattern, BarGrid], width: int, glyphs: Glyphs
) -> None:
    pattern, grid = chart
    lines = lines_of(pattern, grid, width, glyphs)
    assert hits_in(lines, glyphs) == pattern.hits.sum()
    assert max(map(len, lines)) <= width
    assert glyphs is UNICODE or "".join(lines).isascii()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("meter", "triplets", "slots", "expected"),
    [
        ((4, 4), False, (0, 3, 6, 9), "1e&a2e&a3e&a4e&a"),
        ((3, 4), False, (0, 6), "1&2&3&"),
        ((5, 4), False, (0,), "12345"),
        ((12, 8), False, (0, 4, 8), "1..2..3..4.."),
        ((6, 8), False, (0, 8), "1.2."),
        ((4, 4), True, (0, 4, 8), "1..2..3..4.."),
        ((4, 4), False, (0, 4, 6), "1 &2 &3 &4 &"),
        ((12, 8), False, (0, 2, 8), "1 .2 .3 .4 ."),
        ((4, 4), False, (0, 1, 11), "1  2  3  4  "),
    ],
)
def test_the_count_stands_over_the_slots(
    meter: tuple[int, int], triplets: bool, slots: tuple[int, ...], expected: str, width: int
) -> None:
    grid = grid_of(*[meter] * 12, triplets=triplets)
    pattern = pattern_of(grid, [(beat, slot, SNARE) for beat in range(grid.beats) for slot in slots])
    assert counts_above(lines_of(pattern, grid, width), "Snare") == expected * 12


@pytest.mark.parametrize("width", WIDTHS)
def test_seven_eight_is_counted_two_two_three(width: int) -> None:
    grid = grid_of(*[(7, 8)] * 5)
    eighths = [(0, 6), (0, 6), (0, 4, 8)] * 5
    pattern = pattern_of(grid, [(beat, slot, HAT) for beat, slots in enumerate(eighths) for slot in slots])
    lines = lines_of(pattern, grid, width)
    assert counts_above(lines, "Closed hat") == "1&2&3.." * 5
    # Eighths are equally far apart, whether two or three make a beat.
    row = next(line for line in lines if "Closed hat" in line).replace(UNICODE.bar_line, " ")
    first_bar = [x for x, character in enumerate(row) if character in UNICODE.hits][:7]
    assert np.diff(first_bar).tolist() == [2, 3, 2, 3, 2, 2]  # a gap after each beat


def test_more_than_nine_beats_in_a_bar_keep_their_numbers() -> None:
    grid = grid_of((12, 4))
    pattern = pattern_of(grid, [(beat, 6, KICK) for beat in range(12)])
    lines = lines_of(pattern, grid, 120)
    assert counts_above(lines, "Kick") == "&" * 12
    assert [number for number in range(1, 13) if str(number) not in lines[1]] == []


def test_rows_are_in_the_order_of_a_drum_staff() -> None:
    assert sorted(PARTS_IN_ROWS.tolist()) == list(range(kit.PARTS))
    grid = grid_of((4, 4))
    lines = lines_of(pattern_of(grid, [(0, 0, part) for part in range(kit.PARTS)]), grid, 80)
    labels = [line[: LEFT - 2].strip() for line in lines[2:]]
    assert labels[0] == "Crash"
    assert labels[-2:] == ["Snare", "Kick"]
    assert sorted(labels) == sorted(part.label for part in kit.KIT)


def test_parts_that_do_not_play_have_no_row() -> None:
    grid = grid_of((4, 4))
    lines = lines_of(pattern_of(grid, [(0, 0, SNARE)]), grid, 80)
    assert [line[: LEFT - 2].strip() for line in lines[2:]] == ["Snare"]


def test_bars_wrap_into_systems_of_four_and_sections_stand_over_their_first_bar() -> None:
    grid = grid_of(*[(4, 4)] * 16)
    sections = [Section("A", 1, 6), Section("B", 7, 16)]
    lines = lines_of(pattern_of(grid, [(0, 0, KICK)]), grid, 80, sections=sections)
    captions = [line.split() for line in lines[::4]]
    assert captions == [
        ["[A]", "1", "4/4", "2", "3", "4"],
        ["5", "6"],
        ["[B]", "7", "8", "9", "10"],
        ["11", "12", "13", "14"],
        ["15", "16"],
    ]
    assert all(line[LEFT] in "[15" for line in lines[::4])


def test_only_the_bars_asked_for_are_shown() -> None:
    grid = grid_of(*[(4, 4)] * 8)
    pattern = pattern_of(grid, [(4 * bar, 0, KICK) for bar in range(8)] + [(0, 3, SNARE)])
    lines = lines_of(pattern, grid, 120, bars=(3, 5))
    assert hits_in(lines, UNICODE) == 3
    assert lines[0].split() == ["3", "4/4", "4", "5"]


def test_a_change_of_meter_is_written_over_the_bar() -> None:
    grid = grid_of((4, 4), (4, 4), (7, 8), (4, 4))
    assert lines_of(pattern_of(grid, [(0, 0, KICK)]), grid, 120)[0].split() == [
        "1", "4/4", "2", "3", "7/8", "4", "4/4",
    ]  # fmt: skip


def test_a_bar_wider_than_the_terminal_breaks_at_a_beat() -> None:
    grid = grid_of((5, 4))
    lines = lines_of(pattern_of(grid, [(beat, 1, KICK) for beat in range(5)]), grid, 60)
    counts = [line.split() for line in lines if not line[:LEFT].strip() and "e" in line]
    assert [[word for word in count if word.isdigit()] for count in counts] == [["1", "2", "3"], ["4", "5"]]
    kicks = [line for line in lines if "Kick" in line]
    assert kicks[0].endswith(UNICODE.broken_line)
    assert kicks[1][LEFT - 1] == UNICODE.broken_line
    assert kicks[1].endswith(UNICODE.bar_line)


def test_louder_hits_have_heavier_signs() -> None:
    grid = grid_of((4, 4))
    pattern = pattern_of(grid, [])
    for beat, velocity in enumerate((20, 60, 90, 120)):
        pattern.velocity[beat, 0, SNARE] = velocity
    (row,) = (line for line in lines_of(pattern, grid, 80) if "Snare" in line)
    assert [character for character in row[LEFT:] if character in UNICODE.hits] == list(UNICODE.hits)


def test_the_line_is_marked_where_the_kick_plays_with_it() -> None:
    grid = grid_of((4, 4))
    line_onsets = np.zeros((4, SLOTS))
    line_onsets[0, 0] = line_onsets[1, 6] = line_onsets[2, 2] = 0.7
    lines = lines_of(pattern_of(grid, [(0, 0, KICK), (2, 3, KICK)]), grid, 80, line_onsets=line_onsets)
    row = lines[-1][LEFT:].replace(" ", "")
    assert row == "▲···┊·△·┊▲··┊···│"


def test_a_silent_song_is_shown_as_rests() -> None:
    grid = grid_of((4, 4))
    lines = lines_of(pattern_of(grid, []), grid, 80)
    assert [line[: LEFT - 2].strip() for line in lines[2:]] == ["Kick"]
    assert hits_in(lines, UNICODE) == 0


@pytest.mark.parametrize("bars", [(0, 2), (2, 1), (1, 5)])
def test_bars_that_do_not_exist_are_refused(bars: tuple[int, int]) -> None:
    grid = grid_of(*[(4, 4)] * 4)
    with pytest.raises(ValueError, match="there are bars 1-4"):
        render(pattern_of(grid, []), grid, (), bars=bars, width=80)


def test_a_pattern_of_another_song_is_refused() -> None:
    with pytest.raises(ValueError, match="the pattern has 4 beats, the grid 8"):
        render(pattern_of(grid_of((4, 4)), []), grid_of((4, 4), (4, 4)), (), bars=None, width=80)
