"""Time, processes and chance: one thread, many greenlets, and a heap of what happens next.

A process is what an operator would call one: it has a name, a few tasks (its threads), and can be killed, frozen or
asked to stop at any point where it waits for something. A task is switched away from only at such points, and never
inside a transaction, whose row locks would hold the only thread there is.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import greenlet

from simulation.decisions import Decisions, Fault

BEGINNING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
LEASE = 60.0
MOST_SWITCHES = 20_000
"""A world that is busier than this runs in circles."""


class Killed(BaseException):
    """The process is gone. No handler of the product's may see it."""


class Restless(Exception):
    """Things happen without end."""


@dataclass(eq=False, slots=True)
class Task:
    """One thread of a process."""

    process: Process
    name: str
    green: Any = None
    ticket: int = 0
    """Entries of the heap with an older one are out of date."""
    wakes_at: float | None = None
    """None: it waits to be woken."""


@dataclass(eq=False)
class World:
    """Where it all happens."""

    decisions: Decisions
    random: Random
    """Decides how long things take, and nothing else."""
    haste: float = 0.05
    """Seconds that a request takes on average."""
    now: float = 0.0
    trace: Callable[[str], None] | None = None
    ended: bool = False
    switches: int = 0
    kills: int = 0
    _heap: list[tuple[float, int, Task | Callable[[], None], int]] = field(default_factory=list)
    _order: int = 0
    current: Task | None = None
    tasks: list[Task] = field(default_factory=list)
    hub: Any = field(default_factory=greenlet.getcurrent)

    @property
    def clock(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.now)

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Call `action` then, outside of all processes."""
        self._push(when, action, 0)

    def start(self, process: Process, name: str, run: Callable[[], None]) -> Task:
        task = Task(process, name)
        # Whoever starts it: its parent, to whom it gives way, is the loop of `run`.
        task.green = greenlet.greenlet(lambda: self._body(task, run), parent=self.hub)
        process.tasks.append(task)
        self.tasks.append(task)
        self.wake(task, after=0.0)
        return task

    def wake(self, task: Task, *, after: float) -> None:
        """Let a waiting task go on then, or sooner if it would anyway."""
        when = self.now + after
        if task.wakes_at is None or when < task.wakes_at:
            task.ticket += 1
            task.wakes_at = when
            self._push(when, task, task.ticket)

    def sleep(self, seconds: float | None) -> None:
        """The running task waits so long, or until it is woken."""
        task = self.current
        assert task is not None
        if seconds is not None:
            self.wake(task, after=seconds)
        self.hub.switch()
        if task.process.dead:
            raise Killed

    def run(self, *, until: Callable[[], bool], deadline: float) -> None:
        """Go on until it is so, or it is later than the deadline, or nothing is left to happen."""
        while self._heap and not until():
            when, _, what, ticket = heapq.heappop(self._heap)
            if isinstance(what, Task):
                self._resume(when, what, ticket)
            else:
                self.now = max(self.now, when)
                what()
            if self.now > deadline:
                return

    def close(self) -> None:
        """End every task, so that nothing of this world goes on when it is forgotten."""
        for task in self.tasks:
            task.process.dead = True
            # One that has not begun has nothing to end.
            if task.green:
                self.current = task
                task.green.throw(Killed)
        self.current = None

    def say(self, told: str) -> None:
        if self.trace:
            who = self.current.process.name if self.current else "world"
            self.trace(f"{timedelta(seconds=round(self.now, 2))!s:>20}  {who:28} {told}")

    def _resume(self, when: float, task: Task, ticket: int) -> None:
        if ticket != task.ticket or task.green.dead:
            return
        if not task.process.dead and task.process.frozen_until > when:
            self._push(task.process.frozen_until, task, ticket)
            return
        self.now = max(self.now, when)
        task.wakes_at = None
        self.switches += 1
        if self.switches > MOST_SWITCHES:
            raise Restless(f"{task.process.name} {task.name} does not come to rest")
        self.current = task
        try:
            task.green.switch()
        finally:
            self.current = None

    def _body(self, task: Task, run: Callable[[], None]) -> None:
        try:
            if not task.process.dead:
                run()
        except Killed:
            return
        except Exception as error:
            task.process.crashed(error)

    def _push(self, when: float, what: Task | Callable[[], None], ticket: int) -> None:
        self._order += 1
        heapq.heappush(self._heap, (when, self._order, what, ticket))


@dataclass(eq=False)
class Process:
    """One operating-system process, as its operators see it."""

    world: World
    name: str
    on_death: Callable[[Process], None]
    on_crash: Callable[[Process, Exception], None]
    dead: bool = False
    frozen_until: float = -1.0
    in_transaction: bool = False
    tasks: list[Task] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None
    """SIGTERM."""
    claim: Any = None
    """The claim that it works on, for those who keep the books."""
    claimed_at: float = 0.0

    def point(self, site: str, *kinds: str) -> Fault | None:
        """Time passes, and something may go wrong: killed, frozen or asked to stop here, or what is returned."""
        if self.dead:
            raise Killed
        world = self.world
        if not self.in_transaction:
            world.sleep(world.random.expovariate(1.0) * world.haste)
        fault = world.decisions.ask(site, (*kinds, "kill", "pause", "stop"))
        if fault is None:
            return None
        world.say(f"! {fault.kind} at {site}")
        if fault.kind == "kill":
            self.die()
        elif fault.kind == "pause":
            self.frozen_until = world.now + LEASE * (0.5 + 5 * fault.value)
            if not self.in_transaction:
                world.sleep(0.0)
        elif fault.kind == "stop":
            self.stop()
        else:
            return fault
        return None

    def die(self) -> None:
        """kill -9; raises Killed in the task that runs."""
        self.kill()
        raise Killed

    def kill(self) -> None:
        if not self.dead:
            self.world.kills += 1
            self.end()

    def end(self) -> None:
        """Its tasks do nothing any more from the next point on."""
        self.dead = True
        for task in self.tasks:
            if task is not self.world.current:
                self.world.wake(task, after=0.0)
        self.on_death(self)

    def crashed(self, error: Exception) -> None:
        """A task ended with an error that nobody handled: the product would have ended or lost a thread."""
        self.dead = True
        self.on_crash(self, error)
        self.on_death(self)


class Event:
    """threading.Event for tasks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            self._world.sleep(timeout)
        return self._set
