"""Features, and what training batches do to conditions and meters."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from encoding.conditions import ROLES, STYLES, UNKNOWN_STYLE
from encoding.dataset import Dataset
from encoding.grid import allowed_slots
from encoding.kit import PARTS
from encoding.types import SLOTS
from encoding.windows import Windows
from gan import batches
from gan.batches import Batch, Sampler, augment, drop_conditions, in_seven, in_three, mismatched
from gan.features import FEATURES, LAYOUT, PHRASE, PLACES, allowed_cells, features

BEAT_S = 0.5


def windows(count: int = 2, bars: int = 4, beats: int = 4, *, ternary: bool = False, seed: int = 0) -> Windows:
    """Full bars of quarters with all conditions known, the sketch at random."""
    rng = np.random.default_rng(seed)
    shape = (count, bars, beats)
    on_step = allowed_slots(np.full(shape, ternary))[..., None]
    bar = np.broadcast_to(np.arange(bars), (count, bars))
    return Windows(
        is_beat=np.ones(shape, bool),
        onsets=(rng.random((*shape, SLOTS, len(ROLES))) * on_step).astype(np.float32),
        known_roles=np.ones((count, len(ROLES)), bool),
        ternary=np.full(shape, ternary),
        quarters=np.ones(shape, np.float32),
        beat_s=np.full(shape, BEAT_S, np.float32),
        section=np.zeros((count, bars), int),
        section_bar=bar,
        bars_left=bars - 1 - bar,
        bars_to_end=bars - 1 - bar,
        bar_number=bar,
        density=rng.random((count, bars)).astype(np.float32),
        fill=np.zeros((count, bars), np.float32),
        style=np.full(count, STYLES.index("rock")),
    )


def batch(count: int = 2, *, ternary: bool = False, seed: int = 0) -> Batch:
    made = windows(count, ternary=ternary, seed=seed)
    allowed = np.repeat(allowed_slots(made.ternary), PARTS, axis=-1)
    return Batch(made, allowed & (np.random.default_rng(seed + 1).random(allowed.shape) < 0.3))


def block(all_features: np.ndarray, name: str) -> np.ndarray:
    first = sum(width for other, width in LAYOUT[: [n for n, _ in LAYOUT].index(name)])
    return all_features[..., first : first + dict(LAYOUT)[name]]


def test_features_say_what_the_layout_says() -> None:
    made = windows(1, bars=6, beats=4)
    found = features(replace(made, density=np.full((1, 6), 0.25, np.float32)))
    assert found.shape == (1, 6, 4, FEATURES)
    assert found.dtype == np.float32
    assert np.array_equal(block(found, "onsets"), made.onsets.reshape(1, 6, 4, -1))
    assert block(found, "place")[0, 0].argmax(-1).tolist() == [0, 1, 2, 3]
    assert block(found, "place_from_end")[0, 0].argmax(-1).tolist() == [3, 2, 1, 0]
    assert block(found, "section_bar")[0, :, 0, :PHRASE].argmax(-1).tolist() == [0, 1, 2, 3, 0, 1]
    assert block(found, "section_bar")[0, :, 0, PHRASE].tolist() == [1, 0, 0, 0, 0, 0]
    assert block(found, "bars_left")[0, :, 0].argmax(-1).tolist() == [4, 4, 3, 2, 1, 0]
    assert block(found, "song_edges")[0, :, 0].tolist() == [[1, 0, 0], *[[0, 0, 0]] * 3, [0, 1, 0], [0, 0, 1]]
    assert block(found, "density")[0, 0, 0].tolist() == [1, 0.25]
    assert block(found, "beat")[0, 0, 0].tolist() == [0, 0, 0, 1]
    assert block(found, "style")[0, 0, 0].argmax() == STYLES.index("rock")


def test_what_is_unknown_is_told_as_nothing() -> None:
    made = windows()
    unknown = replace(
        made, density=np.full_like(made.density, np.nan), fill=np.full_like(made.fill, np.nan),
        style=np.full(2, UNKNOWN_STYLE), known_roles=np.array([[True, False, True]] * 2),
    )  # fmt: skip
    found = features(unknown)
    assert np.isfinite(found).all()
    assert not block(found, "density").any()
    assert not block(found, "fill").any()
    assert not block(found, "style").any()
    onsets = block(found, "onsets").reshape(2, 4, 4, SLOTS, len(ROLES))
    assert not onsets[..., 1].any()
    assert np.array_equal(onsets[..., [0, 2]], made.onsets[..., [0, 2]])
    assert block(features(made), "fill")[0, 0, 0].tolist() == [1, 0]  # known that none is wanted


def test_a_place_without_a_beat_has_no_features_and_no_cells() -> None:
    made = windows(beats=9)
    is_beat = made.is_beat.copy()
    is_beat[:, 1, 5:] = False
    short = replace(made, is_beat=is_beat)
    found = features(short)
    assert not found[:, 1, 5:].any()
    assert not allowed_cells(short)[:, 1, 5:].any()
    assert block(found, "place_from_end")[0, 1, :5].argmax(-1).tolist() == [4, 3, 2, 1, 0]
    assert block(found, "place")[0, 0].argmax(-1).tolist() == [*range(PLACES), PLACES - 1, PLACES - 1]


@pytest.mark.parametrize(("ternary", "slots"), [(False, [0, 3, 6, 9]), (True, [0, 2, 4, 6, 8, 10])])
def test_only_steps_of_the_subdivision_may_be_struck(ternary: bool, slots: list[int]) -> None:
    cells = allowed_cells(windows(ternary=ternary)).reshape(-1, SLOTS, PARTS)
    assert np.flatnonzero(cells.all((0, 2))).tolist() == slots
    assert np.flatnonzero(cells.any((0, 2))).tolist() == slots


def test_conditions_are_dropped_as_often_as_stated() -> None:
    count = 20_000
    made = windows(1, bars=2, beats=1).take(np.zeros(count, int))
    dropped = drop_conditions(made, np.random.default_rng(0))
    assert (~dropped.known_roles).mean(0) == pytest.approx(np.full(len(ROLES), batches.DROP_ROLES / 2), abs=0.015)
    known = ~np.isnan(dropped.density)
    assert np.array_equal(known[:, 0], known[:, 1])
    assert known.mean() == pytest.approx(1 - batches.DROP_DENSITY, abs=0.015)
    smooth = dropped.density[known[:, 0], 0] == dropped.density[known[:, 0], 1]
    assert smooth.mean() == pytest.approx(batches.SMOOTH_DENSITY, abs=0.015)
    assert np.isnan(dropped.fill).mean() == pytest.approx(batches.DROP_FILL, abs=0.015)
    assert (dropped.style == UNKNOWN_STYLE).mean() == pytest.approx(batches.DROP_STYLE, abs=0.015)
    assert np.array_equal(dropped.onsets, made.onsets)


def test_no_role_is_invented() -> None:
    made = replace(windows(200), known_roles=np.tile([True, False, False], (200, 1)))
    assert not drop_conditions(made, np.random.default_rng(0)).known_roles[:, 1:].any()


def test_three_of_four_beats() -> None:
    before = batch()
    after = in_three(before)
    assert after.windows.is_beat.shape == (2, 4, 3)
    assert np.array_equal(after.hits, before.hits[:, :, :3])
    assert np.array_equal(after.windows.onsets, before.windows.onsets[:, :, :3])


def onset_times_s(cells: np.ndarray, made: Windows) -> np.ndarray:
    """Seconds since its bar began of everything struck: (n, 3) of window, bar and time, with the cell's last index."""
    struck = np.argwhere(cells)  # window, bar, beat, slot, part
    start = np.cumsum(made.beat_s, -1) - made.beat_s
    beat = tuple(struck[:, :3].T)
    time = start[beat] + made.beat_s[beat] * struck[:, 3] / SLOTS
    return np.column_stack([struck[:, 0], struck[:, 1], np.round(time, 4), struck[:, 4]])


@pytest.mark.parametrize("what", ["hits", "onsets"])
def test_seven_eighths_keep_every_hit_that_has_a_place_where_it_was(what: str) -> None:
    before = batch()
    after = in_seven(before)
    shape = (*before.hits.shape[:3], SLOTS, PARTS)
    cells = {"hits": before.hits.reshape(shape), "onsets": before.windows.onsets > 0}[what]
    changed = {"hits": after.hits.reshape(2, 4, 3, SLOTS, PARTS), "onsets": after.windows.onsets > 0}[what]
    times = onset_times_s(cells, before.windows)
    kept = times[times[:, 2] < 3.5 * BEAT_S - 1e-6]
    found = onset_times_s(changed, after.windows)
    assert len(kept) < len(times)
    assert sorted(map(tuple, found)) == sorted(map(tuple, kept))


def test_seven_eighths_are_two_two_three() -> None:
    after = in_seven(batch())
    assert after.windows.quarters[0, 0].tolist() == [1, 1, 1.5]
    assert after.windows.ternary[0, 0].tolist() == [False, False, True]
    assert after.windows.beat_s.sum(-1) == pytest.approx(3.5 * BEAT_S)
    assert not (after.hits & ~allowed_cells(after.windows)).any()


@pytest.mark.parametrize("ternary", [False, True])
def test_augmented_batches_fit_together(ternary: bool) -> None:
    made = batch(3, ternary=ternary)
    rng = np.random.default_rng(0)
    beats, quarters = [], []
    for _ in range(150):
        after = augment(made, rng)
        beats.append(after.hits.shape[2])
        quarters.append(tuple(after.windows.quarters[0, 0].tolist()))
        assert after.hits.shape == (3, 4, beats[-1], SLOTS * PARTS)
        assert after.hits.dtype == bool
        assert features(after.windows).shape == (3, 4, beats[-1], FEATURES)
        assert not (after.hits & ~allowed_cells(after.windows)).any()
        assert all(len(getattr(after.windows, field.name)) == 3 for field in fields(after.windows))
    assert 3 in beats
    assert beats.count(4) > 100
    assert ((1, 1, 1.5) in quarters) != ternary
    assert ((1.5, 1.5, 1.5, 1.5) in quarters) == ternary


def test_mismatched_windows_have_the_sketch_of_another() -> None:
    made = windows(3)
    other = mismatched(made)
    assert np.array_equal(other.onsets, made.onsets[[2, 0, 1]])
    assert np.array_equal(other.density, made.density)
    assert other.is_beat is made.is_beat


def test_sources_are_drawn_as_often_as_asked(made_dataset: Path) -> None:
    dataset = Dataset(made_dataset, {"train"}, bars=8)
    sampler = Sampler(dataset, 5, {"songs": 3.0, "waltzes": 1.0}, np.random.default_rng(0))
    assert sampler.share == pytest.approx([0.25, 0.75])  # buckets of three and of four beats
    beats = [sampler.draw().windows.is_beat for _ in range(200)]
    assert all(is_beat.all() and is_beat.shape[:2] == (5, 8) for is_beat in beats)


def test_the_same_seed_draws_the_same_batches(made_dataset: Path) -> None:
    dataset = Dataset(made_dataset, {"train"}, bars=8)
    first, second = (Sampler(dataset, 4, {}, np.random.default_rng(7)) for _ in range(2))
    for _ in range(5):
        a, b = first.draw(), second.draw()
        assert np.array_equal(a.hits, b.hits)
        assert np.array_equal(a.windows.density, b.windows.density, equal_nan=True)


def test_nothing_to_draw_is_said(made_dataset: Path) -> None:
    with pytest.raises(ValueError, match="no stretch of 400 bars with drums"):
        Sampler(Dataset(made_dataset, {"train"}, bars=400), 4, {}, np.random.default_rng(0))
    with pytest.raises(ValueError, match="no source named sogns"):
        Sampler(Dataset(made_dataset, {"train"}, bars=8), 4, {"sogns": 2.0}, np.random.default_rng(0))
