from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from commands import PROGRAM, Outcome, run
from hazards import refuse
from songs import made_song

from composer import batch, pipeline
from composer.errors import ExitCode, OutputError, SketchError, UsageError
from composer.options import DrumsOptions
from encoding import smf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good sketches, one of them in a subfolder, and one that is no MIDI file."""
    songs = tmp_path / "songs"
    (songs / "album").mkdir(parents=True)
    (songs / "a.mid").write_bytes(made_song(1, bars=4, drums=False))
    (songs / "album" / "b.MIDI").write_bytes(made_song(2, bars=4, drums=False))
    (songs / "bad.mid").write_bytes(b"junk")
    (songs / "notes.txt").write_text("no song")
    return songs


def batched(folder: Path, *words: str) -> Outcome:
    return run("batch", folder, "-o", folder.parent / "out", "--jobs", 1, "--json", *words)


def report(folder: Path) -> list[dict[str, Any]]:
    path = folder.parent / "out" / batch.REPORT
    return list(map(json.loads, path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def test_the_output_mirrors_the_folder(folder: Path) -> None:
    out = folder.parent / "out"
    assert batch.sketches(folder, out) == [
        (folder / "a.mid", out / "a.drums.mid"),
        (folder / "album" / "b.MIDI", out / "album" / "b.drums.mid"),
        (folder / "bad.mid", out / "bad.drums.mid"),
    ]


def test_two_songs_of_one_name_get_two_outputs(folder: Path) -> None:
    (folder / "a.midi").write_bytes(made_song(3, bars=4))
    targets = [target for _, target in batch.sketches(folder, folder.parent / "out")]
    assert len(set(targets)) == len(targets) == 4


def test_earlier_outputs_are_no_sketches(folder: Path) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "a.drums.mid").write_bytes(made_song(1, bars=4))
    assert len(batch.sketches(folder, folder / "out")) == 3
    assert len(batch.sketches(folder, folder.parent)) == 4
    with pytest.raises(UsageError, match="is the folder of the sketches itself"):
        batch.sketches(folder, folder / "album" / "..")


def test_folders_without_sketches(folder: Path) -> None:
    with pytest.raises(SketchError, match="is not a folder; name a folder of MIDI files"):
        batch.sketches(folder / "a.mid", folder.parent / "out")
    (folder / "empty").mkdir()
    with pytest.raises(SketchError, match="holds no MIDI files"):
        batch.sketches(folder / "empty", folder.parent / "out")


def test_a_bad_file_costs_that_file_only(folder: Path) -> None:
    done = batched(folder, "--density", "0.9")
    assert done.exit_code == ExitCode.BATCH
    (line,) = done.err.splitlines()
    assert line == f"composer: 1 of 3 sketches failed; see {folder.parent / 'out' / batch.REPORT}"
    found = done.json
    assert (found["sketches"], found["done"], found["failed"]) == (3, 2, 1)
    results = sorted(found["results"], key=lambda result: str(result["file"]))
    good_a, good_b, bad = results
    assert [Path(result["file"]).name for result in results] == ["a.mid", "b.MIDI", "bad.mid"]
    assert bad["exit_code"] == ExitCode.SKETCH
    assert "is not a MIDI file" in bad["error"]
    for good in (good_a, good_b):
        assert len(smf.split(Path(good["output"]).read_bytes()).tracks) == 4
        assert good["hits"] > 0
    assert report(folder) == found["results"]


def test_a_batch_makes_what_the_command_makes(folder: Path, tmp_path: Path) -> None:
    batched(folder, "--seed", "3", "--style", "rock", "--density", "0.7")
    alone = tmp_path / "alone.mid"
    run("drums", folder / "a.mid", "-o", alone, "--seed", 3, "--style", "rock", "--density", "0.7", "--json")
    assert (folder.parent / "out" / "a.drums.mid").read_bytes() == alone.read_bytes()


def test_resume_leaves_out_what_is_there(folder: Path) -> None:
    (folder / "bad.mid").unlink()
    assert batched(folder).exit_code == 0
    output = folder.parent / "out" / "a.drums.mid"
    output.write_bytes(b"edited since")
    (folder / "c.mid").write_bytes(made_song(4, bars=4))
    done = batched(folder, "--resume")
    assert done.exit_code == 0
    assert sorted(Path(row["file"]).name for row in done.json["results"]) == ["a.mid", "b.MIDI", "c.mid"]
    assert output.read_bytes() == b"edited since"
    assert report(folder) == done.json["results"]


def test_resume_after_a_kill(folder: Path) -> None:
    """Killed after an output and before its row, in the middle of a row and in the middle of a file."""
    (folder / "bad.mid").unlink()
    batched(folder)
    out = folder.parent / "out"
    whole = {row["file"]: row for row in report(folder)}
    first, second = (out / batch.REPORT).read_bytes().splitlines(keepends=True)
    (out / batch.REPORT).write_bytes(first + second[: len(second) // 2])
    (out / "album" / ".composer-0123.tmp").write_bytes(b"MThd")
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.mid")}
    done = batched(folder, "--resume")
    assert (done.exit_code, done.err) == (0, "")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.mid")} == times  # nothing is done twice
    assert sorted(path.name for path in out.rglob("*")) == ["a.drums.mid", "album", "b.drums.mid", batch.REPORT]
    kept, verified = report(folder)
    assert kept == json.loads(first)
    assert verified.pop("verified") is True
    assert verified.items() <= whole[verified["file"]].items()


def test_resume_tries_again_what_failed(folder: Path) -> None:
    batched(folder)
    (folder / "bad.mid").write_bytes(made_song(7, bars=4))
    (folder.parent / "out" / "a.drums.mid").unlink()
    assert batched(folder, "--resume").exit_code == 0
    assert sorted(Path(row["file"]).name for row in report(folder)) == ["a.mid", "b.MIDI", "bad.mid"]


def test_resume_refuses_an_output_that_is_something_else(folder: Path) -> None:
    (folder / "bad.mid").unlink()
    other = folder.parent / "out" / "a.drums.mid"
    other.parent.mkdir()
    for content in (b"a text", made_song(1, bars=4, drums=False), made_song(9, bars=4)):
        other.write_bytes(content)
        done = batched(folder, "--resume")
        (row,) = (row for row in done.json["results"] if "error" in row)
        assert (row["exit_code"], other.read_bytes()) == (ExitCode.OUTPUT, content)
        assert "is not" in row["error"]
    assert batched(folder, "--resume", "--force").exit_code == 0
    assert len(smf.split(other.read_bytes()).tracks) == 4


def test_a_sketch_that_takes_too_long_costs_itself_only(folder: Path) -> None:
    (folder / "bad.mid").unlink()
    (folder / "long.mid").write_bytes(made_song(1, bars=4000, drums=False))
    # The long one takes about three times this, the others a fiftieth: room for a busy machine on both sides.
    done = batched(folder, "--time-limit", "1")
    assert done.exit_code == ExitCode.BATCH
    (row,) = (row for row in report(folder) if "error" in row)
    assert row["error"].startswith(f"{folder / 'long.mid'} cannot be done: it took longer than 1 s")
    assert done.json["done"] == 2
    assert not list((folder.parent / "out").rglob(".composer-*"))


def test_two_batches_never_share_a_folder(folder: Path) -> None:
    out = folder.parent / "out"
    out.mkdir()
    with batch._claimed(out):
        done = batched(folder)
    assert (done.exit_code, report(folder)) == (ExitCode.OUTPUT, [])
    assert "another batch is writing there" in done.err


@pytest.mark.parametrize("as_json", [True, False])
def test_ctrl_c_stops_at_once_and_says_where(folder: Path, as_json: bool) -> None:
    """Through the installed program, whose whole process group gets the signal, as a terminal sends it."""
    for number in range(200):
        (folder / f"{number:03}.mid").write_bytes(made_song(number % 9, bars=16, drums=False))
    out = folder.parent / "out"
    words = [PROGRAM, "batch", folder, "-o", out, "--jobs", "2", *(["--json"] if as_json else [])]
    with subprocess.Popen(words, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True) as program:
        while len(list(out.glob("*.mid"))) < 3:
            assert program.poll() is None
            time.sleep(0.02)
        os.killpg(program.pid, signal.SIGINT)
        start = time.monotonic()
        stdout, stderr = program.communicate(timeout=20)
        assert time.monotonic() - start < 2
    (line,) = stderr.splitlines()
    said = re.fullmatch(
        r"composer: stopped after (\d+) of 203 sketches, the last being .*\.m\w+; go on with --resume", line
    )
    assert said, line
    assert program.returncode == ExitCode.STOPPED
    rows = report(folder)
    assert 0 <= len(rows) - int(said[1]) <= 1
    assert not list(out.rglob(".composer-*"))
    if as_json:
        assert json.loads(stdout)["results"] == rows[: int(said[1])]


def test_nothing_is_replaced_without_force(folder: Path) -> None:
    batched(folder)
    again = batched(folder)
    assert again.exit_code == ExitCode.BATCH
    assert {result["exit_code"] for result in again.json["results"]} == {ExitCode.OUTPUT, ExitCode.SKETCH}
    assert batched(folder, "--force").json["failed"] == 1


def test_people_get_a_table(folder: Path) -> None:
    done = run("batch", folder, "-o", folder.parent / "out", "--jobs", 1)
    assert "2 files done, 1 failed" in done.out
    assert "bad.mid" in done.out


def test_an_output_that_is_a_file(folder: Path) -> None:
    pairs = batch.sketches(folder, folder / "notes.txt")
    with pytest.raises(OutputError, match="cannot be written"):
        list(batch.run(pairs, folder / "notes.txt", DrumsOptions(), jobs=1, resume=False))


def test_a_bug_in_one_sketch_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise IndexError("beat 7")

    monkeypatch.setattr("composer.pipeline.accompany", broken)
    result = batch._one(batch.Job(folder / "a.mid", folder / "x.mid", DrumsOptions(), resume=False))
    assert result["exit_code"] == ExitCode.BUG
    assert result["error"] == f"{folder / 'a.mid'}: a bug in composer (IndexError: beat 7); please report it"


def test_names_in_any_script_and_in_none(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = ["Песня.mid", "歌 [red].mid", "a\nb.mid", os.fsdecode(b"caf\xe9.mid")]
    for name in names:
        (folder / name).write_bytes(made_song(1, bars=4))
    done = batched(folder, "--resume")
    assert (done.exit_code, done.json["done"]) == (0, 4)
    assert {Path(row["file"]).name for row in report(folder)} == set(names)
    again = batched(folder, "--resume")
    assert again.json["results"] == report(folder)
    assert not any("verified" in row for row in report(folder))


def test_weights_that_are_damaged_stop_a_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_load", refuse)
    done = batched(folder)
    assert done.exit_code == ExitCode.BUG
    assert done.err == "composer: generator.onnx: damaged\n"
    assert report(folder) == []


def test_a_worker_of_the_killed_batch_may_be_faster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pipeline.accompany

    def late(source: Path, target: Path, options: DrumsOptions) -> pipeline.Accompaniment:
        real(source, target, options)
        return real(source, target, options)

    monkeypatch.setattr(pipeline, "accompany", late)
    job = batch.Job(folder / "a.mid", folder / "x.mid", DrumsOptions(), resume=True)
    assert batch._one(job)["verified"] is True
    (folder / "x.mid").unlink()
    assert batch._one(replace(job, resume=False))["exit_code"] == ExitCode.OUTPUT
