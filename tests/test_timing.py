"""Tempo, meter, beats and bars: what the file says where its notes agree, an estimate where they do not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composer.alignment import alignment
from composer.timing import Timing, bar_grid
from encoding import midi
from encoding.bars import MAX_BARS
from encoding.types import Notes, Song, Tempo, TimeSignature, Track
from encoding.units import median_bpm, seconds_of_ticks, ticks_of_seconds

TPQ = 480
# One bar of a walking rock bass in 4/4: place in eighths, length in eighths, semitones above the root.
BASS_BAR = ((0, 3, 0), (3, 1, 0), (4, 2, 7), (6, 1, 5), (7, 1, 3))
ROOTS = (40, 45, 43, 38)


def line(onset: list[float], duration: list[float], pitch: list[int], velocity: int = 90) -> Notes:
    """Notes with onsets and durations in ticks."""
    count = len(onset)
    return Notes(
        np.rint(np.array(onset, np.float64)).astype(np.int64),
        np.maximum(np.rint(np.array(duration, np.float64)), 1).astype(np.int64),
        np.array(pitch, np.int16).reshape(count),
        np.full(count, velocity, np.int16),
    )


def song(notes: Notes, bpm: float | None = None, meters: tuple[tuple[int, int, int], ...] = ()) -> Song:
    end_tick = int((notes.onset_tick + notes.duration_tick).max(initial=0))
    tempos = () if bpm is None else (Tempo(0, round(60e6 / bpm)),)
    track = Track(0, "Bass", 33, False, notes)
    return Song(TPQ, (track,), tempos, tuple(TimeSignature(*meter) for meter in meters), (), end_tick)


def bass(bars: int, quarter_ticks: float = TPQ, start: float = 0.0, swing: float = 0.5, jitter: float = 0.0) -> Notes:
    """The same bass bar over four roots; off-beat eighths at ``swing`` of the beat; jitter in ticks."""
    rng = np.random.default_rng(1)
    onset, duration, pitch = [], [], []
    for bar in range(bars):
        for eighth, length, step in BASS_BAR:
            beat = 4 * bar + eighth // 2 + (swing if eighth % 2 else 0)
            onset.append(
                start + beat * quarter_ticks + rng.normal(0, jitter) if jitter else start + beat * quarter_ticks
            )
            duration.append(length * quarter_ticks / 2 * 0.9)
            pitch.append(ROOTS[bar % 4] + step)
    return line([max(tick, 0) for tick in onset], duration, pitch)


def waltz(bars: int, quarter_ticks: float = TPQ) -> Notes:
    """A low note that lasts the bar, and two-note chords on two and three; the root changes every bar."""
    onset, duration, pitch = [], [], []
    for bar in range(bars):
        root = ROOTS[bar % 4]
        for beat, length, step in ((0, 3, 0), (1, 1, 16), (1, 1, 19), (2, 1, 16), (2, 1, 19)):
            onset.append((3 * bar + beat) * quarter_ticks)
            duration.append(length * quarter_ticks * 0.9)
            pitch.append(root + step)
    return line(onset, duration, pitch)


def check(timing: Timing) -> None:
    grid = timing.grid
    assert (np.diff(grid.beat_tick) > 0).all()
    assert (np.diff(grid.bar_beat) > 0).all()
    assert grid.beat_tick[0] >= 0
    assert grid.bar_beat[0] == 0
    assert grid.bar_beat[-1] == grid.beats == len(grid.ternary) == len(grid.quarters)
    assert len(grid.meter) == grid.bars <= MAX_BARS
    assert (grid.quarters > 0).all()
    assert 0 <= timing.confidence <= 1
    assert 0.5 <= timing.swing <= 0.75
    assert len(timing.beats_s) == grid.beats
    assert len(timing.downbeats_s) == grid.bars
    assert timing.tempo_bpm > 0


def test_notes_on_the_grid_of_the_file_are_believed() -> None:
    timing = bar_grid(song(bass(8), bpm=96, meters=((0, 4, 4),)))
    check(timing)
    assert (timing.tempo_source, timing.meter_source, timing.meter) == ("file", "file", (4, 4))
    assert timing.tempo_bpm == pytest.approx(96, abs=0.01)
    assert timing.confidence > 0.7
    assert timing.grid.bar_tick.tolist() == [4 * TPQ * bar for bar in range(9)]
    assert timing.downbeats_s[:3].tolist() == pytest.approx([0, 2.5, 5])
    assert (timing.feel, timing.swing) == ("straight", 0.5)


def test_hand_played_to_the_click_is_believed_too() -> None:
    timing = bar_grid(song(bass(16, jitter=12), bpm=120))  # 12 ms
    assert timing.tempo_source == "file"


@pytest.mark.parametrize("bpm", [83.0, 97.0, 131.0])
def test_played_beside_the_default_tempo_is_estimated(bpm: float) -> None:
    # as recorded by a program left at 120: the ticks say nothing, the first note is not on a beat of the file
    quarter_ticks = TPQ * 120 / bpm
    timing = bar_grid(song(bass(24, quarter_ticks, start=310.0, jitter=6)))
    check(timing)
    assert (timing.tempo_source, timing.meter) == ("estimated", (4, 4))
    assert timing.tempo_bpm == pytest.approx(bpm, rel=0.01)
    played_bars = (310 + 4 * quarter_ticks * np.arange(24)) / (2 * TPQ)
    found = np.abs(timing.downbeats_s[:, None] - played_bars).min(0)
    assert (found < 0.05).all()
    best, *others = timing.candidates
    assert best[0] == pytest.approx(bpm, rel=0.02)
    assert all(score <= best[1] for _, score in others)


def test_slowing_down_is_followed() -> None:
    periods = TPQ * np.linspace(1.1, 1.4, 96)  # from 109 to 86 beats a minute
    beat_tick = 200 + np.concatenate([[0], np.cumsum(periods)])
    even = bass(24)
    place = even.onset_tick / TPQ
    played = np.interp(place, np.arange(97), beat_tick)
    timing = bar_grid(song(replace(even, onset_tick=np.rint(played).astype(np.int64))))
    assert timing.tempo_source == "estimated"
    gaps = np.abs(timing.grid.beat_tick[:, None] - beat_tick[None, 4:90]).min(0)
    assert np.mean(gaps < 67) > 0.9  # 70 ms


def test_a_waltz_without_signature_has_three_beats() -> None:
    timing = bar_grid(song(waltz(24), bpm=150))
    check(timing)
    assert (timing.meter, timing.meter_source) == ((3, 4), "estimated")
    assert timing.grid.bar_tick[:3].tolist() == [0, 3 * TPQ, 6 * TPQ]


def test_four_four_without_signature_is_the_default() -> None:
    timing = bar_grid(song(bass(8), bpm=96))
    assert (timing.meter, timing.meter_source) == ((4, 4), "default")


@pytest.mark.parametrize(
    ("notes", "feel", "swing"),
    [
        (bass(16, swing=2 / 3), "swing", 2 / 3),
        (bass(16, swing=0.58), "swing", 0.58),
        (line(list(range(0, 64 * TPQ, TPQ // 3)), [100] * 192, [40] * 192), "triplet", 2 / 3),
    ],
)
def test_feel(notes: Notes, feel: str, swing: float) -> None:
    timing = bar_grid(song(notes, bpm=110))
    assert (timing.feel, timing.swing) == (feel, pytest.approx(swing, abs=0.01))


def test_compound_meter_is_triplets() -> None:
    timing = bar_grid(song(line(list(range(0, 48 * TPQ, TPQ // 2)), [200] * 96, [40] * 96), 90, ((0, 12, 8),)))
    assert (timing.meter, timing.feel) == ((12, 8), "triplet")
    assert timing.grid.ternary.all()


def test_meter_given_by_the_user_wins() -> None:
    timing = bar_grid(song(bass(8), 96, ((0, 4, 4),)), meter=(7, 8))
    check(timing)
    assert (timing.meter, timing.meter_source) == ((7, 8), "user")
    assert timing.grid.bar_tick[:3].tolist() == [0, 7 * TPQ // 2, 7 * TPQ]


def test_tempo_given_by_the_user_wins() -> None:
    doubled = bar_grid(song(bass(8), 96, ((0, 4, 4),)), tempo_bpm=192)
    check(doubled)
    assert (doubled.tempo_bpm, doubled.tempo_source) == (192, "user")
    assert doubled.grid.beat_tick[:3].tolist() == [0, TPQ // 2, TPQ]
    played = bar_grid(song(bass(24, TPQ * 120 / 97, start=310.0)), tempo_bpm=48.5)
    assert np.median(np.diff(played.beats_s)) == pytest.approx(60 / 48.5, rel=0.02)


@pytest.mark.parametrize("first_bar_tick", [0, 2 * TPQ, 500, 6000])
def test_first_bar_given_by_the_user_is_a_bar_line(first_bar_tick: int) -> None:
    for sketch in (song(bass(8), 96), song(bass(24, TPQ * 120 / 97, start=310.0))):
        timing = bar_grid(sketch, first_bar_tick=first_bar_tick)
        check(timing)
        assert first_bar_tick in timing.grid.bar_tick
        assert timing.grid.beat_tick[0] <= sketch.tracks[0].notes.onset_tick[0]


def test_pickup_bar_is_short_where_it_would_begin_before_the_file() -> None:
    timing = bar_grid(song(bass(8, start=TPQ), 96), first_bar_tick=5 * TPQ)
    assert timing.grid.bar_tick[:2].tolist() == [TPQ, 5 * TPQ]  # a whole bar fits
    timing = bar_grid(song(bass(8), 96), first_bar_tick=TPQ)
    assert timing.grid.bar_tick[:3].tolist() == [0, TPQ, 5 * TPQ]
    assert timing.grid.quarters[0] == 1
    timing = bar_grid(song(bass(8), 96), first_bar_tick=TPQ // 2)
    assert timing.grid.bar_tick[:2].tolist() == [0, TPQ // 2]
    assert timing.grid.quarters[0] == 0.5


@pytest.mark.parametrize(
    "wrong",
    [{"tempo_bpm": 0}, {"tempo_bpm": -90}, {"tempo_bpm": float("nan")}, {"tempo_bpm": 1e9}, {"meter": (0, 4)}],
)
def test_absurd_wishes_are_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"tempo|meter"):
        bar_grid(song(bass(2)), **wrong)


BAD = {
    "no notes": Notes.empty(),
    "one note": line([100], [100], [60]),
    "two notes": line([0, 777], [100, 100], [60, 62]),
    "one chord": line([50] * 4, [100] * 4, [60, 64, 67, 72]),
    "all at once": line([0] * 500, [10] * 500, [60] * 500),
    "nine notes in a month": line([i * (10**9 + 37) for i in range(9)], [10] * 9, [60] * 9),
    "noise": line(list(np.sort(np.random.default_rng(0).integers(0, 10**5, 400))), [50] * 400, [60] * 400),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_low_confidence_and_no_crash(name: str) -> None:
    started = time.perf_counter()
    for given_by_user in ({}, {"tempo_bpm": 77.0}, {"meter": (5, 8)}, {"first_bar_tick": 99}, {"meter": (6, 8)}):
        timing = bar_grid(song(BAD[name]), **given_by_user)
        check(timing)
    assert bar_grid(song(BAD[name])).confidence < 0.5
    assert time.perf_counter() - started < 3


def test_bad_maps_are_survived() -> None:
    notes = bass(8)
    zero = replace(song(notes), tempos=(Tempo(0, 0), Tempo(960, -5)))
    assert bar_grid(zero).tempo_bpm == pytest.approx(120)
    check(bar_grid(replace(song(notes), tempos=(Tempo(0, 1),))))
    check(bar_grid(replace(song(notes), ticks_per_quarter=1)))
    check(bar_grid(song(notes, 96, tuple((tick, 2 + tick % 3, 4) for tick in range(0, 5000, 10)))))
    drums_only = replace(song(notes, 96), tracks=(Track(0, "Drums", 0, True, notes),))
    assert bar_grid(drums_only).tempo_bpm == pytest.approx(96, abs=0.01)


def test_ten_thousand_bars_in_bounded_time() -> None:
    long = bass(10_000, TPQ * 120 / 97, start=310.0)
    started = time.perf_counter()
    timing = bar_grid(song(long))
    assert time.perf_counter() - started < 3
    check(timing)
    assert timing.grid.beat_tick[-1] >= long.onset_tick[-1]


@settings(max_examples=60, deadline=None)
@given(
    notes=st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 2000), st.integers(0, 127)), max_size=60),
    tpq=st.integers(1, 960),
    meter=st.sampled_from([None, (4, 4), (7, 8), (6, 8), (9, 16), (3, 2), (1, 32)]),
    first_bar_tick=st.none() | st.integers(0, 20_000),
    tempo_bpm=st.none() | st.floats(10, 1000),
)
def test_any_notes_get_a_sound_grid(
    notes: list[tuple[int, int, int]],
    tpq: int,
    meter: tuple[int, int] | None,
    first_bar_tick: int | None,
    tempo_bpm: float | None,
) -> None:
    notes = sorted(notes)
    sketch = replace(song(line(*([note[i] for note in notes] for i in range(3)))), ticks_per_quarter=tpq)
    timing = bar_grid(sketch, tempo_bpm=tempo_bpm, meter=meter, first_bar_tick=first_bar_tick)
    check(timing)
    if notes:
        assert timing.grid.beat_tick[0] <= notes[0][0]
        assert timing.grid.beat_tick[-1] >= sketch.end_tick or timing.grid.bars == MAX_BARS


@given(
    tempos=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 2_000_000)), max_size=6),
    ticks=st.lists(st.integers(0, 50_000), max_size=20),
)
def test_seconds_and_ticks_are_inverse(tempos: list[tuple[int, int]], ticks: list[int]) -> None:
    mapped = replace(song(Notes.empty()), tempos=tuple(Tempo(*tempo) for tempo in tempos))
    tick = np.array(ticks, np.int64)
    seconds = seconds_of_ticks(mapped, tick)
    np.testing.assert_allclose(ticks_of_seconds(mapped, seconds), tick, atol=0.01)
    assert (np.diff(seconds_of_ticks(mapped, np.sort(tick))) >= 0).all()


def test_seconds_follow_the_tempo_map() -> None:
    mapped = replace(song(bass(4)), tempos=(Tempo(0, 500_000), Tempo(2 * TPQ, 1_000_000)))
    assert seconds_of_ticks(mapped, np.array([0, TPQ, 2 * TPQ, 3 * TPQ])).tolist() == [0, 0.5, 1, 2]
    assert median_bpm(mapped, 16 * TPQ) == pytest.approx(60)


def test_alignment_tells_a_grid_from_chance() -> None:
    rng = np.random.default_rng(3)
    assert alignment(rng.integers(0, 400, 300) / 4) > 0.9  # 16ths
    assert alignment(rng.integers(0, 300, 300) / 3) > 0.9  # triplets
    assert alignment(rng.uniform(0, 100, 300)) < 0.2
    assert alignment(rng.integers(0, 800, 300) / 8, finest=8) < 0.2  # a file of 8 ticks a quarter: all sit on ticks
    assert alignment(np.zeros(1)) == 0


def test_files_whose_notes_sit_on_their_map_keep_their_bars(corpus: Callable[[str], Path]) -> None:
    files = sorted(corpus("odd-meter").rglob("*.mid"))[::4]
    sources = [bar_grid(midi.parse(file.read_bytes())).tempo_source for file in files]
    assert sources.count("file") >= 0.95 * len(files)


def test_played_performances_are_not_taken_for_120(corpus: Callable[[str], Path]) -> None:
    files = sorted((corpus("timing") / "asap").glob("*.mid"))[:10]
    sources = [bar_grid(midi.parse(file.read_bytes())).tempo_source for file in files]
    assert sources.count("estimated") >= 9


def test_hostile_files_get_a_sound_grid(corpus: Callable[[str], Path]) -> None:
    for file in sorted(corpus("hostile").rglob("*.mid")):
        try:
            parsed = midi.parse(file.read_bytes())
        except ValueError:
            continue
        check(bar_grid(parsed))
