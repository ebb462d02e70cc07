"""The product on 100 held-out songs: `python tests/benchmarks/whole_songs.py INDEX.csv [--songs 100] [--music21 100]`.

INDEX.csv is the index of a corpus with its songs beside it. Each song of its test split loses its drum tracks, goes
through the pipeline as a user's sketch does, and the output is checked byte by byte, opened by four other readers,
and compared with the song's real drums, with the plain rock beat and with the drums of other sketches.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import mido
import music21
import numpy as np
import pretty_midi
import symusic

from composer import arrange, pipeline, read
from composer.listen import conditions, listen
from composer.options import DrumsOptions
from encoding import midi, smf, sources
from encoding.conditions import ROLES
from encoding.events import remove_channel
from encoding.grid import encode
from encoding.records import drum_hits
from encoding.windows import whole_song
from gan import generate, metrics
from gan.evaluate import rock_beat

BASS = ROLES.index("bass")
DENSITIES = [0.1, 0.3, 0.5, 0.7, 0.9]
DENSITY_SKETCHES = 20


@dataclass(frozen=True, slots=True)
class Played:
    """One song: hits (beats, SLOTS, PARTS) of our drums, the real drummer and the rock beat, bass (beats, SLOTS)."""

    ours: np.ndarray
    real: np.ndarray
    rock: np.ndarray
    bass: np.ndarray


def drumless(path: Path, folder: Path) -> Path | None:
    """The song without channel 10 as a sketch of its own; None where no note would remain or the file is damaged."""
    try:
        stripped = smf.join(remove_channel(smf.split(path.read_bytes())))
    except ValueError as error:
        print(f"left out: {path.name}: {error}", file=sys.stderr)
        return None
    if not any(len(track.notes) for track in midi.parse(stripped).tracks):
        return None
    sketch = folder / path.name
    sketch.write_bytes(stripped)
    return sketch


def accompany(original: Path, sketch: Path) -> tuple[Played, dict[str, bool], Path]:
    """Run the product twice on a sketch and check what a musician must be able to rely on."""
    output, again = sketch.with_suffix(".drums.mid"), sketch.with_suffix(".again.mid")
    made = pipeline.accompany(sketch, output, DrumsOptions(force=True))
    pipeline.accompany(sketch, again, DrumsOptions(force=True))
    grid = made.heard.grid
    before = [chunk.raw for chunk in smf.split(sketch.read_bytes()).tracks]
    after = smf.split(output.read_bytes()).tracks
    added = [chunk for chunk in after if chunk.raw not in before]
    channels, ticks = drum_events(output)
    facts = {
        "original chunks identical, in order": [chunk.raw for chunk in after if chunk.raw in before] == before,
        "one track added": len(added) == 1 and len(after) == len(before) + 1,
        "channel 10 only": channels <= {9},
        "inside the bars": not ticks or (min(ticks) >= grid.beat_tick[0] and max(ticks) < grid.beat_tick[-1]),
        "same seed, same bytes": output.read_bytes() == again.read_bytes(),
    }
    real, _ = encode(drum_hits(midi.parse(original.read_bytes()))[0], grid)
    bass = made.asked.onsets[:, :, BASS] > 0
    return Played(made.pattern.hits, real.hits, rock_beat(whole_song(made.asked)), bass), facts, output


def drum_events(path: Path) -> tuple[set[int], list[int]]:
    """Channels and onset ticks of the last track's notes, by mido: a reader that is not ours."""
    channels, ticks, now = set(), [], 0
    for message in mido.MidiFile(path).tracks[-1]:
        now += message.time
        if message.type == "note_on" and message.velocity > 0:
            channels.add(message.channel)
            ticks.append(now)
    return channels, ticks


def opens_elsewhere(path: Path) -> dict[str, bool]:
    """Whether each reader finds drum notes in the output."""
    drums = [instrument for instrument in pretty_midi.PrettyMIDI(str(path)).instruments if instrument.is_drum]
    return {
        "opens in mido": bool(drum_events(path)[1]),
        "opens in symusic": any(track.is_drum and len(track.notes) for track in symusic.Score(path).tracks),
        "opens in pretty_midi": any(instrument.notes for instrument in drums),
    }


def opens_in_music21(path: Path) -> bool:
    """On its own, since it takes seconds a song."""
    return len(music21.converter.parse(str(path)).parts) > 0


def mean_f1(songs: list[Played], drums: str, shift: int) -> float:
    """Mean F1 of kick against the bass of the song itself (shift 0) or of the song so many places on."""
    scores = []
    for i, song in enumerate(songs):
        bass = songs[(i + shift) % len(songs)].bass
        scores.append(metrics.kick_bass_f1(getattr(song, drums), np.resize(bass, song.bass.shape)))
    return float(np.nanmean(scores))


def different_pairs(songs: list[Played]) -> float:
    """Share of neighbouring sketches whose drums differ in over 30 % of their hits, over the beats both have."""
    distances = []
    for one, other in zip(songs, songs[1:] + songs[:1], strict=True):
        beats = min(len(one.ours), len(other.ours))
        distances.append(1 - metrics.jaccard(one.ours[:beats], other.ours[:beats]))
    return float(np.mean(np.array(distances) > 0.3))


def density_correlations(sketches: list[Path]) -> list[float]:
    """Rank correlation of requested density and measured hits a bar, for each sketch."""
    correlations = []
    for path in sketches:
        heard = listen(read.sketch(path), DrumsOptions())
        asked = conditions(heard, DrumsOptions())
        measured = []
        for density in DENSITIES:
            wanted = replace(asked, density=np.full_like(asked.density, density))
            drums = generate.drums(wanted, np.random.default_rng(0))
            hits = arrange.playable(arrange.one_drummer(drums, heard.grid))
            measured.append(hits.sum() / heard.grid.bars)
        correlations.append(metrics.rank_correlation(np.array(DENSITIES), np.array(measured)))
    return correlations


def report(songs: list[Played], facts: list[dict[str, bool]], sketches: list[Path]) -> dict[str, Any]:
    """All figures as one object."""
    correlations = density_correlations(sketches[:DENSITY_SKETCHES])
    kick = {
        name: {"own bass": mean_f1(songs, name, 0), "another's bass": mean_f1(songs, name, 1)}
        for name in ("real", "ours", "rock")
    }
    jaccard = {
        name: float(np.mean([metrics.jaccard(getattr(song, name), song.real) for song in songs]))
        for name in ("ours", "rock")
    }
    return {
        "songs": len(songs),
        "passed": {fact: int(sum(row[fact] for row in facts)) for fact in facts[0]},
        "pairs of sketches with different drums": different_pairs(songs),
        "kick-bass F1": kick,
        "hit Jaccard to the song's own drums": jaccard,
        "density rank correlation": {"mean": float(np.mean(correlations)), "least": float(np.min(correlations))},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("--songs", type=int, default=100)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--music21", type=int, default=100, help="how many outputs to open in music21, which is slow")
    arguments = parser.parse_args()
    folder = arguments.out or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    songs, facts, sketches, outputs = [], [], [], []
    for item in sources.find(arguments.index).items:
        if item.split != "test" or len(songs) == arguments.songs:
            continue
        sketch = drumless(item.path, folder)
        if sketch is None:
            continue
        played, checked, output = accompany(item.path, sketch)
        songs.append(played)
        facts.append(checked | opens_elsewhere(output))
        sketches.append(sketch)
        outputs.append(output)
    opened = sum(opens_in_music21(output) for output in outputs[: arguments.music21])
    figures = report(songs, facts, sketches) | {"opened in music21": f"{opened} of {len(outputs[: arguments.music21])}"}
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
