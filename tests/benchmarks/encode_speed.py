"""How fast `composer encode` is.

python tests/benchmarks/encode_speed.py compare FOLDER [--songs 200]
    Each song through our encoding, through `pypianoroll.read` (what the seed did) and through bare
    `symusic.Score` parsing (the limit), one after the other in one process, so that other work on the machine
    slows all alike; ratios are of CPU time. Our encoding stands there twice: whole, and the drums on their grid alone.
python tests/benchmarks/encode_speed.py corpus SOURCE... -o DATASET [--jobs 2]
    The whole command from outside: songs a second and a second of one core, peak memory of all its
    processes, size on disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypianoroll
import symusic

from encoding import corpus, midi, records, sources
from encoding.bars import grid_from_file, mark_ternary
from encoding.grid import encode
from encoding.types import Song

SAMPLE_EVERY_S = 0.2


def compare(folder: Path, songs: int) -> dict[str, Any]:
    """CPU and wall seconds of the three ways on the same songs, drawn with a fixed seed."""
    ways: dict[str, Callable[[Path], object]] = {
        "ours": lambda path: records.record(midi.parse(path.read_bytes())),
        "ours_drums_alone": lambda path: _drums(midi.parse(path.read_bytes())),
        "pypianoroll": lambda path: pypianoroll.read(path),
        "symusic": lambda path: symusic.Score(path),
    }
    files = [item.path for item in sources.find(folder).items]
    chosen = np.random.default_rng(0).choice(len(files), min(songs, len(files)), replace=False)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    failed: dict[str, int] = dict.fromkeys(ways, 0)
    for path in (files[i] for i in chosen):
        took = {}
        for name, way in ways.items():
            cpu, wall = time.process_time(), time.perf_counter()
            try:
                way(path)
            except Exception:  # noqa: BLE001  # a reader may refuse a song, which then counts for none of the three
                failed[name] += 1
                break
            took[name] = (time.process_time() - cpu, time.perf_counter() - wall)
        if len(took) == len(ways):
            for name in ways:
                times[name].append(took[name])
    return _compared(times, failed)


def _drums(song: Song) -> object:
    """The part of our work that the other two do at all: notes on a grid, without roles, sections and fills."""
    hits, _ = records.drum_hits(song)
    return encode(hits, mark_ternary(grid_from_file(song), hits.onset_tick))


def _compared(times: dict[str, list[tuple[float, float]]], failed: dict[str, int]) -> dict[str, Any]:
    cpu = {name: float(np.array(rows)[:, 0].sum()) for name, rows in times.items()}
    wall = {name: float(np.array(rows)[:, 1].sum()) for name, rows in times.items()}
    songs = len(times["ours"])
    return {
        "songs": songs,
        "refused": failed,
        "cpu_ms_a_song": {name: round(1000 * seconds / songs, 3) for name, seconds in cpu.items()},
        "wall_ms_a_song": {name: round(1000 * seconds / songs, 3) for name, seconds in wall.items()},
        "times_faster_than_pypianoroll": {name: round(cpu["pypianoroll"] / s, 1) for name, s in cpu.items()},
        "times_the_limit": {name: round(s / cpu["symusic"], 2) for name, s in cpu.items()},
    }


def whole(places: list[Path], output: Path, jobs: int) -> dict[str, Any]:
    """Run the command in a process of its own and watch it."""
    command = [sys.executable, "-m", "composer.cli", "encode", *places, "-o", output, "--jobs", str(jobs)]
    began = time.perf_counter()
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)
    peak_kib = 0
    while process.poll() is None:
        peak_kib = max(peak_kib, sum(map(_pss_kib, _family(process.pid))))
        time.sleep(SAMPLE_EVERY_S)
    took_s = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(process.returncode)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    manifest = json.loads((output / corpus.MANIFEST).read_text(encoding="utf-8"))
    files = sum(source["files"] for source in manifest["sources"])
    return {
        "files": files,
        "songs": manifest["songs"],
        "skipped": len(manifest["skipped"]),
        "seconds": round(took_s, 1),
        "files_a_second": round(files / took_s, 1),
        "files_a_cpu_second": round(files / (used.ru_utime + used.ru_stime), 1),
        "peak_memory_mb": round(peak_kib * 1024 / 1e6),
        "dataset_mb": round(sum(path.stat().st_size for path in output.iterdir()) / 1e6, 1),
    }


def _family(pid: int) -> list[int]:
    """A process and all that descend from it (Linux)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(member for child in children for member in _family(int(child)))]


def _pss_kib(pid: int) -> int:
    """Resident memory, shared pages divided among those who share them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    compared = commands.add_parser("compare")
    compared.add_argument("folder", type=Path)
    compared.add_argument("--songs", type=int, default=200)
    run = commands.add_parser("corpus")
    run.add_argument("sources", type=Path, nargs="+")
    run.add_argument("-o", "--output", type=Path, required=True)
    run.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    warnings.filterwarnings("ignore", module="pretty_midi")
    if asked.command == "compare":
        result = compare(asked.folder, asked.songs)
    else:
        result = whole(asked.sources, asked.output, asked.jobs)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
