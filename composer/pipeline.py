"""One sketch, one straight line: from the file to the same file with drums."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from composer import arrange, merge, read
from composer.errors import InstallError
from composer.listen import Heard, analysis, conditions, listen
from composer.options import DrumsOptions, Kit
from composer.perform import perform
from encoding import smf
from encoding.conditions import ROLES, Conditions, density
from encoding.grid import decode
from encoding.kit import NAMES, NOTE_OF_PART
from encoding.types import BarGrid, DrumPattern, Notes
from gan import generate, metrics

TRACK_NAME = "Drums (composer)"
BASS, LEAD = ROLES.index("bass"), ROLES.index("lead")


@dataclass(frozen=True, slots=True)
class Accompaniment:
    """A sketch with its drums, written."""

    heard: Heard
    asked: Conditions
    pattern: DrumPattern
    proof: merge.MergeProof
    options: DrumsOptions


def accompany(path: Path, output: Path, options: DrumsOptions) -> Accompaniment:
    """Write ``output``: the sketch with one drum track added, all its own bytes kept.

    Raises:
        SketchError: the sketch cannot be read or has nothing to follow.
        UsageError: an option does not fit the sketch.
        OutputError: the output exists or cannot be written.
        InstallError: the weights of the network cannot be used.
    """
    rng = np.random.default_rng(options.seed)
    sketch = read.sketch(path)
    heard = listen(sketch, options)
    asked = conditions(heard, options)
    hits = arrange.playable(arrange.one_drummer(drums(asked, rng), heard.grid))
    pattern = perform(
        hits, heard.grid, style=options.style, rng=rng, swing=heard.timing.swing,
        sections=heard.sections, bpm=heard.timing.tempo_bpm,
    )  # fmt: skip
    track = drum_track(pattern, heard.grid, sketch.song.ticks_per_quarter, options.kit)
    proof = merge.write(sketch, track, output, force=options.force, replace_drums=options.replace_drums)
    return Accompaniment(heard, asked, pattern, proof, options)


def load() -> None:
    """Load the network, once a process; else the first sketch does.

    Raises:
        InstallError: its weights cannot be used.
    """
    try:
        generate.network()
    except generate.WeightsError as error:
        raise InstallError(f"{error}, or install composer again") from error


def drums(asked: Conditions, rng: np.random.Generator) -> np.ndarray:
    """Hits (beats, SLOTS, PARTS) bool from the shipped network.

    Raises:
        InstallError: its weights cannot be used.
    """
    load()
    return generate.drums(asked, rng)


def drum_track(pattern: DrumPattern, grid: BarGrid, ticks_per_quarter: int, kit: Kit) -> bytes:
    """The body of an MTrk chunk that plays a pattern on channel 10."""
    note_of_part = NOTE_OF_PART.copy()
    for name, note in kit.notes:
        note_of_part[NAMES.index(name)] = note
    hits = decode(pattern, grid)
    duration_tick = np.full(len(hits.part), max(1, ticks_per_quarter // 8))
    notes = Notes(hits.onset_tick, duration_tick, note_of_part[hits.part], hits.velocity)
    return smf.encode_track(TRACK_NAME, notes, program=kit.program)


def result(made: Accompaniment) -> dict[str, Any]:
    """The keys of ``drums --json`` (design.md part 8)."""
    hits = made.pattern.hits
    line = made.asked.onsets[:, :, BASS if made.asked.known_roles[BASS] else LEAD] > 0
    own, shuffled = fit(hits, line, made.heard.grid, np.random.default_rng(made.options.seed))
    return analysis(made.heard) | {
        "output": str(made.proof.output),
        "seed": made.options.seed,
        "style": made.options.style,
        "hits": int(hits.sum()),
        "density_requested": "auto" if made.options.density is None else made.options.density,
        "density_measured": round(float(density(hits, made.heard.grid).mean()), 3),
        "kick_bass_f1": own,
        "kick_bass_f1_shuffled": shuffled,
        "drums_in_sketch": sum(len(made.heard.sketch.song.tracks[i].notes) for i in made.heard.roles.drums),
    }


def fit(
    hits: np.ndarray, line: np.ndarray, grid: BarGrid, rng: np.random.Generator
) -> tuple[float | None, float | None]:
    """F1 of the kick with the line (the bass if there is one), and with the line's beats in another order.

    Args:
        line: (beats, SLOTS) bool.

    Returns: both None where kick or line is silent.
    """
    own = metrics.kick_bass_f1(hits, line)
    shuffled = metrics.kick_bass_f1(hits, line[rng.permutation(grid.beats)])
    return (None, None) if np.isnan(own) else (round(own, 3), round(shuffled, 3))
