"""Where the sections are: self-similarity of the bars of the pitched tracks, and markers where the file has them.

Boundaries: checkerboard novelty (Foote, "Automatic audio segmentation using a measure of audio novelty", 2000) plus
the start of repeated phrases, chosen together by dynamic programming under a prior for phrases of 4 and 8 bars.
Labels: segments alike along their diagonal share one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from encoding.roles import assign
from encoding.types import SLOTS, BarGrid, Marker, Notes, Section, Track

INTRO = "Intro"
MOST_BARS = 16
STEPS = 4  # rhythm is compared on quarters of a beat: coarse enough for a played line
MOST_BEATS = 8  # of a bar; later beats share the last place
MOST_BARS_HELD = 8  # a note held longer colours no further bars
ALIKE = 0.7  # mean cosine from which two segments share a label
WEAK = 0.35  # boundary strength below which two neighbours of one label are one section
# What a segment of 2, 3 ... 16 bars costs, in units of boundary strength: 8 is free, 4 and 16 cheap, odd ones dear.
# Set, like the other constants, where boundaries best met the drummers' crashes on the training songs.
LENGTH_COST = np.array([1.5, 1.2, 0.6, 1.2, 0.6, 1.2, 0.0, 1.2, 0.6, 1.2, 0.3, 1.2, 0.6, 1.2, 0.5])


def sections(grid: BarGrid, tracks: Sequence[Track], markers: Sequence[Marker] = ()) -> tuple[Section, ...]:
    """Cut a song into sections that follow each other and cover all its bars.

    Labels are A, B, C ... Z, A1 ... in order of appearance, the same for repeats, and ``Intro`` for the bars before
    the first note. Sections have 2 to 16 bars unless the song is shorter or a single bar comes before the first
    note or marker. Markers at bar lines win over the music: each starts a section and equal texts share a label.
    Drum tracks are not looked at. Never raises; a grid without bars has no sections.
    """
    if not grid.bars:
        return ()
    starts, keys = _marked(grid, markers)
    first_marked = starts[0] if starts else grid.bars
    begin = min(_first_bar(grid, tracks), first_marked)
    if first_marked - begin == 1:  # a lone bar is no section: it joins the bars before it
        begin = first_marked if starts else max(grid.bars - 2, 0)
    if begin < first_marked:
        heard_starts, heard_keys = _heard(bar_features(grid, tracks)[begin:first_marked])
        starts, keys = [begin + start for start in heard_starts] + starts, [*heard_keys, *keys]
    return _labelled(starts, keys, grid.bars)


def bar_features(grid: BarGrid, tracks: Sequence[Track]) -> np.ndarray:
    """What each bar sounds like: (bars, n) float32 rows of length 1, so that a dot product is a cosine.

    Bass, lead and the rest each give their onset rhythm, their pitch classes in either half of the bar and whether
    they rest; roles that the song does not have are left out.
    """
    roles = assign(tracks)
    groups = [_joined([tracks[i].notes for i in indices]) for indices in (roles.bass, roles.lead, roles.rest)]
    blocks = [_role_features(grid, notes) for notes in groups if len(notes)]
    if not blocks:
        return np.ones((grid.bars, 1), np.float32)
    return np.concatenate(blocks, axis=1) / np.float32(np.sqrt(len(blocks)))


def _joined(parts: Sequence[Notes]) -> Notes:
    if not parts:
        return Notes.empty()
    names = ("onset_tick", "duration_tick", "pitch", "velocity")
    return Notes(*(np.concatenate([getattr(notes, name) for notes in parts]) for name in names))


def _role_features(grid: BarGrid, notes: Notes) -> np.ndarray:
    """(bars, n) float32, each row of length 1; a bar in which the role rests has its last entry alone."""
    rhythm = _unit(_rhythm(grid, notes))
    harmony = _unit(_pitch_classes(grid, notes))
    features = np.concatenate([rhythm, np.sqrt(2, dtype=np.float32) * harmony], axis=1)
    rests = ~features.any(axis=1, keepdims=True)
    return _unit(np.concatenate([features, rests], axis=1))


def _rhythm(grid: BarGrid, notes: Notes) -> np.ndarray:
    """Onsets on each quarter of a beat: (bars, MOST_BEATS * STEPS) float32; chords count little more than notes."""
    step = np.rint(grid.position(notes.onset_tick) * STEPS / SLOTS).astype(np.int64)
    step = step[(step >= 0) & (step < grid.beats * STEPS)]
    beat = step // STEPS
    place = np.minimum(grid.beat_in_bar[beat], MOST_BEATS - 1) * STEPS + step % STEPS
    cells = MOST_BEATS * STEPS
    onsets = np.bincount(grid.bar_of_beat[beat] * cells + place, minlength=grid.bars * cells)
    return np.sqrt(onsets.reshape(grid.bars, cells), dtype=np.float32)


def _pitch_classes(grid: BarGrid, notes: Notes) -> np.ndarray:
    """How long each pitch class sounds in the halves of each bar: (bars, 24) float32, in halves, square roots."""
    edge = np.interp(np.arange(2 * grid.bars + 1) / 2, np.arange(grid.bars + 1), grid.bar_tick)
    first = np.searchsorted(edge, notes.onset_tick, side="right") - 1
    last = np.searchsorted(edge, notes.onset_tick + notes.duration_tick, side="left") - 1
    spans = np.clip(last - first + 1, 1, 2 * MOST_BARS_HELD)
    note = np.repeat(np.arange(len(notes)), spans)
    half = first[note] + np.arange(len(note)) - np.repeat(np.cumsum(spans) - spans, spans)
    inside = (half >= 0) & (half < 2 * grid.bars)
    note, half = note[inside], half[inside]
    end = (notes.onset_tick + np.maximum(notes.duration_tick, 1))[note]
    held = np.minimum(end, edge[half + 1]) - np.maximum(notes.onset_tick[note], edge[half])
    share = np.maximum(held, 0) / (edge[half + 1] - edge[half])
    cell = half * 12 + notes.pitch[note].astype(np.int64) % 12
    classes = np.bincount(cell, share, minlength=grid.bars * 24).reshape(grid.bars, 24)
    return np.sqrt(classes).astype(np.float32)


def _unit(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length > 0, length, 1)).astype(np.float32)


def _first_bar(grid: BarGrid, tracks: Sequence[Track]) -> int:
    """The bar of the first pitched note, from 0; 0 where there is none."""
    onsets = [int(track.notes.onset_tick[0]) for track in tracks if len(track.notes) and not track.is_drums]
    step = np.rint(grid.position(np.array([min(onsets, default=0)])) * STEPS / SLOTS) / STEPS
    beat = int(np.clip(step[0], 0, grid.beats - 1))
    return int(grid.bar_of_beat[beat])


def _marked(grid: BarGrid, markers: Sequence[Marker]) -> tuple[list[int], list[Hashable]]:
    """Bars where markers start sections, from 0, and their texts; none where they do not mark sections."""
    bar_ticks = np.diff(grid.bar_tick)
    found: dict[int, Hashable] = {}
    for marker in sorted(markers, key=lambda marker: marker.onset_tick):
        bar = int(np.argmin(np.abs(grid.bar_tick[:-1] - marker.onset_tick)))
        near = abs(int(grid.bar_tick[bar]) - marker.onset_tick) <= bar_ticks[bar] / 8
        if near and marker.text.strip() and (not found or bar >= max(found) + 2) and bar <= max(grid.bars - 2, 0):
            found[bar] = marker.text.strip().casefold()
    if len(found) < 2:  # a single marker is a title or a name
        return [], []
    edges = [*found, grid.bars]
    starts, keys = [], []
    for (bar, text), end in zip(found.items(), edges[1:], strict=True):
        phrases = _phrases(bar, end)
        starts += phrases
        keys += [text] * len(phrases)
    return starts, keys


def _phrases(start: int, end: int) -> list[int]:
    """Starts of pieces of at most 16 and at least 2 bars."""
    starts = list(range(start, end, MOST_BARS))
    if len(starts) > 1 and end - starts[-1] < 4:
        starts[-1] -= MOST_BARS // 2
    return starts


def _heard(features: np.ndarray) -> tuple[list[int], list[int]]:
    """Starts of segments and a number for what each sounds like, from (bars, n) features."""
    strength = boundary_strength(features)
    starts = _segment(strength)
    return _merged(starts, _clusters(features, starts), strength)


def boundary_strength(features: np.ndarray) -> np.ndarray:
    """How clearly something new starts with each bar: (bars,) float64, about 0 to 1 and more.

    With unit features the flat checkerboard kernel of half-width w over the similarity matrix is the squared
    distance of the mean features of the w bars on either side, so no matrix is made.
    """
    novelty = (_novelty(features, 4) + _novelty(features, 8)) / 2
    padded = np.pad(novelty, 1)
    peak = np.maximum(novelty - 0.6 * np.maximum(padded[:-2], padded[2:]), 0)
    strong = max(float(np.quantile(peak, 0.9)), 0.05)
    return peak / strong + np.maximum(_repeat(features, 8), _repeat(features, 4))


def _novelty(features: np.ndarray, width: int) -> np.ndarray:
    bars = len(features)
    total = np.concatenate([np.zeros((1, features.shape[1])), np.cumsum(features, axis=0, dtype=np.float64)])
    bar = np.arange(bars)
    low, high = np.maximum(bar - width, 0), np.minimum(bar + width, bars)
    before = (total[bar] - total[low]) / np.maximum(bar - low, 1)[:, None]
    after = (total[high] - total[bar]) / (high - bar)[:, None]
    # Windows cut short by an end of the song tell less.
    certain = np.minimum(bar - low, high - bar) / width
    return certain * ((before - after) ** 2).sum(axis=1)


def _repeat(features: np.ndarray, length: int) -> np.ndarray:
    """How much better the ``length`` bars from each bar repeat those before than shorter loops do: (bars,) 0-1."""
    bars = len(features)
    gain = np.zeros(bars)
    if bars < 2 * length:
        return gain
    lagged = [_windowed(features, lag, length) for lag in (length, length // 2, length // 4)]
    gain[length : bars - length + 1] = lagged[0] - np.maximum(lagged[1], lagged[2])
    return np.maximum(gain, 0)


def _windowed(features: np.ndarray, lag: int, length: int) -> np.ndarray:
    """Mean similarity to the bar ``lag`` before, over ``length`` bars from each of the bars length..bars-length."""
    cosine = np.einsum("ij,ij->i", features[length:], features[length - lag : len(features) - lag])
    return np.convolve(cosine, np.ones(length), mode="valid") / length


def _segment(strength: np.ndarray) -> list[int]:
    """Starts of segments of 2 to 16 bars whose strengths less their length costs sum to the most."""
    bars = len(strength)
    if bars < 2:
        return [0]
    best = np.full(bars + 1, -np.inf)
    best[0] = 0.0
    chosen = np.zeros(bars + 1, np.int64)
    for end in range(2, bars + 1):
        lengths = np.arange(2, min(MOST_BARS, end) + 1)
        value = best[end - lengths] - LENGTH_COST[: len(lengths)] + strength[end - lengths]
        chosen[end] = lengths[np.argmax(value)]
        best[end] = value.max()
    starts = []
    end = bars
    while end > 0:
        end -= int(chosen[end])
        starts.append(end)
    return starts[::-1]


def _clusters(features: np.ndarray, starts: Sequence[int]) -> list[int]:
    """Number each segment in order: that of the earlier kind it is most alike, or a new one."""
    alike = _likeness(features, np.array(starts))
    likeness_sum = np.zeros_like(alike)  # of each kind's members so far to every segment
    members = np.zeros(len(starts), np.int64)
    numbers = []
    for segment in range(len(starts)):
        kinds = int(np.count_nonzero(members))
        likeness = likeness_sum[:kinds, segment] / members[:kinds]
        number = int(likeness.argmax()) if kinds and likeness.max() >= ALIKE else kinds
        likeness_sum[number] += alike[segment]
        members[number] += 1
        numbers.append(number)
    return numbers


def _likeness(features: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Mean similarity of segments bar by bar from their starts, over the shorter: (segments, segments)."""
    lengths = np.diff(np.append(starts, len(features)))
    total = np.zeros((len(starts), len(starts)), np.float32)
    for bar in range(int(lengths.max())):
        here = np.flatnonzero(lengths > bar)
        rows = features[starts[here] + bar]
        total[np.ix_(here, here)] += rows @ rows.T
    return total / np.minimum.outer(lengths, lengths)


def _merged(starts: Sequence[int], numbers: Sequence[int], strength: np.ndarray) -> tuple[list[int], list[int]]:
    """Join neighbours of one kind that nothing divides, as long as they stay within 16 bars."""
    edges = [*starts, len(strength)]
    kept_starts, kept_numbers = [starts[0]], [numbers[0]]
    for start, end, number in zip(edges[1:-1], edges[2:], numbers[1:], strict=True):
        same = number == kept_numbers[-1] and end - kept_starts[-1] <= MOST_BARS
        if not same or strength[start] >= WEAK:
            kept_starts.append(start)
            kept_numbers.append(number)
    return kept_starts, kept_numbers


def _labelled(starts: Sequence[int], keys: Sequence[Hashable], bars: int) -> tuple[Section, ...]:
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    labels = [chr(ord("A") + number[key] % 26) + (str(number[key] // 26) if number[key] > 25 else "") for key in keys]
    found = [
        Section(label, start + 1, end) for label, start, end in zip(labels, starts, [*starts[1:], bars], strict=True)
    ]
    return (Section(INTRO, 1, starts[0]), *found) if starts[0] else tuple(found)
