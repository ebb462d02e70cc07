"""Training batches: windows drawn from a dataset, conditions dropped at random, meters made from 4/4. No torch.

Dropping teaches the generator that any condition may be missing; making 3/4 and 7/8 out of 4/4 gives it odd meters,
which are rare in the data (design.md part 4).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from encoding.conditions import ROLES, UNKNOWN_STYLE
from encoding.dataset import CELLS, Dataset
from encoding.kit import PARTS
from encoding.types import SLOTS
from encoding.windows import Windows

DROP_ROLES = 0.4  # chance that a window loses one or two of its known roles
DROP_DENSITY = 0.4
SMOOTH_DENSITY = 0.5  # chance that a known density is the window's mean rather than each bar's own
DROP_FILL = 0.3
DROP_STYLE = 0.2
SHORTEN = 0.06  # chance that a batch of 4/4 becomes 3/4, and the same again for 7/8
COMPOUND = 0.3  # chance that a batch of ternary quarters is told as dotted beats


@dataclass(frozen=True, slots=True)
class Batch:
    """Conditions of B windows and their drums, hits (B, N, K, CELLS) bool."""

    windows: Windows
    hits: np.ndarray


class Sampler:
    """Draws batches whose windows have bars of the same greatest number of beats, so that little is padded."""

    def __init__(self, dataset: Dataset, batch: int, source_weights: dict[str, float], rng: np.random.Generator):
        self.dataset, self.batch, self.rng = dataset, batch, rng
        starts = dataset.window_starts
        if not len(starts):
            raise ValueError(f"the dataset has no stretch of {dataset.window_bars} bars with drums to learn from")
        unknown = source_weights.keys() - {song["source"] for song in dataset.songs}
        if unknown:
            raise ValueError(f"the dataset has no source named {', '.join(sorted(unknown))}")
        beats = np.diff(dataset.bar_beat)
        longest = np.max([beats[starts + i] for i in range(dataset.window_bars)], axis=0)
        source = np.array([song["source"] for song in dataset.songs])[dataset.bar_song[starts]]
        weight = np.ones(len(starts))
        for name in source_weights.keys() & set(source):
            weight[source == name] = source_weights[name] * len(starts) / (source == name).sum()
        lengths = np.unique(longest)
        self.buckets = [starts[longest == length] for length in lengths]
        self.weights = [weight[longest == length] / weight[longest == length].sum() for length in lengths]
        share = np.array([weight[longest == length].sum() for length in lengths])
        self.share = share / share.sum()

    def draw(self) -> Batch:
        bucket = self.rng.choice(len(self.buckets), p=self.share)
        starts = self.rng.choice(self.buckets[bucket], self.batch, p=self.weights[bucket])
        windows, hits = self.dataset.windows(starts)
        return augment(Batch(windows, hits), self.rng)


def augment(batch: Batch, rng: np.random.Generator) -> Batch:
    """Drop conditions and change meters at random."""
    windows = drop_conditions(batch.windows, rng)
    batch = Batch(windows, batch.hits)
    if windows.is_beat.shape[2] == 4 and windows.is_beat.all():
        draw = rng.random()
        if draw < SHORTEN:
            return in_three(batch)
        if draw < 2 * SHORTEN and not windows.ternary.any():
            return in_seven(batch)
    if windows.ternary.all() and rng.random() < COMPOUND:
        return Batch(replace(windows, quarters=windows.quarters * np.float32(1.5)), batch.hits)
    return batch


def drop_conditions(windows: Windows, rng: np.random.Generator) -> Windows:
    """Forget roles, density, fills and style of some windows."""
    count = len(windows.is_beat)
    keep = rng.random((count, len(ROLES))) < 0.5
    keep |= rng.random((count, 1)) >= DROP_ROLES
    known_roles = windows.known_roles & keep
    smooth = rng.random((count, 1)) < SMOOTH_DENSITY
    density = np.where(smooth, windows.density.mean(1, keepdims=True), windows.density)
    density = np.where(rng.random((count, 1)) < DROP_DENSITY, np.nan, density).astype(np.float32)
    fill = np.where(rng.random((count, 1)) < DROP_FILL, np.nan, windows.fill).astype(np.float32)
    style = np.where(rng.random(count) < DROP_STYLE, UNKNOWN_STYLE, windows.style)
    return replace(windows, known_roles=known_roles, density=density, fill=fill, style=style)


def in_three(batch: Batch) -> Batch:
    """4/4 without its last beat."""
    windows = batch.windows
    cut = {name: getattr(windows, name)[:, :, :3] for name in ("is_beat", "onsets", "ternary", "quarters", "beat_s")}
    return Batch(replace(windows, **cut), batch.hits[:, :, :3])


def in_seven(batch: Batch) -> Batch:
    """Binary 4/4 without its last eighth: 7/8 as 2+2+3, the third beat and half of the fourth told as one of three."""
    windows = batch.windows
    quarters, beat_s = windows.quarters[:, :, :3].copy(), windows.beat_s[:, :, :3].copy()
    ternary = windows.ternary[:, :, :3].copy()
    ternary[:, :, 2] = True
    quarters[:, :, 2] *= 1.5
    beat_s[:, :, 2] *= 1.5
    shape = windows.onsets.shape[:3]
    hits = _merge_into_three(batch.hits.reshape(*shape, SLOTS, PARTS)).reshape(*shape[:2], 3, CELLS)
    changed = replace(
        windows, is_beat=windows.is_beat[:, :, :3], onsets=_merge_into_three(windows.onsets),
        ternary=ternary, quarters=quarters, beat_s=beat_s,
    )  # fmt: skip
    return Batch(changed, hits)


def _merge_into_three(cells: np.ndarray) -> np.ndarray:
    """(B, N, 4, SLOTS, X) -> (B, N, 3, SLOTS, X): 16ths of beat 3 to slots 0 2 4 6, of half of beat 4 to 8 10."""
    merged = cells[:, :, :3].copy()
    merged[:, :, 2] = 0
    merged[:, :, 2, 0:8:2] = cells[:, :, 2, 0:12:3]
    merged[:, :, 2, 8:12:2] = cells[:, :, 3, 0:6:3]
    return merged


def mismatched(windows: Windows) -> Windows:
    """Every window with the sketch of the next one in the batch; grid, tempo and form stay."""
    return replace(
        windows, onsets=np.roll(windows.onsets, 1, axis=0), known_roles=np.roll(windows.known_roles, 1, axis=0)
    )
