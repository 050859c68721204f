"""A service that is forked runs like one that is started, and its death is noticed by whoever waits."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chaos.nursery import Nursery
from local_stack.servers.child import Child
from local_stack.servers.ports import free_port


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(log=tmp_path_factory.mktemp("nursery") / "log") as nursery:
        yield nursery


@pytest.fixture
def gateway(nursery: Nursery, tmp_path: Path) -> Iterator[Child]:
    port = free_port()
    module = ["local_stack.gateway", "--port", str(port), "--ingests", "http://x", "--register", "http://y"]
    child = nursery.start("gateway", module, environment=os.environ | {"MARK": "forked"}, log=tmp_path / "gateway.log")
    child.wait_until(lambda: _answers(port), seconds=60)
    yield child
    child.stop()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=1, trust_env=False).status_code == 502
    except httpx.TransportError:
        return False


def test_it_runs_in_a_process_of_its_own_with_the_environment_it_was_given(gateway: Child) -> None:
    assert gateway.pid != os.getpid()
    assert os.getpgid(gateway.pid) == gateway.pid
    assert gateway.running


def test_its_death_is_noticed_by_everybody_who_waits(gateway: Child) -> None:
    noticed = threading.Barrier(3, timeout=10)

    def wait() -> None:
        gateway.kill()
        noticed.wait()

    for _ in range(2):
        threading.Thread(target=wait, daemon=True).start()
    noticed.wait()

    assert not gateway.running


def test_it_ends_when_it_is_asked_to(gateway: Child) -> None:
    gateway.stop(seconds=10)

    assert not gateway.running
