"""Killed at random and resumed: `python tests/benchmarks/encode_kills.py SOURCE [--kills 20] [--shard-files 16]`.

SOURCE is encoded once without harm. Then, so many times, it is encoded into a new folder, killed (SIGKILL, the parent
alone) at a random moment of the time that took, and resumed; files left by the kill apart, the dataset must be the
first one byte for byte.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def start(source: Path, output: Path, shard_files: int) -> subprocess.Popen[bytes]:
    """The command with two processes and shards of so many files, smaller than usual so that there are many."""
    code = f"from encoding import corpus; corpus.SHARD_FILES = {shard_files}; from composer import cli; cli.main()"
    command = [sys.executable, "-c", code, "encode", source, "-o", output, "--jobs", "2", "--resume"]
    return subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def contents(dataset: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in dataset.iterdir() if path.suffix != ".partial"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--shard-files", type=int, default=16)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        began = time.perf_counter()
        start(asked.source, Path(scratch) / "whole", asked.shard_files).wait()
        whole_s = time.perf_counter() - began
        wanted = contents(Path(scratch) / "whole")
        same, in_time, shards_left = 0, 0, []
        for number in range(asked.kills):
            output = Path(scratch) / str(number)
            process = start(asked.source, output, asked.shard_files)
            time.sleep(rng.uniform(0, whole_s))
            in_time += process.poll() is None
            process.kill()
            process.wait()
            shards_left.append(len(list(output.glob("shard-*.json"))))
            start(asked.source, output, asked.shard_files).wait()
            same += contents(output) == wanted
    shards = sum(name.startswith("shard-") and name.endswith(".json") for name in wanted)
    print(json.dumps({
        "seconds_unharmed": round(whole_s, 1), "shards": shards, "killed": in_time, "shards_left": shards_left,
        "same_bytes": same, "of": asked.kills,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
