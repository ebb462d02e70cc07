"""The commands for those who train, from songs to weights that ``evaluate`` accepts, and their errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from commands import Outcome, run
from tiny import MODEL

from composer.errors import ExitCode
from gan import config, evaluate, train
from gan.generate import Network


def failed(done: Outcome, code: ExitCode) -> str:
    assert (done.exit_code, done.out) == (code, ""), done.err
    (line,) = done.err.splitlines()
    assert line.startswith("composer: ")
    return line


def test_from_songs_to_weights(made_songs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "ModelConfig", lambda: MODEL)  # the real sizes take too long for a test
    monkeypatch.setattr(train, "LOG_EVERY", 1)
    dataset, folder, weights = tmp_path / "data", tmp_path / "run", tmp_path / "new" / "w.onnx"
    encoded = run("encode", *made_songs, "-o", dataset, "--jobs", 1)
    assert encoded.exit_code == 0, encoded.err
    assert "7" in encoded.out
    trained = run("train", dataset, "-o", folder, "--minutes", 0.01, "--sources", "songs=2,waltzes=1")
    assert trained.exit_code == 0, trained.err
    assert "reconstruction" in trained.err
    assert trained.out == ""
    exported = run("export", folder, "-o", weights)
    assert exported.exit_code == 0, exported.err
    assert Network(weights).config == MODEL
    measured = run("evaluate", dataset, "--weights", weights, "--json")
    assert (measured.exit_code, measured.err) == (0, "")
    assert measured.json["songs"] == 3
    assert measured.json["rows"]["real drummers"]["jaccard_to_own"] == 1
    table = run("evaluate", dataset, "--weights", weights)
    assert "plain rock beat" in " ".join(table.out.split())
    assert "kick_bass_f1" in table.out


def test_a_silent_network_is_measured_without_nan(
    made_dataset: Path, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = evaluate.np.zeros
    monkeypatch.setattr(Network, "hits", lambda self, windows, rng: silent((*windows.is_beat.shape[1:], 120), bool))
    done = run("evaluate", made_dataset, "--weights", tiny_weights, "--json")
    assert (done.exit_code, done.err) == (0, "")
    generated = done.json["rows"]["generated"]
    assert generated["kick_bass_f1"] is None
    assert generated["pattern_divergence"] is None
    assert generated["empty_bars"] == 1
    assert done.json["density_rank_correlation"] is None


def test_what_is_not_there(tmp_path: Path, tiny_weights: Path, made_dataset: Path) -> None:
    nothing = tmp_path / "nothing"
    line = failed(run("encode", nothing, "-o", tmp_path / "d"), ExitCode.SKETCH)
    assert f"{nothing}: no such folder" in line
    assert "no finished dataset" in failed(run("train", nothing, "-o", tmp_path / "r"), ExitCode.SKETCH)
    assert "no finished dataset" in failed(run("evaluate", nothing), ExitCode.SKETCH)
    assert "no song in split none" in failed(run("evaluate", made_dataset, "--split", "none"), ExitCode.SKETCH)
    weights = run("evaluate", made_dataset, "--weights", nothing)
    assert f"{nothing}: no weights there" in failed(weights, ExitCode.SKETCH)
    run_folder = run("export", nothing, "-o", tmp_path / "w.onnx")
    assert "is it the folder of a training run?" in failed(run_folder, ExitCode.SKETCH)
    resumed = run("train", made_dataset, "-o", nothing, "--resume")
    assert "is it the folder of a training run?" in failed(resumed, ExitCode.SKETCH)


def test_what_is_there_already(
    tmp_path: Path, made_dataset: Path, tiny_run: Path, made_songs: tuple[Path, Path]
) -> None:
    taken = run("encode", *made_songs, "-o", made_dataset)
    assert "complete it with --resume or choose a new folder" in failed(taken, ExitCode.OUTPUT)
    taken = run("train", made_dataset, "-o", tiny_run)
    assert "holds a training run; continue it with --resume" in failed(taken, ExitCode.OUTPUT)
    (tmp_path / "file").write_bytes(b"")
    blocked = run("export", tiny_run, "-o", tmp_path / "file" / "w.onnx")
    failed(blocked, ExitCode.OUTPUT)


def test_without_torch_the_extra_is_named(tmp_path: Path, made_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name in ("gan.train", "gan.export", "gan.checkpoint")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    line = failed(run("train", made_dataset, "-o", tmp_path / "r"), ExitCode.USAGE)
    assert "install composer with its 'train' extra" in line
    assert not (tmp_path / "r").exists()


def test_a_run_that_diverges_says_so(tmp_path: Path, made_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(*_: object, **__: object) -> None:
        raise train.DivergedError("loss is nan")

    monkeypatch.setattr(train, "run", diverge)
    line = failed(run("train", made_dataset, "-o", tmp_path / "r"), ExitCode.BUG)
    assert "training stopped: loss is nan; the last checkpoint stays" in line
