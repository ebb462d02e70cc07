"""The contract of the command line: exit codes, one line for each error, JSON, and files that are never lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import bass_line, header, meter, midi_file, name, program, rock_beat, tempo, track
from commands import drum_notes, installed, names, one_line, run

from composer import cli
from composer.errors import ExitCode
from encoding import smf

BASS = midi_file([[tempo(100), meter(4, 4)], [name("Bass"), program(33), *bass_line(8)]])
BAD = {
    "missing": None,
    "empty": b"",
    "truncated": header() + track([tempo(90)], length=500),
    "text": b"a song in words",
    "no notes": midi_file([[tempo(90)]]),
    "only drums": midi_file([[tempo(90)], rock_beat(4)]),
}
COMMANDS = ("drums", "analyze", "preview", "batch", "generate", "encode", "train", "evaluate", "export")


@pytest.fixture
def sketch(tmp_path: Path) -> Path:
    path = tmp_path / "my song.mid"
    path.write_bytes(BASS)
    return path


# The installed program.


def test_the_program_writes_the_sketch_with_drums(sketch: Path) -> None:
    done = installed("drums", sketch.name, "--density", 0.9, "--json", cwd=sketch.parent)
    assert (done.exit_code, done.err) == (ExitCode.DONE, "")
    assert done.json["output"] == "my song.drums.mid"
    assert names(sketch.parent) == ["my song.drums.mid", "my song.mid"]
    assert len(drum_notes(sketch.with_name("my song.drums.mid"))) == done.json["hits"] > 0


def test_the_program_says_each_failure_in_one_line(sketch: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "bad.mid").write_bytes(b"junk")
    (tmp_path / "there.mid").write_bytes(b"other music")
    cases = {
        ExitCode.USAGE: ["drums", sketch, "--style", "polka"],
        ExitCode.SKETCH: ["drums", tmp_path / "folder" / "bad.mid"],
        ExitCode.OUTPUT: ["drums", sketch, "-o", tmp_path / "there.mid"],
        ExitCode.BATCH: ["batch", tmp_path / "folder", "-o", tmp_path / "out"],
    }
    for code, words in cases.items():
        done = installed(*words)
        assert done.exit_code == code
        one_line(done.err)
    assert (tmp_path / "there.mid").read_bytes() == b"other music"


# The rest through the same entry point in this process.


def test_every_command_has_help() -> None:
    listed = run("--help")
    assert listed.exit_code == 0
    for command in COMMANDS:
        done = run(command, "--help")
        assert (done.exit_code, done.err) == (0, "")
        assert f"composer {command} [OPTIONS]" in done.out
        assert f"  {command} " in listed.out


def test_no_command_shows_the_help_and_is_wrong_usage() -> None:
    done = run()
    assert (done.exit_code, done.out) == (ExitCode.USAGE, "")
    assert "Usage:" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope"], "No such command 'nope'; see 'composer --help'"),
        (["drums"], "Missing argument 'SKETCH'; see 'composer drums --help'"),
        (["drums", "SKETCH", "--stile", "rock"], "No such option: --stile"),
        (["drums", "SKETCH", "--style", "polka"], "--style polka: unknown; choose one of afrobeat"),
        (["drums", "SKETCH", "--density", "2"], "--density 2: give auto or a number from 0 to 1"),
        (["drums", "SKETCH", "--meter", "4"], "--meter 4: give it as N/D, for example 4/4"),
        (["drums", "SKETCH", "--meter", "4/5"], "--meter 4/5: N must be 1 to 32 and D one of 1 2 4 8 16"),
        (["drums", "SKETCH", "--tempo", "5"], "--tempo 5: give quarter notes a minute, from 10 to 999"),
        (["drums", "SKETCH", "--tempo", "fast"], "--tempo"),
        (["drums", "SKETCH", "--seed", "-1"], "--seed"),
        (["drums", "SKETCH", "--first-bar", "-1"], "--first-bar"),
        (["drums", "SKETCH", "--first-bar", str(10**30)], "--first-bar"),
        (["drums", "SKETCH", "--kit", "none.json"], "--kit none.json: no such file, nor one of standard"),
        (["drums", "SKETCH", "--follow", "lead"], "--follow lead: PATH has no lead; see 'composer analyze'"),
        (["drums", "SKETCH", "--follow", "9"], "--follow 9: give auto, bass, lead or one of the tracks 0 of PATH"),
        (["analyze", "SKETCH", "--follow", "drums"], "--follow drums: give auto, bass, lead"),
        (["preview", "SKETCH", "--bars", "0-2"], "--bars 0-2: give bars counted from 1, for example 5-8"),
        (["batch", "FOLDER", "-o", "OUT", "--jobs", "0"], "--jobs"),
        (["batch", "FOLDER", "-o", "FOLDER"], "is the folder of the sketches itself"),
        (["generate", "-o", "OUT", "--bars", "0"], "--bars"),
        (["generate", "-o", "OUT", "--tempo", "1"], "--tempo 1: give quarter notes a minute"),
        (["train", "FOLDER", "-o", "OUT", "--sources", "songs"], "--sources songs: give names with how often"),
        (["export", "FOLDER", "-o", "OUT"], "name a file that ends in .onnx"),
    ],
)
def test_wrong_usage(sketch: Path, tmp_path: Path, words: list[str], said: str) -> None:
    places = {"SKETCH": str(sketch), "FOLDER": str(tmp_path), "OUT": str(tmp_path / "out")}
    done = run(*(places.get(word, word) for word in words))
    assert (done.exit_code, done.out) == (ExitCode.USAGE, "")
    assert said.replace("PATH", str(sketch)) in one_line(done.err)
    assert names(tmp_path) == [sketch.name]


@pytest.mark.parametrize("command", ["drums", "analyze"])
@pytest.mark.parametrize("kind", BAD)
def test_sketches_that_cannot_be_followed(tmp_path: Path, command: str, kind: str) -> None:
    path, content = tmp_path / "sketch.mid", BAD[kind]
    if content is not None:
        path.write_bytes(content)
    done = run(command, path)
    assert (done.exit_code, done.out) == (ExitCode.SKETCH, "")
    assert str(path) in one_line(done.err)
    assert not path.with_name("sketch.drums.mid").exists()


def test_an_output_that_exists_needs_force(sketch: Path) -> None:
    output = sketch.with_name("my song.drums.mid")
    output.write_bytes(b"an older take")
    done = run("drums", sketch)
    assert done.exit_code == ExitCode.OUTPUT
    assert f"{output} exists already; use --force" in one_line(done.err)
    assert output.read_bytes() == b"an older take"
    assert run("drums", sketch, "--force").exit_code == 0
    assert drum_notes(output)


def test_the_sketch_is_never_replaced(sketch: Path) -> None:
    done = run("drums", sketch, "-o", sketch, "--force")
    assert done.exit_code == ExitCode.OUTPUT
    assert "is the sketch itself, which is never replaced" in one_line(done.err)
    assert sketch.read_bytes() == BASS


def test_a_folder_that_is_not_there(sketch: Path, tmp_path: Path) -> None:
    done = run("drums", sketch, "-o", tmp_path / "none" / "out.mid")
    assert done.exit_code == ExitCode.OUTPUT
    assert "does not exist" in one_line(done.err)


def test_a_bug_is_one_line_and_a_traceback_only_with_debug(sketch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a\nb")

    monkeypatch.setattr("composer.pipeline.accompany", broken)
    done = run("drums", sketch)
    assert done.exit_code == ExitCode.BUG
    assert "a bug in composer: ZeroDivisionError: a b; run 'composer --debug ...'" in one_line(done.err)
    with pytest.raises(ZeroDivisionError):
        run("--debug", "drums", sketch)


def test_debug_raises_what_a_user_would_read(sketch: Path) -> None:
    with pytest.raises(Exception, match="unknown; choose one of") as caught:
        run("--debug", "drums", sketch, "--style", "polka")
    assert caught.value.exit_code == ExitCode.USAGE  # type: ignore[attr-defined]


def test_every_byte_of_the_sketch_is_in_the_output(sketch: Path) -> None:
    output = Path(run("drums", sketch, "--json").json["output"])
    chunks = [chunk.raw for chunk in smf.split(output.read_bytes()).tracks]
    assert chunks[:-1] == [chunk.raw for chunk in smf.split(BASS).tracks]


def test_the_exit_codes_are_those_that_scripts_know() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0, "BUG": 1, "USAGE": 2, "SKETCH": 3, "OUTPUT": 4, "BATCH": 5, "STOPPED": 130,
    }  # fmt: skip
    assert cli.app.registered_commands
    assert {c.name or c.callback.__name__ for c in cli.app.registered_commands if c.callback} == set(COMMANDS)


@pytest.mark.parametrize("words", [["drums", "SKETCH"], ["analyze", "SKETCH"]])
def test_ctrl_c_is_no_bug(sketch: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("composer.read.sketch", interrupted)
    done = run(*(str(sketch) if word == "SKETCH" else word for word in words))
    assert (done.exit_code, done.out) == (ExitCode.STOPPED, "")
    assert done.err.strip() in ("", "composer: stopped")  # some versions of typer say nothing and exit themselves
    assert names(sketch.parent) == [sketch.name]
