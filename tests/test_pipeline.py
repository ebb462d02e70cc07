"""Musical facts of the whole line, from a sketch to the same file with drums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mido
import music21
import numpy as np
import pretty_midi
import pytest
import symusic
from builders import bass_line, meter, midi_file, name, note, program, tempo
from songs import made_song, steps_track

from composer import options, pipeline
from composer.options import DrumsOptions
from composer.pipeline import Accompaniment, accompany, fit
from encoding import events, midi, smf
from encoding.bars import grid_from_file
from encoding.grid import allowed_slots, encode
from encoding.kit import NAMES, NOTE_OF_PART, PARTS
from encoding.records import drum_hits
from encoding.types import SLOTS
from gan import generate

EXAMPLES = sorted(
    path for path in (Path(__file__).parents[1] / "examples").glob("*.mid") if not path.name.endswith(".drums.mid")
)
KICK = NAMES.index("kick")
AS_IT_COMES = DrumsOptions()
GROOVE = DrumsOptions(density=0.9)  # played in every bar, whatever the weights have learned


@pytest.fixture
def play(tmp_path: Path) -> Any:
    """A sketch, as a file or as bytes, with drums in ``out.mid``."""

    def of(sketch: Path | bytes, asked: DrumsOptions = AS_IT_COMES, output: str = "out.mid") -> Accompaniment:
        path = sketch if isinstance(sketch, Path) else tmp_path / "sketch.mid"
        if isinstance(sketch, bytes):
            path.write_bytes(sketch)
        return accompany(path, tmp_path / output, asked)

    return of


def struck_bars(made: Accompaniment) -> np.ndarray:
    return np.add.reduceat(made.pattern.hits.sum((1, 2)), made.heard.grid.bar_beat[:-1]) > 0


def added_track(made: Accompaniment) -> smf.Chunk:
    before, after = smf.split(made.heard.sketch.data), smf.split(made.proof.output.read_bytes())
    *kept, added = after.tracks
    assert [chunk.raw for chunk in kept] == [chunk.raw for chunk in before.tracks]
    return added


def likeness(a: Accompaniment, b: Accompaniment) -> float:
    beats = min(len(a.pattern.hits), len(b.pattern.hits))
    first, second = a.pattern.hits[:beats], b.pattern.hits[:beats]
    return float((first & second).sum() / max((first | second).sum(), 1))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_gets_one_track_of_drums_within_its_bars(play: Any, path: Path) -> None:
    made = play(path, GROOVE)
    grid, added = made.heard.grid, added_track(made)
    channels = {event.status & 0x0F for event in events.events(added.body) if event.is_channel}
    assert channels == {smf.DRUM_CHANNEL}
    song = midi.parse(made.proof.output.read_bytes())
    (drums,) = (track.notes for track in song.tracks if track.is_drums)
    assert len(drums) == made.pattern.hits.sum()
    assert grid.beat_tick[0] <= drums.onset_tick.min()
    assert drums.onset_tick.max() < grid.beat_tick[-1]
    assert set(drums.pitch.tolist()) <= set(NOTE_OF_PART.tolist())
    assert drums.velocity.min() >= 1
    assert struck_bars(made).mean() > 0.85
    assert not (made.pattern.hits & ~allowed_slots(grid.ternary)[:, :, None]).any()
    found, lost = encode(drum_hits(song)[0], grid)
    assert (lost.outside, lost.merged) == (0, 0)
    assert np.array_equal(found.velocity, made.pattern.velocity)


def test_the_same_seed_gives_the_same_bytes_and_another_other_drums(play: Any) -> None:
    sketch = EXAMPLES[0]
    first, again = play(sketch), play(sketch, output="again.mid")
    assert first.proof.output.read_bytes() == again.proof.output.read_bytes()
    others = [play(sketch, DrumsOptions(seed=seed), f"{seed}.mid") for seed in (1, 2, 3)]
    assert all(likeness(first, other) < 0.7 for other in others)


def test_other_lines_get_other_drums(play: Any) -> None:
    made = [play(made_song(number, drums=False), output=f"{number}.mid") for number in (1, 2, 3)]
    assert all(likeness(a, b) < 0.7 for i, a in enumerate(made) for b in made[:i])


@pytest.mark.parametrize("path", EXAMPLES[::3], ids=lambda path: path.stem)
def test_more_density_means_more_hits(play: Any, path: Path) -> None:
    hits = [
        int(play(path, DrumsOptions(density=density), f"{density}.mid").pattern.hits.sum())
        for density in (0.1, 0.5, 0.9)
    ]
    assert hits[0] < hits[1] < hits[2]


def test_the_drums_follow_the_part_that_is_named(play: Any) -> None:
    song = made_song(1, drums=False)
    made = {
        follow: play(song, DrumsOptions(follow=follow), f"{follow}.mid") for follow in ("auto", "bass", "lead", "1")
    }
    assert made["bass"].asked.known_roles.tolist() == [True, False, False]
    assert likeness(made["bass"], made["lead"]) < 0.95
    assert np.array_equal(made["lead"].pattern.velocity, made["1"].pattern.velocity)


def drum_track_messages(made: Accompaniment) -> list[mido.Message]:
    return [message for message in mido.MidiFile(made.proof.output).tracks[-1] if not message.is_meta]


def test_a_kit_selects_its_set(play: Any) -> None:
    sketch = made_song(1, drums=False)
    first = drum_track_messages(play(sketch, DrumsOptions(density=0.9, kit=options.kit("jazz"))))[0]
    assert (first.type, first.program, first.channel, first.time) == ("program_change", 32, 9, 0)
    plain = drum_track_messages(play(sketch, GROOVE, "plain.mid"))
    assert not any(message.type == "program_change" for message in plain)


def test_a_kit_file_says_which_note_each_part_is(play: Any, tmp_path: Path) -> None:
    kit = tmp_path / "kit.json"
    kit.write_text(json.dumps({part: 10 + number for number, part in enumerate(NAMES)}), encoding="utf-8")
    made = play(made_song(1, drums=False), DrumsOptions(density=0.9, kit=options.kit(str(kit))))
    struck = [m.note for m in drum_track_messages(made) if m.type == "note_on" and m.velocity]
    counts = np.bincount(struck, minlength=10 + PARTS)[10:]
    assert counts.tolist() == made.pattern.hits.sum((0, 1)).tolist()


@pytest.mark.parametrize("bpm", [60.0, 200.0])
def test_the_tempo_asked_for_sets_the_beats_and_leaves_the_file_alone(play: Any, bpm: float) -> None:
    made = play(midi_file([[tempo(100)], [name("Bass"), program(33), *bass_line(8)]]), DrumsOptions(tempo_bpm=bpm))
    assert made.heard.timing.tempo_bpm == bpm
    assert np.diff(made.heard.grid.beat_tick) == pytest.approx(480 * 100 / bpm, abs=1)
    song = midi.parse(made.proof.output.read_bytes())
    assert [round(60e6 / t.us_per_quarter) for t in song.tempos] == [100]
    added_track(made)


@pytest.mark.parametrize(
    ("asked", "beats"), [((3, 4), 3), ((6, 8), 2), ((12, 8), 4), ((7, 8), 3), ((5, 4), 5), ((9, 8), 3), ((2, 2), 2)]
)
def test_every_meter_is_played_in_its_own_beats(play: Any, asked: tuple[int, int], beats: int) -> None:
    numerator, denominator = asked
    steps = 16 * numerator // denominator
    bars = 12
    bass = [(bar * steps + step, 33 + bar % 3) for bar in range(bars) for step in range(0, steps, 2)]
    sketch = midi_file([[tempo(100), meter(*asked)], steps_track("Bass", bass, bars * steps, gm=33)])
    made = play(sketch, GROOVE)
    grid = made.heard.grid
    assert made.heard.timing.meter == asked
    assert grid.bars == bars
    assert (np.diff(grid.bar_tick) == 480 * 4 * numerator // denominator).all()
    if denominator != 2:
        assert (np.diff(grid.bar_beat) == beats).all()
    assert struck_bars(made).sum() >= bars - 2
    added_track(made)


def test_a_sketch_of_one_bar(play: Any) -> None:
    made = play(midi_file([[tempo(100), meter(4, 4)], [name("Bass"), program(33), *bass_line(1)]]), GROOVE)
    assert made.heard.grid.bars == 1
    assert made.pattern.hits.any()
    added_track(made)


def test_a_sketch_of_one_note(play: Any) -> None:
    made = play(midi_file([[note(0, 40)]]))
    assert made.heard.grid.bars == 1
    added_track(made)


def test_a_long_song_is_played_to_its_end_whatever_the_chunk(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    song = made_song(3, bars=600, drums=False)
    made = play(song, GROOVE)
    assert made.heard.grid.bars == 600
    assert struck_bars(made).mean() > 0.95
    assert struck_bars(made)[-8:].any()
    monkeypatch.setattr(generate, "CHUNK_BARS", 64)
    pieces = play(song, GROOVE, "pieces.mid")
    # a logit within rounding of 0 may fall on either side
    assert (pieces.pattern.hits != made.pattern.hits).mean() < 1e-5


def test_a_bass_that_enters_late_gets_no_drums_before_the_song(play: Any) -> None:
    made = play(midi_file([[tempo(100), meter(4, 4)], [program(33), note(8 * 480, 33), *bass_line(7)]]), GROOVE)
    drums = midi.parse(made.proof.output.read_bytes()).tracks[-1].notes
    assert drums.onset_tick.min() >= made.heard.grid.beat_tick[0] >= 0


def test_other_programs_read_what_is_written(play: Any) -> None:
    made = play(made_song(2, bars=8, drums=False), GROOVE)
    path, hits = made.proof.output, int(made.pattern.hits.sum())
    messages = [m for track in mido.MidiFile(path).tracks for m in track if m.type == "note_on" and m.velocity]
    assert sum(message.channel == 9 for message in messages) == hits
    assert sum(len(track.notes) for track in symusic.Score(path).tracks if track.is_drum) == hits
    kits = [instrument for instrument in pretty_midi.PrettyMIDI(str(path)).instruments if instrument.is_drum]
    assert sum(len(kit.notes) for kit in kits) == hits
    assert kits[0].name == pipeline.TRACK_NAME
    parts = music21.converter.parse(path).parts
    assert len(parts) == 3
    # music21 writes drums struck together as one chord
    assert sum(len(element.notes) if hasattr(element, "notes") else 1 for element in parts[-1].flatten().notes) == hits


def test_fit_of_the_kick_with_the_bass() -> None:
    grid = grid_from_file(midi.parse(made_song(1, bars=16)))
    line = np.zeros((grid.beats, SLOTS), bool)
    line[::2, 0] = line[1::4, 6] = True
    hits = np.zeros((grid.beats, SLOTS, PARTS), bool)
    assert fit(hits, line, grid, np.random.default_rng(0)) == (None, None)
    hits[:, :, KICK] = line
    own, shuffled = fit(hits, line, grid, np.random.default_rng(0))
    assert own == 1
    assert shuffled is not None
    assert shuffled < 0.8
    assert fit(hits, np.zeros_like(line), grid, np.random.default_rng(0)) == (None, None)


def test_results_are_json_and_add_up(play: Any) -> None:
    made = play(made_song(1), DrumsOptions(seed=4, style="pop"))
    found = pipeline.result(made)
    assert json.loads(json.dumps(found)) == found
    assert found["hits"] == made.pattern.hits.sum()
    assert found["drums_in_sketch"] == len(made.heard.sketch.song.tracks[2].notes)
    assert (found["seed"], found["style"], found["density_requested"]) == (4, "pop", "auto")
    assert found["kick_bass_f1"] is None or 0 <= found["kick_bass_f1"] <= 1
