"""A sketch from disk: its bytes and its notes, or one line that says why not."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

from composer.errors import SketchError
from encoding import midi, smf
from encoding.types import Song

MAX_BYTES = 64 * 2**20
"""The largest of 13,800 songs and performances measured has under half a MiB."""
SHOWN_BYTES = 12


@dataclass(frozen=True, slots=True)
class Sketch:
    """A MIDI file with something to follow. ``data`` are the bytes that a merge keeps, ``song`` what they say."""

    path: Path
    data: bytes
    song: Song


def sketch(path: Path, *, needs_line: bool = True) -> Sketch:
    """Read a sketch; with ``needs_line`` off, a file with nothing but drums will do.

    Raises:
        SketchError: it cannot be read, is no MIDI file, or has no notes besides drums.
    """
    data = _read_bytes(path)
    if b"MThd" not in data:
        raise SketchError(
            f"{path} is not a MIDI file: it starts with '{_readable(data)}'; "
            "export the sketch as a Standard MIDI File (.mid)"
        )
    try:
        song = midi.parse(data)
        file = smf.split(data)
    except ValueError as error:
        raise SketchError(f"{path} cannot be read: {error}; export or copy it again") from error
    if file.format == 2 and file.counted > 1:
        raise SketchError(
            f"{path} holds {file.counted} separate patterns (format 2), not one piece of music; "
            "export it as format 0 or 1"
        )
    _require_notes(path, data, file, song, needs_line)
    return Sketch(path, data, song)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise SketchError(f"{path} is a folder; name one MIDI file, or use 'composer batch' for a folder")
        if path.exists() and not path.is_file():
            raise SketchError(f"{path} is a device or pipe, not a file; save the sketch to a file first")
        if path.stat().st_size > MAX_BYTES:
            raise SketchError(
                f"{path} has {path.stat().st_size:,} bytes, too many for a MIDI file; is it another kind?"
            )
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SketchError(f"{path} does not exist; check the name and the folder") from error
    except OSError as error:
        advice = "; check its permissions" if error.errno in (errno.EACCES, errno.EPERM) else ""
        raise SketchError(f"{path} cannot be opened: {error.strerror}{advice}") from error
    if not data:
        raise SketchError(f"{path} is empty (0 bytes); export the sketch again")
    return data


def _readable(data: bytes) -> str:
    """The first bytes as text, with a dot for each that is no printable ASCII."""
    return "".join(chr(byte) if 32 <= byte < 127 else "." for byte in data[:SHOWN_BYTES])


def _require_notes(path: Path, data: bytes, file: smf.MidiFile, song: Song, needs_line: bool) -> None:
    sounding = [track for track in song.tracks if len(track.notes)]
    if not sounding and any(chunk.overruns for chunk in file.chunks):
        raise SketchError(f"{path} is truncated: it ends at byte {len(data)} before any note; export or copy it again")
    if not sounding:
        raise SketchError(f"{path} has no notes; add a bass line or a melody to follow")
    if needs_line and all(track.is_drums for track in sounding):
        count = sum(len(track.notes) for track in sounding)
        raise SketchError(f"{path} has only drums ({count} notes on channel 10); add a bass line or a melody to follow")
