"""Exit codes of the command line and the one exception that carries them."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The contract of design.md part 8; scripts of users depend on these numbers."""

    DONE = 0
    BUG = 1
    USAGE = 2
    SKETCH = 3
    OUTPUT = 4
    BATCH = 5


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
