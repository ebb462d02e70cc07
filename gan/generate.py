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
from gan.features import FEATURES, allowed_cells, features
from gan.takes import fullest

SHIPPED = "generator.onnx"
INPUTS = {"features", "is_beat", "latent"}
CHUNK_BARS = 512
TAKES = 4
SECTION_SHARE = 0.25  # of a section's groove that is its own; the rest is the song's
# With the bars' own latents at full strength neighbouring bars are less alike than a drummer's: similarity .67 against
# .71 on validation songs; at half strength .71.
BAR_STRENGTH = 0.5


class WeightsError(ValueError):
    """A weights file that is missing, damaged or of another format."""


class Network:
    """The exported generator."""

    def __init__(self, weights: Path | None = None) -> None:
        """Load the shipped weights, or those of a file with its .json beside it.

        Raises:
            WeightsError: no such file, a checksum that differs, another format, or another kind of network.
        """
        path = weights or Path(str(resources.files("gan"))) / "weights" / SHIPPED
        data, self.config = _checked(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the classes that onnxruntime raises have no other base in common
            raise WeightsError(f"{path}: not a network that can be run; export again") from error
        if {node.name for node in self._session.get_inputs()} != INPUTS:
            raise WeightsError(f"{path}: a network, but not a generator of drums; export one from a training run")

    def logits(self, windows: Windows, latent: np.ndarray) -> np.ndarray:
        """Score of every cell, struck where above 0. latent (B, N, Z) float32 -> (B, N, K, CELLS) float32.

        Windows of one stretch serve any number of latents.

        Long songs go through in chunks with as many bars around them as the network can see: the result is the same.
        """
        told = {"features": features(windows), "is_beat": windows.is_beat.astype(np.float32)}
        takes = len(latent)
        inputs = {name: np.broadcast_to(x, (takes, *x.shape[1:])) for name, x in told.items()} | {"latent": latent}
        margin = self.config.blocks * self.config.reach
        bars = windows.is_beat.shape[1]
        pieces = []
        for first in range(0, bars, CHUNK_BARS):
            start, stop = max(0, first - margin), min(bars, first + CHUNK_BARS + margin)
            piece = self._session.run(None, {name: value[:, start:stop] for name, value in inputs.items()})[0]
            pieces.append(piece[:, first - start : first - start + CHUNK_BARS])
        return np.concatenate(pieces, 1)

    def hits(self, windows: Windows, rng: np.random.Generator) -> np.ndarray:
        """The best of TAKES takes of one stretch: (N, K, CELLS) bool, silent off the steps of each beat."""
        section, section_bar = windows.section[0], windows.section_bar[0]
        latent = np.stack([latents(section, section_bar, self.config, rng) for _ in range(TAKES)])
        made = (self.logits(windows, latent) > 0) & allowed_cells(windows)
        return made[fullest(made, windows)]


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
    if (config.cells, config.features) != (CELLS, FEATURES):
        made_for = f"{config.cells} cells and {config.features} features a beat"
        raise WeightsError(f"{path}: made for {made_for}, this version has {CELLS} and {FEATURES}; train again")
    return data, config


@lru_cache(maxsize=2)
def network(weights: Path | None = None) -> Network:
    """The network, loaded once a process."""
    return Network(weights)


def latents(section: np.ndarray, section_bar: np.ndarray, config: ModelConfig, rng: np.random.Generator) -> np.ndarray:
    """Same section, same groove: sections of one label share the song's latent, and so does each bar of them.

    Args:
        section: (N,) label number of each bar; section_bar: (N,) bars since its section began.

    Returns: (N, Z) float32; the song's part of unit variance, the bar's BAR_STRENGTH of that.
    """
    song = rng.standard_normal(config.song_latent)
    own = rng.standard_normal((int(section.max()) + 1, config.song_latent))
    grooves = np.sqrt(1 - SECTION_SHARE) * song + np.sqrt(SECTION_SHARE) * own
    bars = rng.standard_normal((int(section.max()) + 1, int(section_bar.max()) + 1, config.bar_latent))
    return np.concatenate([grooves[section], BAR_STRENGTH * bars[section, section_bar]], -1).astype(np.float32)


def drums(conditions: Conditions, rng: np.random.Generator, *, weights: Path | None = None) -> np.ndarray:
    """Drums of a whole song in one call.

    Returns: hits (beats, SLOTS, PARTS) bool.

    Raises:
        WeightsError: the weights cannot be used.
    """
    windows = whole_song(conditions)
    return by_beat(network(weights).hits(windows, rng), windows.is_beat[0])
