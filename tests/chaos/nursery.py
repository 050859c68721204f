"""Starting services without their second of imports, so that they can be killed often enough on two processors.

A process that has imported everything the services do forks for each service asked for. The child is a process of its
own in all that matters here: it runs the service's `main`, makes its own connections, and dies alone.

`python -m chaos.nursery` reads one JSON line for each process to start and answers with its process id.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from local_stack.servers.child import Child

_IMPORTS = (
    *(f"{service}.wiring" for service in ("ingests_api", "bag_warmer", "backfill_replicator", "verifier")),
    *(f"{service}.wiring" for service in ("replica_aggregator", "bag_register")),
    *(f"common.adapters.objects.{store}" for store in ("s3", "azure")),
    *(f"common.adapters.queues.{queue}" for queue in ("pgmq", "pgmq_schema", "rabbitmq")),
)
_PR_SET_PDEATHSIG = 1


class Nursery:
    """The process that forks, and its owner's end of the line."""

    def __init__(self, *, log: Path) -> None:
        self._lock = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "chaos.nursery"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
            )

    def start(self, name: str, module: list[str], *, environment: Mapping[str, str], log: Path) -> Child:
        """A new process of the service, as `python -m MODULE ARGUMENTS…` would be. Blocks while imports are made."""
        log.parent.mkdir(parents=True, exist_ok=True)
        wanted = {"module": module, "environment": dict(environment), "log": str(log)}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(wanted).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        if not answer.strip().isdigit():
            raise RuntimeError(f"the nursery could not start {name}; see its log")
        return Child(name, Forked(int(answer)), log)

    def stop(self) -> None:
        """Ends it, and with it whatever it started. Twice: nothing happens."""
        assert self._process.stdin is not None
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait()

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Forked:
    """A process that is not our own child: its descriptor says when it has ended, its status is not to be had.

    The descriptor stays open as long as this object is there: several threads look at it, and a number that was closed
    would soon mean something else.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        try:
            self._descriptor: int | None = os.pidfd_open(pid)
        except ProcessLookupError:
            self._descriptor, self.returncode = None, -1
        else:
            weakref.finalize(self, os.close, self._descriptor)

    def poll(self) -> int | None:
        self._look(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._look(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _look(self, seconds: float | None) -> None:
        if self._descriptor is None or self.returncode is not None:
            return
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        if waiting.poll(None if seconds is None else seconds * 1000):
            self.returncode = -1


def main() -> None:
    """Fork until standard input ends."""
    for module in _IMPORTS:
        importlib.import_module(module)
    # Nobody waits for the children; the kernel forgets them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        wanted = json.loads(line)
        assert len(list(Path("/proc/self/task").iterdir())) == 1, "a process with threads must not fork"
        pid = os.fork()
        if pid == 0:
            _become(wanted)
        print(pid, flush=True)


def _become(wanted: dict[str, Any]) -> None:
    """In the child: nothing of the parent's is left but its imports. Raises SystemExit at the service's end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _redirect(Path(wanted["log"]))
    os.environ.clear()
    os.environ.update(wanted["environment"])
    name, *arguments = wanted["module"]
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    # The ordinary end of an interpreter, which waits for its threads.
    sys.exit(0)


def _redirect(log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


if __name__ == "__main__":
    main()
