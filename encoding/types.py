"""The types that all three packages share: frozen dataclasses over numpy arrays, units in the names.

One token of music is one beat of ``SLOTS`` equal slots: 16ths of a binary beat fall on slots 0 3 6 9, triplets on
0 4 8, sextuplets on 0 2 4 6 8 10. A meter is the list of its beats, so one grid plays 4/4, 12/8, 5/4 and 7/8 alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

SLOTS = 12


@dataclass(frozen=True, slots=True)
class Notes:
    """Notes of one track in onset order; four arrays of equal length n.

    onset_tick (n,) int64 from 0 up; duration_tick (n,) int64; pitch (n,) int16 0-127; velocity (n,) int16 1-127.
    """

    onset_tick: np.ndarray
    duration_tick: np.ndarray
    pitch: np.ndarray
    velocity: np.ndarray

    def __len__(self) -> int:
        return len(self.onset_tick)

    @staticmethod
    def empty() -> Notes:
        return Notes(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0, np.int16))


@dataclass(frozen=True, slots=True)
class Track:
    """One instrument of a song: the notes of one channel and program of one MTrk chunk. Program is 0-127."""

    index: int
    name: str
    program: int
    is_drums: bool
    notes: Notes


@dataclass(frozen=True, slots=True)
class TimeSignature:
    onset_tick: int
    numerator: int
    denominator: int

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True, slots=True)
class Tempo:
    onset_tick: int
    us_per_quarter: int


@dataclass(frozen=True, slots=True)
class Marker:
    onset_tick: int
    text: str


@dataclass(frozen=True, slots=True)
class Song:
    """What a MIDI file says. Tempos and time signatures are as found in the file: both may be empty.

    ``repairs`` holds one sentence for each oddity of the file that the reader worked around.
    """

    ticks_per_quarter: int
    tracks: tuple[Track, ...]
    tempos: tuple[Tempo, ...]
    time_signatures: tuple[TimeSignature, ...]
    markers: tuple[Marker, ...]
    end_tick: int
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class BarGrid:
    """Where the beats and bars of a song are, in ticks of its own file.

    beat_tick (beats + 1,) int64: onset of each beat, strictly increasing; the last entry is where the music ends.
    bar_beat (bars + 1,) int64: index of the first beat of each bar; the last entry equals the number of beats.
    ternary (beats,) bool: the beat divides in three (a dotted beat, a triplet or a shuffle), else in four.
    quarters (beats,) float64: notated length of each beat in quarter notes (1 in 4/4, 1.5 in 12/8).
    meter (bars, 2) int64: numerator and denominator of each bar's time signature.
    """

    beat_tick: np.ndarray
    bar_beat: np.ndarray
    ternary: np.ndarray
    quarters: np.ndarray
    meter: np.ndarray

    @property
    def beats(self) -> int:
        return len(self.beat_tick) - 1

    @property
    def bars(self) -> int:
        return len(self.bar_beat) - 1

    @cached_property
    def bar_tick(self) -> np.ndarray:
        """Onset tick of each bar and, last, the end: (bars + 1,) int64."""
        return self.beat_tick[self.bar_beat]

    @cached_property
    def bar_of_beat(self) -> np.ndarray:
        """Bar index of each beat: (beats,) int64."""
        return np.repeat(np.arange(self.bars), np.diff(self.bar_beat))

    @cached_property
    def beat_in_bar(self) -> np.ndarray:
        """Place of each beat in its bar, from 0: (beats,) int64."""
        return np.arange(self.beats) - self.bar_beat[self.bar_of_beat]

    def position(self, tick: np.ndarray) -> np.ndarray:
        """Ticks to places in the song counted in slots: (n,) float64, negative before the first beat."""
        beat = np.clip(np.searchsorted(self.beat_tick, tick, side="right") - 1, 0, self.beats - 1)
        start, length = self.beat_tick[beat], np.diff(self.beat_tick)[beat]
        return SLOTS * (beat + (tick - start) / length)

    def tick(self, position: np.ndarray) -> np.ndarray:
        """Places counted in slots to ticks, rounded: the inverse of :meth:`position`. (n,) int64."""
        position = np.asarray(position, np.float64)
        beat = np.clip(np.floor(position / SLOTS).astype(np.int64), 0, self.beats - 1)
        start, length = self.beat_tick[beat], np.diff(self.beat_tick)[beat]
        return np.rint(start + (position / SLOTS - beat) * length).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Section:
    """Bars first_bar to last_bar, both counted from 1 and inside; sections of one label sound alike."""

    label: str
    first_bar: int
    last_bar: int


@dataclass(frozen=True, slots=True)
class DrumPattern:
    """Drums on the grid of a song.

    velocity (beats, SLOTS, parts) uint8: 0 where nothing is struck, else 1-127.
    offset (beats, SLOTS, parts) float32: micro-timing of each hit in slots, at most half a step of the subdivision
    (1.5 slots in a binary beat, 1 in a ternary one); 0 where nothing is struck.
    """

    velocity: np.ndarray
    offset: np.ndarray

    @property
    def hits(self) -> np.ndarray:
        """(beats, SLOTS, parts) bool."""
        return self.velocity > 0
