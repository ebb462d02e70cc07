"""Workers: what happens when they or their scheduler are not there."""

from __future__ import annotations

import os

import pytest

from encoding import engines


def test_work_is_done_by_processes() -> None:
    with engines.engine(2) as workers:
        assert workers.workers == 2
        assert workers.executor.submit(sum, [1, 2]).result() == 3
        assert workers.executor.submit(os.getpid).result() != os.getpid()


def test_a_worker_that_dies_is_told() -> None:
    with pytest.raises(OSError, match=r"workers died.*--resume"), engines.engine(1) as workers:
        workers.executor.submit(os._exit, 1).result()


def test_an_error_of_the_work_itself_stays_what_it_is() -> None:
    with pytest.raises(ZeroDivisionError), engines.engine(1) as workers:
        workers.executor.submit(divmod, 1, 0).result()


def test_a_scheduler_without_workers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the 'cluster' extra")
    monkeypatch.setattr(engines, "SECONDS_TO_CONNECT", 2)
    with (
        distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None, silence_logs=50) as cluster,
        pytest.raises(ConnectionError, match="has no workers"),
        engines.engine(1, cluster.scheduler_address),
    ):
        pass


def test_an_address_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="needs the 'cluster' extra")
    monkeypatch.setattr(engines, "SECONDS_TO_CONNECT", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "tcp://nowhere"):
        with pytest.raises(ConnectionError, match="no Dask scheduler answers"), engines.engine(1, address):
            pass
