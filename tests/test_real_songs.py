"""Real songs of the test split without their drums, songs in other meters, and files that break readers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from composer import pipeline
from composer.errors import ComposerError, ExitCode
from composer.options import DrumsOptions
from composer.pipeline import Accompaniment, accompany
from encoding import events, midi, smf

# The first songs of the test split in the archive's order, so that little of it has to be read.
SONGS = [
    "03176fc0ab83edbff79dc566a985c080.mid", "046d9151c3679f15f623df4ee2247d29.mid",
    "047159ba4793d2a45fdd620b461b5525.mid", "07dc9dbc6186499817ae293e9ec840e9.mid",
    "08c5cf94247845a8f2d2e0cb0df788c1.mid", "0ad6db6917e31c72a9b8278a2429d74d.mid",
]  # fmt: skip
METERS = ["12-8", "3-4", "3-8", "5-4", "5-8", "6-4", "6-8", "7-4", "7-8", "9-8"]
Corpus = Callable[..., Path]


def drumless(path: Path) -> bytes:
    return smf.join(events.remove_channel(smf.split(path.read_bytes())))


def check_merge(made: Accompaniment, sketch: bytes) -> None:
    """Every chunk as it was, one more of drums on channel 10, all within the bars."""
    before, after = smf.split(sketch), smf.split(made.proof.output.read_bytes())
    assert [chunk.raw for chunk in after.tracks[:-1]] == [chunk.raw for chunk in before.tracks]
    added = [event for event in events.events(after.tracks[-1].body) if event.is_channel]
    assert all(event.status & 0x0F == smf.DRUM_CHANNEL for event in added)
    drums = [track.notes for track in midi.parse(after_bytes(made)).tracks if track.is_drums]
    onset_tick = np.concatenate([notes.onset_tick for notes in drums])
    assert len(onset_tick) == made.pattern.hits.sum() > 0
    assert made.heard.grid.beat_tick[0] <= onset_tick.min()
    assert onset_tick.max() < made.heard.grid.beat_tick[-1]


def after_bytes(made: Accompaniment) -> bytes:
    return made.proof.output.read_bytes()


@pytest.fixture(scope="module")
def accompanied(corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Accompaniment]]:
    """Each song without its own drums, and with new ones of seed 0."""
    source, folder = corpus("songs", SONGS), tmp_path_factory.mktemp("songs")
    found = {}
    for file in SONGS:
        sketch = drumless(source / file)
        (folder / file).write_bytes(sketch)
        made = accompany(folder / file, folder / f"{file}.drums.mid", DrumsOptions())
        found[file] = (sketch, made)
    return found


@pytest.mark.parametrize("file", SONGS)
def test_real_songs_keep_every_byte(accompanied: dict[str, tuple[bytes, Accompaniment]], file: str) -> None:
    sketch, made = accompanied[file]
    check_merge(made, sketch)
    assert made.heard.timing.meter == (4, 4)
    facts = pipeline.result(made)
    assert facts["kick_bass_f1"] is not None
    assert facts["drums_in_sketch"] == 0


def test_another_sketch_gets_other_drums(accompanied: dict[str, tuple[bytes, Accompaniment]]) -> None:
    """The users' complaint about MuseGAN: changing the input track doesn't change the output."""
    hits = [made.pattern.hits for _, made in accompanied.values()]
    for number, a in enumerate(hits):
        for b in hits[:number]:
            beats = min(len(a), len(b))
            either = (a[:beats] | b[:beats]).sum()
            assert 1 - (a[:beats] & b[:beats]).sum() / either > 0.3


@pytest.mark.parametrize("file", SONGS[2:4])
def test_a_songs_own_drums_are_replaced(corpus: Corpus, tmp_path: Path, file: str) -> None:
    path = corpus("songs", SONGS) / file
    before = midi.parse(path.read_bytes())
    made = accompany(path, tmp_path / file, DrumsOptions(replace_drums=True))
    after = midi.parse(after_bytes(made))
    assert sum(len(track.notes) for track in before.tracks if track.is_drums) > 100
    assert sum(len(track.notes) for track in after.tracks if track.is_drums) == made.pattern.hits.sum()
    for kind in (before, after):
        assert kind.tempos == before.tempos
        assert kind.time_signatures == before.time_signatures
    lines = [
        [track.notes for track in song.tracks if not track.is_drums and len(track.notes)] for song in (before, after)
    ]
    assert len(lines[0]) == len(lines[1])
    for old, new in zip(*lines, strict=True):
        assert np.array_equal(old.onset_tick, new.onset_tick)
        assert np.array_equal(old.pitch, new.pitch)


@pytest.mark.parametrize("meter", METERS)
def test_songs_in_other_meters(corpus: Corpus, tmp_path: Path, meter: str) -> None:
    file = min((corpus("odd-meter") / meter).glob("*.mid"), key=lambda path: path.name)
    sketch = drumless(file)
    (tmp_path / "song.mid").write_bytes(sketch)
    made = accompany(tmp_path / "song.mid", tmp_path / "out.mid", DrumsOptions(density=0.8))
    check_merge(made, sketch)
    numerator, denominator = map(int, meter.split("-"))
    assert made.heard.timing.meter == (numerator, denominator)
    grid = made.heard.grid
    struck = np.add.reduceat(made.pattern.hits.sum((1, 2)), grid.bar_beat[:-1]) > 0
    assert struck.mean() > 0.6


def accompanied_or_refused(path: Path, output: Path) -> Accompaniment | ComposerError:
    try:
        return accompany(path, output, DrumsOptions())
    except ComposerError as error:
        return error


def test_hostile_files_are_followed_or_refused_but_never_break_anything(corpus: Corpus, tmp_path: Path) -> None:
    files = sorted(path for path in corpus("hostile").rglob("*") if path.is_file())[::3]
    followed = 0
    for number, path in enumerate(files):
        sketch, output = path.read_bytes(), tmp_path / f"{number}.mid"
        made = accompanied_or_refused(path, output)
        assert path.read_bytes() == sketch
        if isinstance(made, ComposerError):
            assert made.exit_code == ExitCode.SKETCH, path
            assert str(path) in str(made)
            assert "\n" not in str(made)
            assert not output.exists()
            continue
        followed += 1
        before, chunks = smf.split(sketch), [chunk.raw for chunk in smf.split(output.read_bytes()).chunks]
        chunks.pop(smf.append_place(before))
        assert chunks == [chunk.raw for chunk in before.chunks], path
        assert midi.parse(output.read_bytes()).end_tick >= made.heard.sketch.song.end_tick, path
    assert followed > len(files) / 3
