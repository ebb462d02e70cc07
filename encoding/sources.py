"""Where songs come from: folders of MIDI files, an index of splits, the Groove MIDI Dataset."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "validation", "test")
MIDI_SUFFIXES = {".mid", ".midi", ".smf", ".rmi"}
GROOVE_INDEX = "info.csv"


@dataclass(frozen=True, slots=True)
class Item:
    """One file to encode. ``roland`` reads its notes as a Roland kit sends them; ``is_fill``: nothing but a fill."""

    path: Path
    source: str
    split: str
    title: str
    style: str = ""
    roland: bool = False
    is_fill: bool = False


def find(source: Path) -> list[Item]:
    """All files of one source in a fixed order.

    Args:
        source: a CSV with columns file, split and title, its files in the folder of the CSV's own name or beside it;
            the Groove MIDI Dataset's folder (it holds info.csv); or any folder of MIDI files, split by title.

    Raises:
        FileNotFoundError: no such source, or an index names files of which none is there.
        ValueError: a CSV without the columns needed.
    """
    if source.is_file() and source.suffix == ".csv":
        items = list(_from_index(source))
    elif (source / GROOVE_INDEX).is_file():
        items = list(_from_groove(source))
    elif source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.suffix.lower() in MIDI_SUFFIXES)
        items = [Item(path, source.name, split_of(path.stem), path.stem) for path in files]
    else:
        raise FileNotFoundError(f"{source}: no such folder or .csv index")
    if not any(item.path.is_file() for item in items):
        raise FileNotFoundError(f"{source}: none of its {len(items)} MIDI files is there")
    return items


def split_of(title: str) -> str:
    """Split by title, the same on every machine: 94 % train, 3 % validation, 3 % test."""
    percent = int(hashlib.sha256(title.encode()).hexdigest(), 16) % 100
    return "test" if percent >= 97 else "validation" if percent >= 94 else "train"


def _rows(index: Path, columns: set[str]) -> Iterator[dict[str, str]]:
    with index.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = columns - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{index}: no column {', '.join(sorted(missing))}")
        yield from reader


def _from_index(index: Path) -> Iterator[Item]:
    folder = index.with_suffix("") if index.with_suffix("").is_dir() else index.parent
    for row in _rows(index, {"file", "split", "title"}):
        yield Item(folder / row["file"], index.stem, row["split"], row["title"])


def _from_groove(folder: Path) -> Iterator[Item]:
    for row in _rows(folder / GROOVE_INDEX, {"midi_filename", "split", "style", "beat_type", "id"}):
        yield Item(
            folder / row["midi_filename"], folder.name, row["split"], row["id"],
            style=row["style"].split("/")[0], roland=True, is_fill=row["beat_type"] == "fill",
        )  # fmt: skip
