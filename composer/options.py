"""What the musician may ask for, checked once, and passed down as one object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from composer.errors import UsageError

# General MIDI 2 drum sets by program number; the notes are the same in all of them.
GM_SETS = {"standard": 0, "room": 8, "power": 16, "electronic": 24, "analog": 25, "jazz": 32, "brush": 40}
LOWEST_TEMPO_BPM, HIGHEST_TEMPO_BPM = 10.0, 999.0


@dataclass(frozen=True, slots=True)
class Kit:
    """Which notes the parts are written as. ``program`` is a drum set to select, None for the player's own.

    notes: (part name, MIDI note) for the parts that differ from encoding.kit.
    """

    notes: tuple[tuple[str, int], ...] = ()
    program: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrumsOptions:
    """Options of ``composer drums``; None leaves the choice to the sketch."""

    seed: int = 0
    style: str | None = None
    density: float | None = None
    follow: str = "auto"
    tempo_bpm: float | None = None
    meter: tuple[int, int] | None = None
    first_bar_tick: int | None = None
    kit: Kit = Kit()
    force: bool = False
    replace_drums: bool = False


def density(text: str) -> float | None:
    """'auto' -> None, '0.4' -> 0.4.

    Raises:
        UsageError: neither auto nor a number from 0 to 1.
    """
    if text == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UsageError(f"--density {text}: give auto or a number from 0 to 1")
    return value


def meter(text: str | None) -> tuple[int, int] | None:
    """'7/8' -> (7, 8).

    Raises:
        UsageError: not a meter that can be played.
    """
    if text is None:
        return None
    numerator, _, denominator = text.partition("/")
    if not (numerator.isdecimal() and denominator.isdecimal()):
        raise UsageError(f"--meter {text}: give it as N/D, for example 4/4 or 7/8")
    if not 1 <= int(numerator) <= 32 or int(denominator) not in (1, 2, 4, 8, 16):
        raise UsageError(f"--meter {text}: N must be 1 to 32 and D one of 1 2 4 8 16")
    return int(numerator), int(denominator)


def tempo(bpm: float | None) -> float | None:
    """Quarters a minute.

    Raises:
        UsageError: outside 10 to 999.
    """
    if bpm is not None and not LOWEST_TEMPO_BPM <= bpm <= HIGHEST_TEMPO_BPM:
        limits = f"{LOWEST_TEMPO_BPM:g} to {HIGHEST_TEMPO_BPM:g}"
        raise UsageError(f"--tempo {bpm:g}: give quarter notes a minute, from {limits}")
    return bpm


def style(name: str | None) -> str | None:
    """One of the styles that the networks know, lower case.

    Raises:
        UsageError: another name; the message lists them.
    """
    from encoding.conditions import STYLES

    if name is None or name.lower() in STYLES:
        return name and name.lower()
    raise UsageError(f"--style {name}: unknown; choose one of {', '.join(STYLES)}")


def kit(name: str | None) -> Kit:
    """A General MIDI drum set by name, or a JSON file of {"part": note}.

    Raises:
        UsageError: no such set or file, or the file names a part or note that does not exist.
    """
    if name is None:
        return Kit()
    if name in GM_SETS:
        return Kit(program=GM_SETS[name])
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"--kit {name}: no such file, nor one of {', '.join(GM_SETS)}")
    return Kit(notes=_kit_file(path))


def _kit_file(path: Path) -> tuple[tuple[str, int], ...]:
    from encoding.kit import NAMES

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f'--kit {path}: not JSON such as {{"kick": 36}} ({error})') from error
    if not isinstance(content, dict):
        raise UsageError(f'--kit {path}: give an object such as {{"kick": 36, "snare": 38}}')
    for part, note in content.items():
        if part not in NAMES:
            raise UsageError(f"--kit {path}: no part '{part}'; the parts are {', '.join(NAMES)}")
        if not isinstance(note, int) or isinstance(note, bool) or not 0 <= note <= 127:
            raise UsageError(f"--kit {path}: {part} is {note!r}; give a MIDI note from 0 to 127")
    return tuple(content.items())


def source_weights(text: str) -> str:
    """'songs=8,groove=1' as it is.

    Raises:
        UsageError: not names with positive numbers.
    """
    for pair in filter(None, text.split(",")):
        name, _, number = pair.partition("=")
        if not (name and number.replace(".", "", 1).isdecimal() and float(number) > 0):
            raise UsageError(f"--sources {text}: give names with how often each is drawn, for example songs=8,groove=1")
    return text


def bars(text: str | None) -> tuple[int, int] | None:
    """'5-8' -> (5, 8); '5' -> (5, 5).

    Raises:
        UsageError: not bars counted from 1.
    """
    if text is None:
        return None
    first, _, last = text.partition("-")
    if not first.isdecimal() or not (last or first).isdecimal() or not 1 <= int(first) <= int(last or first):
        raise UsageError(f"--bars {text}: give bars counted from 1, for example 5-8")
    return int(first), int(last or first)
