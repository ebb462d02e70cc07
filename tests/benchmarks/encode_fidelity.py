"""What the grid keeps of a corpus: `python tests/benchmarks/encode_fidelity.py SOURCE [--every 1]`.

Every song's drums go onto the grid, are stored as a dataset stores them, decoded and encoded again. Counted: hits that
land on their slot and part again, hits not kept by cause, onset errors with and without the offsets, and beside them
those of the 16-step grid of this project's seed. Ticks are at 480 a quarter. SOURCE is a folder or an index.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from encoding import midi, records, sources
from encoding.bars import grid_from_file, mark_ternary
from encoding.grid import MAX_OFFSET, decode, encode
from encoding.kit import PART_OF_NOTE, PART_OF_ROLAND_NOTE
from encoding.types import SLOTS, BarGrid, DrumPattern, Song

TICKS = 480
PERCENTILES = (50, 90, 95, 99, 99.9)
ERRORS = ("stored", "stored_whole_ticks", "without_offsets", "sixteen_steps")


def simultaneous(song: Song, part_of_note: np.ndarray) -> tuple[int, int]:
    """Hits beyond the first of one note at one tick, and then of different notes of one part at one tick."""
    drums = [track.notes for track in song.tracks if track.is_drums]
    tick = np.concatenate([notes.onset_tick for notes in drums])
    pitch = np.concatenate([notes.pitch for notes in drums]).astype(np.int64)
    known = part_of_note[pitch] >= 0
    tick, pitch = tick[known], pitch[known]
    notes = len(np.unique(tick * 128 + pitch))
    return len(tick) - notes, notes - len(np.unique(tick * 128 + part_of_note[pitch]))


def twins(pattern: DrumPattern, grid: BarGrid) -> int:
    """Hits of one part and one tick that the grid holds on two slots."""
    hits = decode(pattern, grid)
    return len(hits.part) - len(np.unique(hits.onset_tick * 128 + hits.part))


def measure(song: Song, part_of_note: np.ndarray) -> tuple[Counter[str], dict[str, np.ndarray]]:
    """Counts of one song and its onset errors in ticks, one of each kind a hit."""
    hits, unknown = records.drum_hits(song, part_of_note)
    every_onset = np.concatenate([track.notes.onset_tick for track in song.tracks])
    grid = mark_ternary(grid_from_file(song), every_onset)
    pattern, lost = encode(hits, grid)
    stored = replace(pattern, offset=np.rint(pattern.offset / MAX_OFFSET * 127) / np.float32(127) * MAX_OFFSET)
    again, _ = encode(decode(stored, grid), grid)
    same_note, same_part = simultaneous(song, part_of_note)
    counts = Counter(
        hits=len(hits.part), unknown=unknown, outside=lost.outside, merged=lost.merged, kept=int(pattern.hits.sum()),
        same_slot_again=int((pattern.hits & again.hits).sum()), same_note_at_once=same_note,
        same_part_at_once=same_part, at_once_on_two_slots=twins(pattern, grid),
        ternary=int(pattern.hits[grid.ternary].sum()),
    )  # fmt: skip
    return counts, _errors(pattern, stored, grid, song.ticks_per_quarter)


def _errors(pattern: DrumPattern, stored: DrumPattern, grid: BarGrid, tpq: int) -> dict[str, np.ndarray]:
    cell = np.nonzero(pattern.velocity)
    position = cell[0] * SLOTS + cell[1]
    offset, stored_offset = pattern.offset[cell].astype(np.float64), stored.offset[cell].astype(np.float64)
    slot_ticks = np.diff(grid.beat_tick)[cell[0]] / SLOTS * TICKS / tpq
    tick = grid.tick(position + offset)
    in_bar = (tick - grid.bar_tick[grid.bar_of_beat[cell[0]]]) * TICKS / tpq
    sixteenth = TICKS / 4
    return {
        "stored": np.abs(stored_offset - offset) * slot_ticks,
        "stored_whole_ticks": np.abs(grid.tick(position + stored_offset) - tick) * TICKS / tpq,
        "without_offsets": np.abs(offset) * slot_ticks,
        "sixteen_steps": np.abs(in_bar - np.rint(in_bar / sixteenth) * sixteenth),
    }


def report(counts: Counter[str], errors: dict[str, np.ndarray]) -> dict[str, Any]:
    grid_collisions = counts["merged"] - (
        counts["same_note_at_once"] + counts["same_part_at_once"] - counts["at_once_on_two_slots"]
    )
    hits = counts["hits"]
    return {
        **counts,
        "share_of_kept_on_the_same_slot_and_part_again": counts["same_slot_again"] / counts["kept"],
        "share_of_hits_not_kept": {
            "same_note_at_once": counts["same_note_at_once"] / hits,
            "two_notes_of_one_part_at_once": counts["same_part_at_once"] / hits,
            "of_these_kept_after_all": counts["at_once_on_two_slots"] / hits,
            "grid": grid_collisions / hits,
            "outside_the_bars": counts["outside"] / hits,
        },
        "share_in_ternary_beats": counts["ternary"] / counts["kept"],
        "share_under_1_tick": {name: float((error < 1).mean()) for name, error in errors.items()},
        "percentiles_in_ticks": {
            name: {str(p): round(float(v), 2) for p, v in zip(PERCENTILES, np.percentile(error, PERCENTILES), strict=True)}
            for name, error in errors.items()
        },
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--every", type=int, default=1, help="Measure each so many songs.")
    asked = parser.parse_args()
    totals: Counter[str] = Counter()
    errors: dict[str, list[np.ndarray]] = {name: [] for name in ERRORS}
    for item in sources.find(asked.source).items[:: asked.every]:
        try:
            song = midi.parse(item.path.read_bytes())
        except (OSError, ValueError):
            totals["unreadable"] += 1
            continue
        if not any(track.is_drums and len(track.notes) for track in song.tracks):
            totals["without_drums"] += 1
            continue
        counts, found = measure(song, PART_OF_ROLAND_NOTE if item.roland else PART_OF_NOTE)
        totals.update(counts, songs=1)
        for name in ERRORS:
            errors[name].append(found[name].astype(np.float32))
    print(json.dumps(report(totals, {name: np.concatenate(rows) for name, rows in errors.items()}), indent=1))


if __name__ == "__main__":
    main()
