from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from encoding.dataset import Dataset
from encoding.kit import NAMES
from gan import evaluate, metrics
from gan.generate import Network


@pytest.fixture(scope="module")
def held_out(made_dataset: Path) -> Dataset:
    return Dataset(made_dataset, {"test"})


def test_measures_of_real_and_generated_drums(held_out: Dataset, tiny_weights: Path) -> None:
    done: list[None] = []
    network = Network(tiny_weights)
    found = evaluate.evaluate(held_out, network, seed=3, progress=lambda: done.append(None))
    rows = found["rows"]
    assert isinstance(rows, dict)
    assert list(rows) == ["real drummers", "generated", "plain rock beat", "another song's drums"]
    assert found["songs"] == len(done) == 3
    real, generated = rows["real drummers"], rows["generated"]
    assert real["jaccard_to_own"] == 1
    assert real["pattern_divergence"] == 0
    assert real["kick_bass_f1"] == 1  # these kicks play with the bass
    assert real["kick_bass_f1_another"] < 1
    assert real["bar_similarity"] == 1
    assert real["empty_bars"] == generated["empty_bars"] == 0
    assert generated["jaccard_to_own"] < 0.5
    assert generated["hits_a_quarter"] > real["hits_a_quarter"]
    assert rows["another song's drums"]["jaccard_to_own"] < 1
    assert sum(real[f"{name}_a_quarter"] for name in NAMES) == pytest.approx(real["hits_a_quarter"], rel=0.1)
    assert evaluate.evaluate(held_out, network, seed=3) == found
    assert evaluate.evaluate(held_out, network, seed=4) != found


def test_songs_are_judged_on_what_the_product_knows(held_out: Dataset) -> None:
    songs = list(evaluate.cases(held_out))
    assert {song.title for song in songs} == {"made1", "made3", "made5"}
    for song in songs:
        assert np.isnan(song.windows.density).all()
        assert (song.windows.style == -1).all()
        assert song.bass.any()
        assert np.array_equal(song.bass, song.real[:, :, metrics.KICK])


def test_a_rock_beat_in_four_and_in_three(held_out: Dataset) -> None:
    four, three = (
        next(song for song in evaluate.cases(held_out) if song.windows.is_beat.shape[2] == beats) for beats in (4, 3)
    )
    hits = evaluate.rock_beat(four.windows)
    assert hits[:4, 0, metrics.KICK].tolist() == [True, False, True, False]
    assert hits[:4, 0, metrics.SNARE].tolist() == [False, True, False, True]
    assert np.flatnonzero(hits[0, :, metrics.CLOSED_HAT]).tolist() == [0, 6]
    assert evaluate.rock_beat(three.windows)[:6, 0, metrics.KICK].tolist() == [True, False, True] * 2
    shuffled = replace(four.windows, ternary=np.ones_like(four.windows.ternary))
    assert np.flatnonzero(evaluate.rock_beat(shuffled)[0, :, metrics.CLOSED_HAT]).tolist() == [0, 4, 8]


def test_one_song_is_not_enough(held_out: Dataset, tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (first, *_) = evaluate.cases(held_out)
    monkeypatch.setattr(evaluate, "cases", lambda dataset: iter([first]))
    with pytest.raises(ValueError, match="fewer than two songs with bass and drums"):
        evaluate.evaluate(held_out, Network(tiny_weights))
