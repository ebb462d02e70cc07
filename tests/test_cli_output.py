"""What the commands show: one JSON object for programs, a grid and a summary for people."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from builders import bass_line, meter, midi_file, name, note, program, rock_beat, tempo
from commands import PROGRAM, drum_notes, names, one_line, run
from songs import made_song

from composer.errors import ExitCode
from encoding import smf

BASS = midi_file([[tempo(100), meter(4, 4)], [name("Bass"), program(33), *bass_line(8)]])
WITH_DRUMS = midi_file([[tempo(100)], [name("Bass"), program(33), *bass_line(8)], [name("Old"), *rock_beat(8)]])
ANALYSIS_KEYS = {
    "tempo_bpm", "tempo_source", "confidence", "candidates", "meter", "meter_source", "bars", "beats_s", "downbeats_s",
    "feel", "swing", "sections", "tracks",
}  # fmt: skip
DRUMS_KEYS = ANALYSIS_KEYS | {
    "output", "seed", "style", "hits", "density_requested", "density_measured", "kick_bass_f1", "kick_bass_f1_shuffled",
}  # fmt: skip


@pytest.fixture
def sketch(tmp_path: Path) -> Path:
    path = tmp_path / "my song.mid"
    path.write_bytes(BASS)
    return path


def test_drums_json(sketch: Path) -> None:
    done = run("drums", sketch, "--json", "--seed", 5, "--style", "Funk", "--density", "0.6")
    assert (done.exit_code, done.err) == (0, "")
    found = done.json
    assert found.keys() >= DRUMS_KEYS
    assert (found["seed"], found["style"], found["density_requested"]) == (5, "funk", 0.6)
    assert (found["tempo_bpm"], found["tempo_source"]) == (100, "file")
    assert (found["meter"], found["meter_source"], found["bars"]) == ("4/4", "file", 8)
    assert 0 < found["density_measured"] <= 1
    assert 0 <= found["kick_bass_f1"] <= 1
    assert len(drum_notes(Path(found["output"]))) == found["hits"]


def test_analyze_json(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(made_song(2, bars=16))
    done = run("analyze", path, "--json")
    assert (done.exit_code, done.err) == (0, "")
    found = done.json
    assert found.keys() >= ANALYSIS_KEYS
    assert not found.keys() & (DRUMS_KEYS - ANALYSIS_KEYS)
    assert (found["tempo_bpm"], found["meter"], found["bars"]) == (100, "4/4", 16)
    assert found["beats_s"] == pytest.approx([0.6 * beat for beat in range(64)], abs=1e-3)
    assert found["downbeats_s"] == found["beats_s"][::4]
    assert found["feel"] in ("straight", "swing", "triplet")
    assert (found["sections"][0]["first_bar"], found["sections"][-1]["last_bar"]) == (1, 16)
    assert {track["role"] for track in found["tracks"]} >= {"bass", "lead", "drums"}
    assert all(track.keys() == {"index", "name", "role", "notes"} for track in found["tracks"])
    assert names(tmp_path) == ["song.mid"]


def test_what_the_user_says_wins(sketch: Path) -> None:
    found = run("analyze", sketch, "--json", "--tempo", 140, "--meter", "3/4", "--first-bar", 480).json
    assert (found["tempo_bpm"], found["tempo_source"]) == (140, "user")
    assert (found["meter"], found["meter_source"]) == ("3/4", "user")


def test_people_get_a_grid_and_a_summary(sketch: Path) -> None:
    done = run("drums", sketch, "--density", 0.9)
    assert done.exit_code == 0
    assert "Line │" in done.out
    assert "Written" in done.out
    assert "my song.drums.mid" in done.out.replace("\n", "")
    brief = run("drums", sketch, "--density", 0.9, "--force", "--no-preview")
    assert "Written" in brief.out
    assert len(brief.out.splitlines()) < len(done.out.splitlines()) / 2


def test_a_sketch_with_drums_keeps_them_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(WITH_DRUMS)
    done = run("drums", path, "--no-preview")
    assert "The sketch has drums of its own (32 hits)" in " ".join(done.out.split())
    kept = run("drums", path, "--json", "--force").json
    assert kept["drums_in_sketch"] == 32
    assert len(drum_notes(Path(kept["output"]))) == 32 + kept["hits"]


def test_a_sketchs_drums_are_replaced_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(WITH_DRUMS)
    said = run("drums", path, "--replace-drums")
    assert "The sketch has drums" not in " ".join(said.out.split())
    made = run("drums", path, "--replace-drums", "--force", "--json").json
    assert len(drum_notes(Path(made["output"]))) == made["hits"]
    assert path.read_bytes() == WITH_DRUMS


def test_repairs_are_said(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(BASS[:-2])
    done = run("drums", path, "--no-preview")
    assert done.exit_code == 0
    assert "Note: " in done.out


def test_a_doubtful_tempo_is_said(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    gaps = [311, 523, 197, 761, 401, 613, 283, 887, 367, 541] * 4
    path.write_bytes(midi_file([[note(gap, 40 + gap % 7, gap % 97 + 40) for gap in gaps]]))
    found = run("analyze", path, "--json").json
    assert found["tempo_source"] == "estimated"
    said = "Not sure of the bars" in " ".join(run("analyze", path).out.split())
    assert said == (found["confidence"] < 0.5)


def test_preview(tmp_path: Path, sketch: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(WITH_DRUMS)
    whole, some = run("preview", path), run("preview", path, "--bars", "2-3")
    assert (whole.exit_code, some.exit_code) == (0, 0)
    assert "Kick" in whole.out
    assert "Snare" in some.out
    beyond = run("preview", path, "--bars", "8-9")
    assert beyond.exit_code == ExitCode.USAGE
    assert f"--bars 8-9: {path} has bars 1 to 8" in one_line(beyond.err)
    silent = run("preview", sketch)
    assert silent.exit_code == ExitCode.SKETCH
    assert f"{sketch} has no drums to show; add some with 'composer drums'" in one_line(silent.err)


def test_json_is_one_object_whatever_the_name(tmp_path: Path) -> None:
    path = tmp_path / "[b]Ünïcode - song.mid"
    path.write_bytes(BASS)
    done = run("drums", path, "--json")
    assert json.loads(done.out)["output"] == str(tmp_path / "[b]Ünïcode - song.drums.mid")


def test_a_proof_for_programs_and_people(sketch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")  # wide enough for a hash on one line
    proof = run("drums", sketch, "--verify", "--json").json["proof"]
    assert [(row["id"], row["state"]) for row in proof] == [("MTrk", "kept"), ("MTrk", "kept"), ("MTrk", "added")]
    chunks = smf.split(sketch.with_name("my song.drums.mid").read_bytes()).chunks
    assert [row["sha256"] for row in proof] == [hashlib.sha256(chunk.raw).hexdigest() for chunk in chunks]
    assert [row["length"] for row in proof] == [len(chunk.body) for chunk in chunks]
    shown = run("drums", sketch, "--verify", "--force")
    assert shown.exit_code == 0
    assert all(row["sha256"] in shown.out for row in proof)
    assert "proof" not in run("drums", sketch, "--json", "--force").json


@pytest.mark.parametrize("option", ["--json", "--verify"])
def test_a_name_that_is_no_text(sketch: Path, option: str) -> None:
    """Latin-1 on a disk that other systems read as UTF-8, on a terminal that is strict."""
    path = sketch.with_name(os.fsdecode(b"caf\xe9.mid"))
    sketch.rename(path)
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    done = subprocess.run([PROGRAM, "drums", path, option], capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert path.with_name(os.fsdecode(b"caf\xe9.drums.mid")).exists()
    if option == "--json":
        assert json.loads(done.stdout)["file"] == str(path)
