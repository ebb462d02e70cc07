from __future__ import annotations

import json
from pathlib import Path

import pytest

from composer import options
from composer.errors import ExitCode, UsageError


@pytest.mark.parametrize(("text", "value"), [("auto", None), ("0", 0.0), ("0.4", 0.4), ("1", 1.0)])
def test_density(text: str, value: float | None) -> None:
    assert options.density(text) == value


@pytest.mark.parametrize("text", ["1.01", "-0.1", "nan", "inf", "much", ""])
def test_density_outside_0_to_1(text: str) -> None:
    with pytest.raises(UsageError, match=f"--density {text}: give auto or a number from 0 to 1") as caught:
        options.density(text)
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(("text", "value"), [(None, None), ("4/4", (4, 4)), ("7/8", (7, 8)), ("32/16", (32, 16))])
def test_meter(text: str | None, value: tuple[int, int] | None) -> None:
    assert options.meter(text) == value


@pytest.mark.parametrize("text", ["", "4", "4/", "/4", "4/4/4", "0/4", "33/4", "4/3", "4/0", "-3/4", "4.5/4", "²/4"])
def test_meter_that_nobody_can_play(text: str) -> None:
    with pytest.raises(UsageError, match=r"--meter .*: (give it as N/D|N must be 1 to 32)"):
        options.meter(text)


@pytest.mark.parametrize("bpm", [None, 10.0, 120.5, 999.0])
def test_tempo(bpm: float | None) -> None:
    assert options.tempo(bpm) == bpm


@pytest.mark.parametrize("bpm", [0.0, 9.99, 1000.0, -120.0, float("nan"), float("inf")])
def test_tempo_outside_what_is_played(bpm: float) -> None:
    with pytest.raises(UsageError, match="give quarter notes a minute, from 10 to 999"):
        options.tempo(bpm)


def test_style() -> None:
    assert options.style(None) is None
    assert options.style("Funk") == "funk"
    with pytest.raises(UsageError, match=r"--style polka: unknown; choose one of afrobeat, .*rock.*soul"):
        options.style("polka")


@pytest.mark.parametrize(("text", "value"), [(None, None), ("5-8", (5, 8)), ("5", (5, 5)), ("1-1", (1, 1))])
def test_bars(text: str | None, value: tuple[int, int] | None) -> None:
    assert options.bars(text) == value


@pytest.mark.parametrize("text", ["0-4", "8-5", "a-b", "-3", "1-2-3", ""])
def test_bars_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="give bars counted from 1, for example 5-8"):
        options.bars(text)


@pytest.mark.parametrize("text", ["", "songs=8", "songs=8,groove=0.5"])
def test_source_weights(text: str) -> None:
    assert options.source_weights(text) == text


@pytest.mark.parametrize("text", ["songs", "songs=", "=1", "songs=x", "songs=0", "songs=-1", "songs=inf"])
def test_source_weights_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="give names with how often each is drawn"):
        options.source_weights(text)


def test_named_kits_select_a_general_midi_set() -> None:
    assert options.kit(None) == options.Kit(notes=(), program=None)
    assert options.kit("standard").program == 0
    assert options.kit("jazz").program == 32
    assert options.kit("brush").program == 40


def test_a_kit_file_names_notes(tmp_path: Path) -> None:
    path = tmp_path / "kit.json"
    path.write_text(json.dumps({"kick": 35, "snare": 40}), encoding="utf-8")
    assert options.kit(str(path)) == options.Kit(notes=(("kick", 35), ("snare", 40)), program=None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON such as"),
        ("[36]", "give an object such as"),
        ('{"cowbell": 56}', "no part 'cowbell'; the parts are kick, snare"),
        ('{"kick": 128}', "kick is 128; give a MIDI note from 0 to 127"),
        ('{"kick": true}', "kick is True; give a MIDI note"),
        ('{"kick": "36"}', "kick is '36'; give a MIDI note"),
    ],
)
def test_kit_files_that_are_none(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "kit.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        options.kit(str(path))
    assert str(path) in str(caught.value)


def test_a_kit_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="--kit tr-909: no such file, nor one of standard, room"):
        options.kit("tr-909")
