from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoding.midi import parse
from encoding.roles import Roles, assign
from encoding.types import Notes, Track

EIGHTH = 240


def track(
    pitches: Sequence[int], name: str = "", program: int = 0, is_drums: bool = False, notes_at_once: int = 1
) -> Track:
    """Eighth notes in order, ``notes_at_once`` of them starting together."""
    n = len(pitches)
    notes = Notes(
        np.arange(n) // notes_at_once * EIGHTH,
        np.full(n, EIGHTH),
        np.array(pitches, np.int16),
        np.full(n, 90, np.int16),
    )
    return Track(0, name, program, is_drums, notes)


BASS = track([36, 36, 43, 41] * 16)
MELODY = track([72, 74, 76, 74, 71, 72, 69, 67] * 8)
CHORDS = track([60, 64, 67, 59, 62, 67] * 20, notes_at_once=3)
DRUMS = track([36, 42, 38, 42] * 16, is_drums=True)


def test_register_and_texture_tell_without_names() -> None:
    assert assign([CHORDS, DRUMS, MELODY, BASS]) == Roles((3,), (2,), (0,), (1,), ())


@pytest.mark.parametrize("name", ["Bass", "E.Bass", "BASSE", "Baixo", "bajo", "FINGERDBAS", "Contrabass"])
def test_a_name_makes_a_bass_of_any_register(name: str) -> None:
    assert assign([replace(MELODY, name=name), CHORDS]).bass == (0,)


@pytest.mark.parametrize("name", ["Bassoon", "bass drum", "basic"])
def test_names_that_only_start_like_a_bass(name: str) -> None:
    assert assign([replace(MELODY, name=name), BASS]).bass == (1,)


def test_a_bass_program_is_a_bass_unless_it_plays_high() -> None:
    upper = track([50, 52, 55, 57] * 16, program=33)
    assert assign([MELODY, upper]).bass == (1,)
    assert assign([MELODY, track([76, 79, 81, 84] * 16, program=38), BASS]).bass == (2,)


def test_several_basses() -> None:
    assert assign([replace(BASS, program=33), replace(BASS, program=38), MELODY]).bass == (0, 1)


@pytest.mark.parametrize("name", ["Melody", "MELODIE", "Lead Vocal", "voz", "Gesang", "canto", "voice 1 (melody)"])
def test_the_named_melody_is_the_lead(name: str) -> None:
    assert assign([MELODY, replace(CHORDS, name=name), BASS]).lead == (1,)


@pytest.mark.parametrize("name", ["Backing vocals", "Voice Oohs", "vocal harmony", "Melody echo"])
def test_second_voices_are_not_the_lead(name: str) -> None:
    assert assign([MELODY, replace(CHORDS, name=name), BASS]).lead == (0,)


def test_names_may_mark_several_leads_else_there_is_one() -> None:
    assert assign([replace(MELODY, name="Vocal 1"), replace(MELODY, name="Vocal 2")]).lead == (0, 1)
    assert len(assign([MELODY, MELODY, BASS]).lead) == 1


def test_a_title_on_every_track_tells_nothing() -> None:
    tracks = [replace(t, name="Sing the melody (bass mix)") for t in (CHORDS, MELODY, BASS)]
    assert assign(tracks) == assign([CHORDS, MELODY, BASS])


def test_a_lone_track_is_bass_or_lead_by_register() -> None:
    assert assign([DRUMS, BASS]) == Roles((1,), (), (), (0,), ())
    assert assign([MELODY]) == Roles((), (0,), (), (), ())


def test_nothing_and_empty_tracks() -> None:
    assert assign([]) == Roles((), (), (), (), ())
    silent = Track(0, "Melody", 0, False, Notes.empty())
    assert assign([silent, BASS]) == Roles((1,), (), (), (), (0,))


@given(
    st.lists(
        st.builds(
            track,
            st.lists(st.integers(0, 127), max_size=9),
            st.sampled_from(["", "bass", "melody", "x"]),
            st.integers(0, 127),
            st.booleans(),
            st.integers(1, 3),
        ),
        max_size=6,
    )
)
def test_every_track_has_one_role_and_every_song_a_line(tracks: list[Track]) -> None:
    roles = assign(tracks)
    listed = [*roles.bass, *roles.lead, *roles.rest, *roles.drums, *roles.empty]
    assert sorted(listed) == list(range(len(tracks)))
    assert all(not len(tracks[i].notes) for i in roles.empty)
    pitched = [t for t in tracks if len(t.notes) and not t.is_drums and t.program != 47 and t.program < 112]
    assert not pitched or roles.bass or roles.lead


def test_real_songs(corpus: Callable[..., Path], song_index: list[dict[str, str]]) -> None:
    """With names and programs hidden the music alone must find most named basses and melodies."""
    rows = [row for row in song_index if row["split"] == "train"][:120]
    folder = corpus("songs", [row["file"] for row in rows])
    bass, lead = [], []
    for row in rows:
        tracks = parse((folder / row["file"]).read_bytes()).tracks
        named = assign(tracks)
        hidden = assign([replace(t, name="", program=0) for t in tracks])
        bass += [bool({*hidden.bass} & {*named.bass})]
        if row["melody_track_named"] == "1":
            lead += [bool({*hidden.lead} & {*named.lead})]
    assert np.mean(bass) > 0.85
    assert np.mean(lead) > 0.65
