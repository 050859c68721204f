"""What a run costs: wall time, CPU of the client with all its children, and the memory of its largest process."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from benchmarks.dataplane.errors import CannotMeasure

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run of one client, its commands taken together."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system, children included."""
    rss: int
    """Bytes of the largest process at its largest."""


def elsewhere(work: Callable[..., Answer], *arguments: object) -> Answer:
    """What it answers in another process: the largest that this process ever was counts in the peak of each that it
    starts, so what needs much memory here, or large packages, is done there."""
    with ProcessPoolExecutor(1) as other:
        return other.submit(work, *arguments).result()


def run(commands: Sequence[Sequence[str]], *, environment: Mapping[str, str]) -> Cost:
    """Run the commands one after the other, each a fresh process. Raises CannotMeasure where one fails."""
    wall = cpu = 0.0
    rss = 0
    for command in commands:
        cost = _one(command, environment)
        wall, cpu, rss = wall + cost.wall, cpu + cost.cpu, max(rss, cost.rss)
    return Cost(wall, cpu, rss)


def _one(command: Sequence[str], environment: Mapping[str, str]) -> Cost:
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            told = output.read()[-2000:].decode(errors="replace")
            raise CannotMeasure(f"{' '.join(command[:4])} … ended with status {process.returncode}:\n{told}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)
