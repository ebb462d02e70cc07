from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
from builders import (
    END,
    bass_line,
    chunk,
    controller,
    delta_time,
    drum,
    header,
    marker,
    meter,
    midi_file,
    name,
    note_on,
    rmi_file,
    rock_beat,
    sysex,
    tempo,
    track,
)
from hypothesis import given
from hypothesis import strategies as st

from encoding import midi, smf
from encoding.events import events, remove_channel
from encoding.types import Notes

DRUMS = b"".join(rock_beat()) + END
BASS = midi_file([bass_line()])

# Pieces of files, good and bad, in any order behind a header.
PIECES = st.one_of(
    st.binary(max_size=12),
    st.binary(max_size=30).map(lambda body: chunk(b"MTrk", body)),
    st.builds(chunk, st.sampled_from([b"MTrk", b"XFIH"]), st.binary(max_size=9), st.integers(0, 40)),
    st.just(track(bass_line(1))),
)
FILES = st.builds(
    lambda junk, head, pieces: junk + head + b"".join(pieces),
    st.sampled_from([b"", b"junk"]),
    st.builds(header, st.integers(0, 3), st.integers(0, 5), st.integers(0, 0xFFFF), st.binary(max_size=3)),
    st.lists(PIECES, max_size=6),
)


def hits(onset: list[int], duration: int = 10) -> Notes:
    count = len(onset)
    return Notes(np.array(onset), np.full(count, duration), np.full(count, 36, np.int16), np.full(count, 99, np.int16))


@given(FILES)
def test_join_undoes_split(data: bytes) -> None:
    assert smf.join(smf.split(data)) == data


@given(FILES, st.booleans())
def test_append_keeps_every_chunk(data: bytes, as_rmi: bool) -> None:
    data = rmi_file(data, chunk(b"DISP", b"")) if as_rmi else data
    file = smf.split(data)
    if file.format == 2 and file.counted > 1:
        with pytest.raises(ValueError, match="patterns"):
            smf.append_track(file, DRUMS)
        return
    grown = smf.split(smf.append_track(file, DRUMS))
    chunks = [chunk.raw for chunk in grown.chunks]
    assert chunks.pop(smf.append_place(file)) == track([DRUMS], end=False)
    assert chunks == [chunk.raw for chunk in file.chunks]
    assert (grown.track_count, len(grown.tracks)) == (file.counted + 1, len(file.tracks) + 1)
    assert (grown.division, grown.header.raw[14:]) == (file.division, file.header.raw[14:])


def test_header_fields() -> None:
    file = smf.split(header(1, 2, 96) + track([]) + track([]))
    assert (file.format, file.track_count, file.division, len(file.tracks)) == (1, 2, 96, 2)


def test_every_byte_has_a_place() -> None:
    alien, stray, tail = chunk(b"XFIH", b"karaoke"), b"\x00\x01\x02", b"\x1a\x1a"
    data = b"MacBinary" + header(0, 1, extra=b"\x07\x07") + track(bass_line()) + alien + stray + track([]) + tail
    file = smf.split(data)
    assert (file.prefix, file.trailing, file.header.body[6:]) == (b"MacBinary", tail, b"\x07\x07")
    assert [chunk.id for chunk in file.chunks] == [b"MTrk", b"XFIH", b"", b"MTrk"]
    assert [data[chunk.start : chunk.start + len(chunk.raw)] for chunk in file.chunks] == [c.raw for c in file.chunks]


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "no MThd header in 0 bytes"),
        (b"RIFF....WAVEfmt ", "no MThd header in 16 bytes"),
        (b"MThd\x00\x00", "header at byte 0 is damaged: it says 0 bytes"),
        (b"??" + header()[:12], r"header at byte 2 is damaged: it says 6 bytes \(6 is right\), 4 follow"),
        (b"MThd\x00\x00\x00\x02\x00\x01" + track([]), "header at byte 0 is damaged: it says 2 bytes"),
    ],
)
def test_what_is_no_midi_file(data: bytes, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        smf.split(data)


def test_format_0_becomes_1_and_the_new_track_follows_the_last() -> None:
    alien = chunk(b"XFIH", b"abc")
    data = header(0, 1, 96, b"\x05") + alien + track(bass_line()) + alien
    expected = header(1, 2, 96, b"\x05") + alien + track(bass_line()) + track([DRUMS], end=False) + alien
    assert smf.append_track(smf.split(data), DRUMS) == expected


def test_new_track_is_among_those_the_header_counts() -> None:
    # a reader that believes the header plays the bass and the drums, and leaves the sequencer's own data alone as before
    bass, private = track(bass_line()), track([b"\x00\xff\x7f\x02$$"])
    grown = smf.append_track(smf.split(header(1, 1) + bass + private), DRUMS)
    assert grown == header(1, 2) + bass + track([DRUMS], end=False) + private


@pytest.mark.parametrize(("declared", "after"), [(0, 3), (1, 2), (2, 3), (9, 3)])
def test_count_of_tracks_covers_the_new_one(declared: int, after: int) -> None:
    data = header(1, declared) + track(bass_line()) + track(bass_line())
    assert smf.split(smf.append_track(smf.split(data), DRUMS)).track_count == after


def test_cut_off_track_stays_last() -> None:
    cut_off = track(bass_line(), end=False, length=999)
    data = header(1, 2) + track([tempo(90)]) + cut_off
    grown = smf.append_track(smf.split(data), DRUMS)
    assert grown == header(1, 3) + track([tempo(90)]) + track([DRUMS], end=False) + cut_off


def test_overlong_length_does_not_swallow_the_next_track() -> None:
    data = header(1, 2) + track(bass_line(), length=9999) + track(bass_line())
    assert [len(chunk.body) for chunk in smf.split(data).tracks] == [len(track(bass_line())) - 8] * 2


@pytest.mark.parametrize("extra", [b"", b"\x00\xff\x01\x01x", b"\x00\xff\x01\x02xy"])  # text events: odd, even size
def test_rmi_sizes_grow_with_the_file(extra: bytes) -> None:
    after = chunk(b"DISP", b"")
    grown = smf.append_track(smf.split(rmi_file(midi_file([[extra]]), after)), extra + END)
    music = header(1, 2) + track([extra]) + track([extra])
    assert grown == rmi_file(music, after)


def test_one_pattern_of_format_2_becomes_format_1_but_several_are_refused() -> None:
    one = smf.split(midi_file([bass_line()], midi_format=2))
    assert smf.split(smf.append_track(one, DRUMS)).format == 1
    with pytest.raises(ValueError, match="format 2 at byte 8: 2 patterns"):
        smf.append_track(smf.split(midi_file([bass_line(), bass_line()], midi_format=2)), DRUMS)


def test_smpte_division_is_kept() -> None:
    data = header(1, 1, 0xE728) + track(bass_line())  # 25 frames of 40 ticks
    assert smf.split(smf.append_track(smf.split(data), DRUMS)).division == 0xE728


@given(st.lists(st.integers(0, 10**6), max_size=20), st.integers(0, 300))
def test_encoded_track_says_what_was_asked_to_an_independent_reader(onset: list[int], duration: int) -> None:
    body = smf.encode_track("Drums", hits(sorted(onset), duration), program=25)
    messages = mido.MidiFile(file=io.BytesIO(header(1, 1) + chunk(b"MTrk", body))).tracks[0]
    now, found, sounding = 0, [], 0
    for message in messages:
        now += message.time
        if message.type == "note_on":
            found.append((now, message.note, message.velocity, message.channel))
        sounding += {"note_on": 1, "note_off": -1}.get(message.type, 0)
    assert found == [(tick, 36, 99, 9) for tick in sorted(onset)]
    assert sounding == 0
    assert [messages[0].name, messages[1].program, messages[-1].type] == ["Drums", 25, "end_of_track"]


def test_drum_struck_again_is_not_cut_off() -> None:
    body = smf.encode_track("Drums", hits([0, 480], duration=480))
    kinds = [event.status >> 4 for event in events(body) if event.is_channel]
    assert kinds == [0x9, 0x8, 0x9, 0x8]


@given(st.integers(0, 2**28 - 1))
def test_vlq(number: int) -> None:
    assert smf.vlq(number) == delta_time(number)
    event = next(events(smf.vlq(number) + b"\x90\x3c\x40"))
    assert (event.delta, event.status, event.data) == (number, 0x90, b"\x3c\x40")


@given(st.binary(max_size=200) | st.lists(st.sampled_from([0, 1, 0x3C, 0x80, 0x90, 0xF0, 0xF4, 0xF7, 0xFF])).map(bytes))
def test_events_cover_every_byte_once(body: bytes) -> None:
    found = list(events(body))
    assert b"".join(body[event.start : event.end] for event in found) == body
    assert all(event.start < event.end for event in found)


def test_running_status_survives_meta_and_sysex() -> None:
    body = note_on(0, 60) + marker("A") + b"\x10\x3e\x40" + sysex(b"\x7e\xf7") + b"\x10\x40\x40" + END
    assert [e.data[0] for e in events(body) if e.status == 0x90] == [60, 62, 64]


def test_drum_track_goes_and_the_rest_keeps_its_bytes() -> None:
    conductor, bass = [tempo(90), meter(3, 4)], [name("Bass"), *bass_line()]
    data = midi_file([conductor, [name("Drums"), *rock_beat()], bass])
    assert smf.join(remove_channel(smf.split(data))) == midi_file([conductor, bass])


def test_tempo_and_meter_of_a_drum_track_survive_at_their_time() -> None:
    beat = [drum(0, 36, 480), tempo(120, delta=480), drum(0, 38, 480), meter(3, 4), marker("B", 480), drum(0, 36, 480)]
    without = [tempo(120, 960), meter(3, 4, 480), marker("B", 480), b"\x83\x60\xff\x2f\x00"]  # delta 480, end
    data = midi_file([bass_line(), beat])
    expected = header(1, 2) + track(bass_line()) + track(without, end=False)
    # the end of track waits for the notes that are gone: 480 ticks, as before
    assert smf.join(remove_channel(smf.split(data))) == expected


def test_first_track_and_sysex_are_never_dropped() -> None:
    reset = sysex(b"\x7e\x7f\x09\x01\xf7")  # General MIDI on
    data = midi_file([[name("Song"), drum(0, 36)], [reset, drum(0, 36)], [drum(0, 38)]])
    names = [[event.status for event in events(chunk.body)] for chunk in remove_channel(smf.split(data)).tracks]
    assert names == [[0xFF, 0xFF], [0xF0, 0xFF]]


def test_removal_restores_running_status() -> None:
    body = [
        note_on(0, 40),  # 90 28 64
        drum(10, 36, 10),  # 99 .. 89 ..
        b"\x0a\x24\x40",  # running 89: note off of drum 36
        b"\x0a\xb0\x07\x64",  # volume of channel 1
        b"\x0a\x99\x24\x40",  # drum
        b"\x0a\xb0\x07\x50",
        b"\x0a\x07\x40",  # running B0
        b"\x0a\x80\x28\x00",
    ]
    expected = [note_on(0, 40), controller(7, 100, delta=40), controller(7, 80, delta=20), b"\x0a\x07\x40"]
    result = smf.join(remove_channel(smf.split(midi_file([body], midi_format=0))))
    assert result == midi_file([[*expected, b"\x0a\x80\x28\x00"]], midi_format=0)


CHANNELS = st.tuples(st.integers(0, 300), st.sampled_from([0, 9]), st.integers(30, 33), st.booleans())


@given(st.lists(CHANNELS, max_size=30))
def test_removal_keeps_the_other_channels_in_time(notes: list[tuple[int, int, int, bool]]) -> None:
    """Random tracks with running status wherever the status allows it, against mido as the reader of both files."""
    body, last = b"", None
    for delta, channel, pitch, run in notes:
        status = b"" if run and last == channel else bytes((0x90 | channel,))
        body, last = body + delta_time(delta) + status + bytes((pitch, 64)), channel
    data = header(0, 1) + track([body])

    def timed(midi_bytes: bytes) -> list[tuple[int, int]]:
        now, found = 0, []
        for message in mido.MidiFile(file=io.BytesIO(midi_bytes)).tracks[0]:
            now += message.time
            if message.type == "end_of_track" or message.channel == 0:
                found.append((now, getattr(message, "note", -1)))
        return found

    assert timed(smf.join(remove_channel(smf.split(data)))) == timed(data)


def test_damaged_drum_track_is_not_edited() -> None:
    data = header(1, 2) + track(bass_line()) + track([drum(0, 36), b"\x00\xff\x01\x7fcut"], end=False)
    place = len(data) - len(b"\x00\xff\x01\x7fcut")
    with pytest.raises(ValueError, match=f"damaged at byte {place}"):
        remove_channel(smf.split(data))


def test_corpus_survives_split_and_append(corpus: Callable[[str], Path]) -> None:
    for path in sorted(corpus("odd-meter").rglob("*.mid"))[::5]:
        data = path.read_bytes()
        file = smf.split(data)
        grown = smf.append_track(file, DRUMS)
        assert smf.join(file) == data
        count, grown_count = (sum(len(t.notes) for t in midi.parse(d).tracks) for d in (data, grown))
        assert grown_count == count + 16
