"""A training run -> the weights that are shipped: ONNX for the generator, JSON for what it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

from gan import checkpoint
from gan.config import FORMAT, ModelConfig
from gan.models import Generator

OPSET = 17


def export(run: Path, weights: Path) -> Path:
    """Write ``weights`` (.onnx) and its .json beside it from the EMA generator of a run.

    Raises:
        FileNotFoundError, ValueError: no checkpoint, or one of another format.
    """
    state, config, training = checkpoint.load(run)
    generator = Generator(config)
    generator.load_state_dict(state["ema"])
    _write_onnx(generator.eval(), config, weights)
    facts = {
        "format": FORMAT,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "model": asdict(config),
        "training": asdict(training) | {"steps": state["step"], "minutes_trained": state["minutes"]},
    }
    weights.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return weights


def _write_onnx(generator: Generator, config: ModelConfig, weights: Path) -> None:
    """Any number of stretches, bars and beats: B, N and K stay free in the graph."""
    example = (torch.zeros(1, 5, 4, config.features), torch.ones(1, 5, 4), torch.zeros(1, 5, config.latent))
    names = ["features", "is_beat", "latent"]
    torch.onnx.export(
        generator, example, str(weights), input_names=names, output_names=["logits"], opset_version=OPSET,
        dynamic_axes={name: {0: "B", 1: "N"} | ({} if name == "latent" else {2: "K"}) for name in [*names, "logits"]},
        dynamo=False,
    )  # fmt: skip
