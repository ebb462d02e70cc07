"""Files inside .zip and .tar archives, read one after the other: nothing is unpacked to disk, so no name can lead out.

A .tar.xz can only be read from its beginning, so everything here goes in the archive's own order, in one pass, with
one file in memory at a time.
"""

from __future__ import annotations

import errno
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
LARGEST_BYTES = 32 << 20  # no song is larger; what claims to be would only fill the memory


def is_archive(path: Path) -> bool:
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def stem(path: Path) -> str:
    """The name without the archive's suffix: songs.tar.xz -> songs."""
    suffix = max((s for s in SUFFIXES if path.name.lower().endswith(s)), key=len)
    return path.name[: -len(suffix)]


def too_large() -> OSError:
    return OSError(errno.EFBIG, f"larger than {LARGEST_BYTES >> 20} MiB, no song")


def names(archive: Path) -> list[str]:
    """Names of all regular files, each once, in the archive's order.

    Raises:
        ValueError: the archive is damaged or cut short.
    """
    with _damage_told(archive):
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                return list(dict.fromkeys(info.filename for info in file.infolist() if not info.is_dir()))
        return list(dict.fromkeys(member.name for _, member in _members(archive)))


def contents(archive: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes | OSError]]:
    """(name, bytes) of the wanted files, in the archive's order; an error in place of bytes that cannot be had.

    Raises:
        ValueError: the archive as a whole is damaged or cut short.
    """
    with _damage_told(archive):
        if zipfile.is_zipfile(archive):
            yield from _from_zip(archive, wanted)
            return
        for file, member in _members(archive):
            if member.name in wanted:
                stream = file.extractfile(member)
                fits = stream is not None and member.size <= LARGEST_BYTES
                yield member.name, stream.read() if stream and fits else too_large()


def _from_zip(archive: Path, wanted: Collection[str]) -> Iterator[tuple[str, bytes | OSError]]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if info.filename in wanted:
                try:
                    with file.open(info) as stream:
                        data = stream.read(LARGEST_BYTES + 1)  # a length in the header may be a lie
                except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
                    yield info.filename, OSError(errno.EIO, f"damaged or encrypted in the archive ({error})")
                    continue
                yield info.filename, data if len(data) <= LARGEST_BYTES else too_large()


def _members(archive: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    with tarfile.open(archive, "r|*") as file:
        while (member := file.next()) is not None:
            if member.isfile():
                yield file, member
            file.members.clear()  # type: ignore[attr-defined]  # else tarfile keeps every header it has read


@contextmanager
def _damage_told(archive: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError) as error:
        raise ValueError(f"{archive}: damaged archive, or one cut short ({error})") from error
