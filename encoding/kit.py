"""ONE table: the drum parts of the grid and the General MIDI notes that belong to them.

Everything that names a drum derives from ``KIT``. Notes 22 and 26 are the closed and open hat edges that Roland
kits send (Groove MIDI Dataset); the other numbers are General MIDI Level 1 and 2 percussion keys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Part:
    """One row of the grid. ``notes[0]`` is the note written; all of ``notes`` are read as this part."""

    name: str
    label: str
    seed_part: str
    notes: tuple[int, ...]


KIT: tuple[Part, ...] = (
    Part("kick", "Kick", "kick", (36, 35)),
    Part("snare", "Snare", "snare", (38, 40, 37)),
    Part("closed_hat", "Closed hat", "closed_hat", (42, 22, 44)),
    Part("open_hat", "Open hat", "open_hat", (46, 26)),
    Part("crash", "Crash", "crash", (49, 57, 52, 55)),
    Part("ride", "Ride", "closed_hat", (51, 59, 53)),
    Part("high_tom", "High tom", "tom", (50, 48)),
    Part("mid_tom", "Mid tom", "tom", (47, 45)),
    Part("low_tom", "Low tom", "tom", (43, 41)),
    Part("percussion", "Percussion", "percussion", (54, 39, 56, 58, 69, 70, 82, *range(60, 69), *range(71, 82))),
)

PARTS = len(KIT)
NAMES = tuple(part.name for part in KIT)
SEED_NAMES = ("kick", "snare", "closed_hat", "open_hat", "tom", "crash", "percussion")

# What a Roland TD-11 sends where General MIDI says otherwise (Groove MIDI Dataset, "Drum Mapping" table):
# note 58 is the rim of the floor tom there and a vibraslap in General MIDI.
ROLAND_NOTES = {58: "low_tom"}


def _note_table(overrides: dict[int, str]) -> np.ndarray:
    table = np.full(128, -1, np.int8)
    for index, part in enumerate(KIT):
        table[list(part.notes)] = index
    for note, name in overrides.items():
        table[note] = NAMES.index(name)
    return table


# (128,) int8: part index of each MIDI note, -1 where the kit has no such drum.
PART_OF_NOTE = _note_table({})
PART_OF_ROLAND_NOTE = _note_table(ROLAND_NOTES)
# (PARTS,) int64: the note written for each part.
NOTE_OF_PART = np.array([part.notes[0] for part in KIT])
# (PARTS,) int64: index into SEED_NAMES of each part, the seed's own seven as a view of the ten.
SEED_OF_PART = np.array([SEED_NAMES.index(part.seed_part) for part in KIT])
