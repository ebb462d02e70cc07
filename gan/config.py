"""Settings of the networks, their training and their sampling: plain values, saved inside every checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from encoding.kit import PARTS
from encoding.types import SLOTS
from gan.features import FEATURES

CELLS = SLOTS * PARTS
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Sizes of generator, discriminator and encoder."""

    features: int = FEATURES
    cells: int = CELLS
    song_latent: int = 32  # one groove: the same in all bars of a section
    bar_latent: int = 8  # what one bar has of its own
    width: int = 192
    hidden: int = 384
    heads: int = 4
    blocks: int = 3
    encoder_blocks: int = 1
    reach: int = 8  # a bar attends to this many bars on either side

    @property
    def latent(self) -> int:
        return self.song_latent + self.bar_latent


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One training run; times in minutes of wall clock so that a run fits the time there is."""

    minutes: float = 90.0
    warm_up_share: float = 0.35  # of the time, reconstruction only (design.md part 4)
    batch: int = 48
    window_bars: int = 16
    learning_rate: float = 2e-3
    adversarial_learning_rate: float = 4e-4
    kl_weight: float = 3.0
    reconstruction_weight: float = 0.1  # in the adversarial phase: a little keeps the latent meaningful
    adversarial_weight: float = 1.0
    mismatch_weight: float = 1.0
    penalty_weight: float = 2.0
    penalty_every: int = 8
    penalty_sigma: float = 0.1
    ema_decay: float = 0.999
    checkpoint_minutes: float = 4.0
    source_weights: str = ""  # "songs=8,groove=1,odd-meter=1"; sources not named weigh by their windows
    seed: int = 0
