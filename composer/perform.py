"""The plain performer: hits -> velocity and micro-timing, from what drummers of the Groove MIDI Dataset did.

Each hit is drawn around the mean of its style, part, kind of beat and slot. What is drawn has shares, as measured:
accents that return (on every beat, in every bar, in the bars of one section label), so that a groove stays a groove;
a drift of the whole kit from bar to bar (AR(1)); and the rest hit by hit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from encoding.fills import fills
from encoding.grid import BINARY_STEP, allowed_slots
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS, BarGrid, DrumPattern, Section

SNARE = NAMES.index("snare")
BEAT_KINDS = ("downbeat", "backbeat", "other")
CONTEXTS = 8  # see contexts()
REFERENCE_BPM = 110.0  # the tables hold offsets at this tempo
MOST_MICRO_TIMING = 0.45  # slots; tighter than drummers are to a click, as a sketch is mostly on its grid
MOST_OFFSET_BINARY, MOST_OFFSET_TERNARY = 1.45, 0.95  # slots: within half a step, so that no hit moves
MOST_SWING = 0.6  # what a binary beat can swing within MOST_OFFSET_BINARY, micro-timing included
# Of the velocity spread that was measured: all of it, drawn blindly, gives accents that no drummer would choose.
LIVELINESS = 0.7
MOST_GHOST = 0.8  # of the mean velocity of the bar's backbeats
SECTION_ACCENT = 8.0  # velocity added to the first hits of a section


@dataclass(frozen=True)
class Shares:
    """How the variance within a performance divides, 0-1; the rest is hit by hit.

    slot: accents that return on every beat; beat: in every bar; section: in like bars only; drift: of the whole kit,
    with ``drift_correlation`` between neighbouring bars.
    """

    slot: float
    beat: float
    section: float
    drift: float
    drift_correlation: float


@dataclass(frozen=True)
class PerformanceTable:
    """Means and spreads (standard deviations), float64 (styles + 1, kinds, SLOTS, PARTS); the last style is any.

    Velocities in MIDI units, offsets in slots. context_velocity (kinds, SLOTS, CONTEXTS, PARTS): velocity added by
    the strokes around. fill_velocity (PARTS,): velocity added in fills; fill_build: by how
    much a fill grows from its bar's first beat to its end.
    """

    styles: tuple[str, ...]
    velocity_mean: np.ndarray
    velocity_spread: np.ndarray
    context_velocity: np.ndarray
    offset_mean: np.ndarray
    offset_spread: np.ndarray
    velocity_shares: Shares
    offset_shares: Shares
    fill_velocity: np.ndarray
    fill_build: float


@cache
def performance_table() -> PerformanceTable:
    """The table that ships with the package, made by ``composer/fit_performance.py``."""
    raw = json.loads(Path(__file__).with_name("performance.json").read_text(encoding="utf-8"))
    return PerformanceTable(
        styles=tuple(raw["axes"]["style"]),
        velocity_mean=np.array(raw["velocity_mean"], np.float64),
        velocity_spread=np.array(raw["velocity_spread"], np.float64),
        context_velocity=np.array(raw["context_velocity"], np.float64),
        offset_mean=np.array(raw["offset_mean"]) / 100,
        offset_spread=np.array(raw["offset_spread"]) / 100,
        velocity_shares=Shares(**raw["velocity_shares"]),
        offset_shares=Shares(**raw["offset_shares"]),
        fill_velocity=np.array(raw["fill_velocity"], np.float64),
        fill_build=float(raw["fill_build"]),
    )


def beat_kind(beat_in_bar: np.ndarray) -> np.ndarray:
    """Index into BEAT_KINDS of each beat by its place in the bar from 0: (n,) int64."""
    return np.where(beat_in_bar == 0, 0, np.where(beat_in_bar % 2 == 1, 1, 2))


def contexts(hits: np.ndarray, grid: BarGrid) -> np.ndarray:
    """What stands around each place: (beats, SLOTS, PARTS) int64 below CONTEXTS.

    4 if the snare plays every backbeat of the bar (other snares are ghosts then), plus 2 if the same part is struck
    up to a 16th before, plus 1 if up to a 16th after. Such backbeats are 4: a ghost beside one does not soften it.
    """
    flat = hits.reshape(-1, PARTS)
    before, after = np.zeros_like(flat), np.zeros_like(flat)
    for slots in range(1, BINARY_STEP + 1):
        before[slots:] |= flat[:-slots]
        after[:-slots] |= flat[slots:]
    backbeat, carried = _backbeats(hits, grid)
    beside = (2 * before + after).reshape(hits.shape)
    beside[backbeat & carried, 0, SNARE] = 0
    return 4 * carried[:, None, None] + beside


def _backbeats(hits: np.ndarray, grid: BarGrid) -> tuple[np.ndarray, np.ndarray]:
    """Whether each beat is a backbeat, and whether the snare plays all those of its bar: (beats,) bool both."""
    backbeat = grid.beat_in_bar % 2 == 1
    missed = np.bincount(grid.bar_of_beat[backbeat & ~hits[:, 0, SNARE]], minlength=grid.bars)
    carried = (missed == 0) & (np.diff(grid.bar_beat) > 1)
    return backbeat, carried[grid.bar_of_beat]


def perform(
    hits: np.ndarray,
    grid: BarGrid,
    *,
    style: str | None,
    rng: np.random.Generator,
    swing: float = 0.5,
    sections: Sequence[Section] = (),
    bpm: float = REFERENCE_BPM,
) -> DrumPattern:
    """Play hits as a drummer would; the hits themselves stay as they are.

    Args:
        hits: (beats, SLOTS, PARTS) bool.
        style: one of encoding.conditions.STYLES; None or any other name plays the mean of all.
        rng: draws do not depend on the hits, so changing one bar leaves the performance of the others alone
            (save the strokes beside it, and where the change makes another bar a fill).
        swing: place of the off-beat eighth in a binary beat, 0.5 straight to MOST_SWING (more is cut: a stronger
            swing is a ternary beat). Eighths and 16ths between move in proportion.
        sections: the first hits of each are accented.
        bpm: spreads of timing grow in slots with the square root of the tempo, as measured (they shrink in seconds).

    Returns: velocity 1-127 and offset within half a step of the subdivision on every hit, else 0.
    """
    table = performance_table()
    row = table.styles.index(style) if style in table.styles else -1
    label = _label_of_bar(sections, grid.bars)
    velocity = _velocity(hits, grid, table, row, _draw(grid, label, table.velocity_shares, rng), sections)
    micro = _micro_timing(grid, table, row, _draw(grid, label, table.offset_shares, rng), bpm)
    most = np.where(grid.ternary, MOST_OFFSET_TERNARY, MOST_OFFSET_BINARY)[:, None]
    most = np.where(allowed_slots(grid.ternary), most, MOST_MICRO_TIMING)[:, :, None]
    offset = np.clip(micro + _swing(grid, swing)[:, :, None], -most, most)
    return DrumPattern(
        np.where(hits, np.clip(np.rint(velocity), 1, 127), 0).astype(np.uint8),
        np.where(hits, offset, 0).astype(np.float32),
    )


def _velocity(
    hits: np.ndarray, grid: BarGrid, table: PerformanceTable, row: int, draw: np.ndarray, sections: Sequence[Section]
) -> np.ndarray:
    """Velocity of every place were it struck: (beats, SLOTS, PARTS) float64, not yet rounded or limited."""
    kind = beat_kind(grid.beat_in_bar)
    velocity = table.velocity_mean[row, kind] + LIVELINESS * table.velocity_spread[row, kind] * draw
    around = contexts(hits, grid)
    velocity += table.context_velocity[kind[:, None, None], np.arange(SLOTS)[:, None], around, np.arange(PARTS)]
    in_fill = fills(hits, grid)[grid.bar_of_beat]
    velocity += _accents(in_fill, grid, sections, table)
    _soften_ghosts(velocity, hits, grid, in_fill)
    return velocity


def _micro_timing(grid: BarGrid, table: PerformanceTable, row: int, draw: np.ndarray, bpm: float) -> np.ndarray:
    """Offset in slots of every place were it struck, without swing: (beats, SLOTS, PARTS) float64."""
    kind = beat_kind(grid.beat_in_bar)
    micro = np.sqrt(bpm / REFERENCE_BPM) * (table.offset_mean[row, kind] + table.offset_spread[row, kind] * draw)
    return MOST_MICRO_TIMING * np.tanh(micro / MOST_MICRO_TIMING)


def _label_of_bar(sections: Sequence[Section], bars: int) -> np.ndarray:
    """Number of each bar's section label, 0 where there is no section: (bars,) int64."""
    number = {label: i for i, label in enumerate(dict.fromkeys(section.label for section in sections))}
    labels = np.zeros(bars, np.int64)
    for section in sections:
        labels[section.first_bar - 1 : section.last_bar] = number[section.label]
    return labels


def _draw(grid: BarGrid, label: np.ndarray, shares: Shares, rng: np.random.Generator) -> np.ndarray:
    """Standard normal draws that return from bar to bar and drift: (beats, SLOTS, PARTS) float64.

    label: (bars,) int64, the number of each bar's section label.
    """
    most_beats = int(np.diff(grid.bar_beat).max())
    place = (SLOTS, PARTS)
    on_slot = rng.standard_normal(place)
    on_beat = rng.standard_normal((most_beats, *place))[grid.beat_in_bar]
    in_section = rng.standard_normal((label.max() + 1, most_beats, *place))[label[grid.bar_of_beat], grid.beat_in_bar]
    drift = _ar1(rng.standard_normal(grid.bars), shares.drift_correlation)[grid.bar_of_beat, None, None]
    rest = rng.standard_normal((grid.beats, *place))
    weights = np.array([shares.slot, shares.beat, shares.section, shares.drift])
    slot, beat, section, drifting = np.sqrt(weights)
    drawn = slot * on_slot + beat * on_beat + section * in_section + drifting * drift
    return drawn + np.sqrt(max(1 - weights.sum(), 0.0)) * rest


def _ar1(noise: np.ndarray, correlation: float) -> np.ndarray:
    """First-order autoregression of variance 1 from standard normal noise: (n,) float64."""
    drift = noise.copy()
    for i in range(1, len(noise)):
        drift[i] = correlation * drift[i - 1] + np.sqrt(1 - correlation**2) * noise[i]
    return drift


def _accents(in_fill: np.ndarray, grid: BarGrid, sections: Sequence[Section], table: PerformanceTable) -> np.ndarray:
    """Velocity that fills and section starts add: (beats, SLOTS, PARTS) float64."""
    beats_of_bar = np.diff(grid.bar_beat)[grid.bar_of_beat]
    place = (grid.beat_in_bar[:, None] + np.arange(SLOTS) / SLOTS) / beats_of_bar[:, None]
    added = in_fill[:, None, None] * (table.fill_velocity + table.fill_build * (place[:, :, None] - 0.5))
    first_beats = grid.bar_beat[[section.first_bar - 1 for section in sections]]
    added[first_beats, 0] += SECTION_ACCENT
    return added


def _soften_ghosts(velocity: np.ndarray, hits: np.ndarray, grid: BarGrid, in_fill: np.ndarray) -> None:
    """Keep the snares between the backbeats of a groove below them, in place."""
    backbeat, carried = _backbeats(hits, grid)
    main = backbeat & carried
    total = np.bincount(grid.bar_of_beat[main], velocity[main, 0, SNARE], minlength=grid.bars)
    count = np.bincount(grid.bar_of_beat[main], minlength=grid.bars)
    most = (MOST_GHOST * total / np.maximum(count, 1))[grid.bar_of_beat, None]
    between = np.repeat((carried & ~in_fill)[:, None], SLOTS, axis=1)
    between[main, 0] = False
    snare = velocity[:, :, SNARE]
    velocity[:, :, SNARE] = np.where(between, np.minimum(snare, most), snare)


def _swing(grid: BarGrid, swing: float) -> np.ndarray:
    """Offset that the swing gives each slot of binary beats: (beats, SLOTS) float64 in slots."""
    late = float(np.clip(swing, 0.5, MOST_SWING)) * SLOTS
    moved = np.interp(np.arange(SLOTS), [0, SLOTS / 2, SLOTS], [0, late, SLOTS]) - np.arange(SLOTS)
    return np.where(grid.ternary[:, None], 0, moved)
