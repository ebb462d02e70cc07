"""Coverage-guided fuzzing of everything that reads a sketch: `make fuzz`, or
`python tests/fuzz/fuzz_midi.py CORPUS [-max_total_time=600]` (libFuzzer's options; needs the 'fuzz' extra).

Any bytes either are refused with ValueError or hold these promises: the pieces join to the same bytes, the events of a
track are its bytes, a song has sane notes, and a track can be added or the drums taken out with nothing else lost.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["encoding", "composer.merge", "composer.read"]):
    from composer import merge
    from composer.errors import ComposerError, SketchError
    from composer.read import Sketch
    from encoding import midi, smf
    from encoding.events import events
    from encoding.tolerant import MAX_QUARTERS

MOST_BYTES = 4096
DRUMS = b"\x00\x99\x24\x64\x78\x89\x24\x00" + smf.END_OF_TRACK


def read(data: bytes) -> None:
    """One input; an exception that is no refusal is a finding."""
    try:
        file = smf.split(data)
        song = midi.parse(data)
    except ValueError:
        return
    assert smf.join(file) == data
    for chunk in file.tracks:
        assert b"".join(chunk.body[event.start : event.end] for event in events(chunk.body)) == chunk.body
    for track in song.tracks:
        notes = track.notes
        assert not len(notes) or 0 <= notes.onset_tick.min() <= notes.onset_tick.max()
        assert not len(notes) or notes.onset_tick.max() <= MAX_QUARTERS * song.ticks_per_quarter
        assert ((notes.pitch >= 0) & (notes.pitch < 128) & (notes.velocity >= 0) & (notes.velocity < 128)).all()
    if file.format != 2:
        add_drums(Sketch(Path("sketch.mid"), data, song), file)


def add_drums(sketch: Sketch, file: smf.MidiFile) -> None:
    """What ``merge.write`` does before it has a disk."""
    for replace_drums in (False, True):
        try:
            kept, written = merge._merged(sketch, file, DRUMS, replace_drums)
        except SketchError:
            continue
        try:
            merge._verify(kept, written, written, DRUMS, Path("out.mid"))
        except ComposerError as error:
            raise AssertionError(str(error)) from error


def seeds(corpus: Path) -> None:
    """The first inputs: small files of every kind that the tests know."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import builders as b

    bass, beat, conductor = b.bass_line(2), b.rock_beat(1), [b.tempo(90), b.meter(7, 8), b.marker("A")]
    song = b.midi_file([conductor, [b.name("Bass"), b.program(33), *bass], beat])
    kinds = {
        "plain": song,
        "format0": b.midi_file([[*conductor, *bass, *beat]], midi_format=0),
        "format2": b.midi_file([bass, beat], midi_format=2),
        "smpte": b.midi_file([bass], division=0xE728),
        "rmi": b.rmi_file(song),
        "junk": b"junk" + song + b"junk",
        "alien": b.header(1, 2) + b.chunk(b"XFIH", b"x") + b.track(bass) + b.track(beat),
        "wronglength": b.header(1, 2) + b.track(bass, length=9) + b.track(beat, length=2**31),
        "running": b.header(0, 1) + b.track([b"\x00\x90\x3c\x64\x60\x3c\x00\x00\xff\x01\x00\x00\x3c\x64", b.sysex(b"\xf7")]),
    }  # fmt: skip
    corpus.mkdir(parents=True, exist_ok=True)
    for kind, data in kinds.items():
        (corpus / f"seed-{kind}").write_bytes(data)


def main() -> None:
    folders = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    if not folders:
        sys.exit("name the folder of the corpus")
    seeds(folders[0])
    atheris.Setup([*sys.argv, f"-max_len={MOST_BYTES}", "-len_control=0"], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
