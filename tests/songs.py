"""Songs made by code: a riff, a tune and drums that go with them, another song for each number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from builders import meter, midi_file, name, note_off, note_on, program, tempo

TICKS = 120  # of a 16th


def steps_track(label: str, steps: Sequence[tuple[int, int]], end: int, channel: int = 0, gm: int = 0) -> list[bytes]:
    """A track of 16th notes: (step, pitch) in any order."""
    timed = sorted([(s * TICKS, 1, p) for s, p in steps] + [((s + 1) * TICKS - 1, 0, p) for s, p in steps])
    ticks = np.diff([0, *(t for t, _, _ in timed)]).tolist()
    notes = [
        note_on(d, p, 96, channel) if on else note_off(d, p, channel)
        for d, (_, on, p) in zip(ticks, timed, strict=True)
    ]
    return [name(label), program(gm, channel), *notes, note_off(end * TICKS - timed[-1][0], 0, channel)]


def made_song(number: int, *, beats: int = 4, bars: int = 20, drums: bool = True) -> bytes:
    """A song of its own: a bass riff, a melody, and drums whose kick plays with the bass. Bars of quarters."""
    rng = np.random.default_rng(number)
    steps = 4 * beats
    riff = np.flatnonzero(rng.random(steps) < 0.4).tolist() or [0]
    tune = np.flatnonzero(rng.random(steps) < 0.3).tolist() or [2]
    starts = [bar * steps for bar in range(bars)]
    bass = [(start + step, 33 + number % 5 + step % 3) for start in starts for step in riff]
    lead = [(start + step, 67 + (step + bar) % 7) for bar, start in enumerate(starts) for step in tune]
    kick = [(start + step, 36) for start in starts for step in riff]
    snare = [(start + step, 38) for start in starts for step in range(4, steps, 8)]
    hat = [(start + step, 42) for start in starts for step in range(0, steps, 2)]
    tracks = [[tempo(90 + 5 * number), meter(beats, 4)], steps_track("Bass", bass, bars * steps, 0, 33)]
    tracks.append(steps_track("Melody", lead, bars * steps, 1, 73))
    if drums:
        tracks.append(steps_track("Drums", [*kick, *snare, *hat], bars * steps, 9))
    return midi_file(tracks)
