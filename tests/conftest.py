"""What several test files share: unpacked data, a small dataset of songs made by code, tiny networks."""

from __future__ import annotations

import csv
import os
import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from commands import run
from songs import made_song

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by torch when it is imported: two workers share two cores
ARCHIVES = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A folder of real music by name: ``corpus("odd-meter")``, or of a few files: ``corpus("songs", ["x.mid"])``.

    It is a subfolder of COMPOSER_DATA where that is set, else unpacked once for all workers of a test session from
    an archive beside the repository. Without either, the test is skipped.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder(which: str, files: Sequence[str] = ()) -> Path:
        root = os.environ.get("COMPOSER_DATA")
        if root and (Path(root) / which).is_dir():
            return Path(root) / which
        archive = ARCHIVES / f"{which}.tar.xz"
        if not archive.is_file():
            pytest.skip(f"no {which}: COMPOSER_DATA does not hold it and there is no {which}.tar.xz to unpack")
        target = shared / f"corpus-{which}-{zlib.crc32(' '.join(files).encode()):08x}"
        if not target.is_dir():
            partial = tmp_path_factory.mktemp(which)
            _unpack(archive, partial, set(files))
            try:
                partial.rename(target)
            except OSError:  # another worker was faster
                assert target.is_dir()
        return target / which

    return folder


@pytest.fixture(scope="session")
def song_index() -> list[dict[str, str]]:
    """The rows of songs.csv: file, split, title, melody_track_named and more; skips where there is none."""
    folders = [Path(os.environ["COMPOSER_DATA"])] if "COMPOSER_DATA" in os.environ else []
    found = [folder / "songs.csv" for folder in (*folders, ARCHIVES) if (folder / "songs.csv").is_file()]
    if not found:
        pytest.skip("no songs.csv: neither COMPOSER_DATA nor the folder of the archives holds it")
    with found[0].open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _unpack(archive: Path, target: Path, files: set[str]) -> None:
    """All of an archive, or some files of it; reading stops when they are found."""
    with tarfile.open(archive, "r|xz") as tar:
        wanted = set(files)
        for member in tar:
            if not files or Path(member.name).name in wanted:
                tar.extract(member, target, filter="data")
                wanted.discard(Path(member.name).name)
                if files and not wanted:
                    return


@pytest.fixture(scope="session")
def made_songs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two indexes of songs with drums, split in train and test: four of 4/4, three of 3/4."""
    folder = tmp_path_factory.mktemp("made")
    indexes = []
    for source, beats, numbers in (("songs", 4, range(4)), ("waltzes", 3, range(4, 7))):
        (folder / source).mkdir()
        rows = ["file,split,title"]
        for number in numbers:
            (folder / source / f"{number}.mid").write_bytes(made_song(number, beats=beats))
            rows.append(f"{number}.mid,{'test' if number % 2 else 'train'},made{number}")
        indexes.append(folder / f"{source}.csv")
        indexes[-1].write_text("\n".join(rows) + "\n", encoding="utf-8")
    return indexes[0], indexes[1]


@pytest.fixture(scope="session")
def made_dataset(made_songs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The songs of ``made_songs`` as ``composer encode`` writes them."""
    folder = tmp_path_factory.mktemp("dataset") / "data"
    done = run("encode", *made_songs, "-o", folder, "--jobs", 1)
    assert done.exit_code == 0, done.err
    return folder


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of tiny networks, not trained, whose generator strikes about half of all cells."""
    import torch
    from tiny import MODEL, TRAIN

    from gan import checkpoint
    from gan.train import Trainer

    trainer = Trainer(MODEL, TRAIN)
    with torch.no_grad():
        trainer.ema.cells[-1].bias.zero_()
    folder = tmp_path_factory.mktemp("run")
    checkpoint.save(folder, trainer.state(), MODEL, TRAIN)
    return folder


@pytest.fixture(scope="session")
def tiny_weights(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator of ``tiny_run``, exported."""
    from gan import export

    return export.export(tiny_run, tmp_path_factory.mktemp("weights") / "tiny.onnx")
