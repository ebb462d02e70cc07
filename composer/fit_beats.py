"""Learn where beats and bars begin: songs, odd meters, POP909 and scores -> composer/beats.npz.

    python -m composer.fit_beats DATA --index songs.csv [--minutes 12] [-o composer/beats.npz]

First the network, for so many minutes on one core; then, on new excerpts, which tempo its beats and the onsets speak
for. Needs the 'train' and 'notation' extras. Held-out files (odd-numbered ones, test split, ASAP, Melisma) are not
read; `tests/benchmarks/timing_accuracy.py` measures there.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from composer import beat_network
from composer.beat_features import FEATURES, FRAMES_PER_S, frames
from composer.fit_beats_data import EXCERPT_S, Excerpt, Piece, excerpt, pieces
from composer.tempo_induction import tempo_features

CHANNELS, TAPS, LAYERS = 20, 3, 9
BATCH = 12
RATE = 3e-3
BAR_WEIGHT = 1.5
# How often each kind is drawn, apart from the songs.
SHARE = {"songs": 0.5, "odd": 0.12, "pop909": 0.13, "score": 0.25}
TEMPO_EXCERPTS, TEMPO_UNITS, TEMPO_DECAY = 5700, 24, 6e-4
TEMPO_WIDTH = 0.015  # standard deviation, in log, of the tempo that counts as right


class Source:
    """Excerpts without end."""

    def __init__(self, found: list[Piece], rng: np.random.Generator) -> None:
        self.rng = rng
        self.kinds: dict[str, list[list[Piece]]] = {kind: [] for kind in SHARE}
        for piece_kind in sorted({piece.kind for piece in found}):  # each odd meter is a list of its own
            kind = piece_kind if piece_kind in SHARE else "odd"
            self.kinds[kind].append([piece for piece in found if piece.kind == piece_kind])

    def draw(self) -> Excerpt:
        """The next excerpt with enough notes and beats."""
        names = [kind for kind, lists in self.kinds.items() if lists]
        shares = np.array([SHARE[name] for name in names])
        while True:
            lists = self.kinds[self.rng.choice(names, p=shares / shares.sum())]
            some = lists[self.rng.integers(len(lists))]
            made = excerpt(some[self.rng.integers(len(some))], self.rng)
            if made is not None and len(made.onsets) >= 10 and len(made.beat_s) >= 10:
                return made


def example(made: Excerpt) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input (T, FEATURES), wanted (T, 2) and which frames count (T,), all float32, T that of EXCERPT_S."""
    count = int(EXCERPT_S * FRAMES_PER_S)
    values = np.zeros((count, FEATURES), np.float32)
    heard = frames(made.onsets)[:count]
    values[: len(heard)] = heard
    wanted, counts = np.zeros((count, 2), np.float32), np.zeros(count, np.float32)
    frame = np.rint((made.beat_s - made.onsets.onset_s[0]) * FRAMES_PER_S).astype(np.int64)
    for column, these in enumerate((frame, frame[made.is_bar])):
        for shift, share in ((-1, 0.3), (1, 0.3), (0, 1.0)):
            place = these + shift
            place = place[(place >= 0) & (place < count)]
            wanted[place, column] = np.maximum(wanted[place, column], share)
    counts[max(frame[0] - 2, 0) if frame[0] > FRAMES_PER_S else 0 : min(len(heard), frame[-1] + 2)] = 1
    return values, wanted, counts


def train_network(source: Source, minutes: float) -> dict[str, np.ndarray]:
    """Weights averaged over the last steps, by the names that beat_network reads."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = _network()
    average = {name: value.clone() for name, value in net.state_dict().items()}
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=1e-4)
    started, step = time.monotonic(), 0
    while (done := (time.monotonic() - started) / (60 * minutes)) < 1:
        warm = min(1, (step + 1) / 60)
        for group in optimiser.param_groups:
            group["lr"] = RATE * warm * (0.03 + 0.97 * (0.5 + 0.5 * np.cos(np.pi * done)))
        batch = (np.stack(arrays) for arrays in zip(*(example(source.draw()) for _ in range(BATCH)), strict=True))
        values, wanted, counts = (torch.from_numpy(array) for array in batch)
        error = torch.nn.functional.binary_cross_entropy_with_logits(net(values), wanted, reduction="none")
        loss = ((error * counts[..., None]).mean((0, 1)) * torch.tensor([1.0, BAR_WEIGHT])).sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        for name, value in net.state_dict().items():
            average[name].lerp_(value, 1 - min(0.99, step / (step + 20)))
    return {name: _as_read(value.numpy()) for name, value in average.items()} | {"layers": np.array(LAYERS)}


def _network() -> Any:
    """The network of beat_network, for torch; (batch, frames, FEATURES) to (batch, frames, 2)."""
    from torch import Tensor, nn, relu, sigmoid, tanh

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv1d(FEATURES, CHANNELS, 5, padding=2)
            dilations = [2**layer for layer in range(LAYERS)]
            self.convs = nn.ModuleList(
                nn.Conv1d(CHANNELS, 2 * CHANNELS, TAPS, dilation=d, padding=d * (TAPS // 2)) for d in dilations
            )
            self.outs = nn.ModuleList(nn.Conv1d(CHANNELS, CHANNELS, 1) for _ in dilations)
            self.last = nn.Conv1d(CHANNELS, 2, 1)

        def forward(self, values: Tensor) -> Tensor:
            hidden = relu(self.first(values.transpose(1, 2)))
            for conv, out in zip(self.convs, self.outs, strict=True):
                value, gate = conv(hidden).chunk(2, 1)
                hidden = hidden + out(tanh(value) * sigmoid(gate))
            return self.last(relu(hidden)).transpose(1, 2)

    return Network()


def _as_read(value: np.ndarray) -> np.ndarray:
    """Kernels from (out, in, taps) to (taps, in, out), those of one tap to (in, out); half precision."""
    if value.ndim == 3:
        value = value.transpose(2, 1, 0)
        value = value[0] if len(value) == 1 else value
    return value.astype(np.float16)


def train_tempo(source: Source) -> dict[str, np.ndarray]:
    """Softmax regression with a layer of units over tempos; uses the network as beats.npz now holds it."""
    import torch

    rows: list[np.ndarray] = []
    right: list[np.ndarray] = []
    while len(rows) < TEMPO_EXCERPTS:
        made = source.draw()
        bpm, features = tempo_features(made.onsets, beat_network.activations(made.onsets))
        off = np.log(bpm) - np.log(60 / np.median(np.diff(made.beat_s)))
        if np.abs(off).min() < TEMPO_WIDTH:
            rows.append(features.astype(np.float32))
            right.append(np.exp(-0.5 * (off / TEMPO_WIDTH) ** 2))
    stacked = np.stack(rows)
    mean, scale = stacked.mean((0, 1)), stacked.std((0, 1)) + 1e-6
    values = torch.from_numpy((stacked - mean) / scale)
    wanted = torch.tensor(np.stack(right), dtype=torch.float32)
    wanted /= wanted.sum(1, keepdim=True)
    width = values.shape[2]
    first = torch.randn(width, TEMPO_UNITS) / width**0.5
    weights = [torch.zeros(width), first, torch.zeros(TEMPO_UNITS), 0.1 * torch.randn(TEMPO_UNITS)]
    for weight in weights:
        weight.requires_grad_()
    optimiser = torch.optim.LBFGS(weights, max_iter=120, line_search_fn="strong_wolfe")

    def loss() -> Any:
        optimiser.zero_grad()
        direct, weight, bias, out = weights
        score = values @ direct + torch.tanh(values @ weight + bias) @ out
        total = -(wanted * torch.log_softmax(score, 1)).sum(1).mean()
        total = total + TEMPO_DECAY * sum((weight**2).sum() for weight in weights)
        total.backward()
        return total

    optimiser.step(loss)
    names = ("direct", "weight", "bias", "out")
    learnt = {f"tempo.{name}": value.detach().numpy() for name, value in zip(names, weights, strict=True)}
    return learnt | {"tempo.mean": mean, "tempo.scale": scale}


def main() -> None:
    """Read, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds songs/, odd-meter/ and timing/")
    parser.add_argument("--index", type=Path, required=True, help="songs.csv")
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--songs", type=int, default=2600)
    parser.add_argument("-o", "--output", type=Path, default=beat_network.WEIGHTS)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    source = Source(pieces(asked.data, asked.index, asked.songs, rng), rng)
    network = train_network(source, asked.minutes)
    _write(asked.output, network)
    beat_network.WEIGHTS = asked.output
    beat_network.weights.cache_clear()
    _write(asked.output, network | train_tempo(source))


def _write(path: Path, learnt: dict[str, np.ndarray]) -> None:
    np.savez_compressed(path, allow_pickle=False, **learnt)


if __name__ == "__main__":
    main()
