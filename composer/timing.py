"""Tempo, meter, beats and bars of any sketch: the file's own where its notes sit on them, else estimated."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from composer.alignment import alignment
from composer.bar_lines import lay_bars, place_of_ticks, ticks_of_place
from composer.beat_features import FRAMES_PER_S
from composer.beat_network import activations
from composer.beat_tracking import track_beats
from composer.downbeats import downbeat_of_four, first_downbeat, meter_and_downbeat
from composer.feel import feel_of
from composer.meter_induction import meter_from_first_beat
from composer.tempo import Onsets, onsets_of
from composer.tempo_induction import likely_tempos
from encoding.bars import beats_of_meter, grid_from_file, mark_ternary
from encoding.types import SLOTS, BarGrid, Notes, Song
from encoding.units import DEFAULT_US_PER_QUARTER, median_bpm, seconds_of_ticks, ticks_of_seconds

# Alignment above which the file is believed; a tempo or meter that someone must have chosen lowers the bar.
TRUSTED_ALIGNMENT = 0.35
TRUSTED_ALIGNMENT_IF_SET = 0.15
# An estimate must hold the notes this much better than the file does: tracked beats bend towards the notes.
CLEAR_GAIN = 0.15
SURE_OF_METER = 0.4
MOST_EIGHTHS = 20_000
# Logistic regression of "beat F-measure above .8" on even-numbered performances: log-odds of the tempo, of a beat on
# the beats and between them, 1.
SURE_OF_BEATS = (0.49, 1.65, 0.85, 1.75)
LEAST_SCORE = 0.01  # of a runner-up that is shown
SLOWEST_BPM, FASTEST_BPM = 10, 1000  # of what a caller may ask for
# Too few onsets say nothing against the file.
FEWEST_ONSETS = 8
# Tempo and beats are estimated from at most this much music; beyond it the last tempo goes on.
LONGEST_S = 3600.0
# A first note played this share of a beat before a tracked bar line belongs to it.
EARLY = 0.15

# Beats a minute and score, best first.
Candidates = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the beats are and how sure that is.

    grid has its ternary beats marked. tempo_bpm counts quarters. The sources are 'file', 'estimated' or 'user' (a
    meter that neither file nor user gives may also be 'default'). confidence is 0 to 1. candidates are pairs of
    beats a minute and score, best first, the scores adding up to at most 1. meter is that of most bars. feel is
    'straight', 'swing' or 'triplet'; swing .5 to .75 is where in the beat off-beat eighths fall. beats_s (beats,) and
    downbeats_s (bars,) are seconds from the start of the file.
    """

    grid: BarGrid
    tempo_bpm: float
    tempo_source: str
    confidence: float
    candidates: Candidates
    meter: tuple[int, int]
    meter_source: str
    feel: str
    swing: float
    beats_s: np.ndarray
    downbeats_s: np.ndarray


@dataclass(frozen=True, slots=True)
class _Given:
    """What the caller said."""

    tempo_bpm: float | None
    meter: tuple[int, int] | None
    first_bar_tick: int | None


@dataclass(frozen=True, slots=True)
class _Bars:
    """One reading of the song."""

    grid: BarGrid
    tempo_bpm: float
    meter_source: str


@dataclass(frozen=True, slots=True)
class _Estimate:
    """Bars on tracked beats, the tempos that were weighed, and the probability that the beats are right."""

    bars: _Bars
    candidates: Candidates
    confidence: float


def bar_grid(
    song: Song,
    *,
    tempo_bpm: float | None = None,
    meter: tuple[int, int] | None = None,
    first_bar_tick: int | None = None,
) -> Timing:
    """Find the bars of a song; what the caller gives always wins over file and estimate.

    tempo_bpm counts quarters a minute; first_bar_tick is the tick of some bar line. Given either of these or a
    meter, the whole song has one meter: the one given, else that of most of the file's bars.

    Raises:
        ValueError: tempo_bpm is outside 10 to 1000 or the meter is absurd.
    """
    if tempo_bpm is not None and not SLOWEST_BPM <= tempo_bpm <= FASTEST_BPM:
        raise ValueError(f"a tempo of {tempo_bpm} beats a minute")
    if meter is not None:
        beats_of_meter(*meter)
    given = _Given(tempo_bpm, meter, first_bar_tick)
    notes = _line(song)
    onset_tick = np.unique(notes.onset_tick)
    onsets = _onsets(song, notes)
    estimate = _estimate_against_file(song, onsets, onset_tick, given)
    bars = estimate.bars if estimate else _file_bars(song, onsets, onset_tick, given)
    if estimate and tempo_bpm is None:
        return _timing(song, bars, onset_tick, "estimated", estimate.confidence, estimate.candidates)
    confidence = alignment(bars.grid.position(onset_tick) / SLOTS) if len(onset_tick) else 0.0
    others = [(bars.tempo_bpm * factor, (1 - confidence) / 2) for factor in (2, 0.5)]
    candidates = ((bars.tempo_bpm, confidence), *(pair for pair in others if pair[1] > LEAST_SCORE))
    return _timing(song, bars, onset_tick, "file" if tempo_bpm is None else "user", confidence, candidates)


def _estimate_against_file(song: Song, onsets: Onsets, onset_tick: np.ndarray, given: _Given) -> _Estimate | None:
    """Bars on tracked beats where these hold the notes clearly better than the file's ticks do, else None."""
    ticks_per_quarter = max(song.ticks_per_quarter, 1)
    sits = alignment(onset_tick / ticks_per_quarter, ticks_per_quarter)
    trusted = sits >= (TRUSTED_ALIGNMENT_IF_SET if _is_set(song) else TRUSTED_ALIGNMENT)
    if trusted or len(onsets) < FEWEST_ONSETS:
        return None
    log_odds = activations(onsets)
    candidates = likely_tempos(onsets, log_odds)
    bpm = given.tempo_bpm or candidates[0][0]
    bars = _estimated_bars(song, onsets, onset_tick, log_odds, bpm, given)
    gain = alignment(bars.grid.position(onset_tick) / SLOTS) - sits
    if gain <= min(CLEAR_GAIN, sits) and given.tempo_bpm is None:
        return None
    beats_s = seconds_of_ticks(song, bars.grid.beat_tick)
    confidence = _confidence(candidates[0][1], onsets, log_odds[:, 0], beats_s)
    return _Estimate(bars, ((bars.tempo_bpm, candidates[0][1]), *candidates[1:]), confidence)


def _confidence(tempo_probability: float, onsets: Onsets, log_odds: np.ndarray, beats_s: np.ndarray) -> float:
    """The probability that the beats are right, from how clearly they and what is between them are heard."""
    frame = (beats_s - onsets.onset_s[0]) * FRAMES_PER_S
    frame = frame[(frame > 0) & (frame < len(log_odds))]
    if len(frame) < 4:
        return 0.0
    between = (frame[1:] + frame[:-1]) / 2
    heard = [float(np.interp(place, np.arange(len(log_odds)), log_odds).mean()) for place in (frame, between)]
    tempo_odds = np.log(tempo_probability / (1.0001 - tempo_probability))
    return float(1 / (1 + np.exp(-np.dot(SURE_OF_BEATS, [np.clip(tempo_odds, -5, 6), *heard, 1]))))


def _timing(
    song: Song,
    bars: _Bars,
    onset_tick: np.ndarray,
    source: str,
    confidence: float,
    candidates: Candidates,
) -> Timing:
    grid = mark_ternary(bars.grid, onset_tick)
    feel, swing = feel_of(grid, onset_tick)
    beats_s = seconds_of_ticks(song, grid.beat_tick[:-1])
    return Timing(
        grid=grid,
        tempo_bpm=bars.tempo_bpm,
        tempo_source=source,
        confidence=float(np.clip(confidence, 0, 1)),
        candidates=candidates,
        meter=_most_common_meter(grid),
        meter_source=bars.meter_source,
        feel=feel,
        swing=swing,
        beats_s=beats_s,
        downbeats_s=beats_s[grid.bar_beat[:-1]],
    )


def _most_common_meter(grid: BarGrid) -> tuple[int, int]:
    numerator, denominator = Counter(map(tuple, grid.meter.tolist())).most_common(1)[0][0]
    return numerator, denominator


def _line(song: Song) -> Notes:
    """All notes that are not drums, in onset order; the drums where there is nothing else."""
    tracks = [track for track in song.tracks if not track.is_drums and len(track.notes)]
    tracks = tracks or [track for track in song.tracks if len(track.notes)]
    if not tracks:
        return Notes.empty()
    fields = ("onset_tick", "duration_tick", "pitch", "velocity")
    pooled = [np.concatenate([getattr(track.notes, field) for track in tracks]) for field in fields]
    order = np.argsort(pooled[0], kind="stable")
    return Notes(*(values[order] for values in pooled))


def _onsets(song: Song, notes: Notes) -> Onsets:
    onset_s = seconds_of_ticks(song, notes.onset_tick)
    duration_s = seconds_of_ticks(song, notes.onset_tick + notes.duration_tick) - onset_s
    early = onset_s <= (onset_s[0] if len(onset_s) else 0) + LONGEST_S
    return onsets_of(onset_s[early], duration_s[early], notes.pitch[early], notes.velocity[early])


def _is_set(song: Song) -> bool:
    """Whether someone chose a tempo or a meter: 120 and 4/4 are what every program writes."""
    tempo = any(abs(tempo.us_per_quarter - DEFAULT_US_PER_QUARTER) > 50 for tempo in song.tempos)
    return tempo or any((s.numerator, s.denominator) != (4, 4) for s in song.time_signatures)


def _file_bars(song: Song, onsets: Onsets, onset_tick: np.ndarray, given: _Given) -> _Bars:
    """Bars on the file's own ticks."""
    file_bpm = median_bpm(song, song.end_tick)
    grid = grid_from_file(song)
    meter, meter_source = given.meter, "user"
    if meter is None:
        meter, meter_source = _most_common_meter(grid), "file" if song.time_signatures else "default"
    if not song.time_signatures and given == _Given(None, None, None) and len(onsets) >= FEWEST_ONSETS:
        eighth_tick = np.arange(0, song.end_tick, max(song.ticks_per_quarter, 2) / 2)[:MOST_EIGHTHS]
        likely, probability = meter_from_first_beat(onsets, activations(onsets), seconds_of_ticks(song, eighth_tick))
        if likely != (4, 4) and probability > SURE_OF_METER:
            meter, meter_source = likely, "estimated"
    if given.tempo_bpm is None and given.first_bar_tick is None and meter_source in ("file", "default"):
        return _Bars(grid, file_bpm, meter_source)
    bpm = given.tempo_bpm or file_bpm
    # A user who rounds the file's own tempo means the file's beats.
    ratio = file_bpm / bpm if abs(file_bpm / bpm - 1) > 0.005 else 1.0
    first_bar_tick = given.first_bar_tick or 0
    pulse_tick = first_bar_tick + np.arange(2) * max(song.ticks_per_quarter * ratio, 1.0)
    first_tick = min(int(onset_tick[0]) if len(onset_tick) else 0, max(first_bar_tick, 0))
    return _Bars(lay_bars(pulse_tick, meter, 0.0, first_tick, song.end_tick), bpm, meter_source)


def _estimated_bars(
    song: Song, onsets: Onsets, onset_tick: np.ndarray, log_odds: np.ndarray, quarter_bpm: float, given: _Given
) -> _Bars:
    """Bars on tracked beats. The pulses tracked are quarters, or the beats of an even meter given by the user."""
    lengths = beats_of_meter(*(given.meter or (4, 4)))[0]
    quarters = lengths[0] if len(set(lengths)) == 1 else 1.0
    pulse_s = track_beats(onsets, log_odds[:, 0], 60 / quarter_bpm * quarters, float(onsets.onset_s[-1]))
    bpm = given.tempo_bpm or float(60 / np.median(np.diff(pulse_s)) * quarters)
    if given.meter is None:
        beats, downbeat = meter_and_downbeat(onsets, pulse_s)
        meter, meter_source = (beats, 4), "estimated"
    elif given.meter == (4, 4):
        downbeat = downbeat_of_four(onsets, pulse_s)
        meter, meter_source = given.meter, "user"
    else:
        # The bar lines of additive meters (7/8) fall between quarters: count in halves.
        halves = np.arange(2 * len(pulse_s) - 1) / 2
        half_beats = max(round(2 * sum(lengths) / quarters), 1)
        downbeat = first_downbeat(onsets, ticks_of_place(pulse_s, halves), half_beats) / 2
        meter, meter_source = given.meter, "user"
    pulse_tick = ticks_of_seconds(song, pulse_s)
    if quarters != 1:
        pulse_tick = ticks_of_place(pulse_tick, np.arange(int(quarters * (len(pulse_s) - 1)) + 2) / quarters)
    first_bar, early = downbeat * quarters, EARLY
    if given.first_bar_tick is not None:
        early = 0.0
        first_bar = float(place_of_ticks(pulse_tick, np.array([given.first_bar_tick]))[0])
    grid = lay_bars(pulse_tick, meter, first_bar, int(onset_tick[0]), song.end_tick, early)
    return _Bars(grid, bpm, meter_source)
