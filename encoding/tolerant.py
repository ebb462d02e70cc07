"""Damaged MIDI files made readable: the same music as bytes that follow the specification, and what was odd."""

from __future__ import annotations

import re
import struct
from collections import Counter

from encoding import smf
from encoding.events import META, Event, events

MAX_QUARTERS = 16_000
"""Over two hours at 120 bpm, twice the longest of 4,600 songs: what comes later comes from a damaged delta time.

Work grows with it, for a file of a hundred bytes may say that its last note is far away.
"""
ASSUMED_DIVISION = 480
SMPTE_FRAMES = (24, 25, 29, 30)
# Valid lengths of the meta events that become part of a Song: tempo, time signature.
META_LENGTHS = {0x51: 3, 0x58: 4}
# What symusic 0.6 reads wrongly without an error: short tempo, time and key signatures (it reads on behind them), and
# running status after a system exclusive message (it takes the message's length for that of the next event).
# Two patterns, since a search for one fixed first byte is several times faster.
MISREAD = (
    re.compile(rb"\xff(?:\x51[^\x03]|\x58[^\x04]|\x59[^\x02])"),
    re.compile(rb"\xf0[\x80-\xff]{0,3}[\x00-\x7f]+\xf7[\x80-\xff]{0,3}[\x00-\x7f]{2}"),
)


def is_regular(data: bytes, file: smf.MidiFile) -> bool:
    """Whether symusic can be trusted with these bytes as they are. Takes microseconds."""
    return not file_oddities(file) and not any(pattern.search(data) for pattern in MISREAD)


def file_oddities(file: smf.MidiFile) -> tuple[str, ...]:
    """One sentence for each oddity of the file's chunks, as far as it matters for reading the notes."""
    tracks, division = len(file.tracks), file.division
    uncounted = any(
        event.status & 0xF0 == 0x90 for chunk in file.tracks[file.counted :] for event in events(chunk.body)
    )
    stray = sum(len(chunk.raw) for chunk in file.chunks if not chunk.id)
    oddities = {
        "it is an .rmi file (MIDI wrapped in RIFF)": file.is_riff,
        f"{len(file.prefix)} bytes stand before the MIDI header": file.prefix and not file.is_riff,
        f"the header has {len(file.header.body)} bytes instead of 6": len(file.header.body) != 6,
        f"the header says format {file.format}, which does not exist; read as format 1": file.format > 2,
        f"format 2: {tracks} patterns, read as if they sounded together": file.format == 2 and file.counted > 1,
        f"the header says {file.track_count} tracks, the file has {tracks}": file.track_count > tracks
        or (tracks and not file.track_count)
        or uncounted,
        f"the header says 0 ticks per quarter note; read as {ASSUMED_DIVISION}": division == 0,
        "time is counted in SMPTE frames, without tempo; one quarter note stands for one second": division >= 0x8000,
        f"{stray} stray bytes stand between the tracks": stray,
        "a track is shorter than its length says: the file is cut off or damaged": any(c.overruns for c in file.chunks),
    }
    return tuple(sentence for sentence, is_so in oddities.items() if is_so)


def repair(file: smf.MidiFile) -> tuple[bytes, tuple[str, ...]]:
    """The notes, programs and meta events of a file as a new file without faults; one sentence for each oddity.

    Values above 127 become 127, notes without an end last as long as their track, unusable bytes are left out. SMPTE
    division becomes ticks per quarter note at one quarter note a second (30000/1001 frames for 29), and the tempos of
    such a file, which have no meaning there, are left out.

    Raises:
        ValueError: an SMPTE frame rate that does not exist.
    """
    division, tempo_us = _quarter(file)
    faults: Counter[str] = Counter()
    bodies = [
        _clean_track(_track_events(file, index, faults), division * MAX_QUARTERS, tempo_us == 0, faults)
        for index, chunk in enumerate(file.chunks)
        if chunk.id == b"MTrk"
    ]
    if tempo_us:
        bodies.insert(0, b"\x00\xff\x51\x03" + tempo_us.to_bytes(3) + smf.END_OF_TRACK)
    header = b"MThd" + struct.pack(">IHHH", 6, 1, min(len(bodies), smf.MAX_TRACKS), division)
    clean = header + b"".join(b"MTrk" + struct.pack(">I", len(body)) + body for body in bodies)
    return clean, file_oddities(file) + tuple(f"{kind}: {count}" for kind, count in sorted(faults.items()))


def _quarter(file: smf.MidiFile) -> tuple[int, int]:
    """Ticks per quarter note and, for SMPTE division, the length of a quarter note in microseconds, else 0."""
    if file.division < 0x8000:
        return file.division or ASSUMED_DIVISION, 0
    frames, ticks = 256 - (file.division >> 8), file.division & 0xFF
    if frames not in SMPTE_FRAMES or ticks == 0:
        place = file.header.start + smf.HEAD + 4
        raise ValueError(f"the header at byte {place} counts {frames} frames a second of {ticks} ticks: no such rate")
    return (30 * ticks, 1_001_000) if frames == 29 else (frames * ticks, 1_000_000)


def _track_events(file: smf.MidiFile, index: int, faults: Counter[str]) -> list[Event]:
    """Events of the track at an index of the chunks; a length that cuts an event in two is taken for too short."""
    chunk = file.chunks[index]
    found = list(events(chunk.body))
    following = file.chunks[index + 1].raw if index + 1 < len(file.chunks) else file.trailing
    is_stray = index + 1 == len(file.chunks) or not file.chunks[index + 1].id
    if found and not found[-1].status and not any(event.is_end for event in found[-2:]) and is_stray and following:
        faults["tracks longer than their length says, read on behind it"] += 1
        return list(events(chunk.body + following))
    return found


def _clean_track(found: list[Event], last_tick: int, keep_tempo: bool, faults: Counter[str]) -> bytes:
    """A track's events as a body that follows the specification; counts what it changes in ``faults``."""
    pieces: list[bytes] = []
    sounding: Counter[bytes] = Counter()
    now = written = 0
    for event in found:
        now += event.delta
        if now > last_tick:
            faults[f"tracks with events later than {MAX_QUARTERS:,} quarter notes, left out"] += 1
            now = written
            break
        message = _clean_message(event, keep_tempo, faults)
        if not message:
            continue
        pieces.append(smf.vlq(now - written) + message)
        written = now
        if event.is_channel:
            _count_sounding(sounding, message)
    if sounding.total():
        faults["notes that never end, ended with their track"] += sounding.total()
    pieces += [smf.vlq(0 if index else now - written) + note for index, note in enumerate(sounding.elements())]
    if not any(event.is_end for event in found[-2:]):
        faults["tracks without an end"] += 1
    return b"".join(pieces) + smf.END_OF_TRACK


def _count_sounding(sounding: Counter[bytes], message: bytes) -> None:
    """Keep count of the notes that sound, by the note-off message that would end each."""
    kind, off = message[0] & 0xF0, bytes((0x80 | message[0] & 0x0F, message[1], 0))
    if kind == 0x90 and message[2]:
        sounding[off] += 1
    elif kind in (0x80, 0x90) and sounding[off]:
        sounding[off] -= 1


def _clean_message(event: Event, keep_tempo: bool, faults: Counter[str]) -> bytes:
    """The event without delta time, running status and faults; empty if nothing of it belongs to a Song."""
    if event.is_channel:
        if max(event.data) > 127:
            faults["events with a value above 127, read as 127"] += 1
        return bytes((event.status, *(min(value, 127) for value in event.data)))
    if event.status == META and not event.is_end:
        kind, text = event.data[0], event.data[1:]
        if len(text) != META_LENGTHS.get(kind, len(text)):
            faults["tempo or time signature events of a wrong length, left out"] += 1
        elif kind < 0x10 or kind == 0x58 or (kind == 0x51 and keep_tempo):
            return bytes((META, kind)) + smf.vlq(len(text)) + text
    if event.status == 0:
        faults["stretches of damaged bytes, left out"] += 1
    return b""
