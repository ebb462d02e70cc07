"""MIDI bytes -> Song, through symusic: the fastest reader there is (design.md part 7)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import symusic.core

from encoding import smf, tolerant
from encoding.types import Marker, Notes, Song, Tempo, TimeSignature, Track


def parse(data: bytes) -> Song:
    """Read a Standard MIDI File from memory.

    Files that symusic refuses or misreads although other programs play them are repaired in memory first; ``repairs``
    of the result then says what was odd. Tempos and time signatures of all tracks count, in order of time. What a
    repaired SMPTE or format 2 file becomes is said in ``encoding.tolerant``.

    Raises:
        ValueError: no program could play this; the message says what was found and at which byte.
    """
    file = smf.split(data)
    if tolerant.is_regular(data, file):
        try:
            song = _song(symusic.core.ScoreTick.from_midi(data))
        except RuntimeError:
            pass  # the tolerant reader says what is wrong
        else:
            if _is_plausible(song):
                return song
    clean, repairs = tolerant.repair(file)
    try:
        song = _song(symusic.core.ScoreTick.from_midi(clean))
    except RuntimeError as error:
        raise ValueError(f"damaged beyond repair: {error}") from error
    return replace(song, repairs=repairs + song.repairs)


def _is_plausible(song: Song) -> bool:
    """Not without notes, and within a length that a damaged delta time exceeds (symusic counts in 32 bits)."""
    onsets = [track.notes.onset_tick[0] for track in song.tracks if len(track.notes)]
    return bool(onsets) and min(onsets) >= 0 and song.end_tick <= tolerant.MAX_QUARTERS * song.ticks_per_quarter


def _song(score: symusic.core.ScoreTick) -> Song:
    tempos = [Tempo(int(tempo.time), int(tempo.mspq)) for tempo in score.tempos]
    signatures = [TimeSignature(int(s.time), int(s.numerator), int(s.denominator)) for s in score.time_signatures]
    # a tempo of 0 or a meter of 0/4 would divide by zero later; symusic gives 0 for a denominator above 128
    good_tempos = tuple(tempo for tempo in tempos if tempo.us_per_quarter > 0)
    good_signatures = tuple(s for s in signatures if s.numerator > 0 and s.denominator > 0)
    left_out = len(tempos) - len(good_tempos) + len(signatures) - len(good_signatures)
    return Song(
        ticks_per_quarter=int(score.tpq),
        tracks=tuple(_track(index, track) for index, track in enumerate(score.tracks)),
        tempos=good_tempos,
        time_signatures=good_signatures,
        markers=tuple(Marker(int(marker.time), marker.text) for marker in score.markers),
        end_tick=int(score.end()),
        repairs=(f"impossible tempos or time signatures, left out: {left_out}",) if left_out else (),
    )


def _track(index: int, track: symusic.core.TrackTick) -> Track:
    arrays = track.notes.numpy()
    order = np.argsort(arrays["time"], kind="stable")
    notes = Notes(
        onset_tick=arrays["time"][order].astype(np.int64),
        duration_tick=arrays["duration"][order].astype(np.int64),
        pitch=arrays["pitch"][order].astype(np.int16),
        velocity=arrays["velocity"][order].astype(np.int16),
    )
    return Track(index=index, name=track.name, program=int(track.program), is_drums=bool(track.is_drum), notes=notes)
