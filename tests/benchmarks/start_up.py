"""Ratios of whole commands to the bare imports they cannot do without: `python tests/benchmarks/start_up.py`.

Median of fresh, warm processes, taken in turns so that other work on the machine meets all of them alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 11
SKETCH = Path(__file__).parents[2] / "examples" / "rock-bass.mid"
COMPOSER = [sys.executable, "-c", "from composer.cli import main; main()"]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def sixty_four_bars(folder: Path) -> Path:
    """The example of 32 bars, twice."""
    import symusic

    score = symusic.Score(SKETCH)
    length = 32 * 4 * score.tpq
    for track in score.tracks:
        track.notes.extend(track.shift_time(length, inplace=False).notes)
    score.dump_midi(folder / "sketch.mid")
    return folder / "sketch.mid"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        sketch = sixty_four_bars(Path(name))
        drums = [*COMPOSER, "drums", str(sketch), "-o", str(sketch.with_name("out.mid")), "--force"]
        commands = {
            "bare imports": [sys.executable, "-c", "import numpy, onnxruntime, symusic, typer, rich"],
            "composer --help": [*COMPOSER, "--help"],
            "composer drums": drums,
            "composer drums --no-preview": [*drums, "--no-preview"],
        }
        taken: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(ROUNDS):
            for what, command in commands.items():
                taken[what].append(seconds(command))
    median = {what: statistics.median(values) for what, values in taken.items()}
    ratio = {what: round(value / median["bare imports"], 2) for what, value in median.items()}
    print(json.dumps({"seconds": {k: round(v, 3) for k, v in median.items()}, "ratio": ratio}, indent=1))


if __name__ == "__main__":
    main()
