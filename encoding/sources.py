"""Where songs come from: folders and archives of files, an index of splits, the Groove MIDI Dataset."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from encoding import archives

SPLITS = ("train", "validation", "test")
MIDI_SUFFIXES = {".mid", ".midi", ".smf", ".rmi"}
SUFFIXES = MIDI_SUFFIXES | {".npz"}  # piano rolls of pypianoroll, the Lakh Pianoroll Dataset among them
GROOVE_INDEX = "info.csv"
LICENCE = re.compile(r"licen[cs]e|copying", re.IGNORECASE)
LICENCE_CHARACTERS = 2000
# Versions of one song in one folder, as the Lakh MIDI Dataset and browsers name them: Help.mid Help.1.mid Help (2).mid
VERSION = re.compile(r"\.\d+$| ?\(\d+\)$")


@dataclass(frozen=True, slots=True)
class Item:
    """One file to encode: ``path``, or ``member`` of the archive ``path``; ``name`` is its place in the source.

    ``roland`` reads its notes as a Roland kit sends them; ``is_fill``: nothing but a fill.
    """

    path: Path
    name: str
    source: str
    split: str
    title: str
    style: str = ""
    roland: bool = False
    is_fill: bool = False
    member: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """``licence`` is the text of a licence file as found, cut short, or ""."""

    name: str
    licence: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder, or an archive with its relative names in order; ``prefix`` is the folder that all members lie in."""

    path: Path
    names: tuple[str, ...]
    prefix: str
    texts: dict[str, str]  # of the Groove index and of a licence

    @property
    def is_archive(self) -> bool:
        return self.path.is_file()

    def item(self, name: str, source: str, split: str, title: str, **facts: Any) -> Item:
        if self.is_archive:
            return Item(self.path, name, source, split, title, member=self.prefix + name, **facts)
        return Item(self.path / name, name, source, split, title, **facts)

    def in_order(self, items: list[Item]) -> tuple[Item, ...]:
        """An archive is read in its own order; what it lacks comes last."""
        if not self.is_archive:
            return tuple(items)
        order = {name: number for number, name in enumerate(self.names)}
        return tuple(sorted(items, key=lambda item: order.get(item.name, len(order))))

    def has_any(self, items: list[Item]) -> bool:
        if self.is_archive:
            return not set(self.names).isdisjoint(item.name for item in items)
        return any(item.path.is_file() for item in items)


def find(source: Path) -> Source:
    """All files of one source in a fixed order.

    Args:
        source: a CSV with columns file, split and title, its files in the folder or archive of the CSV's own name, or
            beside it; the Groove MIDI Dataset's folder or archive (it holds info.csv); or any folder or archive of
            MIDI files and piano rolls, split by title.

    Raises:
        FileNotFoundError: no such source, or an index names files of which none is there.
        ValueError: a CSV without the columns or splits needed, or a damaged archive.
    """
    if source.is_file() and source.suffix == ".csv":
        beside = _beside(source)
        name, place = source.stem, _folder(beside) if beside.is_dir() else _archive(beside)
        items = list(_from_index(source, place))
    elif source.is_dir():
        name, place = source.resolve().name, _folder(source)
        items = list(_from_groove(name, place) if GROOVE_INDEX in place.texts else _by_title(name, _listed(place)))
    elif archives.is_archive(source):
        name, place = archives.stem(source), _archive(source)
        items = list(_from_groove(name, place) if GROOVE_INDEX in place.texts else _by_title(name, place))
    else:
        raise FileNotFoundError(f"{source}: no such folder, archive ({' '.join(archives.SUFFIXES)}) or .csv index")
    if not place.has_any(items):
        raise FileNotFoundError(f"{source}: none of its {len(items)} MIDI files is there")
    licence = next((text for file, text in place.texts.items() if LICENCE.search(file)), "")
    return Source(name, licence[:LICENCE_CHARACTERS], place.in_order(items))


def split_of(title: str) -> str:
    """Split by title, the same on every machine: 94 % train, 3 % validation, 3 % test."""
    percent = int(hashlib.sha256(title.encode("utf-8", "surrogateescape")).hexdigest(), 16) % 100
    return "test" if percent >= 97 else "validation" if percent >= 94 else "train"


def _beside(index: Path) -> Path:
    own = index.with_suffix("")
    candidates = [own, *(own.with_name(own.name + suffix) for suffix in archives.SUFFIXES)]
    return next((path for path in candidates if path.is_dir() or archives.is_archive(path)), index.parent)


def _folder(path: Path) -> _Place:
    files = sorted(file for file in path.iterdir() if _is_text(file.name) and file.is_file())
    return _Place(path, (), "", {file.name: file.read_text("utf-8", "replace") for file in files})


def _listed(folder: _Place) -> _Place:
    found = (file.relative_to(folder.path).as_posix() for file in folder.path.rglob("*") if _is_song(file.name))
    return replace(folder, names=tuple(sorted(found)))


def _archive(path: Path) -> _Place:
    members = archives.names(path)
    tops = {member.partition("/")[0] for member in members}
    prefix = f"{tops.pop()}/" if len(tops) == 1 and all("/" in member for member in members) else ""
    wanted = {member for member in members if _is_text(member.removeprefix(prefix))}
    texts = {
        member.removeprefix(prefix): data.decode("utf-8", "replace")
        for member, data in (archives.contents(path, wanted) if wanted else ())
        if isinstance(data, bytes)
    }
    found = [member.removeprefix(prefix) for member in members if _is_song(PurePosixPath(member).name)]
    return _Place(path, tuple(found), prefix, texts)


def _is_song(name: str) -> bool:
    # macOS leaves "._song.mid" files, which hold no music, in archives
    return PurePosixPath(name).suffix.lower() in SUFFIXES and not name.startswith("._")


def _is_text(name: str) -> bool:
    return name == GROOVE_INDEX or (LICENCE.match(name) is not None and "/" not in name)


def _rows(text: str, path: Path, columns: set[str]) -> Iterator[dict[str, str]]:
    """Rows that have all of the columns, the split among them being one of SPLITS."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        missing = columns - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: no column {', '.join(sorted(missing))}")
        for row in reader:
            if any(row[column] is None for column in columns):
                raise ValueError(f"{path}: line {reader.line_num} has fewer columns than the first")
            if row["split"] not in SPLITS:
                raise ValueError(
                    f"{path}: line {reader.line_num}: split {row['split']!r} is none of {', '.join(SPLITS)}"
                )
            yield row
    except csv.Error as error:
        raise ValueError(f"{path}: no CSV ({error})") from error


def _from_index(index: Path, place: _Place) -> Iterator[Item]:
    for row in _rows(index.read_text("utf-8-sig", "replace"), index, {"file", "split", "title"}):
        yield place.item(row["file"], index.stem, row["split"], row["title"])


def _from_groove(name: str, place: _Place) -> Iterator[Item]:
    columns = {"midi_filename", "split", "style", "beat_type", "id"}
    for row in _rows(place.texts[GROOVE_INDEX], place.path / GROOVE_INDEX, columns):
        yield place.item(
            row["midi_filename"], name, row["split"], row["id"],
            style=row["style"].split("/")[0], roland=True, is_fill=row["beat_type"] == "fill",
        )  # fmt: skip


def _by_title(name: str, place: _Place) -> Iterator[Item]:
    for file in place.names:
        title = VERSION.sub("", PurePosixPath(file).stem)
        yield place.item(file, name, split_of(title.casefold()), title)
