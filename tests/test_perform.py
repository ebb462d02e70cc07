from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.perform import BEAT_KINDS, MOST_SWING, beat_kind, perform, performance_table
from encoding.conditions import STYLES
from encoding.fills import fills
from encoding.grid import decode, encode
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS, BarGrid, DrumPattern, Section

KICK, SNARE, HAT, CRASH = (NAMES.index(name) for name in ("kick", "snare", "closed_hat", "crash"))
TPQ = 480


def grid_of(bars: int, beats: int = 4, ternary: bool = False) -> BarGrid:
    n = bars * beats
    return BarGrid(
        np.arange(n + 1) * TPQ,
        np.arange(0, n + 1, beats),
        np.full(n, ternary),
        np.ones(n),
        np.tile([beats, 4], (bars, 1)),
    )


def groove(bars: int) -> np.ndarray:
    """Kick on 1 and 3, snare on 2 and 4 with ghosts before the beat, hats in eighths: (beats, SLOTS, PARTS) bool."""
    hits = np.zeros((4 * bars, SLOTS, PARTS), bool)
    hits[0::2, 0, KICK] = True
    hits[1::2, 0, SNARE] = True
    hits[0::2, 9, SNARE] = True
    hits[:, [0, 6], HAT] = True
    return hits


def play(hits: np.ndarray, grid: BarGrid, seed: int = 0, style: str | None = None, **options: object) -> DrumPattern:
    return perform(hits, grid, style=style, rng=np.random.default_rng(seed), **options)  # type: ignore[arg-type]


def test_same_seed_same_bytes() -> None:
    one, two, other = (play(groove(8), grid_of(8), seed) for seed in (1, 1, 2))
    assert one.velocity.tobytes() == two.velocity.tobytes()
    assert one.offset.tobytes() == two.offset.tobytes()
    assert one.velocity.tobytes() != other.velocity.tobytes()


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 6), st.integers(1, 7), st.booleans(), st.integers(0, 2**32 - 1), st.floats(0, 1),
    st.sampled_from([None, "polka", *STYLES]), st.floats(0.3, 1), st.floats(20, 400),
)  # fmt: skip
def test_hits_keep_their_places(
    bars: int, beats: int, ternary: bool, seed: int, share: float, style: str | None, swing: float, bpm: float
) -> None:
    grid = grid_of(bars, beats, ternary)
    hits = np.random.default_rng(seed).random((grid.beats, SLOTS, PARTS)) < share
    pattern = play(hits, grid, seed, style, swing=swing, bpm=bpm, sections=[Section("A", 1, bars)])
    assert np.array_equal(pattern.hits, hits)
    assert pattern.velocity.dtype == np.uint8
    assert pattern.velocity.max(initial=0) <= 127
    assert pattern.offset.dtype == np.float32
    assert np.abs(pattern.offset).max() < (1.0 if ternary else 1.5)
    assert not pattern.offset[~hits].any()


@pytest.mark.parametrize(("ternary", "swing"), [(False, 0.5), (False, 0.66), (True, 0.5)])
def test_what_is_performed_is_read_back_as_the_same_hits(ternary: bool, swing: float) -> None:
    grid = grid_of(8, ternary=ternary)
    hits = groove(8)
    if ternary:
        hits[:, 8], hits[:, [6, 9]] = hits[:, 6] | hits[:, 9], False
    heard, lost = encode(decode(play(hits, grid, swing=swing), grid), grid)
    assert lost.merged == 0
    # Only a hit before the very first beat has nowhere to go but onto it.
    assert np.array_equal(heard.hits, hits)


@pytest.mark.parametrize("style", [None, "rock", "jazz", "soul"])
def test_backbeats_are_louder_than_ghosts(style: str | None) -> None:
    gaps = []
    for seed in range(30):
        velocity = play(groove(8), grid_of(8), seed, style).velocity[:, :, SNARE].astype(float).reshape(8, 4, SLOTS)
        gap = velocity[:, 1::2, 0].mean(axis=1) - velocity[:, 0::2, 9].max(axis=1)
        assert gap.min() > 0
        gaps.append(gap.mean())
    assert np.mean(gaps) > 20


def test_a_groove_stays_a_groove_but_is_no_copy() -> None:
    velocity = play(groove(64), grid_of(64)).velocity.reshape(64, 4, SLOTS, PARTS)[:, groove(1)].astype(float)
    assert velocity.std(axis=0).min() > 2
    likeness = np.corrcoef(velocity)[np.triu_indices(64, 1)]
    assert likeness.mean() > 0.6


def test_timing_is_alive_and_bounded_when_straight() -> None:
    hits = groove(32)
    offset = play(hits, grid_of(32)).offset[hits]
    assert 0.05 < offset.std() < 0.45
    assert np.abs(offset).max() <= 0.45


def test_fast_songs_spread_more_in_slots_and_less_in_seconds() -> None:
    hits = groove(64)
    slow, fast = (play(hits, grid_of(64), bpm=bpm).offset[hits].std() for bpm in (60, 180))
    assert slow < fast < 3 * slow


def test_swing_delays_the_off_beats_of_binary_beats_only() -> None:
    hits = groove(32)
    straight, swung, strong = (play(hits, grid_of(32), swing=swing).offset for swing in (0.5, 0.58, 0.9))
    late = (swung - straight)[:, 6, HAT]
    assert np.allclose(late, 12 * 0.58 - 6, atol=1e-5)
    assert np.allclose((swung - straight)[:, 0], 0)
    assert np.all(strong[:, 6, HAT] <= 12 * MOST_SWING - 6 + 0.45)
    ternary = grid_of(32, ternary=True)
    assert np.array_equal(play(hits, ternary, swing=0.6).offset, play(hits, ternary).offset)


def test_sections_begin_with_an_accent() -> None:
    hits, grid = groove(16), grid_of(16)
    plain, accented = (play(hits, grid, sections=s).velocity.astype(int) for s in ([], [Section("B", 9, 16)]))
    louder = np.argwhere(accented > plain)
    assert len(louder)
    assert set(map(tuple, louder[:, :2])) == {(32, 0)}


def test_fills_are_louder_than_the_same_strokes_in_the_groove() -> None:
    hits, grid = groove(16), grid_of(16)
    hits[60:, ::3, SNARE] = True
    assert np.flatnonzero(fills(hits, grid)).tolist() == [15]
    every_bar = np.tile(hits[60:64], (16, 1, 1))
    assert not fills(every_bar, grid).any()
    in_fill, in_groove = (play(h, grid).velocity[60:, :, SNARE].astype(float).sum() for h in (hits, every_bar))
    assert in_fill > in_groove


def test_the_table_covers_every_style_part_and_place() -> None:
    table = performance_table()
    assert table.styles == (*STYLES, "any")
    shape = (len(STYLES) + 1, len(BEAT_KINDS), SLOTS, PARTS)
    for values in (table.velocity_mean, table.velocity_spread, table.offset_mean, table.offset_spread):
        assert values.shape == shape
    assert table.velocity_mean.min() >= 1
    assert table.velocity_mean.max() <= 127
    assert table.velocity_spread.min() > 0
    assert table.offset_spread.min() > 0
    assert beat_kind(np.arange(5)).tolist() == [0, 1, 2, 1, 2]
