"""Learn how drummers strike: Groove MIDI Dataset -> composer/performance.json.

    python tools/fit_performance.py GROOVE_FOLDER [-o composer/performance.json]

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
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from composer.perform import BEAT_KINDS, REFERENCE_BPM, beat_kind
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
        pattern.velocity[beat, slot, part].astype(np.float64),
        offset.astype(np.float64),
    ]


def without_mean(values: np.ndarray, *keys: np.ndarray) -> np.ndarray:
    """Values less the mean of those that share all keys."""
    _, group = np.unique(np.stack(keys), axis=1, return_inverse=True)
    group = group.ravel()
    return values - (np.bincount(group, values) / np.bincount(group))[group]


def shrunk_table(strokes: Strokes, values: np.ndarray) -> np.ndarray:
    """Mean of values for each (style, kind, slot, part), the last style being any, leaning on coarser rows."""
    cell = np.stack([strokes.performance, strokes.style, strokes.kind, strokes.slot, strokes.part])
    cells, group, count = np.unique(cell, axis=1, return_inverse=True, return_counts=True)
    mean = np.bincount(group.ravel(), values) / count
    weight = count / (count + SETTLED_HITS)
    _, style, kind, slot, part = cells

    def level(parent: np.ndarray, shape: tuple[int, ...], *index: np.ndarray) -> np.ndarray:
        flat = np.ravel_multi_index(index, shape)
        total = np.bincount(flat, weight * mean, minlength=int(np.prod(shape))).reshape(shape)
        performances = np.bincount(flat, weight, minlength=int(np.prod(shape))).reshape(shape)
        return (total + PARENT_WEIGHT * parent) / (performances + PARENT_WEIGHT)

    everything = np.full(PARTS, np.average(mean, weights=weight))
    by_part = level(everything, (PARTS,), part)
    by_slot = level(by_part, (SLOTS, PARTS), slot, part)
    by_kind = level(by_slot, (KINDS, SLOTS, PARTS), kind, slot, part)
    by_style = level(by_kind, (len(STYLES), KINDS, SLOTS, PARTS), style, kind, slot, part)
    return np.concatenate([by_style, by_kind[None]])


def shares(strokes: Strokes, residual: np.ndarray) -> dict[str, float]:
    """How residuals within performances divide: accents that return, the drift of the kit, the rest.

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
    total = float(np.var(residual))
    return {
        "groove": round(1 - (drift + rest) / total, 3),
        "drift": round(drift / total, 3),
        "drift_correlation": round(correlation, 3),
    }


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
    by_part = (groove.performance, groove.part)
    velocity_left = without_mean(groove.velocity - velocity_mean[row], *by_part)
    offset_left = without_mean(offset - offset_mean[row], *by_part)
    fill = strokes.in_fill
    more = (strokes.velocity - velocity_mean[strokes.style, strokes.kind, strokes.slot, strokes.part])[fill]
    level = shrunk_parts(more, strokes.part[fill])
    build = np.polyfit(strokes.place[fill], more - level[strokes.part[fill]], 1)[0]
    tables = {
        "velocity_mean": velocity_mean,
        "velocity_spread": np.sqrt(shrunk_table(groove, velocity_left**2)),
        "offset_mean": 100 * offset_mean,
        "offset_spread": 100 * np.sqrt(shrunk_table(groove, offset_left**2)),
    }
    return {
        "about": "Made by tools/fit_performance.py from the Groove MIDI Dataset (Gillick et al. 2019, CC BY 4.0).",
        "axes": {"style": [*STYLES, "any"], "kind": [*BEAT_KINDS], "slot": SLOTS, "part": [*NAMES]},
        "velocity_shares": shares(groove, velocity_left),
        "offset_shares": shares(groove, offset_left),
        "fill_velocity": np.rint(level).astype(int).tolist(),
        "fill_build": round(float(build), 1),
        **{name: np.rint(table).astype(int).tolist() for name, table in tables.items()},
    }


def shrunk_parts(values: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Mean of values for each part, leaning on the mean of all with the weight of 100 hits: (PARTS,)."""
    count, total = np.bincount(part, minlength=PARTS), np.bincount(part, values, minlength=PARTS)
    return (total + 100 * values.mean()) / (count + 100)


def report(table: dict[str, object], strokes: Strokes) -> str:
    """Root mean square errors on held-out strokes: one mean for all, any style, the style itself."""
    offset = without_mean(strokes.offset, strokes.performance)
    lines = []
    for name, values, scale in (("velocity", strokes.velocity, 1), ("offset", offset, 100)):
        mean = np.array(table[f"{name}_mean"]) / scale
        place = (strokes.kind, strokes.slot, strokes.part)
        errors = (values - values.mean(), values - mean[-1][place], values - mean[(strokes.style, *place)])
        lines.append(f"{name}: " + ", ".join(f"{np.sqrt(np.mean(error**2)):.3f}" for error in errors))
    return "validation error with one mean, any style, own style\n" + "\n".join(lines)


def main() -> None:
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
