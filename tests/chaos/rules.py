"""Which fault a request gets: rates by fault, drawn from a seeded source, switched off by `calm`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Fault(StrEnum):
    """What can happen to one request. Its answer is spoilt unless the name says otherwise."""

    DELAY = "delay"
    """Nothing happens for up to 1.5 s, then all is well."""
    DROP = "drop"
    """The connection closes before the store has seen anything."""
    LOSE_ANSWER = "lose the answer"
    """The store did what was asked; the connection closes instead of saying so."""
    RESET = "reset mid-body"
    """RST in the middle of the answer's body."""
    RESET_UPLOAD = "reset mid-upload"
    """RST to both sides in the middle of the request's body."""
    TRUNCATE = "truncate"
    """The answer's body ends early, in good order."""
    FLIP = "flip a byte read"
    """One bit of the answer's body is another."""
    FLIP_UPLOAD = "flip a byte written"
    """One bit of the request's body is another."""
    REPLAY = "an answer from before"
    """The last whole answer to a GET comes once more, whatever was asked; the store is not."""
    OTHER_RANGE = "another range's bytes"
    """The answer's head is right, the body begins one byte further on."""
    WRONG_RANGE = "another range named"
    """The answer's Content-Range names a range one byte further on."""
    THROTTLE_503 = "503"
    THROTTLE_503_RETRY_AFTER = "503 with Retry-After"
    THROTTLE_429 = "429"
    THROTTLE_429_RETRY_AFTER = "429 with Retry-After"
    DRIP = "slow drip"
    """The answer's body comes in a few small pieces with waits between, for at most 3 s."""


THROTTLES: dict[Fault, tuple[int, int | None]] = {
    Fault.THROTTLE_503: (503, None),
    Fault.THROTTLE_503_RETRY_AFTER: (503, 1),
    Fault.THROTTLE_429: (429, None),
    Fault.THROTTLE_429_RETRY_AFTER: (429, 1),
}
"""Status and seconds of Retry-After of the answers that the proxy gives itself."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault and how often it happens."""

    fault: Fault
    rate: float
    """Of the requests that `methods` allows, 0 to 1."""
    methods: frozenset[str] = frozenset()
    """Empty: all."""


READS = frozenset({"GET"})
WRITES = frozenset({"PUT", "POST"})

STORM: tuple[Rule, ...] = (
    Rule(Fault.DELAY, 0.03),
    Rule(Fault.DROP, 0.02),
    Rule(Fault.LOSE_ANSWER, 0.02),
    Rule(Fault.RESET, 0.03, READS),
    Rule(Fault.RESET_UPLOAD, 0.03, WRITES),
    Rule(Fault.TRUNCATE, 0.03, READS),
    Rule(Fault.FLIP, 0.015, READS),
    Rule(Fault.FLIP_UPLOAD, 0.006, WRITES),
    Rule(Fault.REPLAY, 0.01, READS),
    Rule(Fault.OTHER_RANGE, 0.01, READS),
    Rule(Fault.WRONG_RANGE, 0.01, READS),
    Rule(Fault.THROTTLE_503, 0.01),
    Rule(Fault.THROTTLE_503_RETRY_AFTER, 0.01),
    Rule(Fault.THROTTLE_429, 0.01),
    Rule(Fault.THROTTLE_429_RETRY_AFTER, 0.01),
    Rule(Fault.DRIP, 0.015, READS),
)
"""A fifth of all reads and a seventh of all writes are spoilt. Wrong bytes are rarer on the way in: each costs an
operator's visit."""


class Rules:
    """Draws faults and counts those that happened. Safe between threads."""

    def __init__(self, rules: Iterable[Rule], *, random: Random) -> None:
        self.random = random
        self.happened: Counter[Fault] = Counter()
        self._rules = tuple(rules)
        self._lock = threading.Lock()

    def draw(self, method: str) -> Fault | None:
        """The fault of the next request, at most one."""
        with self._lock:
            point = self.random.random()
            for rule in self._rules:
                if not rule.methods or method in rule.methods:
                    if point < rule.rate:
                        return rule.fault
                    point -= rule.rate
        return None

    def count(self, fault: Fault) -> None:
        """A fault was really done: not every request has a body to spoil."""
        with self._lock:
            self.happened[fault] += 1

    def calm(self) -> None:
        """No more faults from now on."""
        with self._lock:
            self._rules = ()
