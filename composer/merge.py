"""The sketch plus one drum track on disk: built, written aside, read back, compared, then moved into place."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from composer.errors import OutputError, SketchError
from composer.read import Sketch
from encoding import midi, smf
from encoding.events import events, remove_channel

State = Literal["kept", "edited", "removed", "added"]
REASONS = {
    errno.EACCES: "no permission to write there; choose another folder with -o",
    errno.EPERM: "no permission to write there; choose another folder with -o",
    errno.EROFS: "the disk is read-only; choose another folder with -o",
    errno.ENOSPC: "no space left on the disk; free some or choose another folder with -o",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder with -o",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one with -o",
}


@dataclass(frozen=True, slots=True)
class ChunkProof:
    """One chunk: its id, the length of its body in bytes and the SHA-256 of the whole chunk.

    Of an edited or removed chunk, length and hash are those it had in the sketch.
    """

    id: str
    length: int
    sha256: str
    state: State


@dataclass(frozen=True, slots=True)
class MergeProof:
    """What was written and compared: all chunks of the sketch behind its header, in order, then the added one."""

    output: Path
    chunks: tuple[ChunkProof, ...]


def write(sketch: Sketch, drum_track: bytes, output: Path, *, force: bool, replace_drums: bool) -> MergeProof:
    """Write the sketch with one more track; ``drum_track`` is the body of its MTrk chunk.

    The file appears under its name complete and compared, or not at all, and never replaces the sketch. With
    ``replace_drums`` the sketch's messages on channel 10 are left out.

    Raises:
        OutputError: the output exists and ``force`` is not set, is the sketch itself, or cannot be written.
        SketchError: a track cannot be added to this file, or its drums cannot be taken out.
    """
    original = smf.split(sketch.data)
    try:
        kept = remove_channel(original) if replace_drums else original
        merged = smf.append_track(kept, drum_track)
    except ValueError as error:
        raise SketchError(f"{sketch.path} cannot be merged: {error}; export it again as format 1") from error
    # beside the output, since only a rename within one file system is atomic
    temporary = output.parent / f".composer-{secrets.token_hex(8)}.tmp"
    try:
        _check_target(sketch.path, output, force)
        _write_synced(temporary, merged)
        _verify(kept, merged, temporary.read_bytes(), drum_track, output)
        _move(temporary, output, force)
    except FileExistsError as error:
        raise OutputError(f"{output} exists already; use --force to replace it, or -o for another name") from error
    except OSError as error:
        reason = REASONS.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(f"{output} cannot be written: {reason}") from error
    finally:
        if output.parent.is_dir():
            temporary.unlink(missing_ok=True)
    return MergeProof(output, _proof(original, kept, drum_track))


def _check_target(source: Path, output: Path, force: bool) -> None:
    if not output.parent.is_dir():
        raise OutputError(f"{output} cannot be written: the folder {output.parent} does not exist; create it first")
    is_source = output.samefile(source) if output.exists() and source.exists() else output.resolve() == source.resolve()
    if is_source:
        raise OutputError(f"{output} is the sketch itself, which is never replaced; choose another name with -o")
    if output.is_dir():
        raise OutputError(f"{output} is a folder; name a file with -o")
    if not force and os.path.lexists(output):
        raise FileExistsError


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _move(temporary: Path, output: Path, force: bool) -> None:
    """Give the file its name; without ``force`` in a way that fails if the name was taken meanwhile."""
    if force:
        temporary.replace(output)
        return
    try:
        output.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # no hard links on this file system (FAT, some network shares): take the name first, then fill it
        output.touch(exist_ok=False)
        try:
            temporary.replace(output)
        except OSError:
            output.unlink()
            raise


def _verify(kept: smf.MidiFile, merged: bytes, written: bytes, drum_track: bytes, output: Path) -> None:
    """Compare what is on the disk with what had to be kept; nothing but the one track may be new."""
    if written != merged:
        raise OutputError(f"{output} was not written: the disk gave back other bytes; check the disk")
    found = smf.split(written)
    chunks = [chunk.raw for chunk in found.chunks]
    place = smf.append_place(kept)
    added = chunks.pop(place) if len(chunks) > place else b""
    hits = sum(event.status & 0xF0 == 0x90 and event.data[1] > 0 for event in events(drum_track))
    checks = {
        "chunks of the sketch": chunks == [chunk.raw for chunk in kept.chunks],
        "the drum track": added[smf.HEAD :] == drum_track,
        "the header": found.division == kept.division and found.header.body[6:] == kept.header.body[6:],
        "the number of tracks": (found.track_count, len(found.tracks)) == (kept.counted + 1, len(kept.tracks) + 1),
        "bytes around the chunks": kept.is_riff or (found.prefix, found.trailing) == (kept.prefix, kept.trailing),
        "the drum notes": sum(len(track.notes) for track in midi.parse(written).tracks if track.is_drums) >= hits,
    }
    wrong = [what for what, is_right in checks.items() if not is_right]
    if wrong:
        raise OutputError(
            f"{output} was not written: {', '.join(wrong)} would differ from the sketch; please report this"
        )


def _proof(original: smf.MidiFile, kept: smf.MidiFile, drum_track: bytes) -> tuple[ChunkProof, ...]:
    kept_raw = {chunk.start: chunk.raw for chunk in kept.chunks}
    proofs = []
    for chunk in original.chunks:
        now = kept_raw.get(chunk.start)
        proofs.append(_chunk_proof(chunk.id, chunk.raw, "removed" if now is None else _state(now == chunk.raw)))
    added = b"MTrk" + len(drum_track).to_bytes(4) + drum_track
    return (*proofs, _chunk_proof(b"MTrk", added, "added"))


def _state(is_same: bool) -> State:
    return "kept" if is_same else "edited"


def _chunk_proof(chunk_id: bytes, raw: bytes, state: State) -> ChunkProof:
    length = len(raw) - smf.HEAD if chunk_id else len(raw)
    return ChunkProof(chunk_id.decode("ascii"), length, hashlib.sha256(raw).hexdigest(), state)
