"""Excerpts of music with known beats, played as people play: what :mod:`composer.fit_beats` learns from."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from composer.tempo import Onsets, onsets_of
from encoding import midi
from encoding.bars import beats_of_meter, grid_from_file
from encoding.roles import assign
from encoding.types import Song
from encoding.units import seconds_of_ticks

EXCERPT_S = 60.0
FEWEST_NOTES = 12
# Beats kept of those that follow each other in 4/4: 3/4, 5/4 and 7/4 out of what there is plenty of.
CUTS = ([1, 1, 1, 0], [1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 0])
# How far the tempo wanders (in log), and how unevenly hands play (seconds), with their shares.
RUBATO, RUBATO_SHARE = (0.0, 0.02, 0.05, 0.1, 0.18), (0.3, 0.2, 0.2, 0.2, 0.1)
HAND_S, HAND_SHARE = (0.0, 0.008, 0.018, 0.03), (0.3, 0.3, 0.3, 0.1)


@dataclass(frozen=True)
class Piece:
    """notes by role: rows of start_s, end_s, pitch, velocity. beat_s (beats,); is_bar (beats,) bool."""

    kind: str
    notes: tuple[tuple[str, np.ndarray], ...]
    beat_s: np.ndarray
    is_bar: np.ndarray


@dataclass(frozen=True)
class Excerpt:
    """About a minute as it might be played. beat_s (beats,) and is_bar as in Piece, on the clock of the onsets."""

    onsets: Onsets
    beat_s: np.ndarray
    is_bar: np.ndarray


def pieces(data: Path, index: Path, songs: int, rng: np.random.Generator) -> list[Piece]:
    """Songs of the train split, even-numbered files of odd-meter and POP909, and public scores of music21's corpus."""
    with index.open() as lines:
        names = [
            row["file"] for row in csv.DictReader(lines) if row["split"] == "train" and float(row["on_grid"]) > 0.9
        ]
    found = [_by_signature("songs", data / "songs" / name) for name in rng.permutation(names)[:songs]]
    odd = sorted((data / "odd-meter").rglob("*.mid"))[::2]
    found += [_by_signature(path.parent.name, path) for path in odd]
    for path in sorted((data / "timing/pop909").glob("*.mid")):
        if int(path.stem) % 2 == 0:
            beats = np.loadtxt(path.with_suffix(".beats.txt"))
            notes = _notes(midi.parse(path.read_bytes()))
            found.append(Piece("pop909", notes, beats[:, 0], beats[:, 2] > 0))
    return [piece for piece in (*found, *_scores()) if sum(map(len, (n for _, n in piece.notes))) > 3 * FEWEST_NOTES]


def _by_signature(kind: str, path: Path) -> Piece:
    song = midi.parse(path.read_bytes())
    grid = grid_from_file(song)
    is_bar = np.isin(np.arange(grid.beats), grid.bar_beat)
    return Piece(kind, _notes(song), seconds_of_ticks(song, grid.beat_tick[:-1]), is_bar)


def _notes(song: Song) -> tuple[tuple[str, np.ndarray], ...]:
    roles = assign(song.tracks)
    parts = []
    for role in ("bass", "lead", "rest"):
        for track in getattr(roles, role):
            notes = song.tracks[track].notes
            start, end = (
                seconds_of_ticks(song, tick) for tick in (notes.onset_tick, notes.onset_tick + notes.duration_tick)
            )
            parts.append((role, np.column_stack([start, end, notes.pitch, notes.velocity])))
    return tuple(parts)


def _scores() -> Iterator[Piece]:
    """Classical movements and fiddle tunes, at 100 beats a minute; damaged ones are left out."""
    import music21

    root = Path(music21.__file__).parent / "corpus"
    folders = ("mozart", "haydn", "beethoven", "bach", "schubert", "schumann_robert", "ryansMammoth")
    for folder in folders:
        paths = [path for path in sorted((root / folder).rglob("*")) if path.suffix in (".mxl", ".krn", ".abc")]
        for path in paths[:: max(len(paths) // 40, 1)]:
            try:
                piece = _score(music21.converter.parse(path))
            except (music21.exceptions21.Music21Exception, ValueError, AttributeError, IndexError):
                continue
            if piece is not None:
                yield piece


def _score(score: object) -> Piece | None:
    parts = list(getattr(score, "parts", ()))
    if not parts:
        return None
    rows = [
        (float(note.offset), float(note.offset + note.quarterLength), pitch.midi, 80.0)
        for part in parts
        for note in part.flatten().notes
        for pitch in note.pitches
        if note.quarterLength and (note.tie is None or note.tie.type == "start")
    ]
    beat: list[float] = []
    is_bar: list[bool] = []
    meter = None
    for measure in parts[0].getElementsByClass("Measure"):
        meter = measure.timeSignature or meter
        if meter is None:
            return None
        lengths = np.array(beats_of_meter(meter.numerator, meter.denominator)[0])
        place = np.cumsum(lengths) - lengths
        late = lengths.sum() - measure.quarterLength if not beat else 0.0  # an upbeat ends its bar
        for count, quarter in enumerate(place - late):
            if -1e-6 <= quarter < measure.quarterLength:
                beat.append(float(measure.offset) + quarter)
                is_bar.append(count == 0)
    scaled = np.array(rows, np.float64).reshape(-1, 4) * [0.6, 0.6, 1, 1]
    return Piece("score", (("rest", scaled),), 0.6 * np.array(beat), np.array(is_bar, bool)) if len(beat) > 24 else None


def excerpt(piece: Piece, rng: np.random.Generator) -> Excerpt | None:
    """A minute of some of the parts, at another tempo that wanders, by hands that are not exact; None where empty."""
    notes, beat_s, is_bar = _some_parts(piece, rng), piece.beat_s, piece.is_bar
    if piece.kind == "songs" and rng.random() < 0.15:
        notes, beat_s, is_bar = _other_meter(notes, beat_s, is_bar, rng)
    if len(notes) < FEWEST_NOTES:
        return None
    first, last = notes[:, 0].min(), notes[:, 0].max()
    start = rng.uniform(first, max(first + 0.01, last - 0.7 * EXCERPT_S)) if last - first > 0.8 * EXCERPT_S else first
    notes = notes[(notes[:, 0] >= start - 0.01) & (notes[:, 0] < start + 1.2 * EXCERPT_S)]
    if len(notes) < FEWEST_NOTES:
        return None
    from_s, to_s = _rubato(start, 0.5 if piece.kind == "score" else 0.22, rng)
    hand_s = rng.choice(HAND_S, p=HAND_SHARE)
    onset_s = np.interp(notes[:, 0], from_s, to_s) + hand_s * rng.normal(size=len(notes))
    length_s = np.maximum(np.interp(notes[:, 1], from_s, to_s) - onset_s, 0.02)
    pitch = np.clip(notes[:, 2].astype(np.int64) + rng.integers(-4, 5), 0, 127)
    velocity = np.full(len(notes), 90.0) if rng.random() < 0.2 else notes[:, 3] + rng.normal(0, 5, len(notes))
    near = (beat_s >= start - 3) & (beat_s < start + 1.2 * EXCERPT_S)
    return Excerpt(
        onsets_of(onset_s, length_s, pitch, np.clip(velocity, 1, 127)),
        np.interp(beat_s[near], from_s, to_s),
        is_bar[near],
    )


def _some_parts(piece: Piece, rng: np.random.Generator) -> np.ndarray:
    """All, the bass alone, the lead alone, both, or a random choice: (n, 4)."""
    by_role = [[notes for role, notes in piece.notes if role == wanted] for wanted in ("bass", "lead")]
    everything = [notes for _, notes in piece.notes]
    some = [notes for notes in everything if rng.random() < 0.4]
    choices = (everything, by_role[0], by_role[1], [*by_role[0], *by_role[1]], some)
    chosen = choices[rng.choice(len(choices), p=(0.25, 0.17, 0.23, 0.15, 0.2))] or everything
    return np.concatenate(chosen)


def _other_meter(
    notes: np.ndarray, beat_s: np.ndarray, is_bar: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beats taken out of 4/4 with all that begins in them."""
    kept = np.array(CUTS[rng.integers(len(CUTS))], bool)
    count = np.arange(len(beat_s)) - int(is_bar.argmax())
    stays = kept[count % len(kept)] & (count >= 0)
    length_s = np.diff(beat_s, append=2 * beat_s[-1] - beat_s[-2])
    moved_s = np.concatenate([[0.0], np.cumsum(np.where(stays, length_s, 0))])[:-1]
    beat = np.clip(np.searchsorted(beat_s, notes[:, 0] + 0.02, side="right") - 1, 0, len(beat_s) - 1)
    shift = (moved_s - beat_s)[beat]
    notes = (notes + np.column_stack([shift, shift, 0 * shift, 0 * shift]))[stays[beat]]
    return notes, moved_s[stays], (count % len(kept) == 0)[stays]


def _rubato(start: float, spread: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Times of the piece and when they are played: waves of several lengths, and a few ritards."""
    from_s = np.arange(start - 3, start + 1.2 * EXCERPT_S + 3, 0.25)
    wave = np.zeros(len(from_s))
    for period_s in (2.5, 5, 10, 25):
        turns = from_s / (period_s * np.exp(rng.uniform(-0.3, 0.3))) + rng.random()
        wave += 0.5 * rng.normal() * np.sin(2 * np.pi * turns)
    for _ in range(rng.poisson(3)):
        end = rng.uniform(from_s[0], from_s[-1])
        wave += rng.uniform(0, 3) * np.exp(-np.abs(from_s - end) / rng.uniform(0.5, 2)) * (from_s < end)
    slower = np.exp(rng.choice(RUBATO, p=RUBATO_SHARE) * wave + rng.uniform(-spread, spread))
    return from_s, np.concatenate([[0.0], np.cumsum(0.25 * slower[:-1])])
