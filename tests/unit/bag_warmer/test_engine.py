"""The engine under everything that can go wrong: plan, warmth and a fake cold store, driven at random.

Whatever classes, answers, expiries, kills and jumps of the clock come: every object is readable before its copy starts,
is restored once and once more for each time that it froze again, the budget is never exceeded, and everything ends.
`THAW_EXAMPLES=5000` tries more.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bag_warmer.asking import Sent
from bag_warmer.gate import Errand, Permit
from bag_warmer.thawing import ThawSegment
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.domain.segment import PlannedFile
from common.errors import StoreUnavailable, Throttled
from common.jobs import Interrupted
from common.outcome import Done, Wait
from common.ports import ObjectInfo, Restore, Tier
from common.thawing.admission import plan
from common.thawing.budget import Budget, Hours
from common.thawing.candidates import Candidate, Snapshot, Usage
from common.thawing.tiers import Span, span
from common.thawing.warmth import class_of
from unit.common.runtime.archives import BAG, COLD, Archive, Hold, segment_job, some_files

EXAMPLES = int(os.environ.get("THAW_EXAMPLES", "40"))
CLASSES = (("GLACIER", None), ("DEEP_ARCHIVE", None), ("INTELLIGENT_TIERING", "ARCHIVE_ACCESS"), ("GLACIER_IR", None))
MOST_ROUNDS = 3_000
MOST_FILES, LARGEST = 5, 4
MUCH = 10**9


@dataclass
class Row:
    """A segment in the ledger."""

    number: int
    files: list[PlannedFile]
    hold: Hold = field(default_factory=Hold)
    state: str = "thawing"
    need: Candidate | None = None
    admitted: int = 0
    """Objects that count as in flight."""
    octets: int = 0
    """Their bytes."""
    left: int = 0
    """Of those admitted, not asked for yet."""
    days: int = 1

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class Gate:
    """The ledger's gate in memory: the same plan, and the same way of counting."""

    def __init__(self, rows: Sequence[Row], budget: Budget, archive: Archive) -> None:
        self.rows, self.budget, self.archive = rows, budget, archive
        self.row = rows[0]
        self.requests: Counter[date] = Counter()
        self.octets: Counter[date] = Counter()
        self.spent: Counter[tuple[int, int]] = Counter()
        """By the month."""

    def admit(self, errand: Errand, frozen: Sequence[ObjectInfo], wish: Wish) -> Permit:
        if not frozen:
            return Permit()
        row = self.row
        if not (row.admitted and len(frozen) <= row.left):
            spans = [span(class_of(info), wish.tier_of(info)) for info in frozen]
            row.admitted = row.left = row.octets = 0
            row.need = Candidate(
                id=row.number,
                bag=row.number,
                campaign=None,
                bytes=sum(info.size for info in frozen),
                objects=len(frozen),
                span=Span(min(one.soonest for one in spans), max(one.latest for one in spans)),
                since=row.need.since if row.need else self.archive.clock.now,
                cost=Decimal(sum(info.size for info in frozen)),
            )
            self._decide()
        if row.admitted:
            return Permit(days=row.days)
        return Permit(held=Wait(timedelta(minutes=15), "waiting"))

    def _decide(self) -> None:
        now = self.archive.clock.now
        waiting = [row.need for row in self.rows if row.need and not row.admitted]
        usage = Usage(
            objects=sum(row.admitted for row in self.rows),
            bytes=sum(row.octets for row in self.rows),
            requests_today=self.requests[now.date()],
            bytes_today=self.octets[now.date()],
            cost_this_month=Decimal(self.spent[now.year, now.month]),
        )
        decision = plan(Snapshot(now, UTC, waiting, usage), self.budget, location="cold")
        for one in decision.admitted:
            row = next(row for row in self.rows if row.number == one.id)
            assert row.need is not None
            row.admitted, row.left, row.octets = row.need.objects, row.need.objects, row.need.bytes
            self.requests[now.date()] += row.need.objects
            self.octets[now.date()] += row.need.bytes
            self.spent[now.year, now.month] += int(row.need.cost)
            row.days, row.need = one.days, None
        self.check(now)

    def check(self, now: datetime) -> None:
        """The budget holds, but for one that is alone because it is larger; of money nobody takes more."""
        flying, budget = [row for row in self.rows if row.admitted], self.budget
        alone, today = len(flying) == 1, now.date()
        assert sum(row.admitted for row in flying) <= (budget.objects_in_flight or MUCH) or alone
        assert sum(row.octets for row in flying) <= (budget.bytes_in_flight or MUCH) or alone
        assert self.requests[today] <= max(budget.requests_per_day or MUCH, *(len(row.files) for row in self.rows), 0)
        assert self.octets[today] <= max(budget.bytes_per_day or MUCH, *(row.size for row in self.rows), 0)
        assert self.spent[now.year, now.month] <= (budget.cost_per_month or MUCH)

    def asked(self, errand: Errand, accepted: Sequence[Sent]) -> None:
        # What can be read is prolonged while the rest of its row is held.
        fresh = [one for one in accepted if one.answer is not Restore.ALREADY_RESTORED]
        assert self.row.admitted or not fresh, "what is held is not asked for"
        self.row.left = max(0, self.row.left - len(fresh))

    def readable(self, errand: Errand, until: datetime) -> None:
        assert until > self.archive.clock.now, "what is released can be read now"


class Engine:
    """Segments of one bag, the store they lie in, and dice."""

    def __init__(self, random: Random, budget: Budget, sizes: Sequence[int]) -> None:
        self.random, self.archive = random, Archive()
        self.rows = [Row(number, self._files(number, size)) for number, size in enumerate(sizes, start=1)]
        self.gate = Gate(self.rows, budget, self.archive)
        self.step = ThawSegment(
            stores=self.archive,
            warming=Warming(wish=Wish(status_lag=timedelta(0))),
            gate=self.gate,
            pools=ThreadPoolExecutor,
        )
        self.restored: Counter[str] = Counter()
        self.froze: Counter[str] = Counter()
        self.copied: set[int] = set()
        self.calm = False
        self.archive.thawing.before = self._answer

    def _files(self, number: int, size: int) -> list[PlannedFile]:
        storage_class, status = self.random.choice(CLASSES)
        names = {f"data/{number}/{one}": b"x" * self.random.randint(1, LARGEST) for one in range(size)}
        return some_files(self.archive, names, storage_class=storage_class, archive_status=status)

    def _answer(self, key: str, tier: Tier) -> Restore | None:
        if not self.calm and self.random.random() < 0.2:
            raise self.random.choice((Throttled("slow down"), StoreUnavailable("500")))
        answer = self.archive.thawing.inner.restore(key=key, version_id=None, days=self._days(key), tier=tier)
        # To be told that it runs already is to have asked without need.
        self.restored[key] += answer in (Restore.ACCEPTED, Restore.IN_PROGRESS)
        return answer

    def _days(self, key: str) -> int | None:
        """Those that were asked for last."""
        return next(days for asked, days, _ in reversed(self.archive.thawing.asked) if asked == key)

    def act(self) -> None:
        """Something happens: a worker looks, time passes, a copier copies."""
        open_rows = [row for row in self.rows if row.state != "copied"]
        row = self.random.choice(open_rows)
        if row.state == "thawing":
            self._look(row)
        else:
            self._copy(row)
        if self.calm or self.random.random() < 0.4:
            hours = 3 if self.calm or self.random.random() < 0.9 else 120
            if self.calm and not any(row.admitted for row in self.rows):
                hours = 25  # Nothing can expire, and a month may be a long time.
            self._pass(timedelta(hours=hours))

    def _look(self, row: Row) -> None:
        self.gate.row = row
        kill = None if self.calm or self.random.random() < 0.8 else self.random.randrange(12)
        row.hold = Hold(progress=row.hold.progress, stop_after=kill)
        with suppress(Interrupted, StoreUnavailable, Throttled):
            if isinstance(self.step(segment_job(row.files, row.hold)), Done):
                row.state, row.need = "copying", None
                assert all(self._can_be_read(file) for file in row.files), "released before it can be read"

    def _copy(self, row: Row) -> None:
        if all(self._can_be_read(file) for file in row.files):
            row.state, row.admitted, row.left, row.octets = "copied", 0, 0, 0
        else:
            row.state = "thawing"

    def _pass(self, duration: timedelta) -> None:
        """A restore that ended and expired meanwhile counts as one expiry, whether anybody saw it or not."""
        keys = [COLD.root(BAG) + file.path for row in self.rows for file in row.files]
        restored = [key for key in keys if self._restore(key)]
        self.archive.clock.now += duration
        self.froze.update(key for key in restored if not self._restore(key))

    def _restore(self, key: str) -> object:
        return self.archive.source.inner.head(key=key).restore

    def _can_be_read(self, file: PlannedFile) -> bool:
        info = self.archive.source.inner.head(key=COLD.root(BAG) + file.path)
        if class_of(info) in ("GLACIER_IR", "INTELLIGENT_TIERING"):
            return True
        return info.restore is not None and not info.restore.ongoing


BUDGETS = st.builds(
    Budget,
    objects_in_flight=st.none() | st.integers(1, 8),
    requests_per_day=st.none() | st.integers(1, 10),
    bytes_in_flight=st.none() | st.integers(1, 6),
    bytes_per_day=st.none() | st.integers(1, 8),
    cost_per_month=st.none() | st.integers(MOST_FILES * LARGEST, 60).map(Decimal),
    hours=st.sampled_from(((), (Hours(20 * 60, 6 * 60),))),
    longest_days=st.integers(1, 4),
    longest_wait=st.sampled_from((timedelta(hours=1), timedelta(days=3))),
)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), budget=BUDGETS, sizes=st.lists(st.integers(1, MOST_FILES), min_size=1, max_size=6))
def test_whatever_goes_wrong_everything_ends_and_nothing_is_asked_for_without_need(
    seed: int, budget: Budget, sizes: list[int]
) -> None:
    engine = Engine(Random(seed), budget, sizes)
    for _ in range(60):
        if any(row.state != "copied" for row in engine.rows):
            engine.act()
    engine.calm = True
    rounds = 0
    while any(row.state != "copied" for row in engine.rows):
        engine.act()
        rounds += 1
        assert rounds < MOST_ROUNDS, "somebody starves"
    assert {key: number for key, number in engine.restored.items() if number > 1 + engine.froze[key]} == {}
