"""One song as the dataset keeps it."""

from __future__ import annotations

import numpy as np
import pytest
from builders import drum, meter, midi_file, name, note, tempo
from songs import made_song

from encoding import midi
from encoding.conditions import STYLES, UNKNOWN_STYLE
from encoding.grid import MAX_OFFSET
from encoding.kit import NAMES, PART_OF_ROLAND_NOTE, PARTS
from encoding.records import Record, drum_hits, record
from encoding.types import SLOTS

KICK, SNARE = NAMES.index("kick"), NAMES.index("snare")


def record_of(*tracks: list[bytes]) -> Record:
    return record(midi.parse(midi_file(list(tracks))))


def beat(bars: int = 4, late_ticks: int = 0) -> list[bytes]:
    """Kick and snare in quarters of 480 ticks, drums of 60; every snare so many ticks late."""
    pair = [drum(420 - late_ticks, 36), drum(420 + late_ticks, 38)]
    return [drum(0, 36), pair[1], *pair * (2 * bars - 1)]


def test_cells_velocities_and_offsets_of_hits() -> None:
    arrays = record_of(beat(late_ticks=20)).arrays
    assert arrays["beat_hits"].tolist() == [1] * 16
    slot, part = np.divmod(arrays["hit_cell"], PARTS)
    assert set(slot.tolist()) == {0}
    assert part.tolist() == [KICK, SNARE] * 8
    assert set(arrays["hit_velocity"].tolist()) == {100}
    offset = arrays["hit_offset"] / 127 * MAX_OFFSET  # 20 ticks are half a slot
    assert offset.tolist() == pytest.approx([0, 0.5] * 8, abs=MAX_OFFSET / 254)


def test_facts() -> None:
    made = record_of([tempo(100), meter(3, 4)], [drum(0, 36, 480) for _ in range(24)])
    assert (made.tempo_bpm, made.meter, made.bars, made.beats, made.hits) == (100, "3/4", 8, 24, 24)
    assert made.arrays["meter"].tolist() == [[3, 4]] * 8
    assert made.arrays["bar_beats"].tolist() == [3] * 8


def test_a_bar_of_256_beats_is_counted_in_full() -> None:
    # 64/1 is absurd but legal; a byte would count its beats as none
    made = record_of([meter(64, 1)], [drum(0, 36, 480) for _ in range(4 * 256)])
    assert made.arrays["bar_beats"].tolist() == [256] * 4 == np.full(4, made.beats // 4).tolist()


def test_styles_and_fills_as_the_source_says() -> None:
    song = midi.parse(made_song(0))
    plain, funk = record(song), record(song, style="funk", all_fills=True)
    assert set(plain.arrays["style"].tolist()) == {UNKNOWN_STYLE}
    assert set(funk.arrays["style"].tolist()) == {STYLES.index("funk")}
    assert funk.arrays["fill"].all()
    assert not plain.arrays["fill"].all()
    assert set(record(song, style="polka").arrays["style"].tolist()) == {UNKNOWN_STYLE}


def test_known_roles_and_their_onsets() -> None:
    bass = [name("Bass"), *[note(0, 33, 480, 127) for _ in range(16)]]
    arrays = record_of(bass, beat()).arrays
    assert arrays["known_roles"].tolist() == [[True, False, False]] * 4
    assert arrays["beat_onsets"].tolist() == [1] * 16
    assert set(arrays["onset_cell"].tolist()) == {0}
    assert set(arrays["onset_strength"].tolist()) == {255}


def test_note_58_is_a_tom_of_a_roland_kit_and_a_vibraslap_elsewhere() -> None:
    song = midi.parse(midi_file([[drum(0, 58)]]))
    assert [NAMES[part] for part in drum_hits(song)[0].part] == ["percussion"]
    assert [NAMES[part] for part in drum_hits(song, PART_OF_ROLAND_NOTE)[0].part] == ["low_tom"]


def test_notes_of_no_drum_are_counted() -> None:
    hits, unknown = drum_hits(midi.parse(midi_file([[drum(0, 36), drum(0, 5), drum(0, 38)]])))
    assert hits.part.tolist() == [KICK, SNARE]
    assert unknown == 1


def test_songs_of_one_drum_part_have_one_hash_whatever_is_played_with_it() -> None:
    alone, with_bass = record_of(beat()), record_of([note(0, 40) for _ in range(16)], beat())
    other = record_of(beat(late_ticks=120))
    assert alone.drum_hash == with_bass.drum_hash != other.drum_hash


def test_every_cell_lies_on_the_grid() -> None:
    arrays = record(midi.parse(made_song(3))).arrays
    assert arrays["hit_cell"].max() < SLOTS * PARTS
    assert arrays["beat_hits"].sum() == len(arrays["hit_cell"])


@pytest.mark.parametrize(
    ("tracks", "said"),
    [
        ([[note(0, 40)] * 20], "0 drum hits"),
        ([[drum(0, 36)] * 15], "15 drum hits, fewer than 16"),
        ([[drum(0, 36)] * 16], "1 bars, fewer than 4"),
    ],
)
def test_too_little_to_learn_from(tracks: list[list[bytes]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        record_of(*tracks)
