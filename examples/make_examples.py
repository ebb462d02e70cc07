"""Writes the example sketches: nine short ideas that a musician might bring, each without drums. CC0 1.0.

    python examples/make_examples.py [FOLDER]

Notation: notes ``PITCH/VALUE`` with C4 = 60 and values 1 2 4 8 16, dotted with a ``.``; ``r`` is a rest and ``R`` a
bar of rest; ``|`` ends a bar, which has to be full. ``>E1/8`` is an accent, ``~A1/8`` slides up from two semitones
below, ``(E1)/16`` is a ghost note, ``C2/8*6`` six notes.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from math import cos, pi
from pathlib import Path
from random import Random

import mido

TICKS_PER_QUARTER = 480
DEFAULT_US_PER_QUARTER = 500_000  # what a file without a tempo means
NOTE = re.compile(r"(?P<mark>[>~(]?)(?P<pitch>r|[A-G][b#]?\d)\)?/(?P<value>\d+)(?P<dot>\.?)(?:\*(?P<times>\d+))?")
SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11, "b": -1, "#": 1}

# Programs of General MIDI, from 0.
PIANO, ELECTRIC_PIANO, GUITAR, OVERDRIVEN_GUITAR = 0, 4, 27, 29
ACOUSTIC_BASS, FINGERED_BASS, PICKED_BASS, SLAP_BASS = 32, 33, 34, 36
VIOLIN, VOICE, TENOR_SAX = 40, 53, 66


@dataclass(frozen=True)
class Part:
    name: str
    program: int
    bars: str


@dataclass(frozen=True)
class Sketch:
    """bpm counts quarters. swing is where in the beat its second eighth falls. markers are (bar from 1, text).

    rubato is the share by which beats grow longer and shorter; the file of such a sketch has no tempo and no meter.
    """

    name: str
    meter: tuple[int, int]
    bpm: int
    parts: tuple[Part, ...]
    swing: Fraction = Fraction(1, 2)
    rubato: float = 0.0
    markers: tuple[tuple[int, str], ...] = ()

    @property
    def bar_quarters(self) -> Fraction:
        return Fraction(4 * self.meter[0], self.meter[1])


@dataclass(frozen=True)
class Note:
    """onset and duration in quarters from the start, mark as in the notation."""

    onset: Fraction
    duration: Fraction
    pitch: int
    mark: str


def phrases(*texts: str) -> str:
    return " | ".join(texts)


# E minor, an eighth-note riff with a hole on beat two; the B part drives on the roots.
ROCK_RIFF = "E1/4. E1/8*2 G1/8 A1/8 B1/8 | C2/4. C2/8 D2/8*2 r/8 B1/8 | E1/4. E1/8*2 G1/8 A1/8 B1/8"
ROCK_A = phrases(ROCK_RIFF, "G1/4. G1/8 A1/8*2 G1/8 F#1/8", ROCK_RIFF, "A1/8*4 B1/8*2 D2/8 B1/8")
ROCK_ROOTS = "C2/8*7 B1/8 | G1/8*6 A1/8 B1/8"
ROCK_B = phrases(ROCK_ROOTS, "D2/8*6 E2/8 D2/8 | A1/8*6 B1/8 A1/8", ROCK_ROOTS)
ROCK_BASS = phrases(ROCK_A, ROCK_B, "A1/8*8 | B1/4*2 B1/8 r/8 r/4", ROCK_A, ROCK_B, "A1/8*4 B1/8*4 | E1/1")

# E dorian in sixteenths with dead notes; the B part moves to A and stops together.
FUNK_1 = ">E1/8 r/16 E1/16 r/8 (D2)/16 E2/16 r/16 (E1)/16 D2/16 r/16 B1/16 (E1)/16 D2/16 E1/16"
FUNK_2 = ">E1/8. G1/16 ~A1/8 (A1)/16 A1/16 r/8 G1/16 (G1)/16 E1/16 r/16 r/8"
FUNK_4 = ">E1/8. G1/16 ~A1/8 (A1)/16 A#1/16 B1/16 (B1)/16 D2/16 E2/16 r/16 D2/16 B1/16 A1/16"
FUNK_5 = ">A1/8 (A1)/16 A1/16 r/16 A2/16 r/16 G2/16 r/16 (A1)/16 E2/16 r/16 G2/16 (A1)/16 ~E2/8"
FUNK_6 = ">C2/8. C2/16 r/8 >D2/8 r/16 (D2)/16 D2/16 r/16 A1/16 (A1)/16 C2/16 D2/16"
FUNK_STOP = ">B1/8 r/8 >B1/8 r/8 >B1/16 r/16 >B1/8 r/16 D2/16 ~E2/8"
FUNK_A = phrases(FUNK_1, FUNK_2, FUNK_1, FUNK_4, FUNK_1, FUNK_2, FUNK_1, FUNK_4)
FUNK_B = phrases(FUNK_5, FUNK_6, FUNK_5, FUNK_6, FUNK_5, FUNK_6, FUNK_5, FUNK_STOP)
FUNK_BASS = phrases(FUNK_A, FUNK_B, FUNK_A)

# D major, AABA with an upbeat: its first bar is two beats of rest.
WALTZ_A = "F#5/4. E5/8 D5/4 | A5/2 F#5/4 | G5/4. F#5/8 E5/4 | C#5/2 E5/4 | G5/4. F#5/8 E5/4 | B5/2 A5/4"
WALTZ_A1 = phrases(WALTZ_A, "G5/4 E5/4 C#5/4 | D5/2 A4/4")
WALTZ_A2 = phrases(WALTZ_A, "G5/4 C#5/4 E5/4 | D5/2 r/4")
WALTZ_B = """B5/2 A5/4 | G5/2 D5/4 | A5/2 G5/4 | F#5/2 D5/4 |
    G#5/4 F#5/4 G#5/4 | B5/2 G#5/4 | A5/4 C#5/4 E5/4 | G5/2 A4/4"""
WALTZ = phrases("r/2 A4/4", WALTZ_A1, WALTZ_A2, WALTZ_B, WALTZ_A2)

# Twelve bars in A, twice, with the quick change in bar two.
BLUES_ON_A = "A1/4. C#2/4 C#2/8 E2/4. F#2/4 E2/8"
BLUES_ON_D = "D2/4. F#2/4 F#2/8 A2/4. B2/4 A2/8"
BLUES_ON_E = "E1/4. G#1/4 G#1/8 B1/4. D2/4 B1/8"
BLUES_1 = phrases(BLUES_ON_A, BLUES_ON_D, BLUES_ON_A, "A1/4. G2/4 G2/8 F#2/4. E2/4 E2/8", BLUES_ON_D, BLUES_ON_D)
BLUES_2 = phrases(BLUES_ON_A, BLUES_ON_A, BLUES_ON_E, BLUES_ON_D, "A1/4. C#2/4. D2/4. D#2/4.")
BLUES_TURN, BLUES_END = "E2/4. E2/4 E2/8 D2/4. B1/4 G#1/8", "E2/4. E1/4. A1/2."
BLUES_BASS = phrases(BLUES_1, BLUES_2, BLUES_TURN, BLUES_1, BLUES_2, BLUES_END)
BLUES_GUITAR = """
    r/8 E4/8 G4/8 A4/4 C5/8 A4/4. r/4. | r/4. r/8 C5/8 A4/8 G4/4 E4/8 A4/4. | A4/2. r/4. r/8 G4/8 A4/8 |
    C5/4 A4/8 G4/4. r/2. | r/8 E4/8 G4/8 A4/4 C5/8 D5/4. C5/8 A4/8 G4/8 | A4/4. r/8 C5/8 A4/8 F#4/4. r/4. |
    E4/8 G4/8 A4/8 C#5/4 A4/8 E4/4. r/4. | r/2. r/4. E4/8 G4/8 A4/8 | B4/4 B4/8 D5/4 B4/8 G#4/4. E4/4. |
    A4/4 A4/8 C5/4 A4/8 F#4/4. D4/4. | E4/8 G4/8 A4/8 C5/4. A4/2. | r/4. E4/4 E4/8 G#4/4. B4/4. |
    ~E5/4. D5/8 C5/8 A4/8 C5/4. r/4. | r/4. ~E5/4 D5/8 C5/4 A4/8 F#4/4. | ~E5/4. D5/8 C5/8 A4/8 G4/4 A4/8 r/4. |
    r/2. r/8 G4/8 A4/8 C5/8 D5/8 D#5/8 | ~E5/2. D5/4 C5/8 A4/4. | r/8 A4/8 C5/8 D5/4 C5/8 A4/4 F#4/8 D4/4. |
    E4/4 G4/8 A4/4. r/2. | r/4. A4/8 C5/8 A4/8 G4/4 E4/8 r/4. | B4/8*3 D5/4 B4/8 G#4/4 E4/8 r/4. |
    A4/8*3 C5/4 A4/8 F#4/4 D4/8 r/4. | E4/8 G4/8 A4/8 C5/4 A4/8 G4/4 E4/8 C#4/4. | E4/4 D4/8 C#4/4 B3/8 A3/2.
"""

# Two, two, three eighths; the lead enters in the B part.
SEVEN_START = "E1/4 G1/8 E1/8 A1/8 B1/8 D2/8 | E1/4 G1/8 E1/8 B1/8 A1/8 G1/8 | E1/4 G1/8 E1/8 A1/8 B1/8 D2/8"
SEVEN_A = phrases(SEVEN_START, "E1/8*2 G1/4 A1/4.")
SEVEN_B = "C2/4 C2/8 G1/8 C2/8 D2/8 E2/8 | C2/4 C2/8 G1/8 E2/8 D2/8 C2/8 | D2/4 D2/8 A1/8 D2/8 E2/8 F#2/8"
SEVEN_B1, SEVEN_B2 = phrases(SEVEN_B, "D2/4 D2/8 A1/8 F#2/8 D2/8 A1/8"), phrases(SEVEN_B, "B1/8*2 D2/4 F#2/4.")
SEVEN_RIFF = phrases(SEVEN_A, SEVEN_A, SEVEN_B1, SEVEN_B2, SEVEN_A, SEVEN_A)
SEVEN_TUNE = "G4/2 E4/4. | G4/4 A4/4 B4/4. | A4/2 F#4/4. | D4/2 r/4."
SEVEN_LEAD = phrases(*["R"] * 8, SEVEN_TUNE, "G4/2 E4/4. | G4/4 A4/4 C5/4. | D5/2 A4/4. | B4/2 F#4/4.", *["R"] * 8)

# F major, AABA over a walking bass; eighths are written straight and swung on the way out.
SWING_A = """C5/4 r/8 A4/8 r/8 C5/8 A4/4 | F#4/8 A4/8 C5/8 D5/8 r/8 A4/4. | Bb4/4 r/8 G4/8 r/8 Bb4/8 G4/4 |
    E4/8 G4/8 Bb4/8 C5/8 r/8 G4/4. | C5/4 A4/4 r/8 F#4/8 A4/8 C5/8 | Bb4/4 G4/4 r/8 E4/8 G4/8 Bb4/8"""
SWING_A1 = phrases(SWING_A, "A4/8 F4/4 C5/8 r/2 | r/2 r/8 G4/8 A4/8 Bb4/8")
SWING_A2 = phrases(SWING_A, "A4/8 F4/4 D4/8 r/8 F4/4. | R")
SWING_B = """E5/2 r/8 C#5/8 E5/8 G5/8 | E5/4. C#5/8 r/2 | D5/2 r/8 A4/8 C5/8 F#5/8 | D5/4. A4/8 r/2 |
    D5/2 r/8 B4/8 D5/8 F5/8 | D5/4. B4/8 r/2 |
    C5/8 Bb4/8 G4/8 E4/8 C5/8 Bb4/8 G4/8 E4/8 | G4/4 Bb4/4 r/8 E4/8 G4/8 Bb4/8"""
WALK_A = """F2/4 A2/4 C3/4 C#3/4 | D3/4 C3/4 A2/4 F#2/4 | G2/4 Bb2/4 D3/4 Db3/4 | C3/4 Bb2/4 G2/4 E2/4 |
    A2/4 C3/4 D3/4 F#2/4 | G2/4 Bb2/4 C3/4 E2/4"""
WALK_A1 = phrases(WALK_A, "F2/4 A2/4 D2/4 F#2/4 | G2/4 D2/4 C2/4 E2/4")
WALK_A2 = phrases(WALK_A, "F2/4 C3/4 A2/4 F2/4 | C2/4 D2/4 F2/4 G#2/4")
WALK_B = """A2/4 C#3/4 E3/4 C#3/4 | A2/4 E2/4 G2/4 C#3/4 | D3/4 A2/4 F#2/4 A2/4 | D2/4 F#2/4 A2/4 C3/4 |
    B2/4 G2/4 D3/4 B2/4 | G2/4 F2/4 D2/4 B1/4 | C2/4 E2/4 G2/4 Bb2/4 | C3/4 Bb2/4 G2/4 E2/4"""
SWING_MELODY = phrases(SWING_A1, SWING_A2, SWING_B, SWING_A2)
WALKING_BASS = phrases(WALK_A1, WALK_A2, WALK_B, WALK_A, "F2/4 C3/4 A2/4 C2/4 | F1/4 r/4 r/2")

# C minor, an ostinato in threes and twos; a piano melody comes in after eight bars.
FIVE_A = phrases(*["C2/4. G2/8 Bb2/4 C3/4 Bb2/4 | C2/4. G2/8 Bb2/4 Eb3/4 C3/4"] * 4)
FIVE_B = phrases(*["Ab1/4. Eb2/8 G2/4 Ab2/4 G2/4 | Bb1/4. F2/8 Ab2/4 Bb2/4 Ab2/4"] * 4)
FIVE_BASS = phrases(FIVE_A, FIVE_B, FIVE_A)
FIVE_MELODY_B = "C5/2. Bb4/4 C5/4 | D5/2. Bb4/2 | C5/4. Bb4/8 G4/4 Eb4/2 | F4/2. r/2"
FIVE_MELODY_A = "G4/2. Eb4/4 F4/4 | G4/2. r/2 | Bb4/4. C5/8 G4/4 F4/2 | Eb4/2. r/2"
FIVE_MELODY = phrases(*["R"] * 8, FIVE_MELODY_B, FIVE_MELODY_B, FIVE_MELODY_A, FIVE_MELODY_A)

# G major ballad for two hands.
BALLAD_MELODY = """
    B4/4. A4/8 G4/4 D5/4 | B4/2 r/8 G4/8 A4/8 B4/8 | C5/4. B4/8 A4/4 G4/4 | A4/2. D4/4 |
    B4/4. A4/8 G4/4 D5/4 | E5/2 r/8 D5/8 B4/8 G4/8 | C5/4 B4/4 A4/4 F#4/4 | G4/2. r/4 |
    E5/4. D5/8 C5/4 E5/4 | D5/2 B4/4 G4/4 | C5/4. B4/8 A4/4 C5/4 | B4/2. B4/8 C5/8 |
    D5/4. C5/8 B4/4 A4/4 | G4/4 F#4/4 E4/4 G4/4 | A4/4. B4/8 A4/4 F#4/4 | G4/1
"""
BALLAD_BASS = """
    G2/4. D3/8 G3/2 | E2/4. B2/8 E3/2 | C3/4. G2/8 E3/2 | D2/4. A2/8 D3/2 |
    G2/4. D3/8 G3/2 | C3/4. G2/8 E3/2 | A2/4 E3/4 D3/4 D2/4 | G2/4. D3/8 G3/2 |
    C3/4. G2/8 E3/2 | G2/4. D3/8 G3/2 | A2/4. E3/8 A3/2 | E2/4. B2/8 E3/2 |
    G2/4. D3/8 G3/2 | E2/4. B2/8 E3/2 | A2/4 E3/4 D3/4 D2/4 | G2/1
"""

# C major: a verse low and wordy, a chorus high and long.
POP_1 = "r/8 E4/8*2 D4/8 E4/4 G4/4 | r/8 E4/8 D4/8 C4/8 D4/4. r/8"
POP_2, POP_3 = "r/8 C4/8*2 D4/8 E4/4 A4/4 | G4/4. E4/8 D4/4 r/4", "r/8 A4/8*2 G4/8 E4/8 G4/4. | D4/4. C4/8 D4/4 G4/8*2"
POP_VERSE = phrases(POP_1, POP_2, POP_1, POP_3)
POP_CHORUS = """
    C5/2 B4/8 A4/8 G4/4 | A4/4. G4/8 G4/4 E4/8 G4/8 | A4/4 A4/8 B4/8 C5/4. D5/8 | D5/2. G4/8*2 |
    C5/2 B4/8 A4/8 G4/4 | A4/4. C5/8 E5/4 D5/8 C5/8 | F4/8 A4/8 C5/4 B4/8 C5/8 D5/4 | C5/2. r/4
"""
POP_MELODY = phrases(POP_VERSE, POP_CHORUS, POP_VERSE, POP_CHORUS)

SKETCHES = (
    Sketch("rock-bass", (4, 4), 132, (Part("Bass", PICKED_BASS, ROCK_BASS),)),
    Sketch("funk-bass", (4, 4), 100, (Part("Bass", SLAP_BASS, FUNK_BASS),)),
    Sketch("waltz-melody", (3, 4), 156, (Part("Melody", VIOLIN, WALTZ),)),
    Sketch("slow-blues", (12, 8), 87,
           (Part("Bass", FINGERED_BASS, BLUES_BASS), Part("Guitar", GUITAR, BLUES_GUITAR))),
    Sketch("seven-eight-riff", (7, 8), 138,
           (Part("Bass riff", PICKED_BASS, SEVEN_RIFF), Part("Lead", OVERDRIVEN_GUITAR, SEVEN_LEAD))),
    Sketch("swing-walking-bass", (4, 4), 152,
           (Part("Melody", TENOR_SAX, SWING_MELODY), Part("Bass", ACOUSTIC_BASS, WALKING_BASS)), swing=Fraction(2, 3)),
    Sketch("five-four-ostinato", (5, 4), 112,
           (Part("Bass", FINGERED_BASS, FIVE_BASS), Part("Electric piano", ELECTRIC_PIANO, FIVE_MELODY))),
    Sketch("free-ballad", (4, 4), 76,
           (Part("Right hand", PIANO, BALLAD_MELODY), Part("Left hand", PIANO, BALLAD_BASS)), rubato=0.15),
    Sketch("pop-melody", (4, 4), 104, (Part("Vocal", VOICE, POP_MELODY),),
           markers=((1, "Verse"), (9, "Chorus"), (17, "Verse"), (25, "Chorus"))),
)  # fmt: skip


def read_bars(bars: str, bar_quarters: Fraction) -> list[Note]:
    notes: list[Note] = []
    for number, bar in enumerate(bars.split("|")):
        onset = number * bar_quarters
        for token in bar.split():
            if token == "R":
                onset += bar_quarters
                continue
            match = NOTE.fullmatch(token)
            if match is None:
                raise ValueError(f"bar {number + 1}: {token!r} is not a note")
            duration = Fraction(4, int(match["value"])) * (Fraction(3, 2) if match["dot"] else 1)
            for _ in range(int(match["times"] or 1)):
                if match["pitch"] != "r":
                    notes.append(Note(onset, duration, midi_pitch(match["pitch"]), match["mark"]))
                onset += duration
        if onset != (number + 1) * bar_quarters:
            raise ValueError(f"bar {number + 1} is {onset - number * bar_quarters} quarters long: {bar.strip()}")
    return notes


def midi_pitch(name: str) -> int:
    """C4 is 60."""
    return 12 * (int(name[-1]) + 1) + sum(SEMITONES[letter] for letter in name[:-1])


def velocity(note: Note, sketch: Sketch, random: Random) -> int:
    """Down-beats and beats are a little louder, and no two strokes are the same."""
    if note.mark == "(":
        return 30 + random.randint(-4, 4)
    beat = Fraction(3, 2) if sketch.meter == (12, 8) else Fraction(1)
    on_bar, on_beat = (note.onset % length == 0 for length in (sketch.bar_quarters, beat))
    return 82 + 6 * on_beat + 8 * on_bar + 18 * (note.mark == ">") + random.randint(-4, 4)


def played_tick(quarters: Fraction, sketch: Sketch, jitter_s: float) -> int:
    """Where a place in the music lands in the file: as written, swung, or drifting as without a click."""
    if sketch.rubato:
        # Beats grow shorter and longer again over eight bars; this is the integral of 1 - rubato * sin.
        turn = 2 * pi / float(8 * sketch.bar_quarters)
        drifted = float(quarters) - sketch.rubato * (1 - cos(turn * float(quarters))) / turn
        played_us = 1e6 * max(drifted * 60 / sketch.bpm + jitter_s, 0.0)
        return round(played_us / DEFAULT_US_PER_QUARTER * TICKS_PER_QUARTER)
    beat, place = divmod(quarters, 1)
    half = Fraction(1, 2)
    stretched = place * 2 * sketch.swing if place < half else sketch.swing + (place - half) * 2 * (1 - sketch.swing)
    return round((beat + stretched) * TICKS_PER_QUARTER)


def part_track(part: Part, channel: int, sketch: Sketch) -> mido.MidiTrack:
    random = Random(f"{sketch.name} {part.name}")
    events: list[tuple[int, mido.Message]] = []
    for note in read_bars(part.bars, sketch.bar_quarters):
        jitter_s = random.triangular(-0.03, 0.03)
        length = note.duration * (Fraction(2, 5) if note.mark == "(" else Fraction(9, 10))
        start, end = (played_tick(place, sketch, jitter_s) for place in (note.onset, note.onset + length))
        if note.mark == "~":
            for step, bend in enumerate((-8192, -5461, -2731, 0)):  # two semitones, the default range of the wheel
                events.append((start + 20 * step, mido.Message("pitchwheel", channel=channel, pitch=bend)))
        loudness = velocity(note, sketch, random)
        events.append((start, mido.Message("note_on", channel=channel, note=note.pitch, velocity=loudness)))
        events.append((end, mido.Message("note_off", channel=channel, note=note.pitch, velocity=64)))
    events.sort(key=lambda event: (event[0], event[1].type != "note_off"))
    name = mido.MetaMessage("track_name", name=part.name)
    return deltas([(0, name), (0, mido.Message("program_change", channel=channel, program=part.program)), *events])


def head_track(sketch: Sketch) -> mido.MidiTrack:
    events = [(0, mido.MetaMessage("track_name", name=sketch.name)), (0, mido.MetaMessage("copyright", text="CC0 1.0"))]
    if not sketch.rubato:
        numerator, denominator = sketch.meter
        meter = mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)
        events += [(0, mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(sketch.bpm))), (0, meter)]
    bar_ticks = int(sketch.bar_quarters * TICKS_PER_QUARTER)
    return deltas(
        events + [((bar - 1) * bar_ticks, mido.MetaMessage("marker", text=text)) for bar, text in sketch.markers]
    )


def deltas(events: list[tuple[int, mido.Message | mido.MetaMessage]]) -> mido.MidiTrack:
    track, last_tick = mido.MidiTrack(), 0
    for tick, message in events:
        track.append(message.copy(time=tick - last_tick))
        last_tick = tick
    return track


def build(sketch: Sketch) -> bytes:
    """The sketch as a Standard MIDI File of format 1."""
    file, buffer = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER), BytesIO()
    file.tracks.append(head_track(sketch))
    file.tracks += [part_track(part, channel, sketch) for channel, part in enumerate(sketch.parts)]
    file.save(file=buffer)
    return buffer.getvalue()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for sketch in SKETCHES:
        (folder / f"{sketch.name}.mid").write_bytes(build(sketch))
