"""What worker processes are given in tests; importable, as functions must be that another process runs."""

from __future__ import annotations

import os
import signal
import time

from composer.errors import InstallError


def nothing() -> None:
    """Nothing to prepare."""


def die() -> None:
    os._exit(7)


def refuse() -> None:
    raise InstallError("generator.onnx: damaged")


def act(word: str) -> tuple[str, int]:
    """Do what the word says; the word and this process, if it lives."""
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "exit":
        os._exit(3)
    if word == "hang":
        while True:
            time.sleep(1)
    return word, os.getpid()
