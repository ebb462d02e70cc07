from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Outcome, run
from songs import made_song

from composer import batch
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
    good_a, good_b, bad = found["results"]
    assert [Path(result["file"]).name for result in found["results"]] == ["a.mid", "b.MIDI", "bad.mid"]
    assert bad["exit_code"] == ExitCode.SKETCH
    assert "is not a MIDI file" in bad["error"]
    for good in (good_a, good_b):
        assert len(smf.split(Path(good["output"]).read_bytes()).tracks) == 4
        assert good["hits"] > 0
    report = (folder.parent / "out" / batch.REPORT).read_text(encoding="utf-8").splitlines()
    assert sorted(map(json.loads, report), key=lambda result: result["file"]) == found["results"]


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
    assert [Path(result["file"]).name for result in done.json["results"]] == ["c.mid"]
    assert output.read_bytes() == b"edited since"
    report = (folder.parent / "out" / batch.REPORT).read_text(encoding="utf-8").splitlines()
    assert len(report) == 3


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
    result = batch._one(folder / "a.mid", folder / "x.mid", DrumsOptions())
    assert result["exit_code"] == ExitCode.BUG
    assert result["error"] == f"{folder / 'a.mid'}: a bug in composer (IndexError: beat 7); please report it"
