from __future__ import annotations

from pathlib import Path

import pytest
from commands import run

from composer import patterns
from composer.errors import ExitCode, OutputError
from encoding import midi
from encoding.bars import grid_from_file
from encoding.records import drum_hits


def written(folder: Path, **changed: object) -> list[Path]:
    options = {
        "count": 3, "bars": 4, "style": None, "density": None, "bpm": 110.0, "meter": (4, 4), "seed": 0, "force": False,
    } | changed  # fmt: skip
    return patterns.write_patterns(folder, **options)  # type: ignore[arg-type]


def test_patterns_are_files_of_drums_alone(tmp_path: Path) -> None:
    paths = written(tmp_path / "new" / "folder", density=0.8)
    assert [path.name for path in paths] == ["pattern-001.mid", "pattern-002.mid", "pattern-003.mid"]
    for path in paths:
        song = midi.parse(path.read_bytes())
        assert song.repairs == ()
        assert [60e6 / t.us_per_quarter for t in song.tempos] == [pytest.approx(110, rel=1e-5)]
        assert [str(s) for s in song.time_signatures] == ["4/4"]
        assert all(track.is_drums for track in song.tracks if len(track.notes))
        hits, unknown = drum_hits(song)
        assert unknown == 0
        assert len(hits.part) > 8
        assert hits.onset_tick.max() < 4 * 4 * 480


def test_each_pattern_depends_on_seed_and_number_alone(tmp_path: Path) -> None:
    three = [path.read_bytes() for path in written(tmp_path / "three")]
    five = [path.read_bytes() for path in written(tmp_path / "five", count=5)]
    other = [path.read_bytes() for path in written(tmp_path / "other", seed=1)]
    assert five[:3] == three
    assert len({*five, *other}) == 8


@pytest.mark.parametrize("meter", [(3, 4), (6, 8), (7, 8), (5, 4)])
def test_every_bar_of_a_meter_is_played_by_some_pattern(tmp_path: Path, meter: tuple[int, int]) -> None:
    bar_ticks = 480 * 4 * meter[0] // meter[1]
    struck: set[int] = set()
    for path in written(tmp_path, count=5, meter=meter, bars=8, density=0.8):
        song = midi.parse(path.read_bytes())
        assert [(s.numerator, s.denominator) for s in song.time_signatures] == [meter]
        onset_tick = drum_hits(song)[0].onset_tick
        struck |= set((onset_tick // bar_ticks).tolist())
    assert struck == set(range(8))


def test_an_empty_song_has_the_bars_asked_for() -> None:
    grid = grid_from_file(patterns.empty_song(6, 90.0, (7, 8)))
    assert grid.bars == 6
    assert grid.meter.tolist() == [[7, 8]] * 6


def test_existing_patterns_need_force(tmp_path: Path) -> None:
    (tmp_path / "pattern-002.mid").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"pattern-002\.mid exists already; use --force"):
        written(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pattern-002.mid"]
    written(tmp_path, force=True)
    assert (tmp_path / "pattern-002.mid").read_bytes() != b"mine"


def test_the_command(tmp_path: Path) -> None:
    done = run(
        "generate",
        "-o",
        tmp_path / "p",
        "--count",
        2,
        "--bars",
        2,
        "--style",
        "funk",
        "--density",
        "0.8",
        "--tempo",
        97,
    )
    assert (done.exit_code, done.err) == (0, "")
    assert done.out.startswith("2 patterns in ")
    assert len(list((tmp_path / "p").iterdir())) == 2
    again = run("generate", "-o", tmp_path / "p")
    assert again.exit_code == ExitCode.OUTPUT
    (tmp_path / "file").write_bytes(b"")
    blocked = run("generate", "-o", tmp_path / "file" / "p")
    assert blocked.exit_code == ExitCode.OUTPUT
    assert "cannot be written" in blocked.err
