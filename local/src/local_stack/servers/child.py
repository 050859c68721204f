"""A child process that cannot outlive its owner.

On Linux the kernel signals the child when the thread that forked it ends, so all children are forked by one
thread that lives as long as the process does. Elsewhere a killed owner may leave its servers behind.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from local_stack.servers.errors import ServerDidNotStart
from local_stack.servers.places import primary_group

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_forker: ThreadPoolExecutor | None = None


class Process(Protocol):
    """What is used of `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def send_signal(self, number: int, /) -> None: ...

    def kill(self) -> None: ...


class Child:
    """A running server process, leader of its own process group. Its output goes to `log`, appended."""

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return when `ready()` is true. Raises ServerDidNotStart, with the log's end, and leaves nothing running."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise ServerDidNotStart.saying(self.name, f"ended with status {self._process.returncode}", self.log)
            if time.monotonic() > deadline:
                self.stop(signal.SIGKILL)
                raise ServerDidNotStart.saying(self.name, f"was not ready after {seconds:.0f} s", self.log)
            time.sleep(0.03)

    def stop(self, how: signal.Signals = signal.SIGTERM, *, seconds: float = 15) -> None:
        """Send `how`, wait, and kill whatever is left of the process group. Twice: nothing happens."""
        if self.running:
            self._process.send_signal(how)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._kill_group()
                self._process.wait()
        self._kill_group()

    def kill(self) -> None:
        """kill -9 of the process alone, as a crash would be; its own children are left to notice."""
        self._process.kill()
        self._process.wait()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return


def start_child(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    on_owner_death: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start `command` as a child bound to this process; as `user` where given (needs root)."""
    log.parent.mkdir(parents=True, exist_ok=True)
    owner = os.getpid()

    def fork() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(os.environ if env is None else env),
                cwd=cwd,
                process_group=0,
                user=user,
                group=primary_group(user),
                extra_groups=[] if user else None,
                preexec_fn=lambda: _die_with(owner, on_owner_death),
            )

    return Child(name, _forking_thread().submit(fork).result(), log)


def _die_with(owner: int, how: signal.Signals) -> None:
    """In the child, after it changed its user (which would forget the setting)."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(how))
        if os.getppid() != owner:
            os._exit(1)


def _forking_thread() -> ThreadPoolExecutor:
    global _forker
    if _forker is None:
        _forker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="server-forker")
    return _forker
