"""Networks small enough to build, train and export within a test."""

from __future__ import annotations

from gan.config import ModelConfig, TrainConfig

MODEL = ModelConfig(song_latent=4, bar_latent=2, width=16, hidden=24, heads=2, blocks=2, reach=2)
TRAIN = TrainConfig(minutes=1.0, warm_up_share=0.5, batch=6, window_bars=8)
