"""Training: it learns, resumes as if it had never stopped, and stops before it spoils the weights."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import MODEL, TRAIN

from encoding.dataset import Dataset
from gan import checkpoint, train
from gan.batches import Batch, Sampler
from gan.train import LOG_COLUMNS, DivergedError, Trainer

WARM_UP, ADVERSARIAL = 0.1, 0.6  # minutes: before and after TRAIN's warm-up


@pytest.fixture(scope="module")
def dataset(made_dataset: Path) -> Dataset:
    return Dataset(made_dataset, {"train"}, bars=TRAIN.window_bars)


def trainer_at(minutes: float) -> Trainer:
    trainer = Trainer(MODEL, TRAIN)
    trainer.minutes = minutes
    return trainer


def steps(trainer: Trainer, dataset: Dataset, count: int) -> list[dict[str, float]]:
    sampler = Sampler(dataset, TRAIN.batch, {}, trainer.rng)
    return [trainer.train_step(sampler.draw()) for _ in range(count)]


def flat(state: Any) -> list[Any]:
    """All leaves of nested dicts and lists, in order."""
    if isinstance(state, dict):
        return [leaf for key in state for leaf in flat(state[key])]
    if isinstance(state, list | tuple):
        return [leaf for item in state for leaf in flat(item)]
    return [state]


def same(a: Any, b: Any) -> bool:
    left, right = flat(a), flat(b)
    return len(left) == len(right) and all(
        torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("minutes", [WARM_UP, ADVERSARIAL])
def test_a_resumed_run_is_the_run_that_never_stopped(tmp_path: Path, dataset: Dataset, minutes: float) -> None:
    whole = trainer_at(minutes)
    steps(whole, dataset, 4)
    first = trainer_at(minutes)
    steps(first, dataset, 2)
    checkpoint.save(tmp_path, first.state(), MODEL, TRAIN)
    state, model, config = checkpoint.load(tmp_path)
    second = Trainer(model, config)
    second.load(state)
    steps(second, dataset, 2)
    assert second.step == 4
    assert same(second.state(), whole.state())
    assert not same(second.state(), first.state())


def test_reconstruction_learns(dataset: Dataset) -> None:
    terms = steps(trainer_at(WARM_UP), dataset, 120)
    assert "discriminator" not in terms[0]
    start, end = (np.mean([t["reconstruction"] for t in part]) for part in (terms[:5], terms[-5:]))
    assert end < 0.7 * start


def test_the_adversarial_phase_trains_all_networks(dataset: Dataset) -> None:
    trainer = trainer_at(ADVERSARIAL)
    before = {name: [p.clone() for p in getattr(trainer, name).parameters()] for name in ("generator", "discriminator")}
    terms = steps(trainer, dataset, 2)
    assert {"generator", "discriminator", "mismatch", "penalty_real", "penalty_fake", "score_gap"} <= terms[0].keys()
    assert "penalty_real" not in terms[1]  # only every so many steps
    assert set(terms[0]) <= set(LOG_COLUMNS)
    for name, old in before.items():
        now = list(getattr(trainer, name).parameters())
        assert any(not torch.equal(a, b) for a, b in zip(old, now, strict=True)), name


@pytest.mark.parametrize("minutes", [WARM_UP, ADVERSARIAL])
def test_a_loss_that_is_no_number_stops_before_the_weights_change(dataset: Dataset, minutes: float) -> None:
    trainer = trainer_at(minutes)
    sampler = Sampler(dataset, TRAIN.batch, {}, trainer.rng)
    drawn = sampler.draw()
    spoilt = Batch(replace(drawn.windows, onsets=drawn.windows.onsets * np.float32("nan")), drawn.hits)
    before = [p.clone() for p in (*trainer.generator.parameters(), *trainer.discriminator.parameters())]
    with pytest.raises(DivergedError, match="loss is nan"):
        trainer.train_step(spoilt)
    after = [*trainer.generator.parameters(), *trainer.discriminator.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_learning_rate_follows_the_clock() -> None:
    trainer = trainer_at(0.0)
    assert trainer.learning_rate() == pytest.approx(TRAIN.learning_rate / 200)
    trainer.step = 1000
    rates = []
    for trainer.minutes in (0.0, 0.25, 0.4999, 0.5, 0.75, 1.0):
        rates.append(trainer.learning_rate())
    warm_up, adversarial = TRAIN.learning_rate, TRAIN.adversarial_learning_rate
    wanted = [warm_up, 0.55 * warm_up, 0.1 * warm_up, adversarial, adversarial, 0.1 * adversarial]
    assert rates == pytest.approx(wanted, rel=1e-3)


def test_the_mean_of_the_weights_follows_them(dataset: Dataset) -> None:
    trainer = trainer_at(WARM_UP)
    steps(trainer, dataset, 1)
    pairs = zip(trainer.ema.parameters(), trainer.generator.parameters(), strict=True)
    assert any(not torch.equal(mean, now) for mean, now in pairs)
    assert not any(parameter.requires_grad for parameter in trainer.ema.parameters())


def test_a_run_keeps_its_own_settings_when_it_goes_on(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train, "LOG_EVERY", 2)
    folder, reports = tmp_path / "run", []
    config = replace(TRAIN, minutes=0.004, checkpoint_minutes=0.001)
    done = train.run(dataset, folder, model=MODEL, config=config, resume=False, report=reports.append)
    assert done.minutes >= 0.004
    assert (folder / checkpoint.NAME).is_file()
    assert json.loads((folder / "config.json").read_text())["model"]["width"] == MODEL.width
    with pytest.raises(FileExistsError, match="continue it with --resume or choose a new folder"):
        train.run(dataset, folder, model=MODEL, config=config, resume=False, report=reports.append)
    state, model, _ = checkpoint.load(folder)
    checkpoint.save(folder, state, model, replace(config, minutes=0.008))
    other = replace(MODEL, width=32)
    again = train.run(dataset, folder, model=other, config=TRAIN, resume=True, report=reports.append)
    assert again.model == MODEL
    assert again.config.minutes == 0.008
    assert again.step > done.step
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(2, again.step + 1, 2))
    assert len(reports) == len(rows)
    assert all(float(row["reconstruction"]) > 0 for row in rows)


class Foreign:
    """Pickled, it would run code when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("was-run"),)


def test_a_checkpoint_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": 1, "state": Foreign()}, tmp_path / checkpoint.NAME)
    with pytest.raises(ValueError, match="not a checkpoint that can be read"):
        checkpoint.load(tmp_path)
    assert not (tmp_path / "was-run").exists()


def test_checkpoints_that_are_none(tmp_path: Path, tiny_run: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no checkpoint\.pt there; is it the folder of a training run"):
        checkpoint.load(tmp_path)
    path, whole = tmp_path / checkpoint.NAME, (tiny_run / checkpoint.NAME).read_bytes()
    for data in (b"", b"junk", whole[: len(whole) // 2]):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="not a checkpoint that can be read"):
            checkpoint.load(tmp_path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="not a checkpoint of a training run"):
        checkpoint.load(tmp_path)
    torch.save({"format": 99}, path)
    with pytest.raises(ValueError, match="format 99, this version reads 1; train again"):
        checkpoint.load(tmp_path)
