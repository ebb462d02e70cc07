"""Exit codes of the command line and the one exception that carries them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The contract of design.md part 8; scripts of users depend on these numbers.

    BUG stands for composer itself, its installation included: weights that are damaged are neither the sketch's fault
    nor the output's. STOPPED is what shells make of Ctrl-C, 128 and the number of SIGINT.
    """

    DONE = 0
    BUG = 1
    USAGE = 2
    SKETCH = 3
    OUTPUT = 4
    BATCH = 5
    STOPPED = 130


class ComposerError(Exception):
    """An error for the user: one line that says what was found and what to do, and its exit code."""

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class SketchError(ComposerError):
    """The sketch cannot be read or has nothing to follow."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.SKETCH)


class OutputError(ComposerError):
    """The output exists already or cannot be written."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.OUTPUT)


class UsageError(ComposerError):
    """An option that makes no sense, or not for this sketch."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.USAGE)


class InstallError(ComposerError):
    """Something that belongs to composer is missing or damaged, the weights of a network for example."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ExitCode.BUG)
