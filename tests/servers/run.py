"""One test run's servers, in a directory that all its workers know.

A server is started by whichever worker needs it first, under a small keeper process of its own that watches the
controller: however the run ends, kill -9 included, the keeper ends its server.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_KEEPER = Path(__file__).with_name("keeper.py")
_START_SECONDS = 180.0
_STOP_SECONDS = 30.0


class Run:
    """The servers of one run. `directory` is the same in the controller and all its workers."""

    def __init__(self, *, directory: Path, controller: int) -> None:
        self.directory = directory
        self.controller = controller

    @classmethod
    def begin(cls) -> Run:
        """In the controller, before the first test."""
        return cls(directory=Path(tempfile.mkdtemp(prefix="backfill-tests-")), controller=os.getpid())

    def server(self, kind: str, *, name: str | None = None) -> dict[str, Any]:
        """The address of the run's server `name`, started if it does not run yet. Raises RuntimeError with its log."""
        name = name or kind
        found = self.directory / f"{name}.json"
        with self.once(name):
            if not found.exists():
                self._start(kind, name)
        answer: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
        return answer

    @contextmanager
    def once(self, name: str) -> Iterator[None]:
        """Holds a lock that all workers of the run share."""
        with (self.directory / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def end(self) -> None:
        """In the controller, after the last test: stop every server and wait until each is gone."""
        for pid in self.directory.glob("*.pid"):
            if not _released(pid):
                os.kill(int(pid.read_text(encoding="utf-8")), signal.SIGTERM)
        for pid in self.directory.glob("*.pid"):
            _wait_until(lambda pid=pid: _released(pid), seconds=_STOP_SECONDS)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self, kind: str, name: str) -> None:
        ready, failed = self.directory / f"{name}.json", self.directory / f"{name}.error"
        command = [sys.executable, str(_KEEPER), kind, name, str(self.directory), str(self.controller)]
        with (self.directory / f"{name}.keeper.log").open("wb") as log:
            keeper = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        _wait_until(lambda: ready.exists() or failed.exists() or keeper.poll() is not None, seconds=_START_SECONDS)
        if not ready.exists():
            told = failed if failed.exists() else self.directory / f"{name}.keeper.log"
            raise RuntimeError(f"{name} did not start: {told.read_text(encoding='utf-8')}")


def _released(pid: Path) -> bool:
    """Whether the keeper, which locks its pid file as long as it lives, is gone."""
    with pid.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _wait_until(condition: Any, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
