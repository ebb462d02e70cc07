"""The example sketches are what examples/README.md says they are."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from encoding import midi
from encoding.bars import grid_from_file
from encoding.types import Song

FOLDER = Path(__file__).parent.parent / "examples"
FREE = "free-ballad"
METER_AND_BARS = {
    "rock-bass": ("4/4", 32),
    "funk-bass": ("4/4", 24),
    "waltz-melody": ("3/4", 33),
    "slow-blues": ("12/8", 24),
    "seven-eight-riff": ("7/8", 24),
    "swing-walking-bass": ("4/4", 32),
    "five-four-ostinato": ("5/4", 24),
    "pop-melody": ("4/4", 32),
}


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_examples", FOLDER / "make_examples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


script = load_script()
NAMES = [sketch.name for sketch in script.SKETCHES]


def song(name: str) -> Song:
    return midi.parse((FOLDER / f"{name}.mid").read_bytes())


def onsets_in_quarters(name: str, track: int = 0) -> np.ndarray:
    read = song(name)
    return read.tracks[track].notes.onset_tick / read.ticks_per_quarter


def test_the_script_writes_exactly_the_files_that_are_there() -> None:
    written = {f"{sketch.name}.mid": script.build(sketch) for sketch in script.SKETCHES}
    kept = [path for path in FOLDER.glob("*.mid") if not path.name.endswith(".drums.mid")]
    assert written == {path.name: path.read_bytes() for path in kept}


def test_the_readme_has_a_command_for_each() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`composer drums examples/{name}.mid`" not in readme] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_track_has_notes_and_none_is_drums(name: str) -> None:
    tracks = song(name).tracks
    assert all(len(track.notes) >= 15 and not track.is_drums for track in tracks)


@pytest.mark.parametrize(("name", "meter", "bars"), [(name, *facts) for name, facts in METER_AND_BARS.items()])
def test_meter_and_number_of_bars(name: str, meter: str, bars: int) -> None:
    read = song(name)
    assert [str(signature) for signature in read.time_signatures] == [meter]
    assert len(read.tempos) == 1
    assert grid_from_file(read).bars == bars


def test_the_free_ballad_has_no_tempo_and_its_notes_are_off_the_grid() -> None:
    data = (FOLDER / f"{FREE}.mid").read_bytes()
    assert b"\xff\x51" not in data
    assert b"\xff\x58" not in data
    onset = onsets_in_quarters(FREE)
    off_sixteenth = np.abs(4 * onset - np.rint(4 * onset))
    assert 0.2 < off_sixteenth.mean() < 0.3  # .25 is what random places give


def test_the_free_ballad_drifts_as_much_as_it_says() -> None:
    (sketch,) = (sketch for sketch in script.SKETCHES if sketch.name == FREE)
    written = script.read_bars(sketch.parts[1].bars, sketch.bar_quarters)
    starts_bar = [note.onset % 4 == 0 for note in written]
    bars_s = np.diff(onsets_in_quarters(FREE, track=1)[starts_bar] / 2)  # the default of 120 BPM
    drift = bars_s / (4 * 60 / sketch.bpm)
    assert len(bars_s) == 15
    assert 0.83 < drift.min() < 0.9
    assert 1.1 < drift.max() < 1.17


def test_off_beats_swing_to_two_thirds() -> None:
    place = onsets_in_quarters("swing-walking-bass") % 1
    assert set(np.round(place, 3)) == {0.0, 0.667}


def test_the_funk_bass_slides_and_has_dead_notes() -> None:
    data = (FOLDER / "funk-bass.mid").read_bytes()
    assert b"\xe0\x00\x00" in data  # the wheel at its lowest
    assert (song("funk-bass").tracks[0].notes.velocity < 40).sum() > 30


def test_a_bar_that_is_not_full_is_refused() -> None:
    with pytest.raises(ValueError, match="bar 2 is 3 quarters long"):
        script.read_bars("C4/1 | C4/2.", script.Fraction(4))


def test_the_notation_says_what_it_should() -> None:
    notes = script.read_bars("r/4 >Bb3/8*2 (F#4)/4. C4/8", script.Fraction(4))
    assert [(float(note.onset), float(note.duration), note.pitch, note.mark) for note in notes] == [
        (1.0, 0.5, 58, ">"),
        (1.5, 0.5, 58, ">"),
        (2.0, 1.5, 66, "("),
        (3.5, 0.5, 60, ""),
    ]
