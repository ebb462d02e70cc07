"""Beside peers in one run: `python tests/benchmarks/peers.py INDEX.csv --beatstoch BIN --mma BIN [--songs 20]`.

The same songs for all: 4/4 throughout, from the test split of the index, their drums taken out. Each peer gets what
it can take (tempo and number of bars; none of them can take the song) and its drums are put on the song's own grid.
Measured: F1 of the kick with the song's bass and with another song's, hit Jaccard to the real drummer, and the time
of the whole command as a ratio to ours. beatstoch is on PyPI; MMA is a package of most Linux distributions.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from whole_songs import drumless

from composer.listen import conditions, listen
from composer.options import DrumsOptions
from composer.read import sketch as read_sketch
from encoding import midi, sources
from encoding.bars import grid_from_file
from encoding.conditions import ROLES
from encoding.grid import encode
from encoding.records import drum_hits
from encoding.types import BarGrid, TimeSignature
from encoding.windows import whole_song
from gan import metrics
from gan.evaluate import rock_beat

BASS = ROLES.index("bass")


@dataclass(frozen=True, slots=True)
class Case:
    """A song to play under: its sketch, tempo, bars, bass (beats, SLOTS), real drums and the rock beat."""

    sketch: Path
    bpm: float
    grid: BarGrid
    bass: np.ndarray
    real: np.ndarray
    rock: np.ndarray


def cases(index: Path, folder: Path, songs: int) -> list[Case]:
    """Songs in 4/4 with a bass, whose bars all have four binary beats."""
    found: list[Case] = []
    for item in sources.find(index).items:
        if len(found) == songs:
            break
        path = drumless(item.path, folder) if item.split == "test" else None
        if path is None:
            continue
        heard = listen(read_sketch(path), DrumsOptions())
        asked = conditions(heard, DrumsOptions())
        if (heard.grid.meter != 4).any() or heard.grid.ternary.any() or not asked.known_roles[BASS]:
            continue
        real, _ = encode(drum_hits(midi.parse(item.path.read_bytes()))[0], heard.grid)
        bass = asked.onsets[:, :, BASS] > 0
        found.append(Case(path, heard.timing.tempo_bpm, heard.grid, bass, real.hits, rock_beat(whole_song(asked))))
    return found


def drums_of(path: Path, grid: BarGrid) -> np.ndarray:
    """Drums of a peer's file, counted in beats from its first bar: as many beats as the song has."""
    song = replace(midi.parse(path.read_bytes()), time_signatures=(TimeSignature(0, 4, 4),))
    hits = encode(drum_hits(song)[0], grid_from_file(song))[0].hits[: grid.beats]
    return np.pad(hits, ((0, grid.beats - len(hits)), (0, 0), (0, 0)))


def beatstoch(binary: str, case: Case, folder: Path) -> list[str]:
    bars = str(case.grid.bars)
    return [binary, "generate-bpm", f"{case.bpm:.0f}", "--bars", bars, "--style", "rock", "--seed", "1"]


def mma(binary: str, case: Case, folder: Path) -> list[str]:
    lines = [f"Tempo {case.bpm:.0f}", "Groove 8Beat", *(f"{bar} C" for bar in range(1, case.grid.bars + 1))]
    script = folder / "song.mma"
    script.write_text("\n".join(lines) + "\n")
    return [binary, "-f", str(folder / "out.mid"), str(script)]


def ours(binary: str, case: Case, folder: Path) -> list[str]:
    return [binary, "-m", "composer.cli", "drums", str(case.sketch), "-o", str(folder / "out.mid"), "--no-preview"]


def play(command: Callable[[str, Case, Path], list[str]], binary: str, case: Case) -> tuple[np.ndarray, float]:
    """Drums of one peer for one song and the seconds that its command took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        call = command(binary, case, folder)
        start = time.perf_counter()
        subprocess.run(call, cwd=folder, check=True, capture_output=True)
        seconds = time.perf_counter() - start
        return drums_of(next(folder.glob("*.mid")), case.grid), seconds


def row(found: list[Case], played: list[np.ndarray], seconds: float | None) -> dict[str, float | None]:
    """Means over songs."""
    others = [np.resize(found[(i + 1) % len(found)].bass, case.bass.shape) for i, case in enumerate(found)]
    own = [metrics.kick_bass_f1(hits, case.bass) for case, hits in zip(found, played, strict=True)]
    another = [metrics.kick_bass_f1(hits, bass) for bass, hits in zip(others, played, strict=True)]
    jaccard = [metrics.jaccard(hits, case.real) for case, hits in zip(found, played, strict=True)]
    figures = {"kick_bass_f1": own, "kick_bass_f1_another": another, "jaccard_to_own": jaccard}
    return {name: round(float(np.nanmean(values)), 3) for name, values in figures.items()} | {"seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("--beatstoch", default="beatstoch")
    parser.add_argument("--mma", default="mma")
    parser.add_argument("--songs", type=int, default=20)
    arguments = parser.parse_args()
    found = cases(arguments.index, Path(tempfile.mkdtemp()), arguments.songs)
    peers = {
        "composer": (ours, sys.executable),
        "beatstoch rock": (beatstoch, arguments.beatstoch),
        "MMA 8Beat": (mma, arguments.mma),
    }
    rows = {"real drummers": row(found, [case.real for case in found], None)}
    rows["plain rock beat"] = row(found, [case.rock for case in found], None)
    for name, (command, binary) in peers.items():
        played = [play(command, binary, case) for case in found]
        rows[name] = row(found, [hits for hits, _ in played], float(np.median([seconds for _, seconds in played])))
    base = rows["composer"]["seconds"]
    for figures in rows.values():
        seconds = figures.pop("seconds")
        figures["time, ours is 1"] = round(seconds / base, 2) if seconds and base else None
    print(json.dumps({"songs": len(found), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
