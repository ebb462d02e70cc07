"""Where songs come from: folders, indexes, the Groove MIDI Dataset, and archives of all of these."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from encoding import archives
from encoding.sources import SPLITS, Item, find, split_of

GROOVE_HEAD = "drummer,id,style,beat_type,midi_filename,split\n"


def tar_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, f"w:{path.suffix[1:]}" if path.suffix != ".tgz" else "w:gz") as file:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in files.items():
            file.writestr(name, data)
    return path


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


PACKERS: dict[str, Callable[[Path, dict[str, bytes]], Path]] = {
    "songs.zip": zip_of, "songs.tar.xz": tar_of, "songs.tar.gz": tar_of, "songs.tgz": tar_of, "songs.tar.bz2": tar_of,
}  # fmt: skip


def bytes_of(items: tuple[Item, ...]) -> dict[str, bytes | OSError]:
    read = dict(archives.contents(items[0].path, {item.member for item in items}))
    return {item.name: read[item.member] for item in items}


def test_a_folder_is_searched_with_its_subfolders_in_order(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "mine", {"b.mid": b"", "a/c.MID": b"", "a/._c.mid": b"", "x.txt": b"", "r.npz": b""})
    found = find(folder)
    assert found.name == "mine"
    assert [item.name for item in found.items] == ["a/c.MID", "b.mid", "r.npz"]
    assert all(item.path == folder / item.name for item in found.items)


def test_versions_of_a_song_share_its_title_and_its_split(tmp_path: Path) -> None:
    names = ["Help.mid", "Help.1.mid", "Help.2.mid", "help (2).mid"]
    items = find(folder_of(tmp_path, dict.fromkeys(names, b""))).items
    assert {item.title for item in items} == {"Help", "help"}
    assert len({item.split for item in items}) == 1


def test_splits_by_title_have_their_shares() -> None:
    splits = [split_of(f"title {i}") for i in range(5000)]
    assert [round(splits.count(split) / 5000, 2) for split in SPLITS] == pytest.approx([0.94, 0.03, 0.03], abs=0.01)


def test_an_index_with_its_folder(tmp_path: Path) -> None:
    folder_of(tmp_path, {"songs/a.mid": b"", "songs.csv": b"file,split,title\na.mid,test,Help\ngone.mid,train,Gone\n"})
    found = find(tmp_path / "songs.csv")
    assert [(item.path, item.split, item.title) for item in found.items] == [
        (tmp_path / "songs/a.mid", "test", "Help"), (tmp_path / "songs/gone.mid", "train", "Gone"),
    ]  # fmt: skip


def test_an_index_beside_its_files_and_one_with_an_archive(tmp_path: Path) -> None:
    index = b"file,split,title\nb.mid,test,B\na.mid,train,A\nno.mid,train,No\n"
    folder_of(tmp_path, {"one/list.csv": index, "one/a.mid": b"", "two/songs.csv": index})
    assert find(tmp_path / "one/list.csv").items[1].path == tmp_path / "one/a.mid"
    archive = tar_of(tmp_path / "two/songs.tar.xz", {"songs/a.mid": b"A", "songs/b.mid": b"B"})
    items = find(tmp_path / "two/songs.csv").items
    assert [(item.name, item.member, item.split) for item in items] == [
        ("a.mid", "songs/a.mid", "train"), ("b.mid", "songs/b.mid", "test"), ("no.mid", "songs/no.mid", "train"),
    ]  # fmt: skip
    assert {item.path for item in items} == {archive}


GROOVE = {
    "info.csv": f"{GROOVE_HEAD}d1,d1/1,funk/groove1,beat,d1/1.mid,test\nd1,d1/2,rock,fill,d1/2.mid,train\n".encode(),
    "LICENSE": b"CC BY 4.0",
    "d1/1.mid": b"one",
    "d1/2.mid": b"two",
}


@pytest.mark.parametrize("is_archive", [False, True])
def test_groove_says_style_split_and_fill(tmp_path: Path, is_archive: bool) -> None:
    if is_archive:  # members come before their index in this one
        members = {f"groove/{name}": data for name, data in reversed(GROOVE.items())}
        found = find(tar_of(tmp_path / "groove.tar.xz", members))
    else:
        found = find(folder_of(tmp_path / "groove", GROOVE))
    assert (found.name, found.licence) == ("groove", "CC BY 4.0")
    facts = {item.name: (item.style, item.split, item.is_fill, item.roland, item.title) for item in found.items}
    assert facts == {
        "d1/1.mid": ("funk", "test", False, True, "d1/1"), "d1/2.mid": ("rock", "train", True, True, "d1/2"),
    }  # fmt: skip
    if is_archive:
        assert bytes_of(found.items) == {"d1/1.mid": b"one", "d1/2.mid": b"two"}


@pytest.mark.parametrize("name", list(PACKERS))
def test_archives_of_every_kind(tmp_path: Path, name: str) -> None:
    files = {f"top/{n}.mid": f"song {n}".encode() for n in "cab"}
    found = find(PACKERS[name](tmp_path / name, files | {"top/readme.txt": b"hello"}))
    assert found.name == "songs"
    assert bytes_of(found.items) == {f"{n}.mid": f"song {n}".encode() for n in "cab"}


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar.gz"])
def test_names_that_lead_out_of_an_archive_write_nothing(tmp_path: Path, name: str) -> None:
    files = {"../../evil.mid": b"1", "/evil.mid": b"2", "good.mid": b"3"}
    (tmp_path / "in").mkdir()
    items = find(PACKERS[name](tmp_path / "in" / name, files)).items
    assert bytes_of(items)["good.mid"] == b"3"
    assert [path.name for path in tmp_path.rglob("*")] == ["in", name]


def test_links_and_folders_in_a_tar_are_no_songs(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as file:
        for name, kind in (("d.mid", tarfile.DIRTYPE), ("l.mid", tarfile.SYMTYPE), ("p.mid", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            file.addfile(member)
        member = tarfile.TarInfo("s.mid")
        file.addfile(member, io.BytesIO())
    assert [item.name for item in find(path).items] == ["s.mid"]


@pytest.mark.parametrize("name", ["songs.zip", "songs.tar.gz"])
def test_a_huge_member_is_an_error_of_its_own(tmp_path: Path, name: str) -> None:
    files = {"bomb.mid": bytes(archives.LARGEST_BYTES + 1), "song.mid": b"song"}
    read = bytes_of(find(PACKERS[name](tmp_path / name, files)).items)
    assert "larger than 32 MiB" in str(read["bomb.mid"])
    assert read["song.mid"] == b"song"


@pytest.mark.parametrize("name", list(PACKERS))
def test_an_archive_cut_short_is_told_by_name(tmp_path: Path, name: str) -> None:
    path = PACKERS[name](tmp_path / name, {f"{n}.mid": bytes(range(256)) * 50 for n in range(40)})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"{name}: damaged archive"):
        list(archives.contents(path, set(archives.names(path))))


def test_a_zip_member_with_a_wrong_checksum_costs_only_itself(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"bad.mid": b"x" * 99, "good.mid": b"good"})
    data = bytearray(path.read_bytes())
    data[14] ^= 0xFF  # the CRC in the first local header ...
    central = data.index(b"PK\x01\x02")
    data[central + 16] ^= 0xFF  # ... and in the directory
    path.write_bytes(data)
    read = bytes_of(find(path).items)
    assert "damaged" in str(read["bad.mid"])
    assert read["good.mid"] == b"good"


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (b"file,title\na.mid,A\n", "no column split"),
        (b"", "no column"),
        (b"file,split,title\na.mid,valid,A\n", "line 2: split 'valid' is none of train"),
        (b"file,split,title\na.mid,train\n", "line 2 has fewer columns"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no column"),
    ],
)
def test_a_bad_index_is_told_by_line(tmp_path: Path, index: bytes, said: str) -> None:
    folder_of(tmp_path, {"songs.csv": index, "a.mid": b""})
    with pytest.raises(ValueError, match=said):
        find(tmp_path / "songs.csv")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="none of its 0"):
        find(tmp_path)
    folder_of(tmp_path, {"songs.csv": b"file,split,title\na.mid,train,A\nb.mid,train,B\n"})
    with pytest.raises(FileNotFoundError, match="none of its 2"):
        find(tmp_path / "songs.csv")
