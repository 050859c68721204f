"""The six services and the gateway as child processes, restarted when they die."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from local_stack.servers.child import Child, start_child


class Launch(Protocol):
    """How a service's process is started."""

    def __call__(self, name: str, module: list[str], *, environment: Mapping[str, str], log: Path) -> Child: ...


def launch_python(name: str, module: list[str], *, environment: Mapping[str, str], log: Path) -> Child:
    """python -m MODULE ARGUMENTS…"""
    return start_child(name, [sys.executable, "-m", *module], log=log, env=environment)


class Service:
    """One service process. `kill` is a crash; the keeper (or `start`) brings it back."""

    def __init__(
        self,
        name: str,
        module: list[str],
        *,
        environment: Mapping[str, str],
        log: Path,
        launch: Launch = launch_python,
    ) -> None:
        self.name = name
        self.starts = 0
        self._started_at = time.monotonic()
        self._module = module
        self._environment = dict(environment)
        self._log = log
        self._launch = launch
        self._child: Child | None = None
        self._wanted = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        assert self._child is not None, f"{self.name} was not started"
        return self._child.pid

    @property
    def age(self) -> float:
        """Seconds since the process was last started."""
        return time.monotonic() - self._started_at

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    def start(self) -> None:
        """Start the process unless it runs."""
        with self._lock:
            self._wanted = True
            if self.running:
                return
            self._child = self._launch(self.name, self._module, environment=self._environment, log=self._log)
            self.starts += 1
            self._started_at = time.monotonic()

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return when ready. Raises ServerDidNotStart with the end of the service's log."""
        assert self._child is not None, f"{self.name} was not started"
        self._child.wait_until(ready, seconds=seconds)

    def kill(self) -> None:
        """kill -9."""
        assert self._child is not None, f"{self.name} was not started"
        self._child.kill()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to stop, and wait."""
        with self._lock:
            self._wanted = False
            if self._child is not None:
                self._child.stop(how, seconds=30)

    def revive(self) -> bool:
        """Start it again if it should run and does not. True: it had died."""
        if self._wanted and not self.running:
            self.start()
            return True
        return False


class Keeper:
    """Starts services again that died, as an orchestrator would."""

    def __init__(self, services: Mapping[str, Service], *, period: float = 0.5) -> None:
        self._services = services
        self._period = period
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(self._period):
            for service in self._services.values():
                service.revive()
