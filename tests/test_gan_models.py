"""Networks: what a beat or a bar may and may not see, and that the exported generator is the trained one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from tiny import MODEL

from gan import checkpoint
from gan.models import Discriminator, Encoder, Generator, sample_latent, straight_through

REACH = MODEL.blocks * MODEL.reach  # bars that a change can travel


def example(batch: int, bars: int, beats: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features, is_beat and latent; the last bar is a beat shorter than the others."""
    random = torch.Generator().manual_seed(seed)
    is_beat = torch.ones(batch, bars, beats)
    is_beat[:, -1, max(1, beats - 1) :] = 0
    features = torch.randn(batch, bars, beats, MODEL.features, generator=random) * is_beat[..., None]
    return features, is_beat, torch.randn(batch, bars, MODEL.latent, generator=random)


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(MODEL).eval()


@pytest.fixture
def discriminator() -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(MODEL).eval()


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 4), (2, 40, 3), (3, 7, 11), (1, 600, 2)])
def test_exported_weights_give_the_same_logits(tiny_run: Path, tiny_weights: Path, shape: tuple[int, int, int]) -> None:
    state, config, _ = checkpoint.load(tiny_run)
    trained = Generator(config).eval()
    trained.load_state_dict(state["ema"])
    inputs = example(*shape)
    with torch.no_grad():
        wanted = trained(*inputs).numpy()
    session = onnxruntime.InferenceSession(tiny_weights.read_bytes(), providers=["CPUExecutionProvider"])
    names = ("features", "is_beat", "latent")
    found = session.run(None, {name: value.numpy() for name, value in zip(names, inputs, strict=True)})[0]
    assert found.shape == (*shape, MODEL.cells)
    assert np.abs(found - wanted).max() < 1e-4


@torch.no_grad()
def test_padding_changes_nothing(generator: Generator, discriminator: Discriminator) -> None:
    features, is_beat, latent = example(2, 6, 4)
    hits = (torch.rand(2, 6, 4, MODEL.cells) < 0.1).float() * is_beat[..., None]
    torch.manual_seed(1)
    rubbish = torch.randn(2, 6, 3, MODEL.features)
    wide, wide_is_beat = torch.cat([features, rubbish], 2), torch.cat([is_beat, torch.zeros(2, 6, 3)], 2)
    wide_hits = torch.cat([hits, torch.ones(2, 6, 3, MODEL.cells)], 2)
    logits, wide_logits = generator(features, is_beat, latent), generator(wide, wide_is_beat, latent)
    real = is_beat.bool()
    assert torch.allclose(wide_logits[:, :, :4][real], logits[real], atol=1e-5)
    score, wide_score = discriminator(features, is_beat, hits), discriminator(wide, wide_is_beat, wide_hits)
    assert torch.allclose(score, wide_score, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("what", ["features", "latent"])
def test_a_change_travels_so_many_bars_and_no_further(generator: Generator, what: str) -> None:
    features, is_beat, latent = example(1, 4 * REACH, 4)
    place = 2 * REACH
    before = generator(features, is_beat, latent)
    {"features": features, "latent": latent}[what][:, place] += 3
    change = (generator(features, is_beat, latent) - before).abs().amax((0, 2, 3))
    near = (torch.arange(4 * REACH) - place).abs() <= REACH
    assert (change[~near] == 0).all()
    assert (change[near] > 0).all()


@torch.no_grad()
def test_bars_are_told_apart_by_distance_alone(generator: Generator) -> None:
    """The same bars give the same logits wherever in the song they stand; no position is counted from its start."""
    features, is_beat, latent = example(1, 3 * REACH, 3)
    is_beat[:] = 1
    later = generator(features[:, 2:], is_beat[:, 2:], latent[:, 2:])
    whole = generator(features, is_beat, latent)[:, 2:]
    assert torch.allclose(whole[:, REACH:], later[:, REACH:], atol=1e-5)


@torch.no_grad()
def test_stretches_of_a_batch_do_not_meet(generator: Generator, discriminator: Discriminator) -> None:
    features, is_beat, latent = example(3, 5, 4)
    hits = torch.zeros(3, 5, 4, MODEL.cells)
    alone = generator(features[1:2], is_beat[1:2], latent[1:2])
    assert torch.allclose(generator(features, is_beat, latent)[1:2], alone, atol=1e-5)
    alone = discriminator(features[1:2], is_beat[1:2], hits[1:2])
    assert torch.allclose(discriminator(features, is_beat, hits)[1:2], alone, atol=1e-5)


def test_a_new_generator_is_nearly_silent(generator: Generator) -> None:
    assert (generator(*example(2, 8, 4)) > 0).float().mean() < 0.01


def test_the_critic_scores_each_bar_and_sees_its_drums(discriminator: Discriminator) -> None:
    features, is_beat, _ = example(2, 6, 4)
    silent = torch.zeros(2, 6, 4, MODEL.cells)
    struck = silent.clone()
    struck[0, 2, 0, 0] = 1
    score = discriminator(features, is_beat, silent)
    assert score.shape == (2, 6)
    assert (discriminator(features, is_beat, struck) != score)[0, 2]


def test_binary_neurons_fire_or_not_and_pass_the_gradient_of_the_sigmoid() -> None:
    logits = torch.tensor([-2.0, 0.0, 0.5, 3.0], requires_grad=True)
    fired = straight_through(logits, torch.tensor([1.0, 1.0, 1.0, 0.0]))
    assert fired.tolist() == [0, 0, 1, 0]
    fired.sum().backward()
    slope = [math.exp(-x) / (1 + math.exp(-x)) ** 2 for x in (-2.0, 0.0, 0.5)]
    assert logits.grad is not None
    assert logits.grad.tolist() == pytest.approx([*slope, 0])


def test_divergence_of_the_latents_is_that_of_gaussians() -> None:
    random = torch.Generator().manual_seed(0)
    latent, divergence = sample_latent(torch.zeros(4, 6), torch.zeros(4, 5, 4), random)
    assert latent.shape == (4, 5, 3 + 2)
    assert divergence.tolist() == [0] * 4
    assert torch.equal(latent[:, :1, :3].expand(-1, 5, -1), latent[:, :, :3])  # one groove for all bars
    song = torch.cat([torch.full((4, 3), 2.0), torch.full((4, 3), math.log(0.25))], -1)
    _, divergence = sample_latent(song, torch.zeros(4, 5, 4), random)
    assert divergence.tolist() == pytest.approx([3 * 0.5 * (4 + 0.25 - 1 - math.log(0.25))] * 4, rel=1e-5)


def test_the_encoder_tells_grooves_apart() -> None:
    torch.manual_seed(0)
    encoder = Encoder(MODEL)
    features, is_beat, _ = example(1, 6, 4)
    silent, struck = torch.zeros(1, 6, 4, MODEL.cells), torch.ones(1, 6, 4, MODEL.cells)
    song, bar = encoder(features, is_beat, silent)
    assert song.shape == (1, 2 * MODEL.song_latent)
    assert bar.shape == (1, 6, 2 * MODEL.bar_latent)
    assert not torch.allclose(encoder(features, is_beat, struck)[0], song)
