"""Losses against values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from gan import losses

SOFTPLUS_1 = math.log(1 + math.e)


def test_pairing_compares_each_bar_with_its_own_fake() -> None:
    real, fake = torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 1.0]])
    softplus = SOFTPLUS_1, math.log(1 + 1 / math.e)
    assert losses.discriminator_pairing(real, fake).item() == pytest.approx((softplus[1] + softplus[0]) / 2)
    assert losses.discriminator_pairing(real, fake - 100).item() == pytest.approx(0, abs=1e-6)
    assert losses.generator_pairing(real, fake - 100).item() == pytest.approx(100, rel=0.02)


def test_each_side_wants_what_the_other_fears() -> None:
    real, fake = torch.randn(3, 5), torch.randn(3, 5)
    assert torch.equal(losses.generator_pairing(real, fake), losses.discriminator_pairing(fake, real))
    assert losses.generator_pairing(real, real).item() == pytest.approx(math.log(2))


def test_reconstruction_is_nats_a_beat_over_allowed_cells() -> None:
    logits = torch.tensor([[[[0.0, 1.0, 50.0], [0.0, 0.0, 0.0]]]])  # one bar of two beats, the second is padding
    hits = torch.tensor([[[[1.0, 0.0, 0.0], [1.0, 1.0, 1.0]]]])
    allowed = torch.tensor([[[[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]])
    assert losses.reconstruction(logits, hits, allowed).item() == pytest.approx(math.log(2) + SOFTPLUS_1)


def test_penalty_of_a_linear_critic_is_its_squared_slope() -> None:
    slope = torch.tensor([3.0, -4.0])
    penalty = losses.zero_centred_penalty(
        lambda x: (x * slope).sum((-1, -2)), torch.rand(2000, 4, 1, 2), sigma=0.1, generator=torch.Generator()
    )
    assert penalty.item() == pytest.approx(25, rel=0.05)


def test_penalty_of_a_constant_critic_is_nothing() -> None:
    hits = torch.rand(2, 4, 4, 10)
    penalty = losses.zero_centred_penalty(lambda x: x.new_ones(2, 4), hits, sigma=0.1, generator=torch.Generator())
    assert penalty.item() == 0
