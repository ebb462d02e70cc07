"""A sketch's notes on its bar grid -> what the networks are told about every beat and bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encoding.grid import steps
from encoding.types import SLOTS, BarGrid, Notes, Section, Song
from encoding.units import seconds_of_ticks

ROLES = ("bass", "lead", "rest")
# The 18 style labels of the Groove MIDI Dataset; songs from elsewhere have none.
STYLES = (
    "afrobeat", "afrocuban", "blues", "country", "dance", "funk", "gospel", "highlife", "hiphop", "jazz", "latin",
    "middleeastern", "neworleans", "pop", "punk", "reggae", "rock", "soul",
)  # fmt: skip
UNKNOWN_STYLE = -1
SHORTEST_SECTION_WITH_FILL = 4  # bars
HITS_PER_QUARTER_AT_FULL_DENSITY = 8.0  # density 0.5, four hits a quarter, is the median of the songs trained on


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is known of a song without its drums; the drums follow from it.

    onsets (beats, SLOTS, len(ROLES)) float32 0-1: how strongly bass, lead and the rest strike each slot.
    known_roles (len(ROLES),) bool: False where the sketch has no such part, as against a part that rests.
    beat_s (beats,) float32: duration of each beat in seconds.
    section (bars,) int32: which sections sound alike; section_bar (bars,) int32: bars since the section began;
    bars_left (bars,) int32: bars until the section's end, 0 in its last bar.
    density (bars,) float32 0-1, NaN where free; fill (bars,) float32 0 or 1, NaN where free.
    style: index into STYLES, or UNKNOWN_STYLE.
    """

    grid: BarGrid
    onsets: np.ndarray
    known_roles: np.ndarray
    beat_s: np.ndarray
    section: np.ndarray
    section_bar: np.ndarray
    bars_left: np.ndarray
    density: np.ndarray
    fill: np.ndarray
    style: int = UNKNOWN_STYLE


def onset_strengths(notes_by_role: Sequence[Sequence[Notes]], grid: BarGrid) -> np.ndarray:
    """Strength of each role on each slot: the velocities struck there, summed over 127 and cut at 1.

    Args:
        notes_by_role: for each of ROLES, the notes of its tracks.

    Returns: (beats, SLOTS, len(ROLES)) float32.
    """
    strength = np.zeros((grid.beats * SLOTS, len(ROLES)), np.float32)
    for role, tracks in enumerate(notes_by_role):
        for notes in tracks:
            slot = steps(grid.position(notes.onset_tick), grid)
            inside = (slot >= 0) & (slot < len(strength))
            struck = np.bincount(slot[inside], notes.velocity[inside] / 127.0, minlength=len(strength))
            strength[:, role] += struck.astype(np.float32)
    return np.minimum(strength, 1.0).reshape(grid.beats, SLOTS, len(ROLES))


def beat_durations_s(song: Song, grid: BarGrid) -> np.ndarray:
    """Duration of each beat in seconds: (beats,) float32."""
    return np.diff(seconds_of_ticks(song, grid.beat_tick)).astype(np.float32)


def section_places(sections: Sequence[Section], bars: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sections -> (label number, bars since its beginning, bars until its end) of each bar: three (bars,) int32."""
    label = np.zeros(bars, np.int32)
    since, left = np.zeros(bars, np.int32), np.zeros(bars, np.int32)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(s.label for s in sections))}
    for section in sections:
        first, last = section.first_bar - 1, section.last_bar - 1
        label[first : last + 1] = numbers[section.label]
        since[first : last + 1] = np.arange(last - first + 1)
        left[first : last + 1] = np.arange(last - first, -1, -1)
    return label, since, left


def planned_fills(section_bar: np.ndarray, bars_left: np.ndarray) -> np.ndarray:
    """Where fills belong: the last bar of each section of some length, but not the song's last bar.

    Args:
        section_bar, bars_left: (bars,) bars since the section began and until it ends.

    Returns: (bars,) float32, 1 where a fill is wanted, else 0.
    """
    fill = (bars_left == 0) & (section_bar + 1 >= SHORTEST_SECTION_WITH_FILL)
    fill[-1] = False
    return fill.astype(np.float32)


def density(hits: np.ndarray, grid: BarGrid) -> np.ndarray:
    """Density of each bar, 0-1: hits a quarter note over HITS_PER_QUARTER_AT_FULL_DENSITY, cut at 1.

    Args:
        hits: (beats, SLOTS, parts) bool.

    Returns: (bars,) float32.
    """
    struck = np.add.reduceat(hits.sum((1, 2)), grid.bar_beat[:-1])
    quarters = np.add.reduceat(grid.quarters, grid.bar_beat[:-1])
    return np.minimum(struck / quarters / HITS_PER_QUARTER_AT_FULL_DENSITY, 1.0).astype(np.float32)
