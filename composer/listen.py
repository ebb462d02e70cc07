"""What a sketch is before any drum is played: its bars, who plays what, and its form."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from composer.errors import UsageError
from composer.options import DrumsOptions
from composer.read import Sketch
from composer.timing import Timing, bar_grid
from encoding.conditions import (
    ROLES,
    STYLES,
    UNKNOWN_STYLE,
    Conditions,
    beat_durations_s,
    onset_strengths,
    planned_fills,
    section_places,
)
from encoding.form import sections
from encoding.roles import Roles, assign
from encoding.types import BarGrid, Section


@dataclass(frozen=True, slots=True)
class Heard:
    """A sketch understood."""

    sketch: Sketch
    timing: Timing
    roles: Roles
    sections: tuple[Section, ...]

    @property
    def grid(self) -> BarGrid:
        return self.timing.grid


def listen(sketch: Sketch, options: DrumsOptions) -> Heard:
    """Find tempo, meter, bars, roles and sections.

    Raises:
        UsageError: the part to follow is not there.
    """
    timing = bar_grid(
        sketch.song, tempo_bpm=options.tempo_bpm, meter=options.meter, first_bar_tick=options.first_bar_tick
    )
    roles = _followed(assign(sketch.song.tracks), options.follow, sketch)
    return Heard(sketch, timing, roles, sections(timing.grid, sketch.song.tracks, sketch.song.markers))


def _followed(roles: Roles, follow: str, sketch: Sketch) -> Roles:
    """Only the part to follow keeps its role; a track named by number is the bass or the lead by its register."""
    if follow == "auto":
        return roles
    if follow in ("bass", "lead"):
        chosen = getattr(roles, follow)
        if not chosen:
            raise UsageError(f"--follow {follow}: {sketch.path} has no {follow}; see 'composer analyze' for its tracks")
        return _only(follow, chosen, roles)
    index = int(follow) if follow.isdecimal() else -1
    playable = [*roles.bass, *roles.lead, *roles.rest]
    if index not in playable:
        raise UsageError(
            f"--follow {follow}: give auto, bass, lead or one of the tracks "
            f"{', '.join(map(str, sorted(playable)))} of {sketch.path}"
        )
    is_bass = index in roles.bass or bool(assign([sketch.song.tracks[index]]).bass)
    return _only("bass" if is_bass else "lead", (index,), roles)


def _only(role: str, tracks: tuple[int, ...], roles: Roles) -> Roles:
    own: dict[str, tuple[int, ...]] = dict.fromkeys(ROLES, ()) | {role: tracks}
    return Roles(**own, drums=roles.drums, empty=roles.empty)


def conditions(heard: Heard, options: DrumsOptions) -> Conditions:
    """What the network is told: the line, the form with fills where sections end, and what the musician asked for."""
    grid, song = heard.grid, heard.sketch.song
    notes = [[song.tracks[i].notes for i in getattr(heard.roles, role)] for role in ROLES]
    section, section_bar, bars_left = section_places(heard.sections, grid.bars)
    return Conditions(
        grid=grid,
        onsets=onset_strengths(notes, grid),
        known_roles=np.array([len(tracks) > 0 for tracks in notes]),
        beat_s=beat_durations_s(song, grid),
        section=section,
        section_bar=section_bar,
        bars_left=bars_left,
        density=np.full(grid.bars, np.nan if options.density is None else options.density, np.float32),
        fill=planned_fills(section_bar, bars_left),
        style=UNKNOWN_STYLE if options.style is None else STYLES.index(options.style),
    )


def analysis(heard: Heard) -> dict[str, Any]:
    """The keys of ``analyze --json`` (design.md part 8)."""
    timing = heard.timing
    role_of = {i: role for role in (*ROLES, "drums", "empty") for i in getattr(heard.roles, role)}
    tracks = heard.sketch.song.tracks
    return {
        "file": str(heard.sketch.path),
        "tempo_bpm": round(timing.tempo_bpm, 3),
        "tempo_source": timing.tempo_source,
        "confidence": round(timing.confidence, 3),
        "candidates": [{"tempo_bpm": round(bpm, 3), "confidence": round(score, 3)} for bpm, score in timing.candidates],
        "meter": "{}/{}".format(*timing.meter),
        "meter_source": timing.meter_source,
        "bars": timing.grid.bars,
        "beats_s": np.round(timing.beats_s, 4).tolist(),
        "downbeats_s": np.round(timing.downbeats_s, 4).tolist(),
        "feel": timing.feel,
        "swing": round(timing.swing, 3),
        "sections": [asdict(section) for section in heard.sections],
        "tracks": [
            {"index": i, "name": track.name, "role": role_of.get(i, "ignored"), "notes": len(track.notes)}
            for i, track in enumerate(tracks)
        ],
        "repairs": list(heard.sketch.song.repairs),
    }
