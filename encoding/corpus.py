"""Folders of MIDI -> one dataset on disk: in parallel, in shards, so that a run that was killed can be completed.

Layout of a dataset folder:
    shard-00000.npz    arrays of up to SHARD_FILES songs, laid end to end (names and types: encoding/records.py)
    shard-00000.json   {"songs": [facts of each song], "skipped": [{"file", "reason"}]}; written after the .npz,
                       so a shard is whole when its .json is there
    manifest.json      format, sources, counts by split; written last, so a dataset is whole when it is there
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from encoding import midi, records
from encoding.kit import PART_OF_NOTE, PART_OF_ROLAND_NOTE
from encoding.sources import Item

FORMAT = 1
SHARD_FILES = 128
MANIFEST = "manifest.json"


def write(
    items: Sequence[Item], folder: Path, *, jobs: int, resume: bool, progress: Callable[[int], None]
) -> dict[str, Any]:
    """Encode files into a dataset folder; the same items give the same bytes whatever the number of jobs.

    Args:
        resume: keep the shards that are there already.
        progress: called with the number of files done after each shard.

    Returns: the manifest.

    Raises:
        FileExistsError: the folder holds a dataset and resume is off, or a dataset of other files.
        OSError: the folder cannot be written.
    """
    _prepare(folder, items, resume)
    shards = [items[start : start + SHARD_FILES] for start in range(0, len(items), SHARD_FILES)]
    waiting = [number for number in range(len(shards)) if not _index_path(folder, number).is_file()]
    progress(sum(len(shard) for shard in shards) - sum(len(shards[number]) for number in waiting))
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        futures = {pool.submit(_write_shard, shards[number], folder, number): number for number in waiting}
        for future in as_completed(futures):
            future.result()
            progress(len(shards[futures[future]]))
    manifest = _manifest(folder, len(shards))
    _write_json(folder / MANIFEST, manifest)
    return manifest


def _prepare(folder: Path, items: Sequence[Item], resume: bool) -> None:
    """A dataset folder remembers its file list, so that nobody completes one dataset with another's files."""
    names = [str(item.path) for item in items]
    listing = folder / "files.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not listing.is_file():
        if any(folder.iterdir()):
            raise FileExistsError(f"{folder}: not empty and not a dataset; choose a new folder")
        _write_json(listing, names)
    elif not resume:
        raise FileExistsError(f"{folder}: holds a dataset already; complete it with --resume or choose a new folder")
    elif json.loads(listing.read_text()) != names:
        raise FileExistsError(f"{folder}: was begun with other files than these; choose a new folder")


def _index_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05}.json"


def _write_json(path: Path, content: object) -> None:
    temporary = path.with_suffix(".partial")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


def _write_shard(items: Sequence[Item], folder: Path, number: int) -> None:
    songs, skipped, arrays = [], [], []
    for item in items:
        try:
            record = _encode(item)
        except (OSError, ValueError) as error:
            skipped.append({"file": str(item.path), "source": item.source, "reason": str(error)})
            continue
        arrays.append(record.arrays)
        songs.append(_facts(item, record))
    joined = {name: np.concatenate([a[name] for a in arrays]) for name in (arrays[0] if arrays else {})}
    partial = folder / f"shard-{number:05}.partial.npz"
    np.savez_compressed(partial, **joined)  # type: ignore[arg-type]  # numpy's stubs take names for its own options
    partial.replace(folder / f"shard-{number:05}.npz")
    _write_json(_index_path(folder, number), {"songs": songs, "skipped": skipped})


def _encode(item: Item) -> records.Record:
    return records.record(
        midi.parse(item.path.read_bytes()),
        style=item.style,
        part_of_note=PART_OF_ROLAND_NOTE if item.roland else PART_OF_NOTE,
        all_fills=item.is_fill,
    )


def _facts(item: Item, record: records.Record) -> dict[str, Any]:
    return {
        "file": item.path.name, "source": item.source, "split": item.split, "title": item.title, "style": item.style,
        "bars": record.bars, "beats": record.beats, "hits": record.hits, "drum_hash": record.drum_hash,
        "unknown_notes": record.unknown_notes, "unrepresented": asdict(record.unrepresented),
    }  # fmt: skip


def _manifest(folder: Path, shards: int) -> dict[str, Any]:
    indexes = [json.loads(_index_path(folder, number).read_text()) for number in range(shards)]
    songs = [song for index in indexes for song in index["songs"]]
    skipped = [skip for index in indexes for skip in index["skipped"]]
    return {
        "format": FORMAT,
        "shards": shards,
        "songs": len(songs),
        "bars": sum(song["bars"] for song in songs),
        "hits": sum(song["hits"] for song in songs),
        "songs_by_split": Counter(song["split"] for song in songs),
        "songs_by_source": Counter(song["source"] for song in songs),
        "hits_merged": sum(song["unrepresented"]["merged"] for song in songs),
        "hits_outside": sum(song["unrepresented"]["outside"] for song in songs),
        "notes_of_no_part": sum(song["unknown_notes"] for song in songs),
        "skipped": skipped,
    }
