"""Training state on disk: plain values and tensors only, read with ``weights_only``, written whole or not at all."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from gan.config import FORMAT, ModelConfig, TrainConfig

NAME = "checkpoint.pt"


def save(folder: Path, state: dict[str, Any], model: ModelConfig, train: TrainConfig) -> None:
    """Write the checkpoint of a run in place of the last one."""
    partial = folder / (NAME + ".partial")
    torch.save({"format": FORMAT, "model": asdict(model), "train": asdict(train), "state": state}, partial)
    partial.replace(folder / NAME)


def load(folder: Path) -> tuple[dict[str, Any], ModelConfig, TrainConfig]:
    """State and settings of a run.

    Raises:
        FileNotFoundError: the folder holds no checkpoint.
        ValueError: not a checkpoint, or one of another format.
    """
    path = folder / NAME
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: no {NAME} there; is it the folder of a training run?")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what torch raises for damaged files is anything from EOFError to struct.error
        raise ValueError(f"{path}: not a checkpoint that can be read; copy it again or train again") from error
    if not isinstance(content, dict) or "format" not in content:
        raise ValueError(f"{path}: not a checkpoint of a training run")
    if content["format"] != FORMAT:
        raise ValueError(f"{path}: format {content['format']}, this version reads {FORMAT}; train again")
    return content["state"], ModelConfig(**content["model"]), TrainConfig(**content["train"])
