"""A dataset read back: what was encoded, split by song, each drum part once, ready for torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import drum, midi_file
from songs import made_song

from encoding import corpus, midi
from encoding.bars import grid_from_file, mark_ternary
from encoding.conditions import ROLES, density, onset_strengths
from encoding.dataset import CELLS, Dataset
from encoding.grid import encode
from encoding.kit import PARTS
from encoding.records import drum_hits
from encoding.roles import assign
from encoding.sources import Item, Source
from encoding.types import SLOTS

# Splits of songs by number; the drums of 9 and 10 are those of 0 and 1 in another split.
SPLITS = ["train", "test", "train", "validation", "train", "test", "train", "train", "train"]


def song(number: int) -> bytes:
    return made_song(number, beats=3 + number % 2, bars=20)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("songs")
    splits = [*SPLITS, "test", "validation"]
    items = []
    for number, split in enumerate(splits):
        (place / f"{number}.mid").write_bytes(song(number % len(SPLITS)))
        source = "odd" if number == 2 else "songs"
        items.append(Item(place / f"{number}.mid", f"{number}.mid", source, split, f"title {number}"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "SHARD_FILES", 4)
        corpus.write(
            [Source("songs", "", tuple(items))], place / "dataset", jobs=1, resume=False, progress=lambda done: None
        )
    return place / "dataset"


def titles(read: Dataset) -> list[str]:
    return [facts["title"] for facts in read.songs]


def test_splits_never_mix_and_drum_parts_come_once(dataset: Path) -> None:
    by_split = {split: titles(Dataset(dataset, {split}, bars=4)) for split in ("train", "validation", "test")}
    assert by_split["train"] == [f"title {n}" for n, split in enumerate(SPLITS) if split == "train"]
    # test songs 9 and 1 have the drums of training song 0 and validation song 10
    assert by_split["test"] == ["title 5"]
    assert by_split["validation"] == ["title 3", "title 10"]
    hashes = [facts["drum_hash"] for facts in Dataset(dataset, {"train", "validation", "test"}, bars=4).songs]
    assert len(hashes) == len(set(hashes)) == len(SPLITS)


def test_sources_can_be_chosen(dataset: Path) -> None:
    assert titles(Dataset(dataset, {"train"}, sources={"odd"}, bars=4)) == ["title 2"]


def test_what_is_read_is_what_was_played(dataset: Path) -> None:
    read = Dataset(dataset, {"train"}, bars=4)
    first = 0
    for facts in read.songs:
        played = midi.parse(song(int(facts["file"].removesuffix(".mid"))))
        grid = mark_ternary(grid_from_file(played), np.concatenate([t.notes.onset_tick for t in played.tracks]))
        pattern, _ = encode(drum_hits(played)[0], grid)
        windows, hits = read.windows(np.array([first]), facts["bars"])
        assert (hits[windows.is_beat].reshape(-1, SLOTS, PARTS) == pattern.hits).all()
        roles = assign(played.tracks)
        notes = [[played.tracks[i].notes for i in getattr(roles, role)] for role in ROLES]
        assert windows.onsets[windows.is_beat] == pytest.approx(onset_strengths(notes, grid), abs=1 / 255)
        assert windows.density[0] == pytest.approx(density(pattern.hits, grid))
        assert windows.beat_s[windows.is_beat] == pytest.approx(60 / facts["tempo_bpm"], rel=1e-3)
        assert windows.bars_to_end[0].tolist() == list(range(facts["bars"]))[::-1]
        assert windows.bar_number[0].tolist() == list(range(facts["bars"]))
        first += facts["bars"]


def test_windows_lie_inside_one_song(dataset: Path) -> None:
    read = Dataset(dataset, {"train"}, bars=16)
    assert len(read) == len(read.songs) * (20 - 16 + 1)
    first, last = read.bar_song[read.window_starts], read.bar_song[read.window_starts + 15]
    assert (first == last).all()


def test_windows_of_mixed_meters_are_padded(dataset: Path) -> None:
    read = Dataset(dataset, {"train"}, bars=4)
    meters = np.array([facts["meter"] == "3/4" for facts in read.songs])
    three, four = (read.window_starts[meters[read.bar_song[read.window_starts]] == is_three][0] for is_three in (1, 0))
    windows, hits = read.windows(np.array([three, four]))
    assert windows.is_beat.sum(-1).tolist() == [[3] * 4, [4] * 4]
    assert not hits[~windows.is_beat].any()
    assert not windows.onsets[~windows.is_beat].any()


def test_torch_data_loader_takes_it_as_it_is(dataset: Path) -> None:
    data = pytest.importorskip("torch.utils.data", reason="needs the 'train' extra")
    read = Dataset(dataset, {"test"}, bars=8)
    batches = list(data.DataLoader(read, batch_size=5))
    assert sum(len(batch["hits"]) for batch in batches) == len(read)
    assert batches[0]["hits"].shape == (5, 8, *read[0]["hits"].shape[1:])
    assert batches[0]["hits"].shape[-1] == CELLS
    assert batches[0]["onsets"].shape[-2:] == (SLOTS, len(ROLES))
    assert (batches[0]["density"].numpy() == read.density[read.window_starts[:5, None] + np.arange(8)]).all()


def test_no_song_and_no_dataset(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no song in split gone"):
        Dataset(dataset, {"gone"})
    with pytest.raises(FileNotFoundError, match="no finished dataset"):
        Dataset(tmp_path, {"train"})
    (tmp_path / "manifest.json").write_text('{"format": 99, "shards": 0}')
    with pytest.raises(ValueError, match="format 99"):
        Dataset(tmp_path, {"train"})


def test_bars_without_drums_make_no_windows(tmp_path: Path) -> None:
    """Four bars of drums, then silence up to bar 20: of windows of 8 bars only those with drums in half are kept."""
    beat = [drum(0, 36 if n % 2 == 0 else 38, 480) for n in range(16)]
    (tmp_path / "a.mid").write_bytes(midi_file([[*beat, drum(480 * 63, 36, 480)]]))
    source = Source("s", "", (Item(tmp_path / "a.mid", "a.mid", "s", "train", "a"),))
    corpus.write([source], tmp_path / "dataset", jobs=1, resume=False, progress=lambda done: None)
    assert Dataset(tmp_path / "dataset", {"train"}, bars=8).window_starts.tolist() == [0]
