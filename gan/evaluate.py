"""Generated drums beside real drummers and baselines on held-out songs: one row of measures each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from encoding.conditions import ROLES, UNKNOWN_STYLE, planned_fills
from encoding.dataset import CELLS, Dataset
from encoding.kit import NAMES, PARTS
from encoding.types import SLOTS
from encoding.windows import Windows, by_beat
from gan import metrics
from gan.features import allowed_cells
from gan.generate import Network

BASS = ROLES.index("bass")
LEAST_BARS = 8
DENSITIES = tuple(np.round(np.arange(0.1, 0.91, 0.1), 1))
CONTROL_SONGS = 20


@dataclass(frozen=True, slots=True)
class SongCase:
    """One held-out song: its conditions as the product would give them, and its own drums (beats, SLOTS, PARTS)."""

    title: str
    windows: Windows
    real: np.ndarray

    @property
    def bass(self) -> np.ndarray:
        """(beats, SLOTS) bool."""
        return by_beat_onsets(self.windows)[:, :, BASS] > 0


def by_beat_onsets(windows: Windows) -> np.ndarray:
    """(beats, SLOTS, roles)."""
    return windows.onsets[0][windows.is_beat[0]]


def cases(dataset: Dataset) -> Iterator[SongCase]:
    """Every song of the dataset that has a bass line and enough bars."""
    for song, first_bar in enumerate(dataset.song_bar[:-1]):
        bars = int(dataset.song_bar[song + 1] - first_bar)
        if bars < LEAST_BARS:
            continue
        windows, hits = dataset.windows(np.array([first_bar]), bars)
        fills = planned_fills(windows.section_bar[0], windows.bars_left[0])[None]
        free = np.full_like(windows.density, np.nan)
        windows = replace(windows, density=free, fill=fills, style=np.full(1, UNKNOWN_STYLE))
        real = by_beat((hits & allowed_cells(windows))[0], windows.is_beat[0])
        if windows.known_roles[0, BASS] and real.any():
            yield SongCase(dataset.songs[song]["title"], windows, real)


def rock_beat(windows: Windows) -> np.ndarray:
    """The baseline to respect: kick on 1 and 3, snare on 2 and 4, hats in eighths. (beats, SLOTS, PARTS) bool."""
    is_beat = windows.is_beat[0]
    place = np.broadcast_to(np.arange(is_beat.shape[1]), is_beat.shape)[is_beat]
    ternary = windows.ternary[0][is_beat]
    hits = np.zeros((len(place), SLOTS, PARTS), bool)
    hits[:, 0, metrics.KICK] = place % 2 == 0
    hits[:, 0, metrics.SNARE] = place % 2 == 1
    hits[:, 0, metrics.CLOSED_HAT] = True
    hits[~ternary, 6, metrics.CLOSED_HAT] = True
    hits[ternary, 4, metrics.CLOSED_HAT] = hits[ternary, 8, metrics.CLOSED_HAT] = True
    return hits


def evaluate(
    dataset: Dataset, network: Network, *, seed: int = 0, progress: Callable[[], None] = lambda: None
) -> dict[str, object]:
    """Measure whole songs.

    Returns: {"songs", "rows": {name: {measure: value}}, "density_rank_correlation"}; the rows are real drummers, the
    generator, the plain rock beat and another song's drums. Means are over songs.
    """
    songs = list(cases(dataset))
    if len(songs) < 2:
        raise ValueError("fewer than two songs with bass and drums in this split: nothing to compare")
    rng = np.random.default_rng(seed)
    drums: dict[str, list[np.ndarray]] = {"real drummers": [song.real for song in songs]}
    drums["generated"] = []
    for song in songs:
        drums["generated"].append(by_beat(network.hits(song.windows, rng), song.windows.is_beat[0]))
        progress()
    drums["plain rock beat"] = [rock_beat(song.windows) for song in songs]
    others = [songs[(i + 1) % len(songs)] for i in range(len(songs))]
    bass_of = [songs[(i + 2) % len(songs)] for i in range(len(songs))]
    drums["another song's drums"] = [_fit(o.real, len(s.real)) for s, o in zip(songs, others, strict=True)]
    rows = {name: _row(songs, bass_of, played) for name, played in drums.items()}
    return {
        "songs": len(songs),
        "rows": rows,
        "density_rank_correlation": density_control(songs[:CONTROL_SONGS], network, rng),
    }


def _fit(array: np.ndarray, beats: int) -> np.ndarray:
    """Repeated or cut to so many beats."""
    return np.resize(array, (beats, *array.shape[1:]))


def _row(songs: list[SongCase], others: list[SongCase], played: list[np.ndarray]) -> dict[str, float]:
    pairs = list(zip(songs, others, played, strict=True))
    bars = [_by_bar(song.windows, hits) for song, hits in zip(songs, played, strict=True)]
    quarters = [song.windows.quarters[song.windows.is_beat].sum() for song in songs]
    row = {
        "kick_bass_f1": _mean([metrics.kick_bass_f1(hits, song.bass) for song, _, hits in pairs]),
        "kick_bass_f1_another": _mean(
            [metrics.kick_bass_f1(hits, _fit(other.bass, len(hits))) for _, other, hits in pairs]
        ),
        "jaccard_to_own": _mean([metrics.jaccard(hits, song.real) for song, _, hits in pairs]),
        "pattern_divergence": metrics.pattern_divergence(
            _places(songs, played), _places(songs, [s.real for s in songs])
        ),
        "bar_similarity": _mean([metrics.bar_similarity(b) for b in bars]),
        "grooving_similarity": _mean([metrics.grooving_similarity(b) for b in bars]),
        "empty_bars": _mean([metrics.empty_bars(b) for b in bars]),
        "hits_a_quarter": _mean([hits.sum() / q for hits, q in zip(played, quarters, strict=True)]),
    }
    struck = sum(hits.sum((0, 1)) for hits in played)
    return row | {f"{name}_a_quarter": float(struck[i] / sum(quarters)) for i, name in enumerate(NAMES)}


def _by_bar(windows: Windows, hits: np.ndarray) -> np.ndarray:
    """(bars, K * CELLS) bool."""
    is_beat = windows.is_beat[0]
    laid_out = np.zeros((*is_beat.shape, CELLS), bool)
    laid_out[is_beat] = hits.reshape(-1, CELLS)
    return laid_out.reshape(len(is_beat), -1)


def _places(songs: list[SongCase], played: list[np.ndarray]) -> np.ndarray:
    """Counts of hits by place in bars of four beats: (4 * CELLS,)."""
    counts = np.zeros((4, CELLS))
    for song, hits in zip(songs, played, strict=True):
        is_beat = song.windows.is_beat[0]
        of_four = np.broadcast_to(is_beat.sum(1, keepdims=True) == 4, is_beat.shape)[is_beat]
        counts += hits.reshape(-1, CELLS)[of_four].reshape(-1, 4, CELLS).sum(0)
    return counts.ravel()


def density_control(songs: list[SongCase], network: Network, rng: np.random.Generator) -> float:
    """Rank correlation of requested density and measured hits a quarter, mean over songs (after Mezza et al. 2023)."""
    correlations = []
    for song in songs:
        state = rng.bit_generator.state
        measured = []
        for density in DENSITIES:
            rng.bit_generator.state = state
            asked = replace(song.windows, density=np.full_like(song.windows.density, density))
            measured.append(network.hits(asked, rng).sum())
        correlations.append(metrics.rank_correlation(np.array(DENSITIES), np.array(measured)))
    return _mean(correlations)


def _mean(values: list[float]) -> float:
    """Mean of those that are numbers; NaN where none is."""
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
