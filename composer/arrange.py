"""What two hands and two feet can play."""

from __future__ import annotations

import numpy as np

from encoding.kit import NAMES
from encoding.types import BarGrid

HANDS = 2
# Who keeps a hand when there are more parts than hands: what carries the bar first, time-keeping after it.
# The kick is a foot's and takes none.
HAND_PRIORITY = (
    "snare", "crash", "low_tom", "mid_tom", "high_tom", "open_hat", "ride", "closed_hat", "percussion",
)  # fmt: skip
_BY_PRIORITY = [NAMES.index(name) for name in HAND_PRIORITY]
_OTHER_WORK = [NAMES.index(name) for name in ("closed_hat", "open_hat", "ride", "high_tom", "mid_tom", "low_tom")]
_PERCUSSION = NAMES.index("percussion")
_CLOSED_HAT, _OPEN_HAT = NAMES.index("closed_hat"), NAMES.index("open_hat")


def one_drummer(hits: np.ndarray, grid: BarGrid) -> np.ndarray:
    """Take percussion out of the bars in which a hat or the ride keeps time, or a fill goes over the toms.

    The songs trained on often have a second player with a tambourine or a shaker; one drummer's hand does either.

    Args:
        hits: (beats, SLOTS, PARTS) bool; left as it is.

    Returns: (beats, SLOTS, PARTS) bool, a new array.
    """
    kept = hits.copy()
    is_busy = np.logical_or.reduceat(hits[:, :, _OTHER_WORK].any((1, 2)), grid.bar_beat[:-1])
    kept[:, :, _PERCUSSION] &= ~is_busy[grid.bar_of_beat, None]
    return kept


def playable(hits: np.ndarray, *, first_beat: int = 0, last_beat: int | None = None) -> np.ndarray:
    """Take out as few hits as needed for one drummer to play the rest; nothing is added or moved.

    At one slot: a hat is either open or closed (open stays), and at most two parts are struck by hand.

    Args:
        hits: (beats, SLOTS, PARTS) bool; left as it is.
        first_beat: nothing sounds before this beat.
        last_beat: nothing sounds after this beat; None is the last of ``hits``.

    Returns: (beats, SLOTS, PARTS) bool, a new array.
    """
    kept = hits.copy()
    kept[:first_beat] = False
    if last_beat is not None:
        kept[last_beat + 1 :] = False
    kept[:, :, _CLOSED_HAT] &= ~kept[:, :, _OPEN_HAT]
    hands = kept[:, :, _BY_PRIORITY]
    kept[:, :, _BY_PRIORITY] = hands & (hands.cumsum(axis=2) <= HANDS)
    return kept
