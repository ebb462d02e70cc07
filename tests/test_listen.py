from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from builders import bass_line, marker, midi_file, name, program, tempo
from songs import made_song, steps_track

from composer import read
from composer.errors import UsageError
from composer.listen import Heard, analysis, conditions, listen
from composer.options import DrumsOptions
from encoding.conditions import ROLES, STYLES, UNKNOWN_STYLE

BASS, LEAD, REST = range(3)
Listen = Callable[..., Heard]


@pytest.fixture
def heard(tmp_path: Path) -> Listen:
    def of(data: bytes, **options: object) -> Heard:
        path = tmp_path / "song.mid"
        path.write_bytes(data)
        return listen(read.sketch(path), DrumsOptions(**options))  # type: ignore[arg-type]

    return of


def test_bass_and_lead_are_told_apart(heard: Listen) -> None:
    found = heard(made_song(1))
    tracks = found.sketch.song.tracks
    assert [tracks[i].name for i in found.roles.bass] == ["Bass"]
    assert [tracks[i].name for i in found.roles.lead] == ["Melody"]
    asked = conditions(found, DrumsOptions())
    assert asked.known_roles.tolist() == [True, True, False]
    assert asked.onsets.shape == (80, 12, len(ROLES))
    bass_steps = np.flatnonzero(asked.onsets[:4, :, BASS])  # the riff of the first bar, in slots
    onset_tick = tracks[found.roles.bass[0]].notes.onset_tick
    assert bass_steps.tolist() == (onset_tick[onset_tick < 4 * 480] // 40).tolist()


@pytest.mark.parametrize(("follow", "role"), [("bass", BASS), ("lead", LEAD), ("0", BASS), ("1", LEAD)])
def test_following_one_part_leaves_the_others_out(heard: Listen, follow: str, role: int) -> None:
    found = heard(made_song(1), follow=follow)
    asked = conditions(found, DrumsOptions())
    assert np.flatnonzero(asked.known_roles).tolist() == [role]
    assert asked.onsets[:, :, role].any()
    assert not np.delete(asked.onsets, role, axis=2).any()
    assert found.roles.drums == heard(made_song(1)).roles.drums != ()


@pytest.mark.parametrize("follow", ["2", "7", "-1", "drums", "", "1.0"])
def test_a_part_that_is_not_there(heard: Listen, follow: str) -> None:
    with pytest.raises(UsageError, match=rf"--follow {follow}: give auto, bass, lead or one of the tracks 0, 1 of"):
        heard(made_song(1), follow=follow)


def test_without_a_melody_there_is_no_lead(heard: Listen) -> None:
    with pytest.raises(UsageError, match="has no lead; see 'composer analyze' for its tracks"):
        heard(midi_file([[name("Bass"), program(33), *bass_line(8)]]), follow="lead")


def test_wishes_become_conditions(heard: Listen) -> None:
    found = heard(made_song(1))
    free = conditions(found, DrumsOptions())
    assert np.isnan(free.density).all()
    assert free.style == UNKNOWN_STYLE
    asked = conditions(found, DrumsOptions(density=0.3, style="jazz"))
    assert asked.density.tolist() == pytest.approx([0.3] * 20)
    assert asked.style == STYLES.index("jazz")
    assert asked.beat_s == pytest.approx(np.full(80, 60 / 95), rel=1e-5)


def test_fills_belong_where_sections_end_but_not_at_the_end(heard: Listen) -> None:
    bars = 16
    low = [(16 * bar + step, 33) for bar in range(8) for step in (0, 6, 10)]
    high = [(16 * bar + step, 45) for bar in range(8, bars) for step in range(0, 16, 2)]
    marks = [tempo(100), marker("verse"), marker("chorus", 8 * 4 * 480)]
    found = heard(midi_file([marks, steps_track("Bass", [*low, *high], 16 * bars, gm=33)]))
    assert [(s.first_bar, s.last_bar) for s in found.sections] == [(1, 8), (9, 16)]
    assert np.flatnonzero(conditions(found, DrumsOptions()).fill).tolist() == [7]


@pytest.mark.parametrize("meter", [(3, 4), (6, 8), (7, 8), (5, 4)])
def test_tempo_meter_and_first_bar_are_the_users(heard: Listen, meter: tuple[int, int]) -> None:
    found = heard(made_song(1), meter=meter, tempo_bpm=95.0, first_bar_tick=240)
    assert found.timing.meter == meter
    assert (found.timing.meter_source, found.timing.tempo_source) == ("user", "user")
    bar_ticks = 480 * 4 * meter[0] // meter[1]
    assert 240 in found.grid.bar_tick
    whole_bars = np.diff(found.grid.bar_tick)[1:]
    assert (whole_bars == bar_ticks).all()


def test_an_analysis_says_who_plays_what(heard: Listen) -> None:
    found = analysis(heard(made_song(1)))
    assert json.loads(json.dumps(found)) == found
    assert [(t["index"], t["name"], t["role"]) for t in found["tracks"]] == [
        (0, "Bass", "bass"), (1, "Melody", "lead"), (2, "Drums", "drums"),
    ]  # fmt: skip
    assert found["repairs"] == []
    assert len(found["beats_s"]) == 4 * found["bars"] == 80
