"""One song -> one record of flat arrays: everything the dataset keeps of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

import numpy as np

from encoding.bars import grid_from_file, mark_ternary
from encoding.conditions import ROLES, STYLES, UNKNOWN_STYLE, beat_durations_s, onset_strengths, section_places
from encoding.fills import fills
from encoding.form import sections
from encoding.grid import MAX_OFFSET, Hits, Unrepresented, encode
from encoding.kit import PART_OF_NOTE, PARTS
from encoding.roles import assign
from encoding.types import SLOTS, BarGrid, DrumPattern, Notes, Song
from encoding.units import median_bpm

LEAST_HITS, LEAST_BARS = 16, 4


@dataclass(frozen=True, slots=True)
class Record:
    """Arrays of one song, ready to be stored, and the facts that go into the dataset's index.

    arrays by name, as ``corpus`` lists them. tempo_bpm: quarters a minute for half of the time; meter: of most bars.
    """

    arrays: dict[str, np.ndarray]
    beats: int
    bars: int
    hits: int
    unrepresented: Unrepresented
    unknown_notes: int
    drum_hash: str
    tempo_bpm: float
    meter: str


def drum_hits(song: Song, part_of_note: np.ndarray = PART_OF_NOTE) -> tuple[Hits, int]:
    """All drum hits of a song that the kit knows, in time order, and the number of notes that it doesn't know.

    Of several hits of one part at one tick the loudest comes first.

    Args:
        part_of_note: (128,) part index of each MIDI note, -1 where there is none.
    """
    tracks = [track.notes for track in song.tracks if track.is_drums] or [Notes.empty()]
    onset_tick = np.concatenate([notes.onset_tick for notes in tracks])
    part = part_of_note[np.concatenate([notes.pitch for notes in tracks])].astype(np.int64)
    velocity = np.concatenate([notes.velocity for notes in tracks])
    known = part >= 0
    order = np.lexsort((-velocity[known], part[known], onset_tick[known]))
    hits = Hits(onset_tick[known][order], part[known][order], velocity[known][order].astype(np.uint8))
    return hits, int((~known).sum())


def record(song: Song, *, style: str = "", part_of_note: np.ndarray = PART_OF_NOTE, all_fills: bool = False) -> Record:
    """Encode one song with drums.

    Args:
        style: one of STYLES, or anything else for unknown.
        all_fills: every bar is a fill (Groove MIDI Dataset, beat_type "fill").

    Raises:
        ValueError: too few drum hits or bars to learn from; the message says how many.
    """
    hits, unknown_notes = drum_hits(song, part_of_note)
    if len(hits.part) < LEAST_HITS:
        raise ValueError(f"{len(hits.part)} drum hits, fewer than {LEAST_HITS}")
    every_onset = np.concatenate([track.notes.onset_tick for track in song.tracks])
    grid = mark_ternary(grid_from_file(song), every_onset)
    if grid.bars < LEAST_BARS:
        raise ValueError(f"{grid.bars} bars, fewer than {LEAST_BARS}")
    pattern, unrepresented = encode(hits, grid)
    arrays = _grid_arrays(song, grid) | _condition_arrays(song, grid) | _hit_arrays(pattern)
    arrays["fill"] = np.ones(grid.bars, bool) if all_fills else fills(pattern.hits, grid)
    arrays["style"] = np.full(grid.bars, STYLES.index(style) if style in STYLES else UNKNOWN_STYLE, np.int8)
    drum_hash = hashlib.sha256(np.packbits(pattern.hits).tobytes()).hexdigest()[:16]
    return Record(
        arrays, grid.beats, grid.bars, len(arrays["hit_cell"]), unrepresented, unknown_notes, drum_hash,
        tempo_bpm=round(median_bpm(song, song.end_tick), 2), meter=_usual_meter(grid),
    )  # fmt: skip


def _usual_meter(grid: BarGrid) -> str:
    """The meter of most bars, as "4/4"."""
    (meter, _), *_ = Counter(map(tuple, grid.meter.tolist())).most_common(1)
    return "{}/{}".format(*meter)


def _grid_arrays(song: Song, grid: BarGrid) -> dict[str, np.ndarray]:
    return {
        "beat_ticks": np.diff(grid.beat_tick).astype(np.int32),
        "ternary": grid.ternary,
        "quarters": grid.quarters.astype(np.float32),
        "beat_s": beat_durations_s(song, grid),
        "bar_beats": np.diff(grid.bar_beat).astype(np.uint16),  # 64/1 has 256 beats of a quarter
        "meter": grid.meter.astype(np.uint8),
    }


def _condition_arrays(song: Song, grid: BarGrid) -> dict[str, np.ndarray]:
    roles = assign(song.tracks)
    notes = [[song.tracks[i].notes for i in getattr(roles, role)] for role in ROLES]
    cells = np.rint(onset_strengths(notes, grid).reshape(grid.beats, -1) * 255).astype(np.uint8)
    beat, cell = np.nonzero(cells)
    section, section_bar, bars_left = section_places(sections(grid, song.tracks, song.markers), grid.bars)
    return {
        "beat_onsets": np.bincount(beat, minlength=grid.beats).astype(np.uint8),
        "onset_cell": cell.astype(np.uint8),
        "onset_strength": cells[beat, cell],
        "known_roles": np.tile([len(tracks) > 0 for tracks in notes], (grid.bars, 1)),
        "section": section.astype(np.int16),
        "section_bar": section_bar.astype(np.int16),
        "bars_left": bars_left.astype(np.int16),
    }


def _hit_arrays(pattern: DrumPattern) -> dict[str, np.ndarray]:
    velocity = pattern.velocity.reshape(-1, SLOTS * PARTS)
    beat, cell = np.nonzero(velocity)
    offset = pattern.offset.reshape(-1, SLOTS * PARTS)[beat, cell]
    return {
        "beat_hits": np.bincount(beat, minlength=len(velocity)).astype(np.uint8),
        "hit_cell": cell.astype(np.uint8),
        "hit_velocity": velocity[beat, cell],
        "hit_offset": np.rint(offset / MAX_OFFSET * 127).astype(np.int8),
    }
