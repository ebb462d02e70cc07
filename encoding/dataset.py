"""A dataset folder read back: windows of bars by split, as numpy arrays. Works under a torch DataLoader as it is."""

from __future__ import annotations

import json
from functools import cached_property
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from encoding.conditions import HITS_PER_QUARTER_AT_FULL_DENSITY, ROLES
from encoding.corpus import FORMAT, MANIFEST, kept_copies
from encoding.kit import PARTS
from encoding.types import SLOTS
from encoding.windows import Windows, beat_indices

CELLS, ONSET_CELLS = SLOTS * PARTS, SLOTS * len(ROLES)
PER_BEAT = ("ternary", "quarters", "beat_s")
PER_BAR = ("section", "section_bar", "bars_left", "known_roles", "fill", "style")


class Dataset:
    """All songs of the chosen splits and sources in memory; of songs with the same drum part only one, in any split.

    songs: facts of each song. bar_song (bars,) int: which song each bar belongs to.
    hits (beats, CELLS) bool; onsets (beats, ONSET_CELLS) uint8 0-255; bar_beat (bars + 1,) int64.
    """

    def __init__(self, folder: Path, splits: set[str], *, sources: set[str] | None = None, bars: int = 16) -> None:
        """Read a dataset.

        Args:
            bars: length of a window.

        Raises:
            FileNotFoundError: the folder holds no finished dataset.
            ValueError: a dataset of another format, or no song in these splits.
        """
        self.window_bars = bars
        self.songs: list[dict[str, Any]] = []
        wanted: list[dict[str, np.ndarray]] = []
        shards = _shards(folder)
        copies = set(kept_copies(folder, shards).values())
        for number in range(shards):
            index = json.loads((folder / f"shard-{number:05}.json").read_text())
            keep = [
                (number, place) in copies and song["split"] in splits and (sources is None or song["source"] in sources)
                for place, song in enumerate(index["songs"])
            ]
            self.songs += compress(index["songs"], keep)
            if any(keep):
                wanted.append(_select(np.load(folder / f"shard-{number:05}.npz"), index["songs"], keep))
        if not self.songs:
            raise ValueError(f"{folder}: no song in split {', '.join(sorted(splits))}")
        self._arrays = {name: np.concatenate([shard[name] for shard in wanted]) for name in wanted[0]}
        self.bar_beat = np.concatenate([[0], np.cumsum(self._arrays["bar_beats"], dtype=np.int64)])
        song_bars = [song["bars"] for song in self.songs]
        self.bar_song = np.repeat(np.arange(len(self.songs)), song_bars)
        self.song_bar = np.concatenate([[0], np.cumsum(song_bars)])
        self.hits = _dense(self._arrays["beat_hits"], self._arrays["hit_cell"], np.True_, CELLS)
        strength = self._arrays["onset_strength"]
        self.onsets = _dense(self._arrays["beat_onsets"], self._arrays["onset_cell"], strength, ONSET_CELLS)

    @cached_property
    def density(self) -> np.ndarray:
        """Density of each bar as ``conditions.density`` defines it: (bars,) float32."""
        struck = np.add.reduceat(self.hits.sum(1, dtype=np.int64), self.bar_beat[:-1])
        quarters = np.add.reduceat(self._arrays["quarters"], self.bar_beat[:-1])
        return np.minimum(struck / quarters / HITS_PER_QUARTER_AT_FULL_DENSITY, 1.0).astype(np.float32)

    @cached_property
    def window_starts(self) -> np.ndarray:
        """First bars of all windows that lie in one song with drums in at least half of their bars: (windows,)."""
        last = np.arange(len(self.bar_song)) + self.window_bars - 1
        whole = (last < len(self.bar_song)) & (self.bar_song[np.minimum(last, len(self.bar_song) - 1)] == self.bar_song)
        played = np.concatenate([[0], np.cumsum(self.density > 0)])
        share = (played[np.minimum(last + 1, len(played) - 1)] - played[:-1]) / self.window_bars
        return np.flatnonzero(whole & (share >= 0.5))

    def __len__(self) -> int:
        return len(self.window_starts)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """One window as named arrays without the leading axis, "hits" (N, K, CELLS) bool among them."""
        windows, hits = self.windows(self.window_starts[index : index + 1])
        return {name: getattr(windows, name)[0] for name in windows.__slots__} | {"hits": hits[0]}

    def windows(self, first_bar: np.ndarray, bars: int | None = None) -> tuple[Windows, np.ndarray]:
        """Windows beginning at the given bars, and their drums: hits (B, N, K, CELLS) bool."""
        bar = first_bar[:, None] + np.arange(bars or self.window_bars)
        beat, is_beat = beat_indices(self.bar_beat, bar)
        per_beat = {name: np.where(is_beat, self._arrays[name][beat], 1) for name in PER_BEAT}
        per_bar = {name: self._arrays[name][bar] for name in PER_BAR}
        song = self.bar_song[bar]
        windows = Windows(
            is_beat=is_beat,
            onsets=(self.onsets[beat] * is_beat[..., None] / np.float32(255)).reshape(*beat.shape, SLOTS, len(ROLES)),
            known_roles=per_bar["known_roles"][:, 0],
            ternary=per_beat["ternary"].astype(bool) & is_beat,
            quarters=per_beat["quarters"].astype(np.float32),
            beat_s=per_beat["beat_s"].astype(np.float32),
            section=per_bar["section"],
            section_bar=per_bar["section_bar"],
            bars_left=per_bar["bars_left"],
            bars_to_end=self.song_bar[song + 1] - 1 - bar,
            bar_number=bar - self.song_bar[song],
            density=self.density[bar],
            fill=per_bar["fill"].astype(np.float32),
            style=per_bar["style"][:, 0].astype(np.int64),
        )
        return windows, self.hits[beat] & is_beat[..., None]


def _shards(folder: Path) -> int:
    if not (folder / MANIFEST).is_file():
        raise FileNotFoundError(f"{folder}: no finished dataset; run 'composer encode' (or complete it with --resume)")
    manifest = json.loads((folder / MANIFEST).read_text())
    if manifest["format"] != FORMAT:
        raise ValueError(f"{folder}: dataset of format {manifest['format']}, this version reads {FORMAT}; encode again")
    return int(manifest["shards"])


def _select(shard: np.lib.npyio.NpzFile, songs: list[dict[str, Any]], keep: list[bool]) -> dict[str, np.ndarray]:
    """Only the entries of the songs kept: each array is per bar, beat, onset or hit, told by its name."""
    arrays = {name: shard[name] for name in shard.files}
    of_beat = np.repeat(keep, [song["beats"] for song in songs])
    of_bar = np.repeat(keep, [song["bars"] for song in songs])
    of_hit, of_onset = np.repeat(of_beat, arrays["beat_hits"]), np.repeat(of_beat, arrays["beat_onsets"])
    by_length = {"hit": of_hit, "onset": of_onset}
    per_beat = {*PER_BEAT, "beat_ticks", "beat_hits", "beat_onsets"}
    return {
        name: array[of_beat if name in per_beat else by_length.get(name.split("_")[0], of_bar)]
        for name, array in arrays.items()
    }


def _dense(count: np.ndarray, cell: np.ndarray, value: np.ndarray | np.bool_, cells: int) -> np.ndarray:
    dense = np.zeros((len(count), cells), value.dtype)
    dense[np.repeat(np.arange(len(count)), count), cell] = value
    return dense
