"""Standard MIDI Files as chunks of bytes: taken apart, joined, one track added; no byte of the rest is touched.

Source: "Standard MIDI Files 1.0" (RP-001), MIDI Manufacturers Association. The file begins with an MThd chunk, MTrk
chunks follow, chunks of other kinds may stand between them and are kept.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

from encoding.types import Notes

HEAD = 8
"""Bytes in front of a chunk's body: four of id, four of length."""
DRUM_CHANNEL = 9
"""Channel 10 of the manuals: MIDI counts from 0."""
END_OF_TRACK = b"\x00\xff\x2f\x00"
MAX_TRACKS = 0xFFFF
MIN_SIZE = 14
"""Bytes of a header without tracks."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: ``raw`` is its id, its length and its body just as the file has them.

    ``id`` is empty for stray bytes between two chunks; ``start`` is the offset of the first byte in the file.
    """

    id: bytes
    raw: bytes
    start: int

    @property
    def body(self) -> bytes:
        return self.raw[HEAD:] if self.id else self.raw

    @property
    def overruns(self) -> bool:
        """The length in the chunk's head promises more bytes than there are."""
        return bool(self.id) and int.from_bytes(self.raw[4:HEAD]) > len(self.raw) - HEAD


@dataclass(frozen=True, slots=True)
class MidiFile:
    """A file in pieces, in order: what stands before MThd, MThd, the other chunks, what follows the last of them."""

    prefix: bytes
    header: Chunk
    chunks: tuple[Chunk, ...]
    trailing: bytes

    @property
    def format(self) -> int:
        return int.from_bytes(self.header.body[0:2])

    @property
    def track_count(self) -> int:
        """The number of tracks as declared; ``len(tracks)`` is the number there are, ``counted`` those readers play."""
        return int.from_bytes(self.header.body[2:4])

    @property
    def division(self) -> int:
        """Ticks per quarter note; from 0x8000 up it is SMPTE: minus frames per second, then ticks per frame."""
        return int.from_bytes(self.header.body[4:6])

    @property
    def tracks(self) -> tuple[Chunk, ...]:
        return tuple(chunk for chunk in self.chunks if chunk.id == b"MTrk")

    @property
    def counted(self) -> int:
        """How many of the tracks the header covers: some sequencers keep private data in an MTrk behind the last.

        A count of 0 is taken for a forgotten one, so it covers them all.
        """
        return min(self.track_count or len(self.tracks), len(self.tracks))

    @property
    def is_riff(self) -> bool:
        """The file is wrapped as an .rmi file (RP-029)."""
        return _is_rmi(self.prefix)


def split(data: bytes) -> MidiFile:
    """Take a file apart; ``join`` puts it together again, byte for byte.

    Junk before MThd, a RIFF wrapping, alien chunks, stray bytes and a last track shorter than its length says are all
    accepted and show in the result.

    Raises:
        ValueError: there is no MThd chunk, or it is shorter than the six bytes every reader needs.
    """
    start, end = _bounds(data)
    length = int.from_bytes(data[start + 4 : start + HEAD])
    body_end = start + HEAD + length
    if length < 6 or body_end > end:
        raise ValueError(
            f"the header at byte {start} is damaged: it says {length} bytes (6 is right), {max(end - start - HEAD, 0)} follow"
        )
    header = Chunk(b"MThd", data[start:body_end], start)
    chunks = tuple(_chunks(data[:end] if end < len(data) else data, body_end))
    last = chunks[-1].start + len(chunks[-1].raw) if chunks else body_end
    return MidiFile(data[:start], header, chunks, data[last:])


def join(file: MidiFile) -> bytes:
    """The bytes of a file in pieces: the inverse of ``split``."""
    return b"".join((file.prefix, file.header.raw, *(chunk.raw for chunk in file.chunks), file.trailing))


def append_track(file: MidiFile, body: bytes) -> bytes:
    """The file with one MTrk chunk of this body added; every byte of every other chunk stays as it is.

    The track goes after the last MTrk that the header counts, or before the first chunk whose length overruns the
    file, since a reader would take it for a part of that chunk. Of the header only two fields change: format 0 becomes
    1, and the count of tracks grows by one (by less where it was too high). The two sizes of an .rmi wrapping grow
    with the file.

    Raises:
        ValueError: format 2 with several patterns, where a new track would be one more pattern, or too many tracks.
    """
    if file.format == 2 and file.counted > 1:
        raise ValueError(
            f"format 2 at byte {file.header.start + HEAD}: {file.counted} patterns that do not sound together"
        )
    place = append_place(file)
    track = Chunk(b"MTrk", b"MTrk" + struct.pack(">I", len(body)) + body, 0)
    grown = replace(file, chunks=(*file.chunks[:place], track, *file.chunks[place:]))
    grown = replace(grown, header=_header(file, 1 if file.format in (0, 2) else file.format, file.counted + 1))
    return join(_resize_riff(grown, _smf_size(file)) if file.is_riff else grown)


def append_place(file: MidiFile) -> int:
    """Index among the chunks at which ``append_track`` puts the new one."""
    overrunning = [index for index, chunk in enumerate(file.chunks) if chunk.overruns]
    if overrunning:
        return overrunning[0]
    places = [index + 1 for index, chunk in enumerate(file.chunks) if chunk.id == b"MTrk"]
    return places[file.counted - 1] if places else 0


def encode_track(name: str, notes: Notes, program: int | None = None, channel: int = DRUM_CHANNEL) -> bytes:
    """The body of an MTrk chunk that plays these notes: name, program, notes on one channel (0-15), end of track.

    A note without length gets one tick, so that it ends after it began.
    """
    title = name.encode()
    body = bytearray(b"\x00\xff\x03" + vlq(len(title)) + title)
    if program is not None:
        body += bytes((0x00, 0xC0 | channel, program))
    moments: list[tuple[int, int, int, int]] = []
    for onset, duration, pitch, velocity in zip(
        *(array.tolist() for array in (notes.onset_tick, notes.duration_tick, notes.pitch, notes.velocity)), strict=True
    ):
        moments.append((onset, 0x90 | channel, pitch, velocity))
        moments.append((onset + max(duration, 1), 0x80 | channel, pitch, 0))
    now = 0
    # note-off sorts before note-on, so a drum struck again at once is not cut off by its own end
    for tick, *message in sorted(moments):
        body += vlq(tick - now) + bytes(message)
        now = tick
    return bytes(body) + END_OF_TRACK


def vlq(number: int) -> bytes:
    """A number >= 0 as a variable-length quantity: seven bits a byte, the high bit set on all but the last."""
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def _bounds(data: bytes) -> tuple[int, int]:
    """Offsets of MThd and of the end of what belongs to it."""
    start = data.find(b"MThd")
    if start < 0:
        raise ValueError(f"no MThd header in {len(data)} bytes")
    size = int.from_bytes(data[start - 4 : start], "little") if _is_rmi(data[:start]) else 0
    return start, min(len(data), start + size) if size >= MIN_SIZE else len(data)


def _is_rmi(prefix: bytes) -> bool:
    return prefix[:4] == b"RIFF" and prefix[8:12] == b"RMID" and prefix[-HEAD:-4] == b"data"


def _chunks(data: bytes, position: int) -> Iterator[Chunk]:
    """All chunks from a position on; what remains after the last is no chunk."""
    while (end := _chunk_end(data, position)) is not None:
        is_chunk = _looks_like_id(data[position : position + 4])
        yield Chunk(data[position : position + 4] if is_chunk else b"", data[position:end], position)
        position = end


def _chunk_end(data: bytes, position: int) -> int | None:
    """Where the chunk, or the stretch of stray bytes, at a position ends; None where no chunk follows any more."""
    chunk_id = data[position : position + 4]
    if _looks_like_id(chunk_id) and position + HEAD <= len(data):
        end = position + HEAD + int.from_bytes(data[position + 4 : position + HEAD])
        if end <= len(data):
            return end
        if chunk_id == b"MTrk":
            # the length is wrong: the track lasts until its end-of-track event meets the next track, or to the end
            seam = data.find(END_OF_TRACK[1:] + b"MTrk", position + HEAD)
            return len(data) if seam < 0 else seam + 3
    following = data.find(b"MTrk", position + 1)
    return following if following >= 0 and following + HEAD <= len(data) else None


def _looks_like_id(chunk_id: bytes) -> bool:
    return len(chunk_id) == 4 and all(32 <= byte < 127 for byte in chunk_id)


def _header(file: MidiFile, midi_format: int, count: int) -> Chunk:
    if count > MAX_TRACKS:
        raise ValueError(f"{count} tracks: a MIDI file holds {MAX_TRACKS} at most")
    raw = file.header.raw
    fields = struct.pack(">HH", midi_format, count)
    return replace(file.header, raw=raw[:HEAD] + fields + raw[HEAD + len(fields) :])


def with_chunks(file: MidiFile, chunks: tuple[Chunk, ...]) -> MidiFile:
    """The file with some of its chunks edited or left out; the count of tracks and the sizes of .rmi set to match."""
    starts = {chunk.start for chunk in file.tracks[: file.counted]}
    count = sum(chunk.start in starts for chunk in chunks)
    changed = replace(file, header=_header(file, file.format, count), chunks=chunks)
    return _resize_riff(changed, _smf_size(file)) if file.is_riff else changed


def _smf_size(file: MidiFile) -> int:
    return len(file.header.raw) + sum(len(chunk.raw) for chunk in file.chunks)


def _resize_riff(file: MidiFile, old_size: int) -> MidiFile:
    """Set both sizes of an .rmi wrapping for an SMF part that had another size; chunks of RIFF start at even bytes."""
    prefix, trailing, new_size = file.prefix, file.trailing, _smf_size(file)
    if old_size % 2 and trailing[:1] == b"\x00":
        trailing = trailing[1:]
    if new_size % 2:
        trailing = b"\x00" + trailing
    total = len(prefix) - HEAD + new_size + len(trailing)
    prefix = prefix[:4] + struct.pack("<I", total) + prefix[8:-4] + struct.pack("<I", new_size)
    return replace(file, prefix=prefix, trailing=trailing)
