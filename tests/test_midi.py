from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import mido
import pytest
from builders import (
    END,
    bass_line,
    chunk,
    delta_time,
    drum,
    header,
    marker,
    meta,
    meter,
    midi_file,
    name,
    note,
    note_off,
    note_on,
    program,
    rmi_file,
    sysex,
    tempo,
    track,
)
from hypothesis import given
from hypothesis import strategies as st

from encoding import smf, tolerant
from encoding.midi import parse
from encoding.types import Marker, Song, Tempo, TimeSignature

TWO_NOTES = [note(0, 60), note(0, 64)]


def notes(song: Song) -> list[tuple[int, int, int, int]]:
    """(onset, duration, pitch, velocity) of all tracks, by time."""
    return sorted(
        row
        for track in song.tracks
        for row in zip(*(getattr(track.notes, field).tolist() for field in track.notes.__slots__), strict=True)
    )


def test_good_file() -> None:
    song = parse(midi_file([[tempo(90), meter(3, 4), marker("A")], [name("Bass"), program(33), *TWO_NOTES]], 240))
    assert notes(song) == [(0, 480, 60, 100), (480, 480, 64, 100)]
    assert (song.ticks_per_quarter, song.end_tick, song.repairs) == (240, 960, ())
    assert (song.tempos, song.time_signatures) == ((Tempo(0, 666_667),), (TimeSignature(0, 3, 4),))
    assert song.markers == (Marker(0, "A"),)
    assert [(track.name, track.program, track.is_drums) for track in song.tracks] == [("Bass", 33, False)]


def test_channel_10_is_drums() -> None:
    assert [track.is_drums for track in parse(midi_file([[drum(0, 36)], TWO_NOTES])).tracks] == [True, False]


def test_tempos_and_meters_of_later_tracks_count_in_order_of_time() -> None:
    tracks = [[meter(4, 4), *TWO_NOTES, meter(3, 4)], [meter(5, 4, 480), tempo(60, 240), tempo(120, -0)]]
    song = parse(midi_file(tracks))
    assert song.time_signatures == (TimeSignature(0, 4, 4), TimeSignature(480, 5, 4), TimeSignature(960, 3, 4))
    assert song.tempos == (Tempo(720, 1_000_000), Tempo(720, 500_000))


# Files that symusic refuses or misreads: the two notes must be found in each, and the oddity said.
GOOD = midi_file([TWO_NOTES])
DAMAGED = {
    "velocity above 127": (midi_file([[note_on(0, 60, 200), note_off(480, 60), note(0, 64)]]), "above 127.*: 1"),
    "length too long": (header() + track(TWO_NOTES, length=999), "shorter than its length"),
    "length cuts an event in two": (header() + track(TWO_NOTES, length=10), "longer than their length says.*: 1"),
    "length too short, then a track": (
        header(1, 2) + track(TWO_NOTES, length=6) + track([]),
        "stray bytes",
    ),
    "cut off": (GOOD[:-3], "shorter than its length"),
    "running status after sysex": (
        midi_file([[note_on(0, 60), sysex(b"\x7e\xf7"), delta_time(480) + bytes((60, 0)), note(0, 64)]]),
        "^$",
    ),
    "running status after meta": (
        midi_file([[note_on(0, 60), marker("A"), delta_time(480) + bytes((60, 0)), note(0, 64)]]),
        "^$",
    ),
    "data bytes before any status": (midi_file([[b"\x00\x3c\x40", *TWO_NOTES]]), "damaged bytes.*: 1"),
    "undefined status": (midi_file([[b"\x00\xf4", *TWO_NOTES]]), "^$"),
    "no end of track": (header() + track(TWO_NOTES, end=False), "^$"),
    "text longer than the track": (header() + track([*TWO_NOTES, b"\x00\xff\x01\x7fcut"], end=False), "damaged bytes"),
    "rmi": (rmi_file(GOOD), "RIFF"),
    "junk in front": (b"\x00MacBinary" + GOOD, "10 bytes stand before"),
    "junk behind": (GOOD + b"\x1a\x1a\x1a", "^$"),
    "alien chunk": (header() + chunk(b"XFIH", b"abc") + track(TWO_NOTES), "^$"),
    "long header": (header(extra=b"\x01\x02") + track(TWO_NOTES), "8 bytes instead of 6"),
    "division 0": (midi_file([TWO_NOTES], division=0), "0 ticks per quarter note; read as 480"),
    "format 7": (midi_file([TWO_NOTES], midi_format=7), "format 7, which does not exist"),
    "format 2": (midi_file([TWO_NOTES, []], midi_format=2), "2 patterns, read as if"),
    "too few tracks declared": (header(1, 0) + track(TWO_NOTES), "says 0 tracks, the file has 1"),
    "private track behind those declared": (GOOD + track([b"\x00\xff\x7f\x02$$\xff\xff"], end=False), "^$"),
    "notes behind the tracks declared": (header(1, 1) + track([]) + track(TWO_NOTES), "says 1 tracks, the file has 2"),
    "too many tracks declared": (header(1, 9) + track(TWO_NOTES), "says 9 tracks, the file has 1"),
    "short tempo": (midi_file([[meta(0x51, b"\x07"), *TWO_NOTES]]), "wrong length.*: 1"),
    "tempo 0": (midi_file([[meta(0x51, bytes(3)), *TWO_NOTES]]), "impossible tempos.*: 1"),
    "meter 0/4": (midi_file([[meter(0, 4), *TWO_NOTES]]), "impossible tempos.*: 1"),
    "meter 3/2^40": (midi_file([[meta(0x58, bytes((3, 40, 24, 8))), *TWO_NOTES]]), "impossible tempos.*: 1"),
    "delta of five bytes": (midi_file([[b"\x80\x80\x80\x80\x00\x90\x3c\x64", note_off(480, 60), note(0, 64)]]), "^$"),
    "note days later": (
        midi_file([[*TWO_NOTES, *[note(2**28 - 1, 60)] * 20]]),
        "later than 16,000 quarter notes",
    ),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_damaged_file_gives_its_notes(kind: str) -> None:
    data, said = DAMAGED[kind]
    song = parse(data)
    assert notes(song) == [(0, 480, 60, 100 if "velocity" not in kind else 127), (480, 480, 64, 100)]
    assert not song.tempos
    assert not song.time_signatures

    assert re.search(said, "; ".join(song.repairs))


def test_only_hanging_notes_last_as_long_as_their_track() -> None:
    song = parse(midi_file([[note_on(0, 60), note_on(480, 64), marker("end", 480)]]))
    assert notes(song) == [(0, 960, 60, 100), (480, 480, 64, 100)]
    assert song.repairs == ("notes that never end, ended with their track: 2",)


@pytest.mark.parametrize(
    ("division", "ticks_per_quarter", "us_per_quarter"),
    [
        (0xE728, 25 * 40, 1_000_000),  # 25 frames of 40 ticks: a tick is a millisecond
        (0xE204, 30 * 4, 1_000_000),
        (0xE304, 30 * 4, 1_001_000),  # 29 stands for 30000/1001 frames a second (drop frame)
    ],
)
def test_smpte_ticks_keep_their_seconds(division: int, ticks_per_quarter: int, us_per_quarter: int) -> None:
    song = parse(midi_file([[tempo(90), *TWO_NOTES]], division))
    assert (song.ticks_per_quarter, song.tempos) == (ticks_per_quarter, (Tempo(0, us_per_quarter),))
    assert [onset for onset, *_ in notes(song)] == [0, 480]
    assert "SMPTE" in song.repairs[0]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no MThd header"),
        (b"SMF2CLIP" + bytes(100), "no MThd header"),
        (b"MThd\x00\x00\x00\x06\x00", "header at byte 0 is damaged"),
        (midi_file([TWO_NOTES], 0x8000), "header at byte 12 counts 128 frames a second"),
    ],
)
def test_what_no_program_could_play(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse(data)


EVENTS = st.lists(
    st.one_of(
        st.builds(note, st.integers(0, 500), st.integers(0, 127), st.integers(1, 500), st.integers(1, 127)),
        st.builds(drum, st.integers(0, 500), st.integers(0, 127)),
        st.builds(tempo, st.floats(4, 1000), st.integers(0, 500)),
        st.builds(meter, st.integers(1, 20), st.sampled_from([1, 2, 4, 8, 16]), st.integers(0, 500)),
        st.builds(sysex, st.just(b"\x41\x10\xf7"), st.integers(0, 500)),
    ),
    max_size=20,
)


@given(st.lists(EVENTS, min_size=1, max_size=3))
def test_tolerant_reader_reads_good_files_like_the_fast_one(tracks: list[list[bytes]]) -> None:
    data = midi_file(tracks)
    clean, repairs = tolerant.repair(smf.split(data))
    song, again = parse(data), parse(clean)
    assert not repairs
    assert notes(song) == notes(again)
    assert (song.tempos, song.time_signatures) == (again.tempos, again.time_signatures)


@given(st.lists(EVENTS, min_size=1, max_size=3))
def test_onsets_agree_with_an_independent_reader(tracks: list[list[bytes]]) -> None:
    data = midi_file(tracks)
    onsets = []
    for messages in mido.MidiFile(file=io.BytesIO(data)).tracks:
        now = 0
        for message in messages:
            now += message.time
            if message.type == "note_on":
                onsets.append((now, message.note))
    assert [(onset, pitch) for onset, _, pitch, _ in notes(parse(data))] == sorted(onsets)


@given(st.binary(max_size=300), st.integers(0, 3), st.integers(0, 0xFFFF))
def test_any_bytes_end_in_a_song_or_a_value_error(body: bytes, midi_format: int, division: int) -> None:
    data = header(midi_format, 1, division) + chunk(b"MTrk", body)
    try:
        song = parse(data)
    except ValueError:
        return
    for onset, duration, pitch, velocity in notes(song):
        assert 0 <= onset <= tolerant.MAX_QUARTERS * song.ticks_per_quarter
        assert duration >= 0
        assert 0 <= pitch <= 127
        assert 1 <= velocity <= 127


def test_time_grows_with_the_file_only() -> None:
    # high bits without end, unfinished lengths and data without status: each byte is looked at a few times
    for filler in (b"\x80", b"\xff", b"\x3c", b"\xf0", b"\x00\xf0\x00", b"\x00\xff\x01\x81", b"\xf7\x01", b"MTrk"):
        data = header() + chunk(b"MTrk", filler * (200_000 // len(filler)) + END)
        parse(data)


def test_hostile_files(corpus: Callable[[str], Path]) -> None:
    refused = set()
    for path in corpus("hostile").rglob("*.*"):
        if path.is_file() and path.suffix != ".midi2":
            try:
                parse(path.read_bytes())
            except ValueError:
                refused.add(path.name)
    assert refused == {"test-empty-file.mid", "test-not-a-midi-file.mid", "negative-ticks-per-beat.mid"}


def test_bass_line_has_four_notes_a_bar() -> None:
    assert len(notes(parse(midi_file([bass_line(3)])))) == 12
