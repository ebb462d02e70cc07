"""One function over many items in processes of their own: an item that crashes or hangs costs that item only.

``concurrent.futures`` gives up all of its work when one process dies, and cannot stop a task. Here each process has a
pipe of its own and nothing else in common with the others, so that none can take a lock with it when it is killed.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing import connection, resource_tracker
from typing import Any

from encoding.engines import live_with_parent

# spawned, not forked: a progress bar's thread is running, and a fork would copy its locks
CONTEXT = multiprocessing.get_context("spawn")
SECONDS_TO_START = 120.0
STARTS_TRIED = 3


@dataclass(frozen=True, slots=True)
class Lost:
    """What an item has instead of a result: how its process ended, in words."""

    reason: str


class _Worker:
    """One process and the item it has, or will get when it ``is_ready``."""

    def __init__(self, task: Callable[[Any], Any], prepare: Callable[[], object], item: Any) -> None:
        self.item = item
        self.is_ready = False
        self.seconds, self.deadline = SECONDS_TO_START, time.monotonic() + SECONDS_TO_START
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=_serve, args=(theirs, task, prepare), daemon=True)
        with _interrupts_held():
            self.process.start()
        theirs.close()  # else the pipe would not end with the process

    def give(self, item: Any, seconds: float) -> None:
        self.item = item
        self.is_ready = True
        self.seconds, self.deadline = seconds, time.monotonic() + seconds
        with contextlib.suppress(OSError):  # it has died, which ``answer`` will say
            self.pipe.send(item)

    def answer(self) -> Any:
        """What it sent, or ``Lost`` where it died or its time is over."""
        try:
            if self.pipe.poll():
                return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return Lost(f"its process died ({_ending(self.process.exitcode or 0)})")
        return Lost(f"it took longer than {self.seconds:g} s and was stopped")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def each(
    task: Callable[[Any], Any], items: Iterable[Any], *, prepare: Callable[[], object], jobs: int, time_limit_s: float
) -> Iterator[tuple[Any, Any]]:
    """Each item with its result, or with ``Lost``, in the order in which they are done.

    Args:
        task: importable function of one item, which raises nothing.
        prepare: importable; called once in every process before its first item.
        time_limit_s: seconds for one item, the start of its process not counted.

    Raises:
        RuntimeError: process after process dies before its first item; else what ``prepare`` raised.
    """
    start = partial(_Worker, task, prepare)
    queue = iter(items)
    workers: list[_Worker] = []
    failed_starts = 0
    try:
        workers.extend(map(start, islice(queue, jobs)))
        while workers:
            for worker in _reporting(workers):
                answer, following = worker.answer(), [worker.item]
                if worker.is_ready:
                    yield worker.item, answer
                    following = list(islice(queue, 1))
                else:
                    failed_starts = failed_starts + 1 if isinstance(answer, Lost) else 0
                    _check_start(answer, failed_starts)
                if following and not isinstance(answer, Lost):
                    worker.give(following[0], time_limit_s)
                else:
                    workers.remove(worker)
                    worker.kill()
                    workers.extend(map(start, following))
    finally:
        for worker in workers:
            worker.kill()


def _reporting(workers: list[_Worker]) -> list[_Worker]:
    """Wait for those that sent something, died, or whose time is over."""
    first_deadline = min(worker.deadline for worker in workers)
    ready = connection.wait([worker.pipe for worker in workers], max(0.0, first_deadline - time.monotonic()))
    now = time.monotonic()
    return [worker for worker in workers if worker.pipe in ready or worker.deadline <= now]


def _check_start(answer: Any, failed_starts: int) -> None:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, Lost) and failed_starts >= STARTS_TRIED:
        raise RuntimeError(f"no worker process starts: {answer.reason}")


def _ending(exit_code: int) -> str:
    try:
        return signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    except ValueError:
        return f"signal {-exit_code}"


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C reaches every process of the terminal; those started here inherit that it waits, for ever."""
    resource_tracker.ensure_running()  # started with the first process otherwise, which would let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: connection.Connection, task: Callable[[Any], Any], prepare: Callable[[], object]) -> None:
    """The life of a process: says that it is ready with None, or what went wrong; then a result for each item."""
    live_with_parent()
    try:
        prepare()
    except Exception as error:  # noqa: BLE001  # raised again in the parent
        pipe.send(error)
        return
    pipe.send(None)
    with contextlib.suppress(EOFError, OSError):  # the parent has what it wants
        while True:
            pipe.send(task(pipe.recv()))
