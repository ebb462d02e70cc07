from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hazards import act, die, nothing, refuse

from composer import workers
from composer.errors import InstallError


def run(words: list[str], jobs: int = 2, prepare: Callable[[], object] = nothing) -> Iterator[tuple[Any, Any]]:
    return workers.each(act, words, prepare=prepare, jobs=jobs, time_limit_s=2.0)


def test_every_item_has_its_own_result() -> None:
    words = [str(number) for number in range(50)]
    found = list(run(words))
    assert sorted(item for item, _ in found) == sorted(words)
    assert all(result[0] == item for item, result in found)
    assert len({result[1] for _, result in found}) == 2  # processes are kept, not started anew for every item
    assert list(run([])) == []


def test_what_crashes_hangs_or_is_killed_costs_itself_only() -> None:
    hazards = {"crash": "SIGSEGV", "killed": "SIGKILL", "exit": "exit code 3", "hang": "longer than 2 s"}
    words = ["a", *hazards, "b", "c", *hazards, "d"]
    found = list(run(words))
    assert Counter(item for item, _ in found) == Counter(words)
    for item, result in found:
        if item in hazards:
            assert isinstance(result, workers.Lost)
            assert hazards[item] in result.reason
        else:
            assert result[0] == item


def test_what_cannot_be_prepared_is_raised() -> None:
    with pytest.raises(InstallError, match="damaged"):
        list(run(["a"], prepare=refuse))
    with pytest.raises(RuntimeError, match=r"no worker process starts: .*exit code 7"):
        list(run(["a", "b"], jobs=1, prepare=die))


def test_no_process_outlives_an_interrupt() -> None:
    before = set(workers.CONTEXT.active_children())
    results = run(["a", "hang", "hang"])
    next(results)
    start = time.monotonic()
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 1
    assert set(workers.CONTEXT.active_children()) <= before


def test_ctrl_c_is_held_while_a_process_starts_and_let_through_after() -> None:
    with workers._interrupts_held():
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
