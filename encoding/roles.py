"""Who plays what: the bass line, the lead line and the rest, from names, programs and register."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from encoding.types import Notes, Track

BASS_PROGRAMS = range(32, 40)
# General MIDI percussive sounds and effects, and timpani: never a line to follow unless a name says so.
UNPITCHED_PROGRAMS = frozenset((47, *range(112, 128)))

BASS_NAME = re.compile(r"bass|\bbas\b|dbas\b|\bbaj[oo]\b|baixo|контрабас|ベース")
NOT_BASS_NAME = re.compile(r"bass ?(&|\+|and) ?lead|bass ?dr|bass ?kick|bassoon|basset|bass ?clar|bass ?tromb")
MELODY_NAME = re.compile(
    r"melod|\bmel\b|\bmelo\b|vocal|\bvoc\d*\b|\bvox\b|voice|\bvoz\b|\bvoix\b|sing(er|ing)\b|canto\b|\bchant|gesang|"
    r"stimme|lead vo|мелодия|вокал|メロディ|歌"
)
LEAD_NAME = re.compile(r"lead|solo|\bsing\b|theme|soprano")
# Second voices, and sounds whose General MIDI names hold "voice" or "lead".
SECOND_NAME = re.compile(
    r"back|bkg|bgv|harm|echo|delay|counter|contre|choir|chorus|rhythm|[ao]+hs?\b|space|syn\S* ?vo|vocoder"
)

# Names that are nothing but a role stay telling on several tracks (one part that changes its program).
ROLE_NAME = re.compile(r"\W*(melod(y|ie|ia)|vocals?|voice|lead|bass)[\W\d]*")

# One track of a sketch is its bass line when most of its notes lie below this pitch (D3).
BASS_BELOW = 50


@dataclass(frozen=True, slots=True)
class Roles:
    """Indices into the sequence of tracks, each track in exactly one role; ``empty`` tracks have no notes."""

    bass: tuple[int, ...]
    lead: tuple[int, ...]
    rest: tuple[int, ...]
    drums: tuple[int, ...]
    empty: tuple[int, ...]


def assign(tracks: Sequence[Track]) -> Roles:
    """Give each track its role.

    Bass: named so, or a bass program (General MIDI 32-39) not played above middle C, else the lowest monophonic
    track below D3. Lead: every track whose name marks the melody, else the most melodic track that is not a bass.
    A name that many tracks share is the song's title and tells nothing. A lone pitched track is the bass or the
    lead by its register. Never raises; any role may be empty.
    """
    empty = tuple(i for i, track in enumerate(tracks) if not len(track.notes))
    drums = tuple(i for i, track in enumerate(tracks) if track.is_drums and len(track.notes))
    pitched = [i for i, track in enumerate(tracks) if not track.is_drums and len(track.notes)]
    bass, lead = _lines([tracks[i] for i in pitched])
    return Roles(
        bass=tuple(pitched[i] for i in bass),
        lead=tuple(pitched[i] for i in lead),
        rest=tuple(track for i, track in enumerate(pitched) if i not in bass and i not in lead),
        drums=drums,
        empty=empty,
    )


def _lines(tracks: Sequence[Track]) -> tuple[list[int], list[int]]:
    """Bass lines and leads among pitched tracks with notes, as indices into ``tracks``."""
    if not tracks:
        return [], []
    names = _telling_names(tracks)
    end_tick = max(int((track.notes.onset_tick + track.notes.duration_tick).max()) for track in tracks)
    features = np.array([_features(track.notes, end_tick) for track in tracks])
    monophony, pitch = features[:, 0], features[:, 2]
    singing = [i for i, name in enumerate(names) if MELODY_NAME.search(name) and not SECOND_NAME.search(name)]
    bass = [i for i, track in enumerate(tracks) if i not in singing and _marked_bass(names[i], track.program, pitch[i])]
    open_ = [i for i, track in enumerate(tracks) if i not in bass and track.program not in UNPITCHED_PROGRAMS]
    if not bass:
        low = [i for i in open_ if i not in singing and pitch[i] < BASS_BELOW and monophony[i] > 0.7]
        bass = [min(low, key=lambda i: pitch[i])] if low else []
    if singing or (len(tracks) == 1 and bass):
        return bass, singing
    if len(tracks) == 1:
        return ([0], []) if pitch[0] < BASS_BELOW else ([], [0])
    score = _melodic(features)
    open_ = [i for i in open_ if i not in bass and (pitch[i] >= BASS_BELOW or not bass)]
    named = [i for i in open_ if LEAD_NAME.search(names[i]) and not SECOND_NAME.search(names[i])]
    fit = named or [i for i in open_ if monophony[i] > 0.4] or ([] if bass else open_)
    return bass, [max(fit, key=lambda i: score[i])] if fit else []


def _telling_names(tracks: Sequence[Track]) -> list[str]:
    """Names in lower case; blank where a title stands on more than two tracks or one name on all of several."""
    names = [track.name.replace("\0", " ").replace("_", " ").strip().lower() for track in tracks]
    count = Counter(names)
    if len(count) == 1 and len(tracks) > 1:
        return [""] * len(tracks)
    return [name if count[name] <= 2 or ROLE_NAME.fullmatch(name) else "" for name in names]


def _marked_bass(name: str, program: int, pitch: float) -> bool:
    if BASS_NAME.search(name) and not NOT_BASS_NAME.search(name):
        return True
    return program in BASS_PROGRAMS and pitch <= 60


def _features(notes: Notes, end_tick: int) -> tuple[float, float, float, float, float]:
    """Monophony 0-1, coverage of the song 0-1, median pitch, mean velocity, share of steps of a second 0-1."""
    onset, duration, pitch = notes.onset_tick, notes.duration_tick, notes.pitch
    coverage = len(np.unique(onset * 64 // max(end_tick, 1))) / 64
    if len(notes) == 1:
        return 1.0, coverage, float(pitch[0]), float(notes.velocity[0]), 0.0
    # A note counts as alone when the next starts in its second half or later: legato overlaps, a strum does not.
    alone = np.diff(onset) >= np.minimum(duration[:-1], duration[1:]) / 2
    interval = np.abs(np.diff(pitch))
    second = (interval > 0) & (interval <= 2)
    return float(alone.mean()), coverage, float(np.median(pitch)), float(notes.velocity.mean()), float(second.mean())


def _melodic(features: np.ndarray) -> np.ndarray:
    """How much each track looks like the lead: (tracks, 5) features -> (tracks,) scores.

    Weights: a conditional logit over the tracks of songs whose melody is named, rounded.
    """
    monophony, coverage, pitch, velocity, second = features.T
    return 5 * monophony + 4 * coverage - 1.5 * np.abs(pitch - 70) / 12 + 1.5 * velocity / 32 + 3 * second
