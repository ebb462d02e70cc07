"""Piano rolls of pypianoroll: what the Lakh Pianoroll Dataset says in notes, and songs that pypianoroll loads."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from builders import bass_line, drum, meter, midi_file, note, rock_beat, tempo
from hypothesis import given, settings
from hypothesis import strategies as st

from encoding import midi, pianoroll
from encoding.records import drum_hits, record
from encoding.types import Notes, Song, Tempo, TimeSignature, Track

pypianoroll = pytest.importorskip("pypianoroll", reason="needs the 'pianoroll' extra")

LPD_5 = (("Drums", 0, True), ("Piano", 0, False), ("Guitar", 24, False), ("Bass", 32, False), ("Strings", 48, False))


def lpd_file(beats: int = 32, layout: tuple[tuple[str, int, bool], ...] = LPD_5) -> bytes:
    """A song of the Lakh Pianoroll Dataset as pypianoroll writes it: 24 steps a beat, a rock beat, a bass in quarters."""
    steps = 24 * beats
    rolls = [np.zeros((steps, 128), np.uint8) for _ in layout]
    names = [name for name, _, _ in layout]
    rolls[names.index("Drums")][::48, 36] = 100
    rolls[names.index("Drums")][24::48, 38] = 90
    for beat in range(beats):
        rolls[names.index("Bass")][24 * beat : 24 * beat + 23, 40] = 80
    downbeat = np.zeros((steps, 1), bool)
    downbeat[::96] = True
    tracks = [
        pypianoroll.StandardTrack(name=name, program=program, is_drum=is_drum, pianoroll=roll)
        for (name, program, is_drum), roll in zip(layout, rolls, strict=True)
    ]
    multitrack = pypianoroll.Multitrack(
        name="song", resolution=24, tempo=np.full((steps, 1), 90.0), downbeat=downbeat, tracks=tracks
    )
    return saved(multitrack)


def saved(multitrack: pypianoroll.Multitrack) -> bytes:
    file = io.BytesIO()
    multitrack.save(file)
    return file.getvalue()


def test_lpd_5_says_its_notes() -> None:
    song = pianoroll.read(lpd_file())
    assert song.ticks_per_quarter == 24
    assert [track.name for track in song.tracks] == ["Drums", "Piano", "Guitar", "Bass", "Strings"]
    drums, bass = song.tracks[0], song.tracks[3]
    assert drums.is_drums
    assert drums.notes.onset_tick[:3].tolist() == [0, 24, 48]
    assert drums.notes.pitch[:3].tolist() == [36, 38, 36]
    assert drums.notes.velocity[:3].tolist() == [100, 90, 100]
    assert bass.program == 32
    assert bass.notes.onset_tick.tolist() == list(range(0, 24 * 32, 24))
    assert set(bass.notes.duration_tick.tolist()) == {23}
    assert song.time_signatures == (TimeSignature(0, 4, 4),)
    assert song.tempos == (Tempo(0, 666_667),)


def test_lpd_5_becomes_a_record_with_a_bass() -> None:
    made = record(pianoroll.read(lpd_file()))
    assert (made.bars, made.hits, made.meter, made.tempo_bpm) == (8, 32, "4/4", 90.0)
    assert made.arrays["known_roles"][0].tolist()[0]


def test_lpd_17_layout() -> None:
    names = ("Piano", "Chromatic Percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass", "Reed", "Pipe",
             "Synth Lead", "Synth Pad", "Synth Effects", "Ethnic", "Percussive", "Sound Effects")  # fmt: skip
    layout = (("Drums", 0, True), *((name, 8 * i, False) for i, name in enumerate(names)))
    song = pianoroll.read(lpd_file(layout=layout))
    assert len(song.tracks) == 17
    assert len(drum_hits(song)[0].part) == 32


def test_files_of_pypianoroll_before_1_0() -> None:
    """The published Lakh Pianoroll Dataset says ``beat_resolution`` and has flat tempo and downbeat arrays."""
    old = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(lpd_file())) as new, zipfile.ZipFile(old, "w") as file:
        for entry in new.namelist():
            content = new.read(entry)
            if entry == "info.json":
                info = json.loads(content)
                info["beat_resolution"] = info.pop("resolution")
                content = json.dumps(info).encode()
            elif entry in ("tempo.npy", "downbeat.npy"):
                flat = io.BytesIO()
                np.save(flat, np.load(io.BytesIO(content)).ravel())
                content = flat.getvalue()
            file.writestr(entry, content)
    assert pianoroll.read(old.getvalue()).time_signatures == (TimeSignature(0, 4, 4),)


def test_binary_rolls_have_an_ordinary_velocity() -> None:
    roll = np.zeros((96, 128), bool)
    roll[24:48, 60] = True
    song = pianoroll.read(saved(pypianoroll.Multitrack(tracks=[pypianoroll.BinaryTrack(pianoroll=roll)])))
    notes = song.tracks[0].notes
    assert (notes.onset_tick.tolist(), notes.duration_tick.tolist(), notes.velocity.tolist()) == ([24], [24], [100])


@pytest.mark.parametrize("data", [b"", b"MThd", b"PK\x03\x04 no zip", lpd_file()[:400], lpd_file()[200:]])
def test_damaged_files_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="no piano roll"):
        pianoroll.read(data)


def test_a_small_file_that_claims_a_huge_roll_is_refused() -> None:
    bomb = io.BytesIO()
    with np.load(io.BytesIO(lpd_file())) as arrays:
        changed = {name: arrays[name] for name in arrays.files if name.endswith(".npy") or "pianoroll" in name}
        changed["pianoroll_0_csc_shape"] = np.array([10**12, 128])
    np.savez(bomb, **changed)
    with pytest.raises(ValueError, match="1,000,000,000,000 time steps"):
        pianoroll.read(bomb.getvalue())


def test_another_npz_is_a_value_error() -> None:
    file = io.BytesIO()
    np.savez(file, hits=np.zeros(3))
    with pytest.raises(ValueError, match="no piano roll"):
        pianoroll.read(file.getvalue())


def test_saved_song_is_loaded_by_pypianoroll(tmp_path: Path) -> None:
    data = midi_file([[tempo(90), meter(3, 4)], bass_line(3), rock_beat(3)])
    path = tmp_path / "song.npz"
    pianoroll.save(midi.parse(data), path, name="song")
    roll = pypianoroll.load(path)
    roll.validate()
    assert roll.name == "song"
    assert roll.resolution == 24
    assert np.flatnonzero(roll.downbeat).tolist() == [0, 72, 144, 216]
    assert roll.tempo.shape == roll.downbeat.shape == roll.tracks[0].pianoroll.shape[:1]
    assert roll.tempo[0] == pytest.approx(90)
    drums = next(track for track in roll.tracks if track.is_drum)
    assert np.argwhere(drums.pianoroll)[:3].tolist() == [[0, 36], [24, 38], [48, 36]]


def test_repeated_and_overlapping_notes_stay_apart(tmp_path: Path) -> None:
    line = [note(0, 60, 480), note(0, 60, 480), note(0, 60, 480, 50)]
    pianoroll.save(midi.parse(midi_file([line, [drum(0, 38)]])), tmp_path / "a.npz")
    notes = pianoroll.read((tmp_path / "a.npz").read_bytes()).tracks[0].notes
    assert notes.onset_tick.tolist() == [0, 24, 48]
    assert notes.velocity.tolist() == [100, 100, 50]


NOTE = st.tuples(st.integers(0, 400), st.integers(1, 60), st.integers(0, 127), st.integers(1, 127))


@settings(max_examples=40, deadline=None)
@given(st.lists(NOTE, min_size=1, max_size=30, unique_by=lambda n: (n[0] // 2, n[2])), st.booleans())
def test_onsets_survive_saving_and_reading(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[int, int, int, int]], is_drums: bool
) -> None:
    """Notes of one pitch at least two steps apart come back at their onsets with their velocities."""
    found = sorted((2 * (onset // 2), duration, pitch, velocity) for onset, duration, pitch, velocity in found)
    onset, duration, pitch, velocity = (np.array(column) for column in zip(*found, strict=True))
    notes = Notes(onset, duration, pitch.astype(np.int16), velocity.astype(np.int16))
    song = Song(24, (Track(0, "", 0, is_drums, notes),), (), (), (), int((onset + duration).max()))
    path = tmp_path_factory.mktemp("roll") / "a.npz"
    pianoroll.save(song, path)
    back = pianoroll.read(path.read_bytes()).tracks[0].notes
    wanted = sorted(zip(onset.tolist(), pitch.tolist(), velocity.tolist(), strict=True))
    assert sorted(zip(back.onset_tick.tolist(), back.pitch.tolist(), back.velocity.tolist(), strict=True)) == wanted


def test_pypianoroll_is_imported_only_when_needed() -> None:
    code = "import sys, encoding.pianoroll, encoding.corpus; sys.exit('pypianoroll' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
