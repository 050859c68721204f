"""A store that thaws and a copier that copies, on a virtual clock. Who decides what is asked for is a policy."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from backfill_client.simulating.inventory import Part
from common.ports import Tier
from common.thawing.costs import Amount, Cost, copy_cost, restore_cost
from common.thawing.pace import Copied
from common.thawing.prices import PriceBook
from common.thawing.tiers import FROZEN, Span, allowed, span

_DAY = 86_400.0
MARGIN = timedelta(hours=12).total_seconds()
"""A copy that expires sooner is prolonged while it waits."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the world is like."""

    begin: datetime
    tier: Tier
    copy_rate: float
    """Bytes per second."""
    objects_rate: float | None = None
    """Objects per second that copying reaches at most, however small they are."""
    requests_rate: float = 500.0
    """Restore requests per second."""
    book: PriceBook | None = None
    region: str | None = None
    most_extensions: int = 3
    seed: int = 1


@dataclass(slots=True)
class State:
    """Of one part."""

    readable: float = 0.0
    expires: float = 0.0
    extensions: int = 0
    counted: bool = False
    """It counts as readable soon."""


@dataclass(slots=True)
class Sample:
    """Once every few hours."""

    hours: float
    waiting: int
    """Bytes asked for and not readable yet."""
    readable: int
    """Bytes readable and not copied yet."""
    copied: int
    cost: Decimal


@dataclass(slots=True)
class Ledger:
    """What happened."""

    finished: float = 0.0
    """Seconds."""
    requests: int = 0
    thawed: int = 0
    """Bytes, those thawed again included."""
    extended: int = 0
    """Parts whose copies were prolonged, each time."""
    expired: int = 0
    """Parts that froze before they were copied, each time."""
    longest_line: float = 0.0
    """Seconds that something lay readable before it was copied, at most."""
    peak: int = 0
    """Most bytes readable or on their way at once."""
    samples: list[Sample] = field(default_factory=list)


class World:
    """Time moves on as things happen. Seconds since the beginning."""

    def __init__(self, parts: list[Part], terms: Terms) -> None:
        self.parts, self.terms, self.now = parts, terms, 0.0
        self.states = [State() for _ in parts]
        self.ledger, self.bytes, self.objects, self.warm, self.copied = Ledger(), 0, 0, 0, 0
        self.lately: deque[Copied] = deque(maxlen=500)
        self.cost = Decimal(0)
        self._random = Random(terms.seed)
        self._events: list[tuple[float, int]] = []
        self._line: deque[int] = deque()
        self._copying: tuple[float, int] | None = None
        self._asked_until = 0.0
        self._spans = {part.storage_class: span(part.storage_class, terms.tier) for part in parts}
        self._surely: list[tuple[float, int]] = []
        self._due = 0
        self.frozen_again: list[int] = []
        """Parts that their policy must ask for anew."""

    def span_of(self, number: int) -> Span:
        return self._spans[self.parts[number].storage_class]

    def ask(self, number: int, *, days: int) -> None:
        """Restore every object of a part."""
        part = self.parts[number]
        self.bytes, self.objects = self.bytes + part.bytes, self.objects + part.objects
        self.ledger.peak = max(self.ledger.peak, self.bytes)
        if part.storage_class not in FROZEN:
            heapq.heappush(self._events, (self.now, number))
            self.states[number].expires = float("inf")
            return
        self._asked_until = max(self._asked_until, self.now) + part.objects / self.terms.requests_rate
        takes = self.span_of(number)
        spread = self._random.uniform(takes.soonest.total_seconds(), takes.latest.total_seconds())
        done = self._asked_until + spread
        state = self.states[number]
        state.expires, state.readable = self._midnight(done + days * _DAY), 0.0
        heapq.heappush(self._surely, (self._asked_until + takes.latest.total_seconds(), number))
        self.ledger.requests += part.objects
        self.ledger.thawed += part.bytes
        self.cost += self._cost(part, days).total
        heapq.heappush(self._events, (done, number))

    def run_until(self, moment: float) -> None:
        """Let happen what happens before `moment`."""
        while (due := self._next()) is not None and due <= moment:
            self.now = due
            if self._copying is not None and self._copying[0] == due:
                self._copied(self._copying[1])
            else:
                number = heapq.heappop(self._events)[1]
                self._readable(number)
            self._start()
        self.now = max(self.now, moment)

    @property
    def moment(self) -> datetime:
        return self._at(self.now)

    def due_soon(self) -> int:
        """Bytes on their way that will surely be readable before what is asked for now."""
        horizon = (
            self.now + min((takes.soonest for takes in self._spans.values()), default=timedelta(0)).total_seconds()
        )
        while self._surely and self._surely[0][0] <= horizon:
            _, number = heapq.heappop(self._surely)
            if not self.states[number].readable:
                self.states[number].counted = True
                self._due += self.parts[number].bytes
        return self._due

    def next_event(self) -> float | None:
        return self._next()

    def prolong(self) -> None:
        """What the warmers' look at expiring copies does."""
        for number in self._line:
            state = self.states[number]
            if state.expires - self.now > MARGIN or state.extensions >= self.terms.most_extensions:
                continue
            if state.expires > self.now:
                part = self.parts[number]
                state.extensions += 1
                state.expires = self._midnight(self.now + _DAY)
                self.ledger.extended += 1
                self.ledger.requests += part.objects
                self.cost += self._extension(part)

    def sample(self) -> None:
        waiting = self.bytes - self.warm
        self.ledger.samples.append(Sample(self.now / 3600, waiting, self.warm, self.copied, self.cost))

    def _next(self) -> float | None:
        moments: Iterable[float] = (
            *((self._events[0][0],) if self._events else ()),
            *((self._copying[0],) if self._copying else ()),
        )
        return min(moments, default=None)

    def _readable(self, number: int) -> None:
        part, state = self.parts[number], self.states[number]
        state.readable = self.now
        if state.counted:
            state.counted, self._due = False, self._due - part.bytes
        self.warm += part.bytes
        self._line.append(number)

    def _start(self) -> None:
        while self._copying is None and self._line:
            number = self._line.popleft()
            part, state = self.parts[number], self.states[number]
            if state.expires <= self.now:
                self._gone(part)
                self.ledger.expired += 1
                self.frozen_again.append(number)
                continue
            self.ledger.longest_line = max(self.ledger.longest_line, self.now - state.readable)
            self._copying = (self.now + self._takes(part), number)

    def _takes(self, part: Part) -> float:
        by_bytes = part.bytes / self.terms.copy_rate
        return max(by_bytes, part.objects / self.terms.objects_rate) if self.terms.objects_rate else by_bytes

    def _copied(self, number: int) -> None:
        part = self.parts[number]
        self._copying = None
        self._gone(part)
        self.copied += part.bytes
        self.lately.append(Copied(self._at(self.states[number].readable), self._at(self.now), part.bytes))
        self.ledger.finished = self.now

    def _gone(self, part: Part) -> None:
        self.bytes, self.objects, self.warm = (
            self.bytes - part.bytes,
            self.objects - part.objects,
            self.warm - part.bytes,
        )

    def _midnight(self, moment: float) -> float:
        """Expiry is rounded up to a midnight UTC."""
        begin = self.terms.begin
        offset = begin.hour * 3600 + begin.minute * 60 + begin.second
        return -((moment + offset) // -_DAY) * _DAY - offset

    def _at(self, moment: float) -> datetime:
        return self.terms.begin + timedelta(seconds=moment)

    def cost_of(self, number: int, *, days: int) -> Decimal:
        return self._cost(self.parts[number], days).total

    def _cost(self, part: Part, days: int) -> Cost:
        if self.terms.book is None:
            return Cost()
        return restore_cost(
            self.terms.book,
            region=self.terms.region,
            storage_class=part.storage_class,
            tier=allowed(part.storage_class, self.terms.tier),
            amount=Amount(part.objects, part.bytes),
            days=days,
        )

    def _extension(self, part: Part) -> Decimal:
        if self.terms.book is None:
            return Decimal(0)
        requests = self._cost(Part(part.bag, part.storage_class, part.objects, 0), 0)
        kept = copy_cost(self.terms.book, region=self.terms.region, amount=Amount(part.objects, part.bytes), days=1)
        return (requests + kept).total
