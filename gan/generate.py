"""Conditions -> drums through ONNX Runtime: the one file of gan that composer calls for a sketch. Never torch."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
import onnxruntime

from encoding.conditions import Conditions
from encoding.windows import Windows, by_beat, whole_song
from gan.config import CELLS, FORMAT, ModelConfig
from gan.features import allowed_cells, features

SHIPPED = "generator.onnx"
CHUNK_BARS = 512
SECTION_SHARE = 0.5  # of a section's groove that is its own; the rest is the song's


class WeightsError(ValueError):
    """A weights file that is missing, damaged or of another format."""


class Network:
    """The exported generator."""

    def __init__(self, weights: Path | None = None) -> None:
        """Load the shipped weights, or those of a file with its .json beside it.

        Raises:
            WeightsError: no such file, a checksum that differs, or another format.
        """
        path = weights or Path(str(resources.files("gan"))) / "weights" / SHIPPED
        data, self.config = _checked(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])

    def logits(self, windows: Windows, latent: np.ndarray) -> np.ndarray:
        """Score of every cell, struck where above 0. latent (B, N, Z) float32 -> (B, N, K, CELLS) float32.

        Long songs go through in chunks with as many bars around them as the network can see: the result is the same.
        """
        inputs = {"features": features(windows), "is_beat": windows.is_beat.astype(np.float32), "latent": latent}
        margin = self.config.blocks * self.config.reach
        bars = windows.is_beat.shape[1]
        pieces = []
        for first in range(0, bars, CHUNK_BARS):
            start, stop = max(0, first - margin), min(bars, first + CHUNK_BARS + margin)
            piece = self._session.run(None, {name: value[:, start:stop] for name, value in inputs.items()})[0]
            pieces.append(piece[:, first - start : first - start + CHUNK_BARS])
        return np.concatenate(pieces, 1)

    def hits(self, windows: Windows, rng: np.random.Generator) -> np.ndarray:
        """Drums of one stretch: (N, K, CELLS) bool, silent off the steps of each beat's subdivision."""
        latent = latents(windows.section[0], windows.section_bar[0], self.config, rng)
        return ((self.logits(windows, latent[None]) > 0) & allowed_cells(windows))[0]


def _checked(path: Path) -> tuple[bytes, ModelConfig]:
    facts_path = path.with_suffix(".json")
    if not path.is_file() or not facts_path.is_file():
        raise WeightsError(f"{path}: no weights there (an .onnx with its .json beside it); make them with export")
    try:
        facts = json.loads(facts_path.read_text(encoding="utf-8"))
        found, config = (facts["format"], facts["sha256"]), ModelConfig(**facts["model"])
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{facts_path}: not the description of a generator ({error})") from error
    data = path.read_bytes()
    if found != (FORMAT, hashlib.sha256(data).hexdigest()):
        raise WeightsError(f"{path}: damaged or of another version (checksum or format differs); export again")
    if config.cells != CELLS:
        raise WeightsError(f"{path}: made for {config.cells} cells a beat, this version has {CELLS}")
    return data, config


@lru_cache(maxsize=2)
def network(weights: Path | None = None) -> Network:
    """The network, loaded once a process."""
    return Network(weights)


def latents(section: np.ndarray, section_bar: np.ndarray, config: ModelConfig, rng: np.random.Generator) -> np.ndarray:
    """Same section, same groove: sections of one label share the song's latent, and so does each bar of them.

    Args:
        section: (N,) label number of each bar; section_bar: (N,) bars since its section began.

    Returns: (N, Z) float32, every entry of unit variance.
    """
    song = rng.standard_normal(config.song_latent)
    own = rng.standard_normal((int(section.max()) + 1, config.song_latent))
    grooves = np.sqrt(1 - SECTION_SHARE) * song + np.sqrt(SECTION_SHARE) * own
    bars = rng.standard_normal((int(section.max()) + 1, int(section_bar.max()) + 1, config.bar_latent))
    return np.concatenate([grooves[section], bars[section, section_bar]], -1).astype(np.float32)


def drums(conditions: Conditions, rng: np.random.Generator, *, weights: Path | None = None) -> np.ndarray:
    """Drums of a whole song in one call.

    Returns: hits (beats, SLOTS, PARTS) bool.

    Raises:
        WeightsError: the weights cannot be used.
    """
    windows = whole_song(conditions)
    return by_beat(network(weights).hits(windows, rng), windows.is_beat[0])
