"""Who is struck when: drawn from a seed before anything begins, so that a run can be repeated. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Blow(StrEnum):
    """What can happen to a process or a wire."""

    KILL = "worker killed (kill -9)"
    PAUSE = "worker paused for longer than its lease (SIGSTOP)"
    STORM = "every worker asked to stop (SIGTERM)"
    DATABASE = "database crashed (immediate stop)"
    BROKER = "broker crashed (kill -9)"
    BLACKHOLE = "black hole"


@dataclass(frozen=True, slots=True)
class Strike:
    """One blow."""

    at: float
    """Seconds after the beginning."""
    blow: Blow
    draw: float
    """0 to 1: which of those that stand there then."""


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often each blow comes: the mean number of seconds between two, and how far they may be off, 0 to 1."""

    blow: Blow
    every: float
    jitter: float = 0.4


CADENCES: tuple[Cadence, ...] = (
    Cadence(Blow.KILL, 1.7),
    Cadence(Blow.PAUSE, 11),
    Cadence(Blow.STORM, 55),
    Cadence(Blow.DATABASE, 23),
    Cadence(Blow.BROKER, 15),
    Cadence(Blow.BLACKHOLE, 17),
)
"""Five minutes of it are more than 150 kills of workers and more than 10 crashes of database and broker each. A worker
takes a second of CPU to start: twice as often, and two processors would do nothing but start workers. RabbitMQ takes
up to twenty seconds to come back on a busy machine: its crashes wait for each other, and come as soon as they can."""


LEAST = {Blow.KILL: 150, Blow.DATABASE: 10, Blow.BROKER: 10}
"""How often each must really have struck in five minutes; shorter runs promise no number."""
_LONG = 300.0


def short(struck: Mapping[str, int], *, seconds: float, blows: frozenset[Blow]) -> list[str]:
    """Of a long run, which blows fell short of their number, a sentence each: it proves less than it says."""
    if seconds < _LONG:
        return []
    return [
        f"only {struck.get(blow, 0)} of at least {least} times: {blow}"
        for blow, least in LEAST.items()
        if blow in blows and struck.get(blow, 0) < least
    ]


def plan(*, seconds: float, seed: int, blows: frozenset[Blow] = frozenset(Blow)) -> list[Strike]:
    """Every strike of a run, in order of time; each kind of blow comes at least once."""
    random = Random(seed)
    # A random source of its own for each kind: leaving one out does not change the others.
    sources = {cadence.blow: Random(random.getrandbits(64)) for cadence in CADENCES}
    strikes = [
        strike
        for cadence in CADENCES
        if cadence.blow in blows
        for strike in _strikes(cadence, seconds=seconds, random=sources[cadence.blow])
    ]
    return sorted(strikes, key=lambda strike: strike.at)


def _strikes(cadence: Cadence, *, seconds: float, random: Random) -> Iterator[Strike]:
    at = min(cadence.every, seconds / 2) * random.uniform(0.3, 1)
    while at < seconds:
        yield Strike(at, cadence.blow, random.random())
        at += cadence.every * random.uniform(1 - cadence.jitter, 1 + cadence.jitter)
