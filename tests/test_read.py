from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import bass_line, header, midi_file, note, rock_beat, tempo, track

from composer import read
from composer.errors import ExitCode, SketchError
from composer.read import sketch


def test_sketch_keeps_bytes_and_notes(tmp_path: Path) -> None:
    data = midi_file([[tempo(90)], bass_line(), rock_beat()])
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    found = sketch(path)
    assert (found.path, found.data) == (path, data)
    assert [len(track.notes) for track in found.song.tracks] == [16, 16]


def test_damaged_but_playable_sketch_says_what_was_repaired(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(midi_file([bass_line()])[:-2])
    assert "cut off" in sketch(path).song.repairs[0]


REFUSED = {
    "empty": (b"", "is empty (0 bytes); export the sketch again"),
    "audio": (b"RIFF\x24\x00\x00\x00WAVEfmt ", "is not a MIDI file: it starts with 'RIFF$...WAVE'; export"),
    "text": (b"hello", "is not a MIDI file: it starts with 'hello'; export the sketch as a Standard MIDI File (.mid)"),
    "MIDI 2.0": (b"SMF2CLIP\x00\x40\x00\x00", "it starts with 'SMF2CLIP.@..'"),
    "truncated in the header": (header()[:12], "the header at byte 0 is damaged"),
    "truncated before a note": (header() + track([tempo(90)], length=500), "is truncated: it ends at byte 33"),
    "no notes": (midi_file([[tempo(90)]]), "has no notes; add a bass line or a melody to follow"),
    "no tracks": (midi_file([]), "has no notes"),
    "only drums": (midi_file([[tempo(90)], rock_beat(2)]), "has only drums (8 notes on channel 10); add a bass line"),
    "patterns": (midi_file([bass_line()] * 3, midi_format=2), "holds 3 separate patterns (format 2)"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refusals_say_what_was_found_in_one_line(tmp_path: Path, kind: str) -> None:
    data, said = REFUSED[kind]
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    with pytest.raises(SketchError) as caught:
        sketch(path)
    message = str(caught.value)
    assert caught.value.exit_code == ExitCode.SKETCH
    assert message.startswith(str(path))
    assert said in message
    assert "\n" not in message


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(SketchError, match=r"none\.mid does not exist; check the name"):
        sketch(tmp_path / "none.mid")
    with pytest.raises(SketchError, match="is a folder; name one MIDI file"):
        sketch(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SketchError, match="is a device or pipe"):
        sketch(tmp_path / "pipe")


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(midi_file([bass_line()]))

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SketchError, match=r"cannot be opened: Permission denied; check its permissions"):
        sketch(path)


def test_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "film.mov"
    with path.open("wb") as file:
        file.truncate(read.MAX_BYTES + 1)  # sparse: takes no space
    with pytest.raises(SketchError, match="67,108,865 bytes, too many for a MIDI file"):
        sketch(path)


def test_one_melody_note_beside_drums_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "song.mid"
    path.write_bytes(midi_file([rock_beat(), [note(0, 60)]]))
    assert [track.is_drums for track in sketch(path).song.tracks] == [True, False]


def test_only_drums_will_do_where_no_line_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "beat.mid"
    path.write_bytes(midi_file([rock_beat(2)]))
    assert len(sketch(path, needs_line=False).song.tracks[0].notes) == 8
