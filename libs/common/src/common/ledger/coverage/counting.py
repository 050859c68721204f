"""The sums of coverage: exact at any time, and read without looking at any bag."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, union, union_all
from sqlalchemy.dialects.postgresql import insert

from common.domain.coverage import Amount, CopyState, Place, Policy
from common.domain.replica import EvidenceClass, ReplicaState, SegmentState, Verdict
from common.ledger.coverage.tables import coverage, coverage_changes, gaps
from common.ledger.fixity.tables import copy_health
from common.ledger.requirements.tables import requirements
from common.ledger.tables import bag_locations, bag_versions, replicas, segments

OPEN = tuple(state.value for state in ReplicaState if not state.terminal)
_SUMS = ("bags", "files", "bytes")
_LOCK = 0x636F766572
"""Advisory lock: "cover" in ASCII."""
_READ_BACK = (EvidenceClass.READ_BACK, EvidenceClass.RESTORED)
_STATES = {
    **{evidence.value: CopyState.LISTED for evidence in EvidenceClass},
    **{evidence.value: CopyState.VERIFIED for evidence in _READ_BACK},
    **dict.fromkeys(OPEN, CopyState.IN_PROGRESS),
    # A gap is closed in the transaction in which its replica becomes registered; there it may be seen before.
    ReplicaState.REGISTERED.value: CopyState.IN_PROGRESS,
    ReplicaState.FAILED.value: CopyState.FAILED,
    "missing": CopyState.MISSING,
}
AT_RISK = "at risk"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every bag version at every location, at one moment."""

    places: tuple[Place, ...]
    """By space and location."""
    bags: dict[str, Amount]
    """All bag versions, by space."""
    at_risk: dict[str, int]
    """Bag versions with fewer than two copies or without one that was read back, by space."""


def policy(connection: Connection) -> Policy:
    """What the requirements say now."""
    rows = connection.execute(select(requirements.c.location_id, requirements.c.space))
    return Policy.of((row.location_id, row.space) for row in rows)


def fold(connection: Connection) -> int:
    """Add the changes to the sums, so that reading stays quick; how many sums changed. 0 while another does it."""
    if not connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
        return 0
    gone = delete(coverage_changes).returning(coverage_changes).cte("gone")
    place = (gone.c.space, gone.c.location_id, gone.c.state)
    sums = select(*place, *(func.sum(gone.c[name]) for name in _SUMS)).group_by(*place)
    statement = insert(coverage).from_select(["space", "location_id", "state", *_SUMS], sums)
    statement = statement.on_conflict_do_update(
        index_elements=["space", "location_id", "state"],
        set_={name: coverage.c[name] + statement.excluded[name] for name in _SUMS},
    )
    return int(connection.execute(statement).rowcount)


def matrix(connection: Connection, *, space: str | None = None) -> Matrix:
    """The whole matrix, or one space's. To be read in one snapshot (REPEATABLE READ)."""
    required = policy(connection)
    states: dict[tuple[str, str], dict[CopyState, Amount]] = defaultdict(dict)
    bags: dict[str, Amount] = {}
    at_risk: dict[str, int] = {}
    for row in connection.execute(_sums(space)):
        amount = Amount(int(row.bags), int(row.files), int(row.bytes))
        if row.location_id:
            _add(states[row.space, row.location_id], _STATES[row.state], amount)
        else:
            bags[row.space] = bags.get(row.space, Amount()) + amount
            at_risk[row.space] = at_risk.get(row.space, 0) + (amount.bags if row.state == AT_RISK else 0)
    for row in connection.execute(_held_up(space)):
        amount = Amount(int(row.bags), int(row.files), int(row.bytes))
        place = states[row.space, row.location_id]
        _add(place, CopyState.STALLED if row.stalled else CopyState.WAITING, amount)
        place[CopyState.IN_PROGRESS] = place.get(CopyState.IN_PROGRESS, Amount()) - amount
    for row in connection.execute(_damaged(space)):
        amount = Amount(int(row.bags), int(row.files), int(row.bytes))
        place, before = states[row.space, row.location_id], _STATES[row.evidence_class]
        _add(place, CopyState.DAMAGED, amount)
        place[before] = place.get(before, Amount()) - amount
    places = tuple(_place(name, location, required, states[name, location]) for name, location in sorted(states))
    return Matrix(tuple(place for place in places if place.states), bags, at_risk)


def _add(states: dict[CopyState, Amount], state: CopyState, amount: Amount) -> None:
    states[state] = states.get(state, Amount()) + amount


def _place(space: str, location: str, required: Policy, states: dict[CopyState, Amount]) -> Place:
    if not required.wants(location, space) and CopyState.MISSING in states:
        states[CopyState.NOT_REQUIRED] = states.pop(CopyState.MISSING)
    some = {state: states[state] for state in CopyState if states.get(state, Amount()).bags}
    return Place(space, location, required.requires(location, space), some)


def _sums(space: str | None) -> Any:
    every = union_all(
        *(
            select(table.c.space, table.c.location_id, table.c.state, *(table.c[name] for name in _SUMS))
            for table in (coverage, coverage_changes)
        )
    ).subquery()
    place = (every.c.space, every.c.location_id, every.c.state)
    query = select(*place, *(func.sum(every.c[name]).label(name) for name in _SUMS)).group_by(*place)
    return query if space is None else query.where(every.c.space == space)


def stalled_replicas() -> Any:
    """Ids of replicas that have stalled, or a segment of which has; found by the indexes of what has stalled."""
    return union(
        select(replicas.c.id).where(replicas.c.stalled_at.is_not(None)),
        select(segments.c.replica_id).where(segments.c.stalled_at.is_not(None)),
    )


def thawing_replicas() -> Any:
    """Ids of replicas that wait for objects to be restored."""
    return select(segments.c.replica_id.label("id")).where(segments.c.state == SegmentState.THAWING.value).distinct()


def _held_up(space: str | None) -> Any:
    """The open gaps that stalled, and those that wait for a thaw and have not stalled."""
    stalled, thawing = stalled_replicas().cte("stalled"), thawing_replicas().cte("thawing")
    some = union(select(stalled.c.id), select(thawing.c.id)).subquery()
    is_stalled = some.c.id.in_(select(stalled.c.id))
    query = (
        select(
            gaps.c.space,
            gaps.c.location_id,
            is_stalled.label("stalled"),
            func.count().label("bags"),
            func.sum(gaps.c.files).label("files"),
            func.sum(gaps.c.bytes).label("bytes"),
        )
        .select_from(some)
        .join(replicas, replicas.c.id == some.c.id)
        .join(
            gaps,
            (gaps.c.bag_version_id == replicas.c.bag_version_id) & (gaps.c.location_id == replicas.c.location_id),
        )
        .where(gaps.c.state.in_(OPEN))
        .group_by(gaps.c.space, gaps.c.location_id, text("stalled"))
    )
    return query if space is None else query.where(gaps.c.space == space)


def _damaged(space: str | None) -> Any:
    """The copies whose last reading was bad, by what they rested on before; found by the index of the bad ones."""
    at = (bag_locations.c.bag_version_id == copy_health.c.bag_version_id) & (
        bag_locations.c.location_id == copy_health.c.location_id
    )
    query = (
        select(
            bag_versions.c.space,
            copy_health.c.location_id,
            bag_locations.c.evidence_class,
            func.count().label("bags"),
            func.sum(bag_versions.c.file_count).label("files"),
            func.sum(bag_versions.c.bytes).label("bytes"),
        )
        .select_from(copy_health)
        .join(bag_locations, at)
        .join(bag_versions, bag_versions.c.id == copy_health.c.bag_version_id)
        .where(copy_health.c.verdict == Verdict.BAD.value)
        .group_by(bag_versions.c.space, copy_health.c.location_id, bag_locations.c.evidence_class)
    )
    return query if space is None else query.where(bag_versions.c.space == space)
