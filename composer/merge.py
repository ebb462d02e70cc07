"""The sketch plus one drum track on disk: built, written aside, read back, compared, then moved into place."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    errno.EFBIG: "the file is larger than this disk or your limit allows; choose another folder with -o",
    errno.ENOENT: "the folder is not there any more; choose another with -o",
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
    kept, merged = _merged(sketch, original, drum_track, replace_drums)
    with _errors(output):
        _check_target(sketch.path, output, force)
    put(output, merged, force=force, check=lambda written: _verify(kept, merged, written, drum_track, output))
    return MergeProof(output, _proof(original, kept, drum_track))


def put(output: Path, data: bytes, *, force: bool, check: Callable[[bytes], None] = lambda written: None) -> None:
    """Write a file that appears under its name whole, or not at all.

    Args:
        check: gets what the disk gives back before the file has its name; raises to stop that.

    Raises:
        OutputError: the output exists and ``force`` is not set, or it cannot be written.
    """
    # beside the output, since only a rename within one file system is atomic
    temporary = output.parent / f".composer-{secrets.token_hex(8)}.tmp"
    with _errors(output):
        try:
            _write_synced(temporary, data)
            check(temporary.read_bytes())
            _move(temporary, output, force)
        finally:
            with suppress(FileNotFoundError):  # it was moved, or the whole folder is gone
                temporary.unlink()


@contextmanager
def _errors(output: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise OutputError(f"{output} exists already; use --force to replace it, or -o for another name") from error
    except OSError as error:
        reason = REASONS.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(f"{output} cannot be written: {reason}") from error


def verify_output(sketch: Sketch, output: Path, *, replace_drums: bool) -> int:
    """How many notes the added track has of an output that is there already, which must be just what ``write`` writes.

    Raises:
        OutputError: it is anything else than the sketch with one track more.
        SketchError: a track cannot be added to this file, or its drums cannot be taken out.
    """
    written = output.read_bytes()
    original = smf.split(sketch.data)
    kept, _ = _merged(sketch, original, b"", replace_drums)
    try:
        added = smf.split(written).chunks[smf.append_place(_as_read(kept))].body
    except (ValueError, IndexError):
        added = b""
    if _merged(sketch, original, added, replace_drums)[1] != written:
        raise OutputError(f"{output} exists already and is not {sketch.path} with drums; use --force to replace it")
    return _note_count(added)


def _merged(
    sketch: Sketch, original: smf.MidiFile, drum_track: bytes, replace_drums: bool
) -> tuple[smf.MidiFile, bytes]:
    """What is kept of the sketch, and the bytes of that with the track."""
    try:
        kept = remove_channel(original) if replace_drums else original
        return kept, smf.append_track(_as_read(kept), drum_track)
    except ValueError as error:
        raise SketchError(f"{sketch.path} cannot be merged: {error}; export it again as format 1") from error


def _as_read(kept: smf.MidiFile) -> smf.MidiFile:
    """The pieces as a reader finds them: without its drums a file may end with stray bytes that had a track behind."""
    return smf.split(smf.join(kept))


def _note_count(drum_track: bytes) -> int:
    return sum(event.status & 0xF0 == 0x90 and event.data[1] > 0 for event in events(drum_track))


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
    kept, found = _as_read(kept), smf.split(written)
    chunks = [chunk.raw for chunk in found.chunks]
    place = smf.append_place(kept)
    added = chunks.pop(place) if len(chunks) > place else b""
    checks = {
        "chunks of the sketch": chunks == [chunk.raw for chunk in kept.chunks],
        "the drum track": added[smf.HEAD :] == drum_track,
        "the header": found.division == kept.division and found.header.body[6:] == kept.header.body[6:],
        "the number of tracks": (found.track_count, len(found.tracks)) == (kept.counted + 1, len(kept.tracks) + 1),
        "bytes around the chunks": kept.is_riff or (found.prefix, found.trailing) == (kept.prefix, kept.trailing),
        "the drum notes": sum(len(track.notes) for track in midi.parse(written).tracks if track.is_drums)
        >= _note_count(drum_track),
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
