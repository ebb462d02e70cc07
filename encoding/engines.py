"""What encodes the shards: processes of this machine, or the workers of a Dask scheduler wherever they are."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SECONDS_TO_CONNECT = 10


@dataclass(frozen=True, slots=True)
class Engine:
    executor: Executor
    workers: int


@contextmanager
def engine(jobs: int, scheduler: str | None = None) -> Iterator[Engine]:
    """Workers to submit to; what is not yet begun is cancelled on the way out.

    Args:
        jobs: processes on this machine, where there is no scheduler.
        scheduler: address of a Dask scheduler, as tcp://host:8786; its workers need this package installed and the
            sources, unless these are archives, at the same paths.

    Raises:
        ConnectionError: no scheduler there, or one without workers.
        ModuleNotFoundError: a scheduler is asked for and dask.distributed is not installed.
        OSError: workers died.
    """
    try:
        if scheduler:
            with _cluster(scheduler) as found:
                yield found
        else:
            with _processes(jobs) as found:
                yield found
    except (BrokenExecutor, CancelledError) as error:
        raise OSError(
            f"workers died, perhaps for want of memory ({error}); complete the dataset with --resume"
        ) from error


@contextmanager
def _processes(jobs: int) -> Iterator[Engine]:
    # spawned, not forked: a progress bar's thread is running, and a fork would copy its locks
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(max_workers=jobs, mp_context=context, initializer=live_with_parent)
    try:
        yield Engine(executor, jobs)
    finally:
        executor.shutdown(cancel_futures=True)


def live_with_parent() -> None:
    """Ctrl-C is the parent's to handle, and a killed parent leaves no worker behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_after_parent, daemon=True).start()


def _exit_after_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[Engine]:
    from distributed import Client, KilledWorker

    try:
        client: Any = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"{address}: no Dask scheduler answers there ({error})") from error
    try:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        except TimeoutError as error:
            raise ConnectionError(f"{address}: the scheduler has no workers; start 'dask worker {address}'") from error
        yield Engine(client.get_executor(pure=False), sum(client.nthreads().values()))
    except KilledWorker as error:
        raise BrokenExecutor(str(error)) from error
    finally:
        client.close()
