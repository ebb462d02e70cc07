"""Folders of MIDI -> one dataset on disk: in parallel, in shards, so that a run that was killed can be completed.

Layout of a dataset folder, readable shard by shard in any language that reads .npz and JSON:

    begun.json         what the dataset is made of: format, versions, number and SHA-256 of the list of files
    shard-00000.npz    arrays of up to SHARD_FILES songs, laid end to end; see below
    shard-00000.json   {"songs": [facts of each song, in order], "skipped": [{"file", "source", "reason"}]}; written
                       after the .npz, so a shard is whole when its .json is there
    manifest.json      format, versions, sources with their licences as stated, counts by split and source, skipped
                       files with their reasons; written last, so a dataset is whole when it is there

Everything else (*.partial) is left over from a run that was killed. Facts of a song: file, source, split, title,
style, tempo_bpm, meter, bars, beats, hits, drum_hash, unknown_notes and unrepresented hits by cause. Songs of one
drum_hash have the same drum part; ``dataset.Dataset`` reads one of them.

Arrays of a shard. One entry a beat: beat_ticks int32, ternary bool, quarters float32, beat_s float32 (its duration),
beat_hits and beat_onsets uint8 (how many of the entries below are its own). One entry a bar: bar_beats uint16, meter
(2) uint8, section, section_bar and bars_left int16, known_roles (3) bool, fill bool, style int8 (conditions.STYLES,
-1 unknown). One entry a drum hit: hit_cell uint8 (slot * parts + part), hit_velocity uint8, hit_offset int8 (127 is
grid.MAX_OFFSET slots late). One entry a slot struck by another instrument: onset_cell uint8 (slot * roles + role),
onset_strength uint8 (255 is 1). Sections and their boundaries: ``conditions.section_places``.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from encoding import archives, midi, pianoroll, records
from encoding.engines import engine
from encoding.kit import PART_OF_NOTE, PART_OF_ROLAND_NOTE
from encoding.sources import Item, Source

FORMAT = 1
SHARD_FILES = 128
SHARDS_AHEAD = 2  # a worker: enough that none waits, few enough that memory stays bounded
BEGUN, MANIFEST = "begun.json", "manifest.json"
Contents = bytes | OSError | None  # None: the worker reads the file itself
Shard = tuple[bytes, dict[str, Any]]  # the .npz and the facts


def write(
    sources: Sequence[Source], folder: Path, *, jobs: int, resume: bool, progress: Callable[[int], None],
    scheduler: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Encode files into a dataset folder; the same sources give the same bytes whoever encodes them.

    Args:
        jobs: processes on this machine, where there is no scheduler.
        resume: keep the shards that are there already.
        progress: called with the number of files done after each shard.
        scheduler: address of a Dask scheduler whose workers encode; see ``engines.engine``.

    Returns: the manifest.

    Raises:
        FileExistsError: the folder holds a dataset and resume is off, or a dataset of other files.
        OSError: the folder cannot be written; its ``filename`` says where.
        ValueError: an archive is damaged.
        ConnectionError: no scheduler at the address, or one without workers.
        ModuleNotFoundError: an optional package that these sources or the scheduler need is not installed.
    """
    items = [item for source in sources for item in source.items]
    if any(item.name.endswith(".npz") for item in items) and find_spec("pypianoroll") is None:
        raise ModuleNotFoundError("piano rolls need pypianoroll", name="pypianoroll")
    _prepare(folder, items, resume)
    counts = [len(items[start : start + SHARD_FILES]) for start in range(0, len(items), SHARD_FILES)]
    waiting = {number for number in range(len(counts)) if not _facts_path(folder, number).is_file()}
    progress(len(items) - sum(counts[number] for number in waiting))
    for number, shard in _encoded(_read(sources, waiting), jobs, scheduler):
        _save(folder / f"shard-{number:05}.npz", shard[0])
        _save(_facts_path(folder, number), _json(shard[1]))
        progress(counts[number])
    manifest = _manifest(folder, sources, len(counts))
    _save(folder / MANIFEST, _json(manifest))
    return manifest


def _prepare(folder: Path, items: Sequence[Item], resume: bool) -> None:
    """A dataset folder remembers what it was begun with, so that nobody completes it with other files or versions."""
    listed = hashlib.sha256()
    for item in items:
        facts = (item.name, item.source, item.split, item.title, item.style, item.roland, item.is_fill)
        listed.update(repr(facts).encode())
    plan = {"format": FORMAT, "versions": _versions(), "files": len(items), "sha256": listed.hexdigest()}
    if folder.is_file():
        raise FileExistsError(f"{folder}: is a file; name a folder for the dataset")
    folder.mkdir(parents=True, exist_ok=True)
    begun = folder / BEGUN
    if not begun.is_file():
        if any(path.suffix != ".partial" for path in folder.iterdir()):
            raise FileExistsError(f"{folder}: not empty and not a dataset; choose a new folder")
        _save(begun, _json(plan))
    elif not resume and any(folder.glob("shard-*.json")):
        raise FileExistsError(f"{folder}: holds a dataset already; complete it with --resume or choose a new folder")
    elif json.loads(begun.read_text()) != plan:
        raise FileExistsError(f"{folder}: was begun with other files or another version; choose a new folder")


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("composer-drums", "numpy", "symusic")}


def _facts_path(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05}.json"


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _save(path: Path, data: bytes) -> None:
    """All or nothing: a reader never sees half a file under its name."""
    partly = path.with_name(path.name + ".partial")
    try:
        partly.write_bytes(data)
        partly.replace(path)
    except OSError as error:
        partly.unlink(missing_ok=True)
        raise OSError(error.errno, f"{error.strerror}; complete the dataset with --resume", str(path)) from error


def _read(sources: Sequence[Source], waiting: set[int]) -> Iterator[tuple[int, list[tuple[Item, Contents]]]]:
    """The shards to be encoded, in order; members of archives come with their bytes, one pass for each archive."""
    firsts = accumulate((len(source.items) for source in sources), initial=0)
    opened = chain.from_iterable(map(partial(_open, waiting=waiting), sources, firsts))
    for number in range(max(waiting, default=-1) + 1):
        shard = list(islice(opened, SHARD_FILES))
        if number in waiting:
            yield number, shard


def _open(source: Source, first: int, waiting: set[int]) -> Iterator[tuple[Item, Contents]]:
    """The items of one source, the first of which is the dataset's item number ``first``."""
    needed = [bool(item.member) and i // SHARD_FILES in waiting for i, item in enumerate(source.items, first)]
    members = {item.member for item, is_needed in zip(source.items, needed, strict=True) if is_needed}
    stream = archives.contents(source.items[0].path, members) if members else iter(())
    for item, is_needed in zip(source.items, needed, strict=True):
        yield item, _next(stream, item.member) if is_needed else None


def _next(stream: Iterator[tuple[str, bytes | OSError]], member: str) -> bytes | OSError:
    absent = OSError(errno.ENOENT, "not in the archive")
    return next((data for name, data in stream if name == member), absent)


def _encoded(
    shards: Iterator[tuple[int, list[tuple[Item, Contents]]]], jobs: int, scheduler: str | None
) -> Iterator[tuple[int, Shard]]:
    """Shards as they are done."""
    with engine(jobs, scheduler) as workers:
        pending: dict[Future[Shard], int] = {}
        for number, shard in shards:
            pending[workers.executor.submit(_encode_shard, shard)] = number
            if len(pending) >= SHARDS_AHEAD * workers.workers:
                yield from _done(pending)
        while pending:
            yield from _done(pending)


def _done(pending: dict[Future[Shard], int]) -> Iterator[tuple[int, Shard]]:
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        yield pending.pop(future), future.result()


def _encode_shard(shard: Sequence[tuple[Item, Contents]]) -> Shard:
    songs, skipped, arrays = [], [], []
    for item, contents in shard:
        try:
            record = _encode(item, contents)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            skipped.append({"file": item.name, "source": item.source, "reason": reason})
            continue
        arrays.append(record.arrays)
        songs.append(_facts(item, record))
    joined = {name: np.concatenate([a[name] for a in arrays]) for name in (arrays[0] if arrays else {})}
    file = io.BytesIO()
    np.savez_compressed(file, **joined)  # type: ignore[arg-type]  # numpy's stubs take names for its own options
    return file.getvalue(), {"songs": songs, "skipped": skipped}


def _encode(item: Item, contents: Contents) -> records.Record:
    if isinstance(contents, OSError):
        raise contents
    if contents is None:
        if item.path.stat().st_size > archives.LARGEST_BYTES:
            raise archives.too_large()
        contents = item.path.read_bytes()
    try:
        song = pianoroll.read(contents) if item.name.endswith(".npz") else midi.parse(contents)
        return records.record(
            song,
            style=item.style,
            part_of_note=PART_OF_ROLAND_NOTE if item.roland else PART_OF_NOTE,
            all_fills=item.is_fill,
        )
    except ValueError:
        raise
    except Exception as error:
        raise RuntimeError(f"{item.path / item.member} cannot be encoded: {type(error).__name__}: {error}") from error


def _facts(item: Item, record: records.Record) -> dict[str, Any]:
    return {
        "file": item.name, "source": item.source, "split": item.split, "title": item.title, "style": item.style,
        "tempo_bpm": record.tempo_bpm, "meter": record.meter, "bars": record.bars, "beats": record.beats,
        "hits": record.hits, "drum_hash": record.drum_hash, "unknown_notes": record.unknown_notes,
        "unrepresented": asdict(record.unrepresented),
    }  # fmt: skip


def kept_copies(folder: Path, shards: int) -> dict[str, tuple[int, int]]:
    """Which song of each drum part to read: drum_hash -> (shard, place in it).

    The first one in training, else in validation, else in test: nothing that is measured has been trained on.
    """
    order = ("train", "validation", "test")
    kept: dict[str, tuple[int, int, int]] = {}
    for number in range(shards):
        for place, song in enumerate(json.loads(_facts_path(folder, number).read_text())["songs"]):
            copy = (order.index(song["split"]), number, place)
            kept[song["drum_hash"]] = min(copy, kept.get(song["drum_hash"], copy))
    return {drum_hash: (number, place) for drum_hash, (_, number, place) in kept.items()}


def _manifest(folder: Path, sources: Sequence[Source], shards: int) -> dict[str, Any]:
    totals: Counter[str] = Counter()
    by: dict[str, Counter[str]] = {name: Counter() for name in ("split", "source", "meter", "style")}
    skipped = []
    for number in range(shards):
        facts = json.loads(_facts_path(folder, number).read_text())
        skipped += facts["skipped"]
        totals["songs"] += len(facts["songs"])
        for song in facts["songs"]:
            totals.update(
                bars=song["bars"], hits=song["hits"], hits_merged=song["unrepresented"]["merged"],
                hits_outside=song["unrepresented"]["outside"], notes_of_no_part=song["unknown_notes"],
            )  # fmt: skip
            for name, count in by.items():
                count[song[name]] += 1
    return {
        "format": FORMAT,
        "versions": _versions(),
        "shards": shards,
        "sources": [{"name": s.name, "files": len(s.items), "licence": s.licence or "not stated"} for s in sources],
        "songs": 0, "bars": 0, "hits": 0, "hits_merged": 0, "hits_outside": 0, "notes_of_no_part": 0,
        **totals,
        "distinct_drum_parts": len(kept_copies(folder, shards)),
        **{f"songs_by_{name}": count for name, count in by.items()},
        "skipped": skipped,
    }  # fmt: skip
