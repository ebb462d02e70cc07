"""A folder of real songs: `python tests/benchmarks/batch_speed.py FOLDER [--files 500] [--jobs 2] [--sample 50]`.

Songs a second of `composer batch` beside merely copying the files, memory of all its processes in the first and in the
second half of the time, every output compared chunk by chunk with its song, and a sample opened by three other readers,
which must all find the drums that were added, at the same ticks.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pretty_midi
import symusic

from composer.pipeline import TRACK_NAME
from encoding import midi, smf

REPORT = "composer-batch.jsonl"


def resident_mib(pid: int) -> list[float]:
    """Resident memory of a process and of its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        pages = [int(Path(f"/proc/{each}/statm").read_text(encoding="ascii").split()[1]) for each in [pid, *children]]
    except (OSError, IndexError):
        return []
    return [count * resource.getpagesize() / 2**20 for count in pages]


def batch(source: Path, output: Path, jobs: int) -> tuple[float, list[list[float]]]:
    """Seconds, and the memory of the processes ten times a second."""
    began = time.perf_counter()
    words = [sys.executable, "-m", "composer.cli", "batch", source, "-o", output, "--jobs", jobs]
    process = subprocess.Popen([*map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    memory = []
    while process.poll() is None:
        memory.append(resident_mib(process.pid))
        time.sleep(0.1)
    return time.perf_counter() - began, [row for row in memory if row]


def is_whole(source: Path, output: Path) -> bool:
    """Each chunk of the song is in the output, byte for byte and in order, and there is one track more."""
    song, made = smf.split(source.read_bytes()), smf.split(output.read_bytes())
    rest = iter(chunk.raw for chunk in made.chunks)
    return all(chunk.raw in rest for chunk in song.chunks) and len(made.chunks) == len(song.chunks) + 1


def added(path: Path) -> list[int]:
    """Ticks at which the track that was added strikes."""
    tracks = [track for track in midi.parse(path.read_bytes()).tracks if track.name == TRACK_NAME]
    return [int(tick) for track in tracks for tick in track.notes.onset_tick]


def by_mido(path: Path) -> list[int]:
    onsets = []
    for track in mido.MidiFile(path, clip=True).tracks:
        ticks = np.cumsum([message.time for message in track]).tolist()
        onsets += [
            tick for tick, message in zip(ticks, track, strict=True)
            if message.type == "note_on" and message.velocity and message.channel == 9
        ]  # fmt: skip
    return onsets


def by_symusic(path: Path) -> list[int]:
    return [note.time for t in symusic.Score(path, ttype="tick").tracks if t.is_drum for note in t.notes]


def by_pretty_midi(path: Path) -> list[int]:
    """It counts in seconds, which may round to the next tick."""
    pretty = pretty_midi.PrettyMIDI(str(path))
    return [pretty.time_to_tick(note.start) for i in pretty.instruments if i.is_drum for note in i.notes]


READERS = {"mido": by_mido, "symusic": by_symusic, "pretty_midi": by_pretty_midi}


def agreement(song: Path, output: Path) -> dict[str, str]:
    """Whether each reader finds drums wherever we put some; one that cannot open the song itself is no witness."""
    own, found = np.unique(added(output)), {}
    for name, reader in READERS.items():
        try:
            reader(song)
        except Exception:  # noqa: BLE001  # other programs refuse files that ours reads
            found[name] = "cannot read the song itself"
            continue
        ticks = np.array(reader(output))
        near = np.concatenate([ticks + shift for shift in (-1, 0, 1)])
        missing = int((~np.isin(own, near)).sum())
        found[name] = "differs" if missing or not len(own) else "same"
    return found


def main() -> None:
    """Print the figures as JSON; exit code 1 if an output is missing or not whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int, default=50)
    arguments = parser.parse_args()
    paths = sorted(arguments.folder.rglob("*.mid"))
    paths = paths[:: max(1, len(paths) // arguments.files)][: arguments.files]
    with tempfile.TemporaryDirectory() as scratch:
        source, output = Path(scratch) / "in", Path(scratch) / "out"
        source.mkdir()
        began = time.perf_counter()
        for path in paths:
            shutil.copyfile(path, source / path.name)
        copying_s = time.perf_counter() - began
        seconds, memory = batch(source, output, arguments.jobs)
        rows = [json.loads(line) for line in (output / REPORT).read_text(encoding="utf-8").splitlines()]
        made = [(Path(row["file"]), Path(row["output"])) for row in rows if "error" not in row]
        readers = {name: Counter[str]() for name in READERS}
        for song, path in made[:: max(1, len(made) // arguments.sample)][: arguments.sample]:
            for name, answer in agreement(song, path).items():
                readers[name][answer] += 1
        broken = [str(target) for song, target in made if not is_whole(song, target)]
    half = len(memory) // 2
    figures: dict[str, Any] = {
        "songs": len(paths), "done": len(made), "failed": [row["error"] for row in rows if "error" in row],
        "rows": len(rows), "not_whole": broken, "jobs": arguments.jobs, "seconds": round(seconds, 1),
        "songs_per_s": round(len(paths) / seconds, 2), "times_copying": round(seconds / copying_s),
        "parent_mib_by_half": [round(max(row[0] for row in part)) for part in (memory[:half], memory[half:])],
        "worker_mib_by_half": [
            round(max(max(row[1:], default=0) for row in part)) for part in (memory[:half], memory[half:])
        ],
        "sample": min(arguments.sample, len(made)), "drums": readers,
    }  # fmt: skip
    print(json.dumps(figures, indent=1))
    sys.exit(bool(broken) or len(rows) != len(paths))


if __name__ == "__main__":
    main()
