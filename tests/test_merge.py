from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from builders import END, bass_line, chunk, header, meter, midi_file, name, rmi_file, rock_beat, tempo, track

from composer import merge
from composer.errors import ExitCode, OutputError, SketchError
from composer.merge import write
from composer.read import Sketch, sketch
from encoding import midi, smf

DRUMS = b"".join([name("Drums"), *rock_beat()]) + END
CONDUCTOR = [tempo(90), meter(4, 4)]
SONG = midi_file([CONDUCTOR, [name("Bass"), *bass_line()]])


def make(folder: Path, data: bytes = SONG) -> Sketch:
    path = folder / "song.mid"
    path.write_bytes(data)
    return sketch(path)


def merged(source: Sketch, output: Path, force: bool = False, replace_drums: bool = False) -> merge.MergeProof:
    return write(source, DRUMS, output, force=force, replace_drums=replace_drums)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "data",
    [
        SONG,
        midi_file([bass_line()], midi_format=0),
        rmi_file(SONG),
        b"junk" + SONG,
        SONG + b"\x1a",
        SONG[:-2],
        header(1, 2) + chunk(b"XFIH", b"x") + track(bass_line()),
        header(1, 1, 0xE728) + track(bass_line()),
    ],
    ids=["plain", "format 0", "rmi", "junk", "trailing", "cut off", "alien chunk, wrong count", "SMPTE"],
)
def test_output_is_the_sketch_plus_one_track(tmp_path: Path, data: bytes) -> None:
    output = tmp_path / "out.mid"
    proof = merged(make(tmp_path, data), output)
    before, after = smf.split(data), smf.split(output.read_bytes())
    chunks = [chunk.raw for chunk in after.chunks]
    assert chunks.count(track([DRUMS], end=False)) == 1
    chunks.remove(track([DRUMS], end=False))
    assert chunks == [chunk.raw for chunk in before.chunks]
    assert [row.sha256 for row in proof.chunks[:-1]] == [hashlib.sha256(raw).hexdigest() for raw in chunks]
    assert [row.state for row in proof.chunks] == ["kept"] * len(chunks) + ["added"]
    assert names(tmp_path) == ["out.mid", "song.mid"]


def test_replacing_drums_leaves_one_drum_track(tmp_path: Path) -> None:
    old = [name("Old drums"), *rock_beat(8)]
    mixed = [tempo(100), *rock_beat(1)]
    proof = merged(make(tmp_path, midi_file([mixed, old, bass_line()])), tmp_path / "out.mid", replace_drums=True)
    song = midi.parse((tmp_path / "out.mid").read_bytes())
    assert [(track.name, len(track.notes)) for track in song.tracks if track.is_drums] == [("Drums", 16)]
    assert [len(track.notes) for track in song.tracks if not track.is_drums] == [16]
    assert [round(60e6 / t.us_per_quarter) for t in song.tempos] == [100]
    assert [row.state for row in proof.chunks] == ["edited", "removed", "kept", "added"]


def test_existing_output_needs_force(tmp_path: Path) -> None:
    source, output = make(tmp_path), tmp_path / "out.mid"
    output.write_bytes(b"other music")
    with pytest.raises(OutputError, match=r"out\.mid exists already; use --force") as caught:
        merged(source, output)
    assert caught.value.exit_code == ExitCode.OUTPUT
    assert output.read_bytes() == b"other music"
    merged(source, output, force=True)
    assert len(smf.split(output.read_bytes()).tracks) == 3
    assert names(tmp_path) == ["out.mid", "song.mid"]


def test_dangling_link_counts_as_existing(tmp_path: Path) -> None:
    (tmp_path / "out.mid").symlink_to(tmp_path / "elsewhere.mid")
    with pytest.raises(OutputError, match="exists already"):
        merged(make(tmp_path), tmp_path / "out.mid")
    assert not (tmp_path / "elsewhere.mid").exists()


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "no hard links"])
def test_file_that_appears_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    source, output = make(tmp_path), tmp_path / "out.mid"
    verify = merge._verify

    def verify_late(*args: object) -> None:
        verify(*args)  # type: ignore[arg-type]
        output.write_bytes(b"saved by another program")

    monkeypatch.setattr(merge, "_verify", verify_late)
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", fail_with(errno.EPERM))
    with pytest.raises(OutputError, match="exists already"):
        merged(source, output)
    assert output.read_bytes() == b"saved by another program"
    assert names(tmp_path) == ["out.mid", "song.mid"]


def fail_with(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "hardlink_to", fail_with(errno.EPERM))
    merged(make(tmp_path), tmp_path / "out.mid")
    assert len(smf.split((tmp_path / "out.mid").read_bytes()).tracks) == 3
    assert names(tmp_path) == ["out.mid", "song.mid"]


@pytest.mark.parametrize("spelling", ["same", "dots", "symlink", "hard link", "linked folder"])
def test_sketch_itself_is_never_replaced(tmp_path: Path, spelling: str) -> None:
    folder = tmp_path / "songs"
    folder.mkdir()
    source = make(folder)
    (tmp_path / "link.mid").symlink_to(source.path)
    (tmp_path / "hard.mid").hardlink_to(source.path)
    (tmp_path / "linked").symlink_to(folder)
    output = {
        "same": source.path,
        "dots": folder / ".." / "songs" / "song.mid",
        "symlink": tmp_path / "link.mid",
        "hard link": tmp_path / "hard.mid",
        "linked folder": tmp_path / "linked" / "song.mid",
    }[spelling]
    with pytest.raises(OutputError, match="is the sketch itself, which is never replaced"):
        merged(source, output, force=True)
    assert source.path.read_bytes() == SONG
    assert names(folder) == ["song.mid"]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    source = make(tmp_path)
    (tmp_path / "folder").mkdir()
    for output, said in {
        tmp_path / "none" / "out.mid": "the folder .*none does not exist; create it first",
        source.path / "out.mid": "does not exist",
        tmp_path / "folder": "is a folder; name a file",
        tmp_path / ("x" * 300 + ".mid"): "the name is too long",
    }.items():
        with pytest.raises(OutputError, match=said):
            merged(source, output, force=True)
    assert names(tmp_path) == ["folder", "song.mid"]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left on the disk"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_failing_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    source = make(tmp_path)
    (tmp_path / "out.mid").write_bytes(b"older take")
    monkeypatch.setattr(merge.os, "fsync", fail_with(number))  # bytes are in the temporary file by then
    with pytest.raises(OutputError, match=rf"out\.mid cannot be written: {said}"):
        merged(source, tmp_path / "out.mid", force=True)
    assert names(tmp_path) == ["out.mid", "song.mid"]
    assert (tmp_path / "out.mid").read_bytes() == b"older take"


@pytest.mark.parametrize("place", [5, 9, 11, 13, 30, 60, 130])
def test_a_byte_changed_on_the_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    def write_wrongly(path: Path, data: bytes) -> None:
        path.write_bytes(data[:place] + bytes((data[place] ^ 0x01,)) + data[place + 1 :])

    monkeypatch.setattr(merge, "_write_synced", write_wrongly)
    with pytest.raises(OutputError, match=r"out\.mid was not written: the disk gave back other bytes"):
        merged(make(tmp_path), tmp_path / "out.mid")
    assert names(tmp_path) == ["song.mid"]


@pytest.mark.parametrize("wrong", [SONG, SONG + track([DRUMS], end=False), midi_file([CONDUCTOR, [DRUMS]])])
def test_a_merge_that_loses_something_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: bytes
) -> None:
    monkeypatch.setattr(smf, "append_track", lambda *_: wrong)
    with pytest.raises(OutputError, match="would differ from the sketch; please report this"):
        merged(make(tmp_path), tmp_path / "out.mid")
    assert names(tmp_path) == ["song.mid"]


def test_drums_of_a_damaged_track_are_not_replaced(tmp_path: Path) -> None:
    source = make(tmp_path, midi_file([bass_line(), rock_beat()])[:-2])
    with pytest.raises(SketchError, match=r"song\.mid cannot be merged: the drum track is damaged at byte"):
        merged(source, tmp_path / "out.mid", replace_drums=True)
    assert names(tmp_path) == ["song.mid"]


@pytest.mark.parametrize("replace_drums", [False, True])
def test_an_output_is_known_again(tmp_path: Path, replace_drums: bool) -> None:
    source, output = make(tmp_path, midi_file([CONDUCTOR, bass_line(), rock_beat(2)])), tmp_path / "out.mid"
    merged(source, output, replace_drums=replace_drums)
    assert merge.verify_output(source, output, replace_drums=replace_drums) == 16
    written = output.read_bytes()
    with pytest.raises(OutputError, match=r"is not .* with drums; use --force"):
        merge.verify_output(source, output, replace_drums=not replace_drums)
    for place in (3, 11, 13, 40, len(written) // 4):
        output.write_bytes(written[:place] + bytes((written[place] ^ 1,)) + written[place + 1 :])
        with pytest.raises(OutputError, match=r"is not .* with drums; use --force"):
            merge.verify_output(source, output, replace_drums=replace_drums)


def test_drums_taken_out_behind_stray_bytes(tmp_path: Path) -> None:
    stray = b"\x01\x02 some stray bytes"
    for middle in ([stray, track(rock_beat())], [stray, track(rock_beat()), stray, track(rock_beat())]):
        data = header(1, 1 + len(middle) // 2) + track(bass_line()) + b"".join(middle)
        source, output = make(tmp_path, data), tmp_path / "out.mid"
        merged(source, output, force=True, replace_drums=True)
        written = output.read_bytes()
        assert track(bass_line()) in written
        assert written.endswith(stray * (len(middle) // 2))
        assert len([t for t in midi.parse(written).tracks if t.is_drums]) == 1
        assert merge.verify_output(source, output, replace_drums=True) == 16
