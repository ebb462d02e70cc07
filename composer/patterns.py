"""The seed's own job: noise -> patterns, each a MIDI file of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from composer import arrange, merge
from composer.errors import OutputError
from composer.options import Kit
from composer.perform import perform
from composer.pipeline import drum_track, drums
from encoding import smf
from encoding.bars import grid_from_file
from encoding.conditions import ROLES, STYLES, UNKNOWN_STYLE, Conditions, beat_durations_s, section_places
from encoding.types import SLOTS, BarGrid, Section, Song, Tempo, TimeSignature

TICKS_PER_QUARTER = 480
DEFAULT_BPM = 110.0


def write_patterns(
    folder: Path, *, count: int, bars: int, style: str | None, density: float | None, bpm: float,
    meter: tuple[int, int], seed: int, force: bool,
) -> list[Path]:  # fmt: skip
    """Write pattern-001.mid and on: drums without a sketch. The n-th pattern depends on seed and n alone.

    Raises:
        OutputError: one of the files exists and ``force`` is off, or the folder cannot be written.
    """
    paths = [folder / f"pattern-{number:03}.mid" for number in range(1, count + 1)]
    taken = [path for path in paths if path.exists()]
    if taken and not force:
        raise OutputError(f"{taken[0]} exists already; use --force to replace it, or -o for another folder")
    song = empty_song(bars, bpm, meter)
    grid = grid_from_file(song)
    asked = free_conditions(song, grid, style=style, density=density)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(paths):
            rng = np.random.default_rng([seed, number])
            hits = arrange.playable(arrange.one_drummer(drums(asked, rng), grid))
            pattern = perform(hits, grid, style=style, rng=rng, bpm=bpm)
            data = _file(song, drum_track(pattern, grid, TICKS_PER_QUARTER, Kit()))
            merge.put(path, data, force=force)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}; choose another folder with -o") from error
    return paths


def empty_song(bars: int, bpm: float, meter: tuple[int, int]) -> Song:
    """A song of so many bars without a note."""
    numerator, denominator = meter
    bar_ticks = TICKS_PER_QUARTER * 4 * numerator // denominator
    return Song(
        ticks_per_quarter=TICKS_PER_QUARTER,
        tracks=(),
        tempos=(Tempo(0, round(60e6 / bpm)),),
        time_signatures=(TimeSignature(0, numerator, denominator),),
        markers=(),
        end_tick=bars * bar_ticks,
    )


def free_conditions(song: Song, grid: BarGrid, *, style: str | None, density: float | None) -> Conditions:
    """Conditions without a line: one section, no fill asked for."""
    section, section_bar, bars_left = section_places([Section("A", 1, grid.bars)], grid.bars)
    return Conditions(
        grid=grid,
        onsets=np.zeros((grid.beats, SLOTS, len(ROLES)), np.float32),
        known_roles=np.zeros(len(ROLES), bool),
        beat_s=beat_durations_s(song, grid),
        section=section,
        section_bar=section_bar,
        bars_left=bars_left,
        density=np.full(grid.bars, np.nan if density is None else density, np.float32),
        fill=np.zeros(grid.bars, np.float32),
        style=UNKNOWN_STYLE if style is None else STYLES.index(style),
    )


def _file(song: Song, drums: bytes) -> bytes:
    """A format 1 file: tempo and time signature (Standard MIDI Files 1.0, FF 51 and FF 58), then the drums."""
    signature = song.time_signatures[0]
    meta = b"\x00\xff\x51\x03" + song.tempos[0].us_per_quarter.to_bytes(3, "big")
    meta += bytes((0x00, 0xFF, 0x58, 0x04, signature.numerator, signature.denominator.bit_length() - 1, 24, 8))
    header = b"MThd" + bytes((0, 0, 0, 6, 0, 1, 0, 2)) + TICKS_PER_QUARTER.to_bytes(2, "big")
    tracks = (meta + smf.END_OF_TRACK, drums)
    return header + b"".join(b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks)
