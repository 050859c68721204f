"""Carries out a plan on a running stack. Long blows run beside each other, as misfortunes do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from chaos.plan import Blow, Strike
from chaos.stack import LEASE, ChaosStack
from local_stack.processes import Service

_GROWN_UP = 2.5
"""Seconds after which a process has probably begun to work; younger ones are spared."""

_PATIENCE = 40.0
"""Seconds that a crash waits for a server to be back, before it is left out."""


class Killer:
    """`run` strikes until the plan is done; `ended` mends what is still broken."""

    def __init__(self, stack: ChaosStack, *, seed: int, log: Path) -> None:
        self.struck: Counter[str] = Counter()
        self.spared = 0
        """Strikes that found nobody fit to be struck."""
        self.errors: list[str] = []
        self._stack = stack
        self._random = Random(seed)
        self._log = log
        self._began = time.monotonic()
        self._paused: set[str] = set()
        self._busy: dict[str, threading.Lock] = {
            name: threading.Lock() for name in ("database", "broker", *stack.lines)
        }
        self._pool = ThreadPoolExecutor(20, thread_name_prefix="blow")
        self._blows: dict[Blow, Callable[[Strike], str | None]] = {
            Blow.KILL: self._kill,
            Blow.PAUSE: self._pause,
            Blow.STORM: self._storm,
            Blow.DATABASE: self._crash_database,
            Blow.BROKER: self._crash_broker,
            Blow.BLACKHOLE: self._black_hole,
        }

    def run(self, strikes: Sequence[Strike], *, seconds: float) -> None:
        """Return after `seconds`, when all strikes are done and mended."""
        self._began = time.monotonic()
        for strike in strikes:
            time.sleep(max(0.0, self._began + strike.at - time.monotonic()))
            self._pool.submit(self._strike, strike)
        time.sleep(max(0.0, self._began + seconds - time.monotonic()))
        self._pool.shutdown(wait=True)

    def _strike(self, strike: Strike) -> None:
        try:
            victim = self._blows[strike.blow](strike)
        except Exception as error:
            self.errors.append(f"{strike.blow}: {type(error).__name__}: {error}")
            return
        if victim is None:
            self.spared += 1
        else:
            self._note(strike, victim)

    def _note(self, strike: Strike, victim: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            line = {"at": round(time.monotonic() - self._began, 2), "blow": strike.blow, "victim": victim}
            log.write(json.dumps(line) + "\n")

    def _fit(self) -> list[Service]:
        """The workers that run, are not paused and had time to begin."""
        workers = [service for name, service in self._stack.services.items() if name != "gateway"]
        return [w for w in workers if w.running and w.age > _GROWN_UP and w.name not in self._paused]

    def _victim(self, strike: Strike) -> Service | None:
        fit = self._fit()
        return fit[int(strike.draw * len(fit))] if fit else None

    def _kill(self, strike: Strike) -> str | None:
        victim = self._victim(strike)
        if victim is None:
            return None
        self.struck[strike.blow] += 1
        victim.kill()
        return victim.name

    def _pause(self, strike: Strike) -> str | None:
        """The zombie: somebody else has its row by the time it goes on."""
        victim = self._victim(strike)
        if victim is None:
            return None
        self._paused.add(victim.name)
        pid = victim.pid
        try:
            os.kill(pid, signal.SIGSTOP)
            self.struck[strike.blow] += 1
            time.sleep(LEASE * (1.25 + strike.draw))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            self._paused.discard(victim.name)
        return victim.name

    def _storm(self, strike: Strike) -> str | None:
        fit = self._fit()
        for victim in fit:
            os.kill(victim.pid, signal.SIGTERM)
            self.struck[strike.blow] += 1
        return ", ".join(victim.name for victim in fit) or None

    def _crash_database(self, strike: Strike) -> str | None:
        return self._crashed("database", strike, self._stack.database.crash, self._stack.database.restart)

    def _crash_broker(self, strike: Strike) -> str | None:
        rabbitmq = self._stack.rabbitmq
        return None if rabbitmq is None else self._crashed("broker", strike, rabbitmq.kill, rabbitmq.restart)

    def _crashed(
        self, name: str, strike: Strike, crash: Callable[[], None], restart: Callable[[], object]
    ) -> str | None:
        # On a busy machine it may still be coming back from the last crash.
        if not self._busy[name].acquire(timeout=_PATIENCE):
            return None
        try:
            crash()
            self.struck[strike.blow] += 1
            time.sleep(2 * strike.draw)
            restart()
        finally:
            self._busy[name].release()
        return name

    def _black_hole(self, strike: Strike) -> str | None:
        names = sorted(self._stack.lines)
        name = names[int(strike.draw * len(names))]
        with self._busy[name]:
            self._stack.wires.shut(self._stack.lines[name])
            self.struck[strike.blow] += 1
            time.sleep(LEASE * (0.5 + strike.draw))
            self._stack.wires.clear(self._stack.lines[name])
        return name
