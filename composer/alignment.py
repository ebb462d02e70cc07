"""How well onsets sit on a grid, against what random onsets would get."""

from __future__ import annotations

import numpy as np

# Equal parts of a quarter that notes may sit on: the beat, eighths, triplets, 16ths, and 16ths mixed with triplets.
SUBDIVISIONS = (1, 2, 3, 4, 12)
# Random onsets get a mean resultant of about this over the root of their number, the best of five subdivisions taken.
CHANCE = 1.2


def alignment(position: np.ndarray, finest: float = np.inf) -> float:
    """0 for onsets as random ones would fall, 1 for all of them exactly on some subdivision of the beat.

    position (n,) float: onsets in beats; only their fractions count. ``finest`` is the number of places a beat has
    at all: subdivisions finer than half of that say nothing. The measure is the mean resultant of circular
    statistics (Mardia & Jupp, "Directional Statistics", 2000) at phase 0, for the subdivision where it is greatest:
    unlike a share within a tolerance it also sees music played by hand to a click.
    """
    chance = CHANCE / np.sqrt(max(len(position), 1))
    usable = [parts for parts in SUBDIVISIONS if 2 * parts <= finest]
    if not usable or chance >= 1:
        return 0.0
    resultant = np.cos(2 * np.pi * np.outer(usable, position)).mean(1).max()
    return float(np.clip((resultant - chance) / (1 - chance), 0, 1))
