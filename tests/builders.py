"""MIDI bytes from named pieces, so that a test shows what its file says.

    midi_file([[tempo(90), meter(3, 4)], [name("Bass"), note_on(0, 36), note_off(480, 36)]])

is a complete format 1 file. Each event is ``bytes`` with its delta time in front; a track is a list of events, and an
end of track is added unless ``end=False``. Anything else that a file may hold, damaged or not, is written in bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

END = b"\x00\xff\x2f\x00"  # delta 0, meta, end of track, no text


def delta_time(ticks: int) -> bytes:
    """Variable-length quantity, written independently of the code under test."""
    digits = []
    while True:
        digits.append(ticks % 128)
        ticks //= 128
        if not ticks:
            break
    return bytes(digit + (128 if index else 0) for index, digit in reversed(list(enumerate(digits))))


def note_on(delta: int, pitch: int, velocity: int = 100, channel: int = 0) -> bytes:
    return delta_time(delta) + bytes((0x90 | channel, pitch, velocity))


def note_off(delta: int, pitch: int, channel: int = 0) -> bytes:
    return delta_time(delta) + bytes((0x80 | channel, pitch, 0))


def note(delta: int, pitch: int, duration: int = 480, velocity: int = 100, channel: int = 0) -> bytes:
    """A note with nothing else in between: it begins ``delta`` ticks after the event before, in front of its end."""
    return note_on(delta, pitch, velocity, channel) + note_off(duration, pitch, channel)


def drum(delta: int, pitch: int, duration: int = 60, velocity: int = 100) -> bytes:
    return note(delta, pitch, duration, velocity, channel=9)


def program(number: int, channel: int = 0, delta: int = 0) -> bytes:
    return delta_time(delta) + bytes((0xC0 | channel, number))


def controller(number: int, value: int, channel: int = 0, delta: int = 0) -> bytes:
    return delta_time(delta) + bytes((0xB0 | channel, number, value))


def meta(kind: int, text: bytes, delta: int = 0) -> bytes:
    return delta_time(delta) + bytes((0xFF, kind)) + delta_time(len(text)) + text


def name(text: str, delta: int = 0) -> bytes:
    return meta(0x03, text.encode("latin-1"), delta)


def marker(text: str, delta: int = 0) -> bytes:
    return meta(0x06, text.encode("latin-1"), delta)


def tempo(bpm: float, delta: int = 0) -> bytes:
    return meta(0x51, round(60e6 / bpm).to_bytes(3, "big"), delta)


def meter(numerator: int, denominator: int, delta: int = 0) -> bytes:
    return meta(0x58, bytes((numerator, denominator.bit_length() - 1, 24, 8)), delta)


def sysex(text: bytes, delta: int = 0) -> bytes:
    """System exclusive; ``text`` ends with F7 as in a file."""
    return delta_time(delta) + b"\xf0" + delta_time(len(text)) + text


def chunk(chunk_id: bytes, body: bytes, length: int | None = None) -> bytes:
    """``length`` overrides the true length, to lie about it."""
    return chunk_id + struct.pack(">I", len(body) if length is None else length) + body


def header(midi_format: int = 1, tracks: int = 1, division: int = 480, extra: bytes = b"") -> bytes:
    """``division`` from 0x8000 up is SMPTE; ``extra`` makes the header longer than six bytes."""
    return chunk(b"MThd", struct.pack(">HHH", midi_format, tracks, division) + extra)


def track(events: Iterable[bytes], end: bool = True, length: int | None = None) -> bytes:
    return chunk(b"MTrk", b"".join(events) + (END if end else b""), length)


def midi_file(tracks: Sequence[Iterable[bytes]], division: int = 480, midi_format: int = 1) -> bytes:
    return header(midi_format, len(tracks), division) + b"".join(track(events) for events in tracks)


def rmi_file(midi: bytes, after: bytes = b"") -> bytes:
    """RIFF wrapping (RP-029); ``after`` are RIFF chunks behind the music. Odd lengths get the pad byte RIFF wants."""
    data = b"data" + struct.pack("<I", len(midi)) + midi + b"\x00" * (len(midi) % 2)
    body = b"RMID" + data + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bass_line(bars: int = 4, channel: int = 0) -> list[bytes]:
    """Quarter notes on E1 in 4/4."""
    return [note(0, 28, 480, 90, channel) for _ in range(4 * bars)]


def rock_beat(bars: int = 4) -> list[bytes]:
    """Kick on beats 1 and 3, snare on 2 and 4, channel 10."""
    return [drum(0, 36 if beat % 2 == 0 else 38, 480) for beat in range(4 * bars)]
