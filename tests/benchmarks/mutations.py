"""Damaged copies of real files: `python tests/benchmarks/mutations.py FOLDER... [--minutes 10] [--drums-every 10]`.

File number n is made from files of FOLDER and the seed n alone: bits flipped, bytes put in, taken out or repeated, the
end cut off, two files spliced, a length changed. Each is read and merged with a drum track in memory, and every tenth
goes through the whole pipeline up to the merge. What is no ComposerError is a crash, 10 s of a
core are a hang.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from composer import merge, pipeline, read, workers
from composer.errors import ComposerError
from composer.listen import conditions, listen
from composer.options import DrumsOptions, Kit
from composer.perform import perform
from encoding import smf
from encoding.types import Notes

MOST_BYTES = 30_000  # of a file to damage: longer ones take the time of many short ones
LIMIT_S = 60.0  # by the clock, which runs on while other programs have the core
HANG_S = 10.0  # of the core
CORPUS: list[bytes] = []


def prepare(folders: list[Path]) -> None:
    """In each process: the files to damage, and the networks."""
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    CORPUS.extend(path.read_bytes() for path in paths if 20 < path.stat().st_size < MOST_BYTES)
    pipeline.load()


def flip(data: bytes, rng: np.random.Generator) -> bytes:
    found = np.frombuffer(data, np.uint8).copy()
    places = rng.integers(len(found), size=int(2 ** rng.uniform(0, 7)))
    found[places] ^= (1 << rng.integers(8, size=len(places))).astype(np.uint8)
    return found.tobytes()


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: rng.integers(len(data))]


def splice(data: bytes, rng: np.random.Generator) -> bytes:
    other = CORPUS[rng.integers(len(CORPUS))]
    return data[: rng.integers(len(data))] + other[rng.integers(len(other)) :]


def repeat(data: bytes, rng: np.random.Generator) -> bytes:
    first, last = sorted(rng.integers(len(data), size=2))
    return data[:last] + data[first:last] * int(rng.integers(1, 4)) + data[last:]


def take_out(data: bytes, rng: np.random.Generator) -> bytes:
    first = int(rng.integers(len(data)))
    return data[:first] + data[first + int(2 ** rng.uniform(0, 10)) :]


def put_in(data: bytes, rng: np.random.Generator) -> bytes:
    place = int(rng.integers(len(data)))
    return data[:place] + rng.bytes(int(2 ** rng.uniform(0, 10))) + data[place:]


def lie(data: bytes, rng: np.random.Generator) -> bytes:
    """Another number in a header field or in the length of a track."""
    places = [4, 8, 10, 12] + [at + 4 for at in range(len(data)) if data.startswith(b"MTrk", at)]
    place = places[rng.integers(len(places))]
    number = (0, 1, 0x7F, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, int(rng.integers(2**32)))[rng.integers(7)]
    width = 2 if place in (8, 10, 12) else 4
    return data[:place] + (number % 2 ** (8 * width)).to_bytes(width) + data[place + width :]


MUTATIONS: list[Callable[[bytes, np.random.Generator], bytes]] = [flip, cut, splice, repeat, take_out, put_in, lie]


def mutated(seed: int) -> bytes:
    """One to three kinds of damage to one file."""
    rng = np.random.default_rng(seed)
    data = CORPUS[rng.integers(len(CORPUS))]
    for _ in range(rng.integers(1, 4)):
        data = MUTATIONS[rng.integers(len(MUTATIONS))](data, rng) or b"M"
    return data


def run(seed: int, drums_every: int) -> tuple[str, str, float, int]:
    """What became of it: name of the exit code, traceback of a crash, seconds of a core, KiB of memory at most so far."""
    data, start = mutated(seed), time.process_time()
    code, detail = "DONE", ""
    try:
        accompany(data, with_network=seed % drums_every == 0)
    except ComposerError as error:
        code = error.exit_code.name
    except Exception:  # noqa: BLE001  # any other is what this program looks for
        code, detail = "CRASH", traceback.format_exc()
    return code, detail, time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def accompany(data: bytes, *, with_network: bool) -> None:
    """The body of ``pipeline.accompany`` and of ``merge.write``, nothing written but the sketch itself."""
    with tempfile.NamedTemporaryFile(suffix=".mid") as file:
        file.write(data)
        file.flush()
        sketch = read.sketch(Path(file.name))
    track = smf.encode_track("Drums", Notes(*(np.array([value]) for value in (0, 60, 36, 100))))
    if with_network:
        rng = np.random.default_rng(0)
        heard = listen(sketch, DrumsOptions())
        hits = pipeline.drums(conditions(heard, DrumsOptions()), rng)
        pattern = perform(hits, heard.grid, style=None, rng=rng, sections=heard.sections, bpm=heard.timing.tempo_bpm)
        track = pipeline.drum_track(pattern, heard.grid, sketch.song.ticks_per_quarter, Kit())
    for replace_drums in (False, True):
        try:
            kept, written = merge._merged(sketch, smf.split(data), track, replace_drums)
        except ComposerError:
            continue
        merge._verify(kept, written, written, track, Path("out.mid"))


def seeds(first: int, seconds: float) -> Iterator[int]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield first
        first += 1


def main() -> None:
    """Print how many of what; exit code 1 after a crash or a hang."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--drums-every", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    outcomes: Counter[str] = Counter()
    worst, least_kib, most_kib = (0.0, 0), sys.maxsize, 0
    results: Iterator[tuple[int, Any]] = workers.each(
        partial(run, drums_every=arguments.drums_every), seeds(arguments.first, 60 * arguments.minutes),
        prepare=partial(prepare, arguments.folder), jobs=arguments.jobs, time_limit_s=LIMIT_S,
    )  # fmt: skip
    for seed, result in results:
        if isinstance(result, workers.Lost):
            outcomes["LOST"] += 1
            print(f"seed {seed}: {result.reason}")
            continue
        code, detail, seconds, kib = result
        outcomes[code] += 1
        worst, least_kib, most_kib = max(worst, (seconds, seed)), min(least_kib, kib), max(most_kib, kib)
        outcomes["HANG"] += seconds > HANG_S
        if code in ("CRASH", "OUTPUT") or seconds > HANG_S:
            print(f"seed {seed}: {code} {seconds:.1f} s {detail}")
    counts = ", ".join(f"{code} {count:,}" for code, count in sorted(outcomes.items()))
    print(f"{outcomes.total() - outcomes['HANG']:,} inputs: {counts}")
    print(f"worst {worst[0]:.2f} s (seed {worst[1]}); memory {least_kib >> 10} to {most_kib >> 10} MiB")
    sys.exit(any(outcomes[code] for code in ("CRASH", "HANG", "LOST", "OUTPUT")))


if __name__ == "__main__":
    main()
