"""Losses as pure functions of scores and logits; the optimisers live in ``train``.

Relativistic pairing with zero-centred penalties on real and fake (R3GAN, Huang et al. 2024, arXiv 2501.05441). The
penalties are taken by finite difference, |D(x + sigma e) - D(x)|^2 / sigma^2, so no second backward pass is needed.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional


def discriminator_pairing(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of softplus(D(fake) - D(real)): each bar's real drums should score above the fake of the same bar."""
    return functional.softplus(fake - real).mean()


def generator_pairing(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of softplus(D(real) - D(fake)), the same pairs seen from the other side."""
    return functional.softplus(real - fake).mean()


def reconstruction(logits: Tensor, hits: Tensor, allowed: Tensor) -> Tensor:
    """Cross-entropy in nats a beat over the cells that may be struck. All (B, N, K, C); allowed is 0 or 1."""
    nats = functional.binary_cross_entropy_with_logits(logits.float(), hits.float(), reduction="none") * allowed
    beats = allowed.amax(-1).sum()
    return nats.sum() / beats


def zero_centred_penalty(
    score: Callable[[Tensor], Tensor], hits: Tensor, *, sigma: float, generator: torch.Generator
) -> Tensor:
    """Finite-difference estimate of the squared gradient norm of D at ``hits``, mean over bars.

    Args:
        score: hits (B, N, K, C) -> scores (B, N).
    """
    noise = torch.randn(hits.shape, generator=generator, device=hits.device)
    return (((score(hits + sigma * noise) - score(hits)) / sigma) ** 2).mean()
