"""The training loop: reconstruction first, then adversary and reconstruction together (design.md part 4).

A run folder holds ``config.json``, ``log.csv`` (every term of every loss), and ``checkpoint.pt``.
"""

from __future__ import annotations

import copy
import csv
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from encoding.dataset import Dataset
from gan import checkpoint, losses
from gan.batches import Batch, Sampler, mismatched
from gan.config import ModelConfig, TrainConfig
from gan.features import allowed_cells, features
from gan.models import Discriminator, Encoder, Generator, sample_latent, straight_through

LOG_EVERY = 50
LOG_COLUMNS = (
    "step", "minutes", "reconstruction", "kl", "generator", "discriminator", "mismatch", "penalty_real", "penalty_fake",
    "score_gap", "hits_real", "hits_fake",
)  # fmt: skip


class DivergedError(ArithmeticError):
    """A loss stopped being a number."""


class Trainer:
    """Networks, optimisers and random state of one run."""

    def __init__(self, model: ModelConfig, train: TrainConfig) -> None:
        torch.manual_seed(train.seed)  # initial weights; everything later draws from ``self.random``
        self.model, self.config = model, train
        self.generator, self.discriminator, self.encoder = Generator(model), Discriminator(model), Encoder(model)
        self.ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.random = torch.Generator().manual_seed(train.seed)
        self.rng = np.random.default_rng(train.seed)
        self.step, self.minutes = 0, 0.0
        own = [*self.generator.parameters(), *self.encoder.parameters()]
        self.generator_optimiser = torch.optim.AdamW(own, betas=(0.9, 0.99), weight_decay=1e-4)
        self.discriminator_optimiser = torch.optim.AdamW(
            self.discriminator.parameters(), betas=(0.5, 0.99), weight_decay=1e-4
        )

    @property
    def _stateful(self) -> dict[str, Any]:
        return {
            "generator": self.generator, "discriminator": self.discriminator, "encoder": self.encoder, "ema": self.ema,
            "generator_optimiser": self.generator_optimiser, "discriminator_optimiser": self.discriminator_optimiser,
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Everything that a resumed run needs, as plain values and tensors."""
        state = {name: part.state_dict() for name, part in self._stateful.items()}
        rng = json.dumps(self.rng.bit_generator.state)
        return state | {"step": self.step, "minutes": self.minutes, "random": self.random.get_state(), "rng": rng}

    def load(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        for name, part in self._stateful.items():
            part.load_state_dict(state[name])
        self.step, self.minutes = state["step"], state["minutes"]
        self.random.set_state(state["random"])
        self.rng.bit_generator.state = json.loads(state["rng"])

    @property
    def adversarial(self) -> bool:
        return self.minutes >= self.config.warm_up_share * self.config.minutes

    def learning_rate(self) -> float:
        """Warm-up phase: short ramp, then cosine to a tenth; adversarial phase: constant, then cosine to a tenth."""
        begun = self.config.warm_up_share * self.config.minutes
        if self.adversarial:
            done = (self.minutes - begun) / max(self.config.minutes - begun, 1e-9)
            return self.config.adversarial_learning_rate * _cosine(max(0.0, 2 * done - 1))
        return self.config.learning_rate * min(1.0, (self.step + 1) / 200) * _cosine(self.minutes / begun)

    def train_step(self, batch: Batch) -> dict[str, float]:
        """One step of all networks; returns the terms of the losses.

        Raises:
            DivergedError: a loss is not finite; the network that it is the loss of was not changed by it.
        """
        for optimiser in (self.generator_optimiser, self.discriminator_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = self.learning_rate()
        tensors = Tensors(batch)
        terms = self._discriminator_step(tensors) if self.adversarial else {}
        terms |= self._generator_step(tensors)
        self._update_ema()
        self.step += 1
        return terms

    def _generator_step(self, t: Tensors) -> dict[str, float]:
        config = self.config
        with torch.autocast("cpu", torch.bfloat16):
            song, bar = self.encoder(t.features, t.is_beat, t.hits)
        latent, kl = sample_latent(song, bar, self.random)
        free = self._prior(len(latent) // 2, latent) if self.adversarial else latent[:0]
        count = len(latent) - len(free)  # these are reconstructed, the others made from noise
        latent = torch.cat([latent[:count], free])
        with torch.autocast("cpu", torch.bfloat16):
            logits = self.generator(t.features, t.is_beat, latent).float()
        reconstruction = losses.reconstruction(logits[:count], t.hits[:count], t.allowed[:count])
        divergence = kl[:count].sum() / t.is_beat[:count].sum()
        weight = config.reconstruction_weight if self.adversarial else 1.0
        loss = weight * (reconstruction + config.kl_weight * divergence)
        terms = {"reconstruction": reconstruction.item(), "kl": divergence.item()}
        fake = straight_through(logits, t.allowed)
        if self.adversarial:
            with torch.autocast("cpu", torch.bfloat16):
                score_fake = self.discriminator(t.features, t.is_beat, fake)
            pairing = losses.generator_pairing(t.score_real, score_fake.float())
            loss = loss + config.adversarial_weight * pairing
            terms["generator"] = pairing.item()
        own = [*self.generator.parameters(), *self.encoder.parameters()]
        _descend(loss, self.generator_optimiser, own)
        beats = t.is_beat.sum().item()
        terms |= {"hits_real": t.hits.sum().item() / beats, "hits_fake": fake.detach().sum().item() / beats}
        return terms

    def _prior(self, count: int, like: Tensor) -> Tensor:
        """Latents from N(0, I), the song's part the same in all bars: (count, N, Z)."""
        noise = torch.randn(count, *like.shape[1:], generator=self.random)
        song = noise[:, :1, : self.model.song_latent].expand(-1, like.shape[1], -1)
        return torch.cat([song, noise[..., self.model.song_latent :]], -1)

    def _discriminator_step(self, t: Tensors) -> dict[str, float]:
        config = self.config
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            latent = self._prior(len(t.hits), torch.empty(len(t.hits), t.hits.shape[1], self.model.latent))
            fake = straight_through(self.generator(t.features, t.is_beat, latent).float(), t.allowed)
        with torch.autocast("cpu", torch.bfloat16):
            score = self.discriminator(
                torch.cat([t.features, t.features, t.other_features]),
                torch.cat([t.is_beat] * 3), torch.cat([t.hits, fake, t.hits]),
            ).float()  # fmt: skip
        real, made, mismatch = score.chunk(3)
        terms = {
            "discriminator": losses.discriminator_pairing(real, made),
            "mismatch": losses.discriminator_pairing(real, mismatch),
        }
        loss = terms["discriminator"] + config.mismatch_weight * terms["mismatch"]
        if self.step % config.penalty_every == 0:
            penalties = {"penalty_real": self._penalty(t, t.hits), "penalty_fake": self._penalty(t, fake)}
            loss = loss + 0.5 * config.penalty_weight * config.penalty_every * sum(penalties.values())
            terms |= penalties
        _descend(loss, self.discriminator_optimiser, list(self.discriminator.parameters()))
        t.score_real = real.detach()
        return {name: term.item() for name, term in terms.items()} | {"score_gap": (real - made).mean().item()}

    def _penalty(self, t: Tensors, hits: Tensor) -> Tensor:
        return losses.zero_centred_penalty(
            lambda x: self.discriminator(t.features, t.is_beat, x),
            hits, sigma=self.config.penalty_sigma, generator=self.random,
        )  # fmt: skip

    @torch.no_grad()
    def _update_ema(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.ema.parameters(), self.generator.parameters(), strict=True):
            mean.lerp_(now, 1 - decay)


class Tensors:
    """One batch as tensors; ``score_real`` is left by the discriminator's step for the generator's."""

    def __init__(self, batch: Batch) -> None:
        self.features = torch.from_numpy(features(batch.windows))  # (B, N, K, F)
        self.other_features = torch.from_numpy(features(mismatched(batch.windows)))
        self.is_beat = torch.from_numpy(batch.windows.is_beat.astype(np.float32))  # (B, N, K)
        self.allowed = torch.from_numpy(allowed_cells(batch.windows).astype(np.float32))  # (B, N, K, C)
        self.hits = torch.from_numpy(batch.hits.astype(np.float32)) * self.allowed
        self.score_real = torch.zeros(self.is_beat.shape[:2])


def _cosine(progress: float) -> float:
    """1 at the beginning, a tenth at the end."""
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * min(max(progress, 0.0), 1.0)))


def _descend(loss: Tensor, optimiser: torch.optim.Optimizer, parameters: list[nn.Parameter]) -> None:
    if not torch.isfinite(loss):
        raise DivergedError(f"loss is {loss.item()}")
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()


def run(
    dataset: Dataset, folder: Path, *, model: ModelConfig, config: TrainConfig, resume: bool,
    report: Callable[[dict[str, float]], None],
) -> Trainer:  # fmt: skip
    """Train for ``config.minutes`` of work, checkpoints included; a resumed run keeps its own settings.

    Args:
        report: called with the mean terms of every LOG_EVERY steps.

    Raises:
        FileExistsError: the folder holds a run and ``resume`` is off.
        DivergedError: a loss is not a number; the last checkpoint stays.
    """
    trainer = _begin(folder, model, config, resume)
    sampler = Sampler(dataset, trainer.config.batch, _weights(trainer.config.source_weights), trainer.rng)
    terms: list[dict[str, float]] = []
    before = saved = time.monotonic()
    while trainer.minutes < trainer.config.minutes:
        terms.append(trainer.train_step(sampler.draw()))
        now = time.monotonic()
        trainer.minutes, before = trainer.minutes + (now - before) / 60, now
        if trainer.step % LOG_EVERY == 0:
            report(_log(folder, trainer, terms))
            terms = []
        if now - saved > 60 * trainer.config.checkpoint_minutes:
            checkpoint.save(folder, trainer.state(), trainer.model, trainer.config)
            saved = now
    checkpoint.save(folder, trainer.state(), trainer.model, trainer.config)
    return trainer


def _begin(folder: Path, model: ModelConfig, config: TrainConfig, resume: bool) -> Trainer:
    if resume:
        state, model, config = checkpoint.load(folder)
        trainer = Trainer(model, config)
        trainer.load(state)
        return trainer
    if (folder / checkpoint.NAME).exists() or (folder / "log.csv").exists():
        raise FileExistsError(f"{folder}: holds a training run; continue it with --resume or choose a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"model": asdict(model), "train": asdict(config)}
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    return Trainer(model, config)


def _weights(text: str) -> dict[str, float]:
    """'songs=8,groove=1' -> {'songs': 8.0, 'groove': 1.0}."""
    pairs = [pair.split("=") for pair in text.split(",") if pair]
    return {name: float(weight) for name, weight in pairs}


def _log(folder: Path, trainer: Trainer, terms: list[dict[str, float]]) -> dict[str, float]:
    """Append the means of the terms to log.csv."""
    names = {name for term in terms for name in term}
    means = {name: float(np.mean([term[name] for term in terms if name in term])) for name in names}
    row = {"step": trainer.step, "minutes": round(trainer.minutes, 3)} | means
    path = folder / "log.csv"
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, LOG_COLUMNS)
        if is_new:
            writer.writeheader()
        writer.writerow(row)
    return row
