"""The tables say what the JSON says, and a name in square brackets is a name, not a colour."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console, RenderableType

from composer import report

ANALYSIS: dict[str, Any] = {
    "tempo_bpm": 123.98,
    "tempo_source": "estimated",
    "confidence": 0.81,
    "candidates": [[124.0, 0.8], [62.0, 0.1]],
    "meter": "4/4",
    "meter_source": "default",
    "bars": 32,
    "beats_s": [],
    "downbeats_s": [],
    "feel": "swing",
    "swing": 0.66,
    "sections": [
        {"label": "A", "first_bar": 1, "last_bar": 20},
        {"label": "B", "first_bar": 21, "last_bar": 32},
    ],
    "tracks": [{"index": 0, "name": "[red]Bass", "role": "bass", "notes": 212}],
}
DRUMS: dict[str, Any] = ANALYSIS | {
    "file": "/songs/my song.mid",
    "output": "/songs/[b]my song.drums.mid",
    "seed": 1234,
    "style": None,
    "hits": 412,
    "density_requested": "auto",
    "density_measured": 0.48,
    "kick_bass_f1": 0.62,
    "kick_bass_f1_shuffled": 0.45,
}


def text_of(renderable: RenderableType, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()  # type: ignore[attr-defined]


def tally(*results: dict[str, Any]) -> report.Tally:
    counted = report.Tally()
    for result in results:
        counted.add(result)
    return counted


def test_an_analysis_says_it_all() -> None:
    text = text_of(report.analysis(ANALYSIS))
    for words in ("124 BPM (estimated), confidence 81%", "62 BPM (10%)", "4/4 (assumed)", "0.66", "[red]Bass", "212"):
        assert words in text
    assert "124 BPM (80%)" not in text  # the reading chosen is no runner-up
    assert "A" + 19 * "-" + "B" + 11 * "-" in text


@pytest.mark.parametrize(("bars", "cells"), [(64, 64), (65, 33), (1000, 63)])
def test_the_strip_of_a_long_song_stays_short(bars: int, cells: int) -> None:
    first = bars // 3
    sections = [
        {"label": "A", "first_bar": 1, "last_bar": first},
        {"label": "B", "first_bar": first + 1, "last_bar": bars},
    ]
    strip, words = text_of(report.section_strip(sections, bars)).splitlines()
    assert len(strip.strip()) == cells
    assert words.strip() == f"A 1-{first}   B {first + 1}-{bars}"


def test_drums_say_where_they_are_and_how_they_fit() -> None:
    text = text_of(report.drums(DRUMS))
    for words in ("/songs/[b]my song.drums.mid", "1234", "style free", "412 hits", "0.48 (chosen", "0.62", "0.45"):
        assert words in text


def test_drums_without_a_bass_have_no_figure_for_it() -> None:
    text = text_of(
        report.drums(DRUMS | {"kick_bass_f1": None, "kick_bass_f1_shuffled": None, "density_requested": 0.3})
    )
    assert "Kick" not in text
    assert "0.30 asked for" in text


def test_a_batch_counts_what_failed() -> None:
    text = text_of(report.batch(tally(DRUMS, {"file": "x.mid", "error": "x.mid: not a MIDI file; give a .mid file"})))
    assert "1 file done, 1 failed" in text
    assert "x.mid: not a MIDI file; give a .mid file" in text
    assert "412" in text


def test_of_a_big_batch_the_first_files_are_shown_and_all_counted() -> None:
    broken = {"file": "x.mid", "error": "x.mid is empty"}
    counted = tally(*[DRUMS] * 10_000, *[broken] * 1000)
    assert len(counted.results) == len(counted.errors) == report.MOST_ROWS
    text = text_of(report.batch(counted))
    assert "10000 files done, 1000 failed" in text
    assert "and 10900 files more in the report" in text


def test_an_output_that_was_verified_is_not_measured() -> None:
    slim = {name: value for name, value in DRUMS.items() if name not in ("density_measured", "kick_bass_f1")}
    assert "412" in text_of(report.batch(tally(slim | {"verified": True})))


def test_a_proof_shows_whole_hashes() -> None:
    sha = "0123456789abcdef" * 4
    rows = [
        {"id": "MTrk", "length": 812, "sha256": sha, "state": "kept"},
        {"id": "", "length": 3, "sha256": sha, "state": "kept"},
        {"id": "MTrk", "length": 99, "sha256": sha, "state": "added"},
    ]
    text = text_of(report.proof(rows), 100)
    assert text.count(sha) == 3
    for words in ("812", "stray bytes", "kept", "added"):
        assert words in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_tables_fit_the_terminal_and_take_what_json_gives_back(width: int) -> None:
    result = json.loads(json.dumps(DRUMS))
    for table in (report.analysis(result), report.drums(result), report.batch(tally(result))):
        assert max(map(len, text_of(table, width).splitlines())) <= width
