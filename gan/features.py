"""What the networks read of each beat: ``Windows`` -> one flat vector a beat, in a fixed and documented order."""

from __future__ import annotations

import numpy as np

from encoding.conditions import ROLES, STYLES
from encoding.grid import allowed_slots
from encoding.kit import PARTS
from encoding.types import SLOTS
from encoding.windows import Windows

PLACES = 7  # beats of a bar told apart, from its beginning and from its end
PHRASE = 4  # bars of a phrase told apart

# Name and width of each block, in order; FEATURES is their sum.
LAYOUT = (
    ("onsets", SLOTS * len(ROLES)),
    ("known_roles", len(ROLES)),
    ("beat", 4),  # ternary; log2 length in quarters; log2 of its duration against half a second; a constant
    ("place", PLACES),
    ("place_from_end", PLACES),
    ("section_bar", PHRASE + 1),  # bars since the section began, modulo PHRASE; is its first bar
    ("bars_left", PHRASE + 1),  # bars until the section ends: 0 1 2 3, or more
    ("song_edges", 3),  # first bar, last bar but one, last bar
    ("density", 2),  # known, value
    ("fill", 2),
    ("style", len(STYLES)),
)
FEATURES = sum(width for _, width in LAYOUT)


def features(windows: Windows) -> np.ndarray:
    """(B, N, K, FEATURES) float32; zero where there is no beat."""
    shape = windows.is_beat.shape
    count = windows.is_beat.sum(-1, keepdims=True)
    place = np.broadcast_to(np.arange(shape[2]), shape)
    blocks = {
        "onsets": windows.onsets.reshape(*shape, -1) * windows.known_roles[:, None, None].repeat(SLOTS, 1).reshape(
            -1, 1, 1, SLOTS * len(ROLES)
        ),
        "known_roles": windows.known_roles[:, None, None],
        "beat": np.stack(
            [windows.ternary, np.log2(windows.quarters), np.log2(windows.beat_s / 0.5).clip(-3, 3), windows.is_beat], -1
        ),
        "place": _one_hot(place, PLACES),
        "place_from_end": _one_hot(count - 1 - place, PLACES),
        "section_bar": np.concatenate(
            [_one_hot(windows.section_bar % PHRASE, PHRASE), windows.section_bar[..., None] == 0], -1
        )[:, :, None],
        "bars_left": _one_hot(windows.bars_left, PHRASE + 1)[:, :, None],
        "song_edges": np.stack(
            [windows.bar_number == 0, windows.bars_to_end == 1, windows.bars_to_end == 0], -1
        )[:, :, None],
        "density": _maybe(windows.density),
        "fill": _maybe(windows.fill),
        "style": np.where(windows.style[:, None] >= 0, _one_hot(windows.style, len(STYLES)), 0)[:, None, None],
    }  # fmt: skip
    columns = [np.broadcast_to(blocks[name], (*shape, width)) for name, width in LAYOUT]
    return np.concatenate(columns, -1, dtype=np.float32) * windows.is_beat[..., None]


def allowed_cells(windows: Windows) -> np.ndarray:
    """Cells that may be struck: on the steps of the beat's subdivision. (B, N, K, SLOTS * PARTS) bool."""
    allowed = allowed_slots(windows.ternary) & windows.is_beat[..., None]
    return np.repeat(allowed, PARTS, axis=-1)


def _one_hot(value: np.ndarray, width: int) -> np.ndarray:
    """Values beyond the last are told as the last."""
    return np.eye(width, dtype=np.float32)[np.clip(value, 0, width - 1)]


def _maybe(value: np.ndarray) -> np.ndarray:
    """(B, N) with NaN for unknown -> (B, N, 1, 2): known, value."""
    known = ~np.isnan(value)
    return np.stack([known, np.where(known, value, 0.0)], -1)[:, :, None]
