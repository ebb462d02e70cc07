"""Tempo, beats, bars, meter and feel beside other programs: `python tests/benchmarks/timing_accuracy.py DATA`.

DATA holds `timing/`, `songs/` and `odd-meter/`, INDEX is the index of `songs` with its splits. What was fitted or tuned
used train splits and even-numbered files, so only odd-numbered files and the test split are held out. Beats and
downbeats are F-measures of mir_eval (70 ms, the first 5 s left out); tempo is right within 4 %, Acc2 also when it is
2, 3, 1/2 or 1/3 times right. Each file's own tempo map and meters are taken away first.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import mir_eval
import numpy as np
import pretty_midi

from composer.feel import feel_of
from composer.timing import Timing, bar_grid
from encoding import midi
from encoding.bars import grid_from_file, mark_ternary
from encoding.roles import assign
from encoding.types import BarGrid, Notes, Song, Tempo, Track
from encoding.units import seconds_of_ticks

TICKS_PER_S = 960
FACTORS = (1, 2, 3, 1 / 2, 1 / 3)


@dataclass(frozen=True)
class Played:
    """A performance without its tempo map, and where its beats and bars are in seconds."""

    number: int
    song: Song
    beat_s: np.ndarray
    bar_s: np.ndarray


def unmapped(song: Song, only: str | None = None) -> Song:
    """The same sound at 120 quarters a minute, with neither tempo map nor meters; ``only`` keeps one track."""
    tracks = []
    for track in song.tracks:
        if only in (None, track.name):
            start, end = (
                np.rint(TICKS_PER_S * seconds_of_ticks(song, tick)).astype(np.int64)
                for tick in (track.notes.onset_tick, track.notes.onset_tick + track.notes.duration_tick)
            )
            notes = replace(track.notes, onset_tick=start, duration_tick=np.maximum(end - start, 1))
            tracks.append(replace(track, notes=notes))
    return Song(TICKS_PER_S // 2, tuple(tracks), (Tempo(0, 500_000),), (), (), _end(tracks))


def _end(tracks: list[Track]) -> int:
    return max((int((t.notes.onset_tick + t.notes.duration_tick).max()) for t in tracks if len(t.notes)), default=1)


def pop909(folder: Path, only: str | None) -> Iterator[Played]:
    for number, path in enumerate(sorted(folder.glob("*.mid"))):
        beats = np.loadtxt(path.with_suffix(".beats.txt"))
        song = unmapped(midi.parse(path.read_bytes()), only)
        if song.tracks:
            yield Played(
                int(path.stem) if path.stem.isdecimal() else number, song, beats[:, 0], beats[beats[:, 2] > 0, 0]
            )


def asap(folder: Path) -> Iterator[Played]:
    for number, path in enumerate(sorted(folder.glob("*.mid")), start=1):
        rows = [line.split("\t") for line in path.with_suffix(".beats.txt").read_text().splitlines()]
        beat_s = np.array([float(row[0]) for row in rows])
        is_bar = np.array([row[2].startswith("db") for row in rows])
        yield Played(number, unmapped(midi.parse(path.read_bytes())), beat_s, beat_s[is_bar])


def melisma(folder: Path) -> Iterator[Played]:
    """Taps on a clock of their own: moved by the one shift that puts most of them on notes; no bars are given."""
    for number, path in enumerate(sorted(folder.glob("*.mid")), start=1):
        tap_s = np.atleast_1d(np.loadtxt(path.with_suffix(".ctrl"))) / 1000
        song = unmapped(midi.parse(path.read_bytes()))
        onset_s = np.unique(np.concatenate([t.notes.onset_tick for t in song.tracks])) / TICKS_PER_S
        shifts = np.arange(-1.5, 1.5, 0.01)
        gaps = np.abs((tap_s + shifts[:, None])[:, :, None] - onset_s).min(2)
        yield Played(number, song, tap_s + shifts[np.sum(gaps < 0.04, axis=1).argmax()], np.zeros(0))


def f_measure(reference: np.ndarray, estimate: np.ndarray, song: Song) -> float:
    """NaN where there is no reference; only what lies between the first note and the last counts."""
    first = min(int(track.notes.onset_tick[0]) for track in song.tracks if len(track.notes)) / TICKS_PER_S
    last = song.end_tick / TICKS_PER_S
    reference, estimate = (
        mir_eval.beat.trim_beats(values[(values > first - 0.2) & (values < last + 0.2)])
        for values in (reference, estimate)
    )
    return float(mir_eval.beat.f_measure(reference, estimate)) if len(reference) else float("nan")


def ours(played: Played) -> tuple[float, np.ndarray, np.ndarray, float]:
    timing = bar_grid(played.song)
    # The tempo of the beats, as the references count it; a quarter is another thing in 6/8.
    bpm = 60 / float(np.median(np.diff(timing.beats_s))) if timing.grid.beats > 1 else timing.tempo_bpm
    return bpm, timing.beats_s, timing.downbeats_s, timing.confidence


def pretty(played: Played) -> tuple[float, np.ndarray, np.ndarray, float]:
    """What `pretty_midi` says of the same notes: its estimates of tempo and first beat, and four beats a bar."""
    sound = pretty_midi.PrettyMIDI()
    for track in played.song.tracks:
        instrument = pretty_midi.Instrument(track.program)
        for start, length, pitch, velocity in zip(
            track.notes.onset_tick, track.notes.duration_tick, track.notes.pitch, track.notes.velocity, strict=True
        ):
            instrument.notes.append(
                pretty_midi.Note(int(velocity), int(pitch), start / TICKS_PER_S, (start + length) / TICKS_PER_S)
            )
        sound.instruments.append(instrument)
    bpm = float(sound.estimate_tempo())
    beat_s = np.arange(sound.estimate_beat_start(), sound.get_end_time(), 60 / bpm)
    return bpm, beat_s, beat_s[::4], float("nan")


def table(name: str, performances: list[Played], method: Callable[[Played], tuple]) -> None:
    rows = []
    for played in performances:
        reference = 60 / float(np.median(np.diff(played.beat_s)))
        started = time.perf_counter()
        bpm, beat_s, bar_s, confidence = method(played)
        took_ms = 1000 * (time.perf_counter() - started)
        right = [abs(bpm / reference / factor - 1) < 0.04 for factor in FACTORS]
        beat_f = f_measure(played.beat_s, beat_s, played.song)
        bar_f = f_measure(played.bar_s, bar_s, played.song)
        rows.append((right[0], any(right), beat_f, bar_f, right[1], right[3], confidence, beat_f > 0.8, took_ms))
    values = np.array(rows, float)
    means = [np.nanmean(column) if np.isfinite(column).any() else np.nan for column in values.T]
    print(f"{name:36s} {len(rows):4d}" + "".join(f"{mean:8.3f}" for mean in means[:6]), end="")
    order = np.argsort(-values[:, 6])
    halves = [values[part, 7].mean() for part in np.array_split(order, 2)]
    sure = "".join(f"{half:8.2f}" for half in halves) if np.isfinite(values[:, 6]).all() else " " * 16
    print(f"{sure}{np.median(values[:, 8]):8.0f}")


def performances(data: Path, every: int, other: bool) -> None:
    print(
        f"\n{'played, tempo map taken away':36s} {'n':>4s}"
        + "".join(f"{title:>8s}" for title in ("Acc1", "Acc2", "beat F", "bar F", "x2", "x1/2", "sure", "unsure", "ms"))
    )
    sets = {
        "pop909 all tracks": list(pop909(data / "timing/pop909", None)),
        "pop909 MELODY": list(pop909(data / "timing/pop909", "MELODY")),
        "asap": list(asap(data / "timing/asap")),
        "melisma": list(melisma(data / "timing/melisma")),
    }
    for name, found in sets.items():
        for half, odd in (("held out (odd)", 1), ("even", 0)):
            chosen = [played for played in found if played.number % 2 == odd][:: every if "pop" in name else 1]
            table(f"{name}, {half}", chosen, ours)
            if other and odd:
                table(f"  pretty_midi on {name}", chosen, pretty)


def same_bars(timing: Timing, truth: BarGrid) -> bool:
    return timing.grid.bars == truth.bars and bool(np.array_equal(timing.grid.bar_tick, truth.bar_tick))


def truthful(data: Path, index: Path, count: int) -> None:
    """Files whose grid is true: kept as it is, and its meter found once the signatures are gone."""
    with index.open() as lines:
        songs = [row["file"] for row in csv.DictReader(lines) if row["split"] == "test"]
    songs = songs[:: max(len(songs) // count, 1)][:count]
    sets = {
        "songs, test split": [(data / "songs" / name, None) for name in songs],
        "odd-meter": [
            (path, path.parent.name.replace("-", "/")) for path in sorted((data / "odd-meter").rglob("*.mid"))
        ],
    }
    print("\ntruthful grids: bars exact; meter found without signatures, from all tracks, bass, lead")
    for name, files in sets.items():
        kept, found, by_meter = [], {"all": [], "bass": [], "lead": []}, {}
        for number, (path, labelled) in enumerate(files):
            song = midi.parse(path.read_bytes())
            truth = grid_from_file(song)
            kept.append(same_bars(bar_grid(song), truth))
            if labelled and number % 2 == 0:  # what was tuned
                continue
            meters, counts = np.unique(truth.meter, axis=0, return_counts=True)
            meter = labelled or "{}/{}".format(*meters[counts.argmax()])
            roles = assign(song.tracks)
            parts = {"all": [*roles.bass, *roles.lead, *roles.rest], "bass": roles.bass, "lead": roles.lead}
            for part, tracks in parts.items():
                if tracks:
                    bare = replace(song, time_signatures=(), tracks=tuple(song.tracks[i] for i in tracks))
                    is_right = "{}/{}".format(*bar_grid(bare).meter) == meter
                    found[part].append(is_right)
                    by_meter.setdefault(meter, []).append(is_right) if part == "all" else None
        shares = "  ".join(f"{part} {np.mean(right):.2f} of {len(right)}" for part, right in found.items())
        print(f"{name:20s} bars exact {np.sum(kept)} of {len(kept)}; meter: {shares}")
        print(
            "   "
            + "  ".join(f"{meter} {np.mean(right):.2f} of {len(right)}" for meter, right in sorted(by_meter.items()))
        )


def swing() -> None:
    """A walking and an eighth-note line rendered at each ratio, with and without a player's hand."""
    print("\nswing: rendered ratio -> measured, exact and with 8 ms of hand, both as the file says 120")
    rng = np.random.default_rng(0)
    for percent in range(50, 71, 2):
        measured = []
        for hand_ms in (0, 8):
            beat = np.repeat(np.arange(128), 2)
            place = beat + np.tile([0, percent / 100], 128)
            tick = np.sort(np.maximum(np.rint(480 * place + rng.normal(0, hand_ms * 0.96, len(place))), 0)).astype(
                np.int64
            )
            pitch = 40 + rng.integers(0, 12, len(tick))
            notes = Notes(tick, np.full(len(tick), 200), pitch.astype(np.int16), np.full(len(tick), 90, np.int16))
            song = Song(480, (Track(0, "Bass", 33, False, notes),), (), (), (), int(tick[-1]) + 200)
            feel, ratio = feel_of(mark_ternary(grid_from_file(song), tick), tick)
            measured.append(f"{feel} {100 * ratio:.1f}")
        print(f"  {percent} % -> {measured[0]:16s} {measured[1]}")


def growth() -> None:
    """Milliseconds to time a bass line played freely, by its length."""
    print("\ntime of analysis, an unmapped bass line: bars, ms")
    for bars in (10, 100, 1000, 10_000):
        tick = np.rint(np.arange(8 * bars) * 297.3 + 100).astype(np.int64)
        pitch = np.tile([40, 40, 47, 40, 45, 45, 43, 38], bars).astype(np.int16)
        notes = Notes(tick, np.full(len(tick), 200), pitch, np.full(len(tick), 90, np.int16))
        song = Song(480, (Track(0, "Bass", 33, False, notes),), (), (), (), int(tick[-1]) + 200)
        times = []
        for _ in range(3):
            started = time.perf_counter()
            bar_grid(song)
            times.append(1000 * (time.perf_counter() - started))
        print(f"  {bars:6d} {min(times):8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--index", type=Path, help="songs.csv; DATA/songs.csv by default")
    parser.add_argument("--every", type=int, default=1, help="only every n-th song of pop909")
    parser.add_argument("--songs", type=int, default=100, help="how many songs of the test split")
    parser.add_argument("--others", action="store_true", help="pretty_midi beside it")
    asked = parser.parse_args()
    swing()
    growth()
    performances(asked.data, asked.every, asked.others)
    truthful(asked.data, asked.index or asked.data / "songs.csv", asked.songs)


if __name__ == "__main__":
    main()
