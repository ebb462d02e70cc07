"""Learn how drummers strike: Groove MIDI Dataset -> composer/performance.json.

    python composer/fit_performance.py GROOVE_FOLDER [-o composer/performance.json]

Reads the 4/4 beat performances of the train split and writes, for every style, part, kind of beat and slot, the mean
and the spread of velocity and micro-timing; then prints how far the tables are off on the validation split.
Data: Gillick et al., "Learning to Groove with Inverse Sequence Transformations", ICML 2019 (CC BY 4.0).

Rows with few performances lean on coarser ones: (style, part, kind, slot) on (part, kind, slot) on (part, slot) on
(part). Timing is taken relative to each performance's own mean, which is its distance from the click.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from composer.perform import BEAT_KINDS, CONTEXTS, REFERENCE_BPM, beat_kind, contexts
from encoding.bars import grid_from_file, mark_ternary
from encoding.conditions import STYLES
from encoding.fills import fills
from encoding.grid import encode
from encoding.kit import NAMES, PART_OF_ROLAND_NOTE, PARTS
from encoding.midi import parse
from encoding.records import LEAST_HITS, drum_hits
from encoding.types import SLOTS

KINDS = len(BEAT_KINDS)
PARENT_WEIGHT = 2.0  # a coarser row counts like so many performances: best of 1, 2, 4, 8 on the validation split
SETTLED_HITS = 4.0  # a performance counts half where it has so many hits of a row
ALIKE_BARS = 0.7  # Jaccard likeness of hits from which a bar is a repeat
MOST_TIMING = 0.75  # slots: what is farther from a performance's mean is a slip or another note


@dataclass(frozen=True)
class Strokes:
    """All hits of a split; arrays of equal length n, one entry a hit. ``place`` is 0-1 through the bar."""

    performance: np.ndarray
    style: np.ndarray
    bar: np.ndarray
    beat: np.ndarray
    kind: np.ndarray
    slot: np.ndarray
    part: np.ndarray
    place: np.ndarray
    in_fill: np.ndarray
    context: np.ndarray
    velocity: np.ndarray
    offset: np.ndarray


def read_strokes(folder: Path, split: str) -> Strokes:
    """Every hit of the 4/4 beat performances of a split, offsets scaled to the reference tempo.

    Raises:
        SystemExit: the folder has no info.csv.
    """
    index = folder / "info.csv"
    if not index.is_file():
        raise SystemExit(f"{index}: not found; give the folder of the Groove MIDI Dataset")
    with index.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == split]
    rows = [row for row in rows if row["beat_type"] == "beat" and row["time_signature"] == "4-4"]
    columns = [_strokes_of(folder / row["midi_filename"], row, number) for number, row in enumerate(rows)]
    found = [column for column in columns if column]
    return Strokes(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _strokes_of(path: Path, row: dict[str, str], number: int) -> list[np.ndarray]:
    song = parse(path.read_bytes())
    hits, _ = drum_hits(song, PART_OF_ROLAND_NOTE)
    if len(hits.part) < LEAST_HITS:
        return []
    grid = mark_ternary(grid_from_file(song), hits.onset_tick)
    pattern, _ = encode(hits, grid)
    beat, slot, part = np.nonzero(pattern.velocity)
    bar, beat_in_bar = grid.bar_of_beat[beat], grid.beat_in_bar[beat]
    beats_of_bar = np.diff(grid.bar_beat)[bar]
    offset = pattern.offset[beat, slot, part] * np.sqrt(REFERENCE_BPM / float(row["bpm"]))
    return [
        np.full(len(beat), number),
        np.full(len(beat), STYLES.index(row["style"].split("/")[0])),
        bar,
        beat_in_bar,
        beat_kind(beat_in_bar),
        slot,
        part,
        (beat_in_bar + slot / SLOTS) / beats_of_bar,
        fills(pattern.hits, grid)[bar],
        contexts(pattern.hits, grid)[beat, slot, part],
        pattern.velocity[beat, slot, part].astype(np.float64),
        offset.astype(np.float64),
    ]


def without_mean(values: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """Values less the mean of those that share all keys."""
    _, group = np.unique(np.stack(keys), axis=1, return_inverse=True)
    group = group.ravel()
    return values - (np.bincount(group, values) / np.bincount(group))[group]


def shrunk(performance: np.ndarray, values: np.ndarray, sizes: Sequence[int], index: np.ndarray) -> list[np.ndarray]:
    """Means of values by performance, from coarse to fine rows, each leaning on the coarser one.

    Args:
        sizes: of the table's axes; the last axis alone is the coarsest table, the last two the next, and so on.
        index: (axes, n) each value's place in the table.

    Returns: tables of shape sizes[-1:], sizes[-2:] ... sizes.
    """
    cells, group, count = np.unique(np.stack([performance, *index]), axis=1, return_inverse=True, return_counts=True)
    mean = np.bincount(group.ravel(), values) / count
    weight = count / (count + SETTLED_HITS)
    tables = [np.array(np.average(mean, weights=weight))]
    for axes in range(1, len(sizes) + 1):
        shape = tuple(sizes[-axes:])
        flat = np.ravel_multi_index(tuple(cells[-axes:]), shape)
        total, seen = (np.bincount(flat, w, int(np.prod(shape))).reshape(shape) for w in (weight * mean, weight))
        tables.append((total + PARENT_WEIGHT * tables[-1]) / (seen + PARENT_WEIGHT))
    return tables[1:]


def shrunk_table(strokes: Strokes, values: np.ndarray) -> np.ndarray:
    """Mean of values for each (style, kind, slot, part), the last style being any."""
    index = np.stack([strokes.style, strokes.kind, strokes.slot, strokes.part])
    *_, any_style, by_style = shrunk(strokes.performance, values, (len(STYLES), KINDS, SLOTS, PARTS), index)
    return np.concatenate([by_style, any_style[None]])


def shares(strokes: Strokes, residual: np.ndarray) -> dict[str, float]:
    """How residuals within performances divide: what returns on every beat (slot), what returns in every bar (beat),
    what returns in like bars only (section), the drift of the kit; the rest is left.

    What differs where a stroke returns in a like bar is rest and a part of the drift; the drift shows in the mean
    change of all strokes from bar to bar. ``drift_correlation`` is that of neighbouring bars' means.
    """
    around = without_mean(residual, strokes.performance, strokes.part, strokes.beat, strokes.slot)
    keys = np.stack([strokes.performance, strokes.bar])
    bars, group, count = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
    level = np.bincount(group.ravel(), around) / count
    full = count > 3
    next_bar = (np.diff(bars[0]) == 0) & (np.diff(bars[1]) == 1) & full[1:] & full[:-1]
    drift = float(np.var(level[full]) - np.var(around) * np.mean(1 / count[full]))
    correlation = min(float(np.mean((level[:-1] * level[1:])[next_bar])) / drift, 0.95)
    rest = _change_of_returning(strokes, residual, group.ravel(), count) / 2 - drift * (1 - correlation)
    slot = shared_variance(residual, strokes.performance, strokes.part, strokes.slot)
    beat = shared_variance(residual, strokes.performance, strokes.part, strokes.slot, strokes.beat)
    total = float(np.var(residual))
    parts = {"slot": slot, "beat": beat - slot, "section": total - beat - drift - rest, "drift": drift}
    found = {name: round(part / total, 3) for name, part in parts.items()}
    return {**found, "drift_correlation": round(correlation, 3)}


def shared_variance(values: np.ndarray, *keys: np.ndarray) -> float:
    """Variance of what values that share all keys have in common: the mean product of two of them."""
    _, group, count = np.unique(np.stack(keys), axis=1, return_inverse=True, return_counts=True)
    total, squares = np.bincount(group.ravel(), values), np.bincount(group.ravel(), values**2)
    often = count >= SETTLED_HITS
    product = ((total**2 - squares)[often] / (count[often] - 1)).sum()
    return float(product / count[often].sum())


def _change_of_returning(strokes: Strokes, residual: np.ndarray, bar: np.ndarray, hits_of_bar: np.ndarray) -> float:
    """Mean squared change of strokes that return in the next bar, where both bars share most of their hits.

    bar (n,): number of each stroke's bar among all; hits_of_bar: how many strokes each has.
    """
    place = (strokes.beat * SLOTS + strokes.slot) * PARTS + strokes.part
    order = np.lexsort((strokes.bar, place, strokes.performance))
    steps = np.stack([np.diff(a[order]) for a in (strokes.performance, place, strokes.bar)])
    returns = (steps == [[0], [0], [1]]).all(axis=0)
    bar = bar[order][1:][returns]
    common = np.bincount(bar, minlength=len(hits_of_bar))
    jaccard = common / (hits_of_bar + np.roll(hits_of_bar, 1) - common)
    return float(np.mean(np.diff(residual[order])[returns][jaccard[bar] >= ALIKE_BARS] ** 2))


def fit(strokes: Strokes) -> dict[str, object]:
    """The content of performance.json: integers, velocities in MIDI units, offsets in hundredths of a slot."""
    groove = Strokes(*(getattr(strokes, f.name)[~strokes.in_fill] for f in fields(Strokes)))
    offset = np.clip(without_mean(groove.offset, groove.performance), -MOST_TIMING, MOST_TIMING)
    velocity_mean, offset_mean = shrunk_table(groove, groove.velocity), shrunk_table(groove, offset)
    row = (groove.style, groove.kind, groove.slot, groove.part)
    setting = np.stack([groove.kind, groove.slot, groove.context, groove.part])
    velocity_left = groove.velocity - velocity_mean[row]
    context = shrunk(groove.performance, velocity_left, (KINDS, SLOTS, CONTEXTS, PARTS), setting)[-1]
    by_part = (groove.performance, groove.part)
    velocity_left = without_mean(velocity_left - context[tuple(setting)], *by_part)
    offset_left = without_mean(offset - offset_mean[row], *by_part)
    level, build = fill_effects(strokes, velocity_mean, context)
    tables = {
        "velocity_mean": velocity_mean,
        "context_velocity": context,
        "velocity_spread": np.sqrt(shrunk_table(groove, velocity_left**2)),
        "offset_mean": 100 * offset_mean,
        "offset_spread": 100 * np.sqrt(shrunk_table(groove, offset_left**2)),
    }
    return {
        "about": "Made by composer/fit_performance.py from the Groove MIDI Dataset (Gillick et al. 2019, CC BY 4.0).",
        "axes": {"style": [*STYLES, "any"], "kind": [*BEAT_KINDS], "slot": SLOTS, "part": [*NAMES]},
        "velocity_shares": shares(groove, velocity_left),
        "offset_shares": shares(groove, offset_left),
        "fill_velocity": np.rint(level).astype(int).tolist(),
        "fill_build": round(build, 1),
        **{name: np.rint(table).astype(int).tolist() for name, table in tables.items()},
    }


def fill_effects(strokes: Strokes, velocity_mean: np.ndarray, context: np.ndarray) -> tuple[np.ndarray, float]:
    """What fills add to the velocity of each part, (PARTS,), and by how much it grows through the bar."""
    mean = velocity_mean[strokes.style, strokes.kind, strokes.slot, strokes.part]
    mean += context[strokes.kind, strokes.slot, strokes.context, strokes.part]
    more, part, place = (a[strokes.in_fill] for a in (strokes.velocity - mean, strokes.part, strokes.place))
    level = shrunk_parts(more, part)
    return level, float(np.polyfit(place, more - level[part], 1)[0])


def shrunk_parts(values: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Mean of values for each part, leaning on the mean of all with the weight of 100 hits: (PARTS,)."""
    count, total = np.bincount(part, minlength=PARTS), np.bincount(part, values, minlength=PARTS)
    return (total + 100 * values.mean()) / (count + 100)


def report(table: dict[str, object], strokes: Strokes) -> str:
    """Root mean square errors on held-out strokes."""
    place = (strokes.kind, strokes.slot, strokes.part)
    offset = without_mean(strokes.offset, strokes.performance)
    velocity_mean, offset_mean, context = (
        np.array(table[name]) for name in ("velocity_mean", "offset_mean", "context_velocity")
    )
    around = context[strokes.kind, strokes.slot, strokes.context, strokes.part]
    errors = {
        "velocity, one mean": strokes.velocity - strokes.velocity.mean(),
        "velocity, any style": strokes.velocity - velocity_mean[-1][place],
        "velocity, own style": strokes.velocity - velocity_mean[(strokes.style, *place)],
        "velocity, own style and context": strokes.velocity - velocity_mean[(strokes.style, *place)] - around,
        "offset, one mean": offset,
        "offset, any style": offset - offset_mean[-1][place] / 100,
        "offset, own style": offset - offset_mean[(strokes.style, *place)] / 100,
    }
    return "\n".join(f"{name}: {np.sqrt(np.mean(error**2)):.3f}" for name, error in errors.items())


def main() -> None:
    """Fit on the train split, write the table, print its errors on the validation split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the unpacked Groove MIDI Dataset; holds info.csv")
    parser.add_argument("-o", "--output", type=Path, default=Path("composer/performance.json"))
    arguments = parser.parse_args()
    table = fit(read_strokes(arguments.folder, "train"))
    lines = [f" {json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in table.items()]
    arguments.output.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(report(table, read_strokes(arguments.folder, "validation")))  # noqa: T201


if __name__ == "__main__":
    main()
