"""What clients of the API were told, call by call, and what of it contradicts itself. No I/O.

A call whose answer never came may or may not have taken effect; nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

ORDER = {"accepted": 0, "processing": 1, "succeeded": 2, "failed": 2}
FINAL = frozenset({"succeeded", "failed"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was answered with what it asked for."""

    began: float
    ended: float
    """Seconds of one clock."""
    what: Literal["ask", "read ingest", "read bag"]
    bag: str
    """space/identifier, with the version."""
    ingest: str = ""
    """The ingest that the answer is about."""
    created: bool = False
    """`ask`: the answer says that it is new."""
    status: str = ""
    code: str = ""
    """Of an ingest that failed."""
    events: tuple[str, ...] = ()
    locations: frozenset[str] = frozenset()
    """`read bag`: where the record says that it lies."""


@dataclass(slots=True)
class History:
    """Everything that was answered, in the order of the answers."""

    calls: list[Call] = field(default_factory=list)
    unanswered: int = 0
    """Calls that ended in an error or a time-out."""

    def contradictions(self) -> list[str]:
        """A sentence for each promise that the answers break; empty: none."""
        found: list[str] = []
        by_ingest: dict[str, list[Call]] = {}
        by_bag: dict[str, list[Call]] = {}
        for call in self.calls:
            if call.what != "read bag":
                by_ingest.setdefault(call.ingest, []).append(call)
            by_bag.setdefault(call.bag, []).append(call)
        for ingest, calls in by_ingest.items():
            found += [f"ingest {ingest}: {told}" for told in _backwards(calls)]
        for bag, calls in by_bag.items():
            found += [f"bag {bag}: {told}" for told in (*_lost_locations(calls), *_two_at_once(calls))]
        return found


def _in_order(calls: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """Pairs of calls of which the first was answered before the second was made."""
    for number, later in enumerate(calls):
        before = [earlier for earlier in calls[:number] if earlier.ended <= later.began]
        if before:
            yield before[-1], later


def _backwards(calls: Iterable[Call]) -> Iterator[str]:
    """S6: terminal is final, and the history only grows."""
    for earlier, later in _in_order([call for call in calls if call.status]):
        if ORDER[later.status] < ORDER[earlier.status] or (earlier.status in FINAL and later.status != earlier.status):
            yield f"was {earlier.status}, then {later.status}"
        if later.events[: len(earlier.events)] != earlier.events:
            yield f"its history lost or changed events: {earlier.events} became {later.events}"


def _lost_locations(calls: Iterable[Call]) -> Iterator[str]:
    for earlier, later in _in_order([call for call in calls if call.what == "read bag"]):
        if lost := earlier.locations - later.locations:
            yield f"its record no longer names {', '.join(sorted(lost))}"


def _two_at_once(calls: Sequence[Call]) -> Iterator[str]:
    """S7: while an ingest runs, who asks again is told of the same one."""
    for first, second in _in_order([call for call in calls if call.what == "ask"]):
        if first.ingest == second.ingest:
            continue
        late = [c for c in calls if c.ingest == first.ingest and c.began >= second.ended and c.status not in FINAL]
        if late:
            yield f"ingest {second.ingest} was begun while {first.ingest} was {late[-1].status}"
