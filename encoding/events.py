"""The events of one MTrk body, damaged or not: every byte belongs to exactly one event.

Source: "Standard MIDI Files 1.0" (RP-001). Running status is carried across meta and system exclusive events, which
the specification forbids and many files rely on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from encoding import smf

META, SYSEX, SYSEX_MORE = 0xFF, 0xF0, 0xF7
END_OF_TRACK_TYPE = 0x2F
# Data bytes after each kind of channel message and after the system common messages F1 to F3.
DATA_BYTES = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2, 0xF1: 1, 0xF2: 2, 0xF3: 1}
# Meta events that say nothing once the drums of their track are gone: number, name, instrument, channel, port, end.
LABELS = frozenset((0x00, 0x03, 0x04, 0x20, 0x21, END_OF_TRACK_TYPE))


class Event(NamedTuple):
    """Bytes ``start`` to ``end`` of a body; ``delta`` ticks after the event before.

    ``status`` is the full status byte, 0 for bytes that no reader could use. ``data`` is what follows it without any
    length (meta: type, then text). ``at`` is the offset after the delta time; ``running`` where no status byte stands.
    """

    start: int
    end: int
    at: int
    delta: int
    status: int
    data: bytes
    running: bool

    @property
    def is_channel(self) -> bool:
        return 0x80 <= self.status < SYSEX

    @property
    def is_end(self) -> bool:
        return self.status == META and self.data[0] == END_OF_TRACK_TYPE


def events(body: bytes) -> Iterator[Event]:
    """All events of an MTrk body in order; joined, their bytes are the body. Bytes after the end of track are unusable.

    Time and memory grow with the length of the body, whatever its bytes are.
    """
    position, running = 0, 0
    while position < len(body):
        event = _event(body, position, running)
        yield event
        position = event.end
        if event.is_channel:
            running = event.status
        if event.is_end and position < len(body):
            yield _unusable(body, position, len(body))
            return


def _event(body: bytes, start: int, running: int) -> Event:
    delta, at = _read_vlq(body, start)
    if at >= len(body):
        return _unusable(body, start, len(body))
    status = body[at]
    if status < 0x80 and not running:
        return _skip_to_status(body, start, at)
    is_running = status < 0x80
    status, data_at = (running, at) if is_running else (status, at + 1)
    if status in (META, SYSEX, SYSEX_MORE):
        first = data_at + (status == META)
        length, text = _read_vlq(body, first)
        end, data = text + length, body[data_at:first] + body[text : text + length]
        cut = text <= first  # the body ends before the length
    else:
        end = data_at + DATA_BYTES.get(status & 0xF0 if status < SYSEX else status, 0)
        data, cut = body[data_at:end], False
    if cut or end > len(body):
        return _unusable(body, start, len(body))
    return Event(start, end, at, delta, status, data, is_running)


def _read_vlq(body: bytes, position: int) -> tuple[int, int]:
    """A variable-length quantity and the offset behind it; it ends with the body if nothing else ends it."""
    value = 0
    for at in range(position, len(body)):
        # the specification stops at 28 bits; without a limit a long run of high bits would grow a huge number
        value = (value << 7 | body[at] & 0x7F) & 0xFFFFFFF
        if body[at] < 0x80:
            return value, at + 1
    return value, len(body)


def _skip_to_status(body: bytes, start: int, at: int) -> Event:
    """Data bytes without a status: skip to the next status byte, leaving the delta time in front of it."""
    end = next((index for index in range(at, len(body)) if body[index] >= 0x80), len(body))
    return _unusable(body, start, end - 1 if end < len(body) else end)


def _unusable(body: bytes, start: int, end: int) -> Event:
    return Event(start, end, start, 0, 0, body[start:end], False)


def remove_channel(file: smf.MidiFile, channel: int = smf.DRUM_CHANNEL) -> smf.MidiFile:
    """The file without the messages of one channel (0-15); tracks without such messages keep every byte.

    A track that holds nothing else but labels (name, instrument, port) goes as a whole, unless it is the first, which
    readers take for the tempo track. In all others the messages are taken out and the delta times added up, so tempos,
    time signatures, markers and system exclusive messages stay where they are.

    Raises:
        ValueError: a track with such messages is damaged, so that taking something out could shift the rest.
    """
    first = next((chunk for chunk in file.chunks if chunk.id == b"MTrk"), None)
    chunks = (
        _without_channel(chunk, channel, chunk is first) if chunk.id == b"MTrk" else chunk for chunk in file.chunks
    )
    kept = tuple(chunk for chunk in chunks if chunk is not None)
    return smf.with_chunks(file, kept) if kept != file.chunks else file


def _without_channel(chunk: smf.Chunk, channel: int, is_first: bool) -> smf.Chunk | None:
    """The chunk itself, an edited copy, or None where nothing but labels would remain."""
    all_events = list(events(chunk.body))
    if not any(event.is_channel and event.status & 0x0F == channel for event in all_events):
        return chunk
    broken = next((event for event in all_events if not event.status), None)
    if broken or chunk.overruns:
        place = chunk.start + (smf.HEAD + broken.start if broken else 4)
        raise ValueError(f"the drum track is damaged at byte {place}, so its drums cannot be taken out safely")
    kept = [event for event in all_events if not (event.is_channel and event.status & 0x0F == channel)]
    if not is_first and all(event.status == META and event.data[0] in LABELS for event in kept):
        return None
    body = _rewrite(chunk.body, all_events, channel)
    return replace(chunk, raw=b"MTrk" + len(body).to_bytes(4) + body)


def _rewrite(body: bytes, all_events: list[Event], channel: int) -> bytes:
    """The body without one channel: bytes are copied, and only what a removal breaks is written anew."""
    pieces: list[bytes] = []
    waited_ticks = 0
    written_status = 0
    for event in all_events:
        if event.is_channel and event.status & 0x0F == channel:
            waited_ticks += event.delta
            continue
        delta = smf.vlq(waited_ticks + event.delta) if waited_ticks else body[event.start : event.at]
        status = bytes((event.status,)) if event.running and event.status != written_status else b""
        pieces += [delta, status, body[event.at : event.end]]
        waited_ticks = 0
        if event.is_channel:
            written_status = event.status
    return b"".join(pieces)
