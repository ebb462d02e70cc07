"""The three networks. Tokens are bars: beats pass a shared MLP and are summed into their bar, any number of them.

Shapes in comments: B stretches, N bars, K beats a bar, F features, C = SLOTS * PARTS cells, W width, Z latent.
The generator's outputs are deterministic binary neurons (Dong & Yang 2018, BMuseGAN, arXiv 1804.09399): logits are
thresholded, gradients pass straight through, and all randomness is in the latent.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.config import ModelConfig


class Block(nn.Module):
    """Pre-norm transformer block over bars; attention with a learned bias by distance, limited to ``reach`` bars."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads, self.reach = config.heads, config.reach
        self.norm_attention = nn.LayerNorm(config.width)
        self.norm_mlp = nn.LayerNorm(config.width)
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)
        self.distance_bias = nn.Parameter(torch.zeros(2 * config.reach + 1, config.heads))
        self.mlp = nn.Sequential(
            nn.Linear(config.width, 2 * config.width), nn.GELU(), nn.Linear(2 * config.width, config.width)
        )

    def bias(self, bars: Tensor) -> Tensor:
        """(N,) bar numbers -> (heads, N, N); minus infinity, nearly, beyond the reach."""
        distance = bars[None, :] - bars[:, None]
        near = self.distance_bias[distance.clamp(-self.reach, self.reach) + self.reach]  # (N, N, heads)
        far = (distance.abs() > self.reach).to(near.dtype) * -1e4
        return near.permute(2, 0, 1) + far

    def forward(self, x: Tensor, bars: Tensor) -> Tensor:
        batch, length, width = x.shape  # (B, N, W)
        qkv = self.qkv(self.norm_attention(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)  # (B, heads, N, W / heads)
        score = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5 + self.bias(bars)
        mixed = (score.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(mixed)
        return x + self.mlp(self.norm_mlp(x))


class BarTrunk(nn.Module):
    """Beats -> bars -> context: what all three networks share in shape."""

    def __init__(self, inputs: int, config: ModelConfig, blocks: int) -> None:
        super().__init__()
        self.beat = nn.Sequential(
            nn.Linear(inputs, config.hidden), nn.GELU(), nn.Linear(config.hidden, config.width), nn.GELU()
        )
        self.bar = nn.Linear(config.width, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(blocks))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, is_beat: Tensor, extra: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x (B, N, K, inputs), is_beat (B, N, K) float -> beats (B, N, K, W), bars (B, N, W)."""
        beats = self.beat(x) * is_beat[..., None]
        bar = self.bar(beats.sum(2))
        if extra is not None:
            bar = bar + extra
        numbers = torch.arange(x.shape[1], device=x.device)
        for block in self.blocks:
            bar = block(bar, numbers)
        return beats, self.norm(bar)


class Generator(nn.Module):
    """Conditions and latents -> logits of every cell."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.trunk = BarTrunk(config.features, config, config.blocks)
        self.latent = nn.Linear(config.latent, config.width)
        self.beat = nn.Linear(config.width, config.hidden)
        self.bar = nn.Linear(config.width + config.latent, config.hidden)
        cells = nn.Linear(config.hidden, config.cells)
        nn.init.constant_(cells.bias, -3.0)  # most cells are silent
        self.cells = nn.Sequential(nn.GELU(), nn.Linear(config.hidden, config.hidden), nn.GELU(), cells)

    def forward(self, features: Tensor, is_beat: Tensor, latent: Tensor) -> Tensor:
        """features (B, N, K, F), is_beat (B, N, K) float, latent (B, N, Z) -> logits (B, N, K, C)."""
        beats, bars = self.trunk(features, is_beat, self.latent(latent))
        context = self.bar(torch.cat([bars, latent], -1))  # (B, N, hidden)
        return self.cells(self.beat(beats) + context[:, :, None])


class Discriminator(nn.Module):
    """Conditions and drums -> one score a bar: real drums that belong to this sketch, or not."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.trunk = BarTrunk(config.features + config.cells, config, config.blocks)
        self.score = nn.Linear(config.width, 1)

    def forward(self, features: Tensor, is_beat: Tensor, hits: Tensor) -> Tensor:
        """hits (B, N, K, C) float 0 or 1 -> scores (B, N)."""
        _, bars = self.trunk(torch.cat([features, hits], -1), is_beat)
        return self.score(bars).squeeze(-1)


class Encoder(nn.Module):
    """Drums -> the latents that would have made them: q(z | drums), a diagonal Gaussian."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.trunk = BarTrunk(config.features + config.cells, config, config.encoder_blocks)
        self.song = nn.Linear(config.width, 2 * config.song_latent)
        self.bar = nn.Linear(config.width, 2 * config.bar_latent)

    def forward(self, features: Tensor, is_beat: Tensor, hits: Tensor) -> tuple[Tensor, Tensor]:
        """-> parameters of the song's latent (B, 2 * song_latent) and of each bar's (B, N, 2 * bar_latent)."""
        _, bars = self.trunk(torch.cat([features, hits], -1), is_beat)
        return self.song(bars.mean(1)), self.bar(bars)


def straight_through(logits: Tensor, allowed: Tensor) -> Tensor:
    """Deterministic binary neurons: 1 where the logit is positive, gradient of the sigmoid; silent if not allowed."""
    probability = torch.sigmoid(logits)
    return ((logits > 0).to(logits.dtype) - probability.detach() + probability) * allowed


def sample_latent(song: Tensor, bar: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Reparametrised draw from q and its divergence from N(0, I).

    Returns: latent (B, N, Z), KL in nats of each stretch (B,).
    """
    drawn, divergence = [], torch.zeros(len(song), device=song.device)
    for parameters in (song, bar):
        mean, log_variance = parameters.float().chunk(2, -1)
        log_variance = log_variance.clamp(-8, 4)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        drawn.append(mean + noise * (0.5 * log_variance).exp())
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)
        divergence = divergence + kl.flatten(1).sum(1)
    return torch.cat([drawn[0][:, None].expand(-1, bar.shape[1], -1), drawn[1]], -1), divergence
