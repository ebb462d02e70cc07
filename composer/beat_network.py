"""Where beats and bars begin, as heard by a small network: a temporal convolutional network run in numpy.

Davies & Böck, "Temporal convolutional networks for musical audio beat tracking", EUSIPCO 2019, over notes instead of
audio and with gated units (van den Oord et al., "WaveNet", 2016). ``composer.fit_beats`` trains it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from composer.beat_features import frames
from composer.tempo import Onsets

WEIGHTS = Path(__file__).with_name("beats.npz")


def activations(onsets: Onsets) -> np.ndarray:
    """Log-odds that a beat and that a bar begins at each frame: (frames, 2) float32, frames as in beat_features."""
    learnt = weights()
    hidden = np.maximum(_convolve(frames(onsets), learnt["first.weight"], learnt["first.bias"], 1), 0)
    for layer in range(int(learnt["layers"])):
        gated = _convolve(hidden, learnt[f"convs.{layer}.weight"], learnt[f"convs.{layer}.bias"], 2**layer)
        value, gate = np.split(gated, 2, axis=1)
        hidden += (np.tanh(value) * (0.5 + 0.5 * np.tanh(gate / 2))) @ learnt[f"outs.{layer}.weight"]
        hidden += learnt[f"outs.{layer}.bias"]
    return np.maximum(hidden, 0) @ learnt["last.weight"] + learnt["last.bias"]


def _convolve(values: np.ndarray, kernel: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """(frames, in) with (taps, in, out) to (frames, out): as long as the input, silence beyond both ends."""
    reach = dilation * (len(kernel) // 2)
    padded = np.pad(values, ((reach, reach), (0, 0)))
    total = np.tile(bias, (len(values), 1))
    for tap, matrix in enumerate(kernel):
        total += padded[tap * dilation : tap * dilation + len(values)] @ matrix
    return total


@lru_cache(maxsize=1)
def weights() -> dict[str, np.ndarray]:
    """All that was learnt, by name; float32."""
    with np.load(WEIGHTS) as stored:
        return {name: np.asarray(stored[name], np.float32) for name in stored.files}
