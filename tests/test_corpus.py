"""A dataset written from end to end: the same bytes whoever writes it and however often it was stopped."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import drum, midi_file
from commands import run
from songs import made_song

from encoding import corpus, midi, pianoroll, sources

SONGS = 24


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Songs of 3/4 and 4/4 in alphabetical order, one that is no MIDI file, one without drums, one of 4 hits."""
    place = tmp_path_factory.mktemp("in") / "songs"
    place.mkdir()
    for number in range(SONGS):
        (place / f"song{number:02}.mid").write_bytes(made_song(number, beats=3 + number % 2, bars=8))
    (place / "bad.mid").write_bytes(b"this is no music")
    (place / "bass.mid").write_bytes(made_song(1, drums=False))
    (place / "short.mid").write_bytes(midi_file([[drum(0, 36, 480)] * 4]))
    return place


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "SHARD_FILES", 8)


def write(place: Path, output: Path, **options: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"jobs": 1, "resume": False, "progress": lambda done: None} | options
    return corpus.write([sources.find(place)], output, **settings)


def contents(dataset: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(dataset.iterdir())}


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The dataset as one process writes it in one go."""
    output = tmp_path_factory.mktemp("whole") / "dataset"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "SHARD_FILES", 8)
        write(folder, output)
    return contents(output)


def test_manifest_counts_what_is_there(whole: dict[str, bytes]) -> None:
    manifest = json.loads(whole["manifest.json"])
    assert manifest["songs"] == SONGS == sum(manifest["songs_by_split"].values())
    assert manifest["songs_by_meter"] == {"3/4": SONGS // 2, "4/4": SONGS // 2}
    assert manifest["sources"] == [{"name": "songs", "files": SONGS + 3, "licence": "not stated"}]
    assert manifest["bars"] == 8 * SONGS
    assert {"composer-drums", "numpy", "symusic"} <= manifest["versions"].keys()
    reasons = {skip["file"]: skip["reason"] for skip in manifest["skipped"]}
    assert "MThd" in reasons.pop("bad.mid")
    assert reasons == {
        "bass.mid": "0 drum hits, fewer than 16", "short.mid": "4 drum hits, fewer than 16",
    }  # fmt: skip


def test_shards_hold_what_their_facts_say(whole: dict[str, bytes], tmp_path: Path) -> None:
    songs = 0
    for number in range(json.loads(whole["manifest.json"])["shards"]):
        facts = json.loads(whole[f"shard-{number:05}.json"])["songs"]
        songs += len(facts)
        (tmp_path / "shard.npz").write_bytes(whole[f"shard-{number:05}.npz"])
        arrays = np.load(tmp_path / "shard.npz")
        bars, beats, hits = (sum(song[of] for song in facts) for of in ("bars", "beats", "hits"))
        assert len(arrays["bar_beats"]) == len(arrays["fill"]) == len(arrays["section"]) == bars
        assert arrays["bar_beats"].sum() == len(arrays["beat_ticks"]) == len(arrays["beat_hits"]) == beats
        assert arrays["beat_hits"].sum() == len(arrays["hit_cell"]) == len(arrays["hit_velocity"]) == hits
        assert arrays["beat_onsets"].sum() == len(arrays["onset_cell"]) == len(arrays["onset_strength"])
    assert songs == SONGS
    first = json.loads(whole["shard-00000.json"])["songs"][0]
    assert (first["file"], first["tempo_bpm"], first["meter"], first["bars"]) == ("song00.mid", 90.0, "3/4", 8)


def test_no_file_is_left_over(whole: dict[str, bytes]) -> None:
    shards = [f"shard-{number:05}.{suffix}" for number in range(4) for suffix in ("json", "npz")]
    assert sorted(whole) == sorted(["begun.json", "manifest.json", *shards])


def test_two_processes_write_the_same_bytes(folder: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    done: list[int] = []
    write(folder, tmp_path / "two", jobs=2, progress=done.append)
    assert contents(tmp_path / "two") == whole
    assert sum(done) == SONGS + 3


def test_an_archive_gives_the_same_dataset_as_its_folder(folder: Path, whole: dict[str, bytes], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "songs.zip", "w") as file:
        for path in sorted(folder.iterdir()):
            file.write(path, f"songs/{path.name}")
    write(tmp_path / "songs.zip", tmp_path / "dataset")
    assert contents(tmp_path / "dataset") == whole
    for name in ("shard-00001.json", "shard-00003.npz", "shard-00003.json", "manifest.json"):
        (tmp_path / "dataset" / name).unlink()
    write(tmp_path / "songs.zip", tmp_path / "dataset", resume=True)
    assert contents(tmp_path / "dataset") == whole


@pytest.mark.parametrize(
    "lost",
    [
        ["manifest.json"],
        ["shard-00000.json"],
        ["shard-00001.json", "shard-00001.npz", "shard-00003.json", "manifest.json"],
    ],
)
def test_resume_makes_what_is_lacking(folder: Path, whole: dict[str, bytes], tmp_path: Path, lost: list[str]) -> None:
    for name, data in whole.items():
        if name not in lost:
            (tmp_path / name).write_bytes(data)
    (tmp_path / "shard-00001.npz.partial").write_bytes(b"half")
    (tmp_path / "shard-00001.npz.partial").unlink("shard-00001.json" not in lost)
    write(folder, tmp_path, resume=True)
    assert contents(tmp_path) == whole


KILLABLE = "from encoding import corpus; corpus.SHARD_FILES = 4; from composer import cli; cli.main()"


def start(*words: object) -> subprocess.Popen[bytes]:
    """The command line in a process group of its own, with shards of four songs."""
    return subprocess.Popen(
        [sys.executable, "-c", KILLABLE, *map(str, words)],
        start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def is_gone(group: int, seconds: float) -> bool:
    """Whether no process of the group is left after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_is_completed_and_leaves_no_process(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: signal.Signals
) -> None:
    monkeypatch.setattr(corpus, "SHARD_FILES", 4)
    write(folder, tmp_path / "whole")
    output = tmp_path / "stopped"
    process = start("encode", folder, "-o", output, "--jobs", 2)
    while not (output / "shard-00000.json").exists():
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(stop)
    assert process.wait(20) != 0
    assert is_gone(process.pid, 20)
    assert not (output / "manifest.json").exists()
    assert start("encode", folder, "-o", output, "--resume").wait(60) == 0
    left = {name: data for name, data in contents(output).items() if not name.endswith(".partial")}
    assert left == contents(tmp_path / "whole")


@pytest.mark.parametrize("is_other", [False, True])
def test_an_existing_dataset_is_left_alone(folder: Path, tmp_path: Path, is_other: bool) -> None:
    output = tmp_path / "dataset"
    write(folder, output)
    before = contents(output)
    if is_other:
        (tmp_path / "other").mkdir()
        (tmp_path / "other/a.mid").write_bytes(made_song(1, bars=8))
        done = run("encode", tmp_path / "other", "-o", output, "--jobs", 1, "--resume")
        assert "other files" in done.err
    else:
        done = run("encode", folder, "-o", output, "--jobs", 1)
        assert "--resume" in done.err
    assert done.exit_code == 4
    assert done.err.count("\n") == 1
    assert contents(output) == before


def test_a_folder_of_other_things_is_no_dataset(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    done = run("encode", folder, "-o", tmp_path)
    assert done.exit_code == 4
    assert "not empty" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(folder: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: the write of the first shard fails half way."""
    output = tmp_path / "dataset"
    limited = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limited += "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
    done = subprocess.run(
        [sys.executable, "-c", limited + KILLABLE, "encode", folder, "-o", output, "--jobs", "1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 2000
    assert done.returncode == 4
    assert done.stderr.strip().splitlines()[-1].startswith(f"composer: {output}/shard-00000.npz: File too large")
    assert [path.name for path in output.iterdir()] == ["begun.json"]


def test_sources_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file,split,title\ngone.mid,train,Gone\n")
    (tmp_path / "songs.tar.gz").write_bytes(b"\x1f\x8b no archive")
    for name, said in (
        ("list.csv", "none of its 1"),
        ("songs.tar.gz", "damaged archive"),
        ("nowhere", "no such folder"),
    ):
        done = run("encode", tmp_path / name, "-o", tmp_path / "dataset")
        assert done.exit_code == 3
        assert said in done.err
        assert done.err.count("\n") == 1
    assert not (tmp_path / "dataset").exists()


def test_files_that_are_gone_are_skipped_by_name(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "songs").symlink_to(folder)
    (tmp_path / "songs.csv").write_text("file,split,title\nsong00.mid,train,A\ngone.mid,test,B\n")
    manifest = write(tmp_path / "songs.csv", tmp_path / "dataset")
    assert manifest["songs"] == 1
    assert manifest["skipped"] == [{"file": "gone.mid", "source": "songs", "reason": "No such file or directory"}]


def test_piano_rolls_hold_the_drums_of_their_songs_and_broken_ones_are_skipped(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pypianoroll", reason="needs the 'pianoroll' extra")
    (tmp_path / "in").mkdir()
    song = (folder / "song03.mid").read_bytes()
    (tmp_path / "in/a.mid").write_bytes(song)
    pianoroll.save(midi.parse(song), tmp_path / "in/b.npz")
    (tmp_path / "in/broken.npz").write_bytes(b"PK\x03\x04 broken")
    manifest = write(tmp_path / "in", tmp_path / "dataset")
    assert (manifest["songs"], manifest["distinct_drum_parts"]) == (2, 1)
    assert manifest["songs_by_meter"] == {"4/4": 2}
    assert [(skip["file"], skip["reason"][:13]) for skip in manifest["skipped"]] == [("broken.npz", "no piano roll")]


def test_two_workers_of_a_scheduler_give_the_same_dataset(
    folder: Path, whole: dict[str, bytes], tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the 'cluster' extra")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        done = run("encode", folder, "-o", tmp_path / "dataset", "--scheduler", cluster.scheduler_address)
    assert done.exit_code == 0, done.err
    assert contents(tmp_path / "dataset") == whole


def test_no_scheduler_is_one_line_and_hinders_no_later_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="needs the 'cluster' extra")
    monkeypatch.setattr("encoding.engines.SECONDS_TO_CONNECT", 1)
    done = run("encode", folder, "-o", tmp_path / "dataset", "--scheduler", "tcp://127.0.0.1:9")
    assert done.exit_code == 2
    assert "no Dask scheduler answers" in done.err
    assert run("encode", folder, "-o", tmp_path / "dataset", "--jobs", 1).exit_code == 0


def test_hostile_files_cost_only_themselves(corpus: Callable[..., Path], tmp_path: Path) -> None:
    place = corpus("hostile")
    manifest = write(place, tmp_path / "dataset")
    assert manifest["songs"] + len(manifest["skipped"]) == len(sources.find(place).items)
    assert all(skip["reason"] for skip in manifest["skipped"])
