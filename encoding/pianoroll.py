"""Piano rolls as pypianoroll keeps them: .npz of the Lakh Pianoroll Dataset in, .npz of a song out.

pypianoroll is imported here only, inside the functions: its import takes two seconds. Only its ``load``, ``save`` and
track classes are used; rolls are made here, since its own conversion from MIDI adds up overlapping velocities and
shifts the velocities of pick-ups (version 1.0.4).
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from encoding.bars import grid_from_file
from encoding.types import Notes, Song, Tempo, TimeSignature, Track
from encoding.units import seconds_of_ticks

RESOLUTION = 24  # time steps a quarter, pypianoroll's own default and that of the Lakh Pianoroll Dataset
MAX_NUMERATOR = 64
MOST_STEPS = 1_000_000  # ten thousand bars at 24 a quarter
# What pypianoroll, numpy and zipfile raise on files that are not what they expect.
DAMAGE = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, EOFError, OSError, zipfile.BadZipFile,
)  # fmt: skip


def read(data: bytes) -> Song:
    """A piano roll file as a song of ``resolution`` ticks a quarter.

    A note begins where a cell of its pitch sounds and the one before does not, or with another velocity; a hit that
    follows another of the same drum and velocity in the very next step is lost in such files. Downbeats become time
    signatures over 4, and every change of tempo a tempo.

    Raises:
        ValueError: not a piano roll of pypianoroll, or a damaged one.
        ModuleNotFoundError: pypianoroll is not installed.
    """
    import pypianoroll

    try:
        _check_size(data)
        roll = pypianoroll.load(io.BytesIO(data))
        tracks = tuple(_track(index, track) for index, track in enumerate(roll.tracks))
        ends = [int((track.notes.onset_tick + track.notes.duration_tick).max(initial=0)) for track in tracks]
        if not tracks or roll.resolution < 1:
            raise ValueError(f"{len(tracks)} tracks at {roll.resolution} steps a quarter")
        return Song(int(roll.resolution), tracks, _tempos(roll), _time_signatures(roll), (), max(ends))
    except DAMAGE as error:
        raise ValueError(f"no piano roll of pypianoroll, or a damaged one ({error})") from error


def _check_size(data: bytes) -> None:
    """Rolls are stored sparse: a small file may claim one that fills the memory."""
    with np.load(io.BytesIO(data)) as arrays:
        for name in arrays.files:
            if name.endswith("_csc_shape") and arrays[name][0] > MOST_STEPS:
                raise ValueError(f"{name} says {arrays[name][0]:,} time steps")


def _track(index: int, track: Any) -> Track:
    cells = np.asarray(track.pianoroll)  # (steps, 128)
    if cells.ndim != 2 or cells.shape[1] != 128:
        raise ValueError(f"a piano roll of shape {cells.shape} where (steps, 128) was expected")
    velocity = np.where(cells, 100, 0) if cells.dtype == bool else np.clip(cells, 0, 127)
    changes = np.diff(velocity.astype(np.int16), axis=0, prepend=0, append=0) != 0  # (steps + 1, 128)
    pitch, onset = np.nonzero((changes[:-1] & (velocity > 0)).T)
    # within one pitch every change, sounding or not, ends the note before
    edge_pitch, edge = np.nonzero(changes.T)
    key, edge_key = (a * (len(cells) + 1) + b for a, b in ((pitch, onset), (edge_pitch, edge)))
    end = edge[np.searchsorted(edge_key, key, side="right")] if len(key) else onset
    order = np.lexsort((pitch, onset))
    notes = Notes(
        onset[order],
        (end - onset)[order],
        pitch[order].astype(np.int16),
        velocity[onset, pitch][order].astype(np.int16),
    )
    return Track(index, str(track.name or ""), int(track.program or 0), bool(track.is_drum), notes)


def _tempos(roll: Any) -> tuple[Tempo, ...]:
    if roll.tempo is None:
        return ()
    bpm = np.ravel(roll.tempo).astype(np.float64)
    us_per_quarter = np.rint(60e6 / np.clip(bpm, 1, 10_000)).astype(np.int64)
    starts = np.flatnonzero(np.diff(us_per_quarter, prepend=0))
    return tuple(Tempo(int(step), int(us_per_quarter[step])) for step in starts)


def _time_signatures(roll: Any) -> tuple[TimeSignature, ...]:
    """Whole quarters between downbeats; a distance that is none (a cut bar) is left to the meter before."""
    if roll.downbeat is None:
        return ()
    downbeat = np.flatnonzero(np.ravel(roll.downbeat))
    quarters = np.diff(downbeat) / roll.resolution
    found: list[TimeSignature] = []
    for step, length in zip(downbeat.tolist(), quarters.tolist(), strict=False):
        if length == int(length) and 1 <= length <= MAX_NUMERATOR and (not found or found[-1].numerator != length):
            found.append(TimeSignature(step, int(length), 4))
    return tuple(found)


def save(song: Song, path: Path, *, resolution: int = RESOLUTION, name: str = "") -> None:
    """Write a song as a piano roll that ``pypianoroll.load`` reads: uint8 velocities, (steps, 128) a track.

    Drums are single cells at their onsets, as pypianoroll makes them. A note ends a step before the next one of its
    pitch begins, so that both can be told apart; of notes that begin together the loudest is kept.

    Args:
        path: ends in .npz.
        resolution: time steps a quarter; ticks go to the nearest step.

    Raises:
        ModuleNotFoundError: pypianoroll is not installed.
        OSError: the file cannot be written.
    """
    import pypianoroll

    scale = resolution / song.ticks_per_quarter
    steps = int(np.ceil(song.end_tick * scale)) + 1
    tracks = [
        pypianoroll.StandardTrack(track.name, track.program, track.is_drums, _cells(track, scale, steps))
        for track in song.tracks
    ]
    edge_s = seconds_of_ticks(song, np.arange(steps + 1) / scale)
    downbeat = np.zeros(steps, bool)
    bar_step = np.rint(grid_from_file(song).bar_tick[:-1] * scale).astype(np.int64)
    downbeat[bar_step[bar_step < steps]] = True
    multitrack = pypianoroll.Multitrack(
        name=name, resolution=resolution, tempo=60 / np.diff(edge_s) / resolution,
        downbeat=downbeat, tracks=tracks,
    )  # fmt: skip
    pypianoroll.save(path, multitrack)


def _cells(track: Track, scale: float, steps: int) -> np.ndarray:
    notes = track.notes
    onset = np.rint(notes.onset_tick * scale).astype(np.int64)
    end = np.rint((notes.onset_tick + notes.duration_tick) * scale).astype(np.int64)
    order = np.lexsort((notes.velocity, onset, notes.pitch))
    onset, end, pitch, velocity = onset[order], end[order], notes.pitch[order], notes.velocity[order]
    loudest = np.append((np.diff(pitch) != 0) | (np.diff(onset) != 0), True)[: len(onset)]
    onset, end, pitch, velocity = onset[loudest], end[loudest], pitch[loudest], velocity[loudest]
    following = np.append(np.where(np.diff(pitch) == 0, onset[1:], steps + 1), steps + 1)[: len(onset)]
    end = onset + 1 if track.is_drums else np.clip(end, onset + 1, np.maximum(following - 1, onset + 1))
    length = end - onset
    step = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length - onset, length)
    cells = np.zeros((steps, 128), np.uint8)
    cells[step, np.repeat(pitch, length)] = np.repeat(velocity, length)
    return cells
