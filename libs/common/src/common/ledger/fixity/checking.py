"""Asking that a copy is read again, and writing down what is read, slice by slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from common.domain.bag import BagVersion
from common.domain.replica import CheckState, EvidenceClass, Verdict
from common.errors import ClaimLost
from common.jobs import Attempt
from common.ledger import outbox
from common.ledger.evidence import adding
from common.ledger.evidence.adding import Reader
from common.ledger.fixity.tables import fixity_checks
from common.ledger.tables import bag_locations, bag_versions
from common.outcome import Evidence
from common.topology import REREADING, hint_for

_RUNNING = fixity_checks.c.state == CheckState.REREADING.value


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """One reading again of one copy."""

    id: int
    bag: BagVersion
    location_id: str
    state: CheckState
    asked_by: str
    files: int
    """Looked at so far."""
    bytes: int
    """Read so far."""
    bad: int
    unread: int
    verdict: Verdict | None
    why: str
    error_code: str | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


def request_check(
    connection: Connection, *, bag_version_id: int, location_id: str, asked_by: str
) -> tuple[int, bool] | None:
    """Have the registered copy read again: the check's id, and whether it is new or ran already.

    None where the bag version is not registered at the location: there is no copy to read.
    """
    copy = (bag_locations.c.bag_version_id == bag_version_id) & (bag_locations.c.location_id == location_id)
    if connection.execute(select(bag_locations.c.role).where(copy)).first() is None:
        return None
    facts = {"bag_version_id": bag_version_id, "location_id": location_id, "asked_by": asked_by}
    new = connection.execute(
        upsert(fixity_checks)
        .values(**facts, state=CheckState.REREADING.value)
        .on_conflict_do_nothing(index_elements=["bag_version_id", "location_id"], index_where=_RUNNING)
        .returning(fixity_checks.c.id)
    ).scalar_one_or_none()
    if new is None:
        same = (fixity_checks.c.bag_version_id == bag_version_id) & (fixity_checks.c.location_id == location_id)
        running = connection.execute(select(func.max(fixity_checks.c.id)).where(same)).scalar_one()
        return int(running), False
    outbox.post(connection, stage=REREADING, lane=REREADING.lane, hint=hint_for(REREADING, new))
    return int(new), True


def note(
    connection: Connection,
    *,
    check_id: int,
    before: str | None,
    after: str,
    found: Sequence[Evidence],
    attempt: Attempt,
) -> None:
    """Keep the evidence of one slice and move the check's place from `before` to `after`, all or nothing.

    Raises ClaimLost where its place is another by now: somebody else read the slice.
    """
    place = fixity_checks.c.progress["after"].astext
    moved = connection.execute(
        update(fixity_checks)
        .where(fixity_checks.c.id == check_id, _RUNNING, place.is_not_distinct_from(before))
        .values(
            progress=fixity_checks.c.progress.op("||")(literal({"after": after}, JSONB)),
            files=fixity_checks.c.files + len(found),
            bytes=fixity_checks.c.bytes + sum(item.bytes for item in found if _read(item)),
            bad=fixity_checks.c.bad + sum(item.outcome != "match" for item in found),
            unread=fixity_checks.c.unread + sum(not _read(item) for item in found),
        )
        .returning(fixity_checks.c.bag_version_id, fixity_checks.c.location_id)
    ).one_or_none()
    if moved is None:
        raise ClaimLost(f"check {check_id}: another worker has read on from {before!r}")
    reader = Reader(
        bag_version_id=moved.bag_version_id,
        location_id=moved.location_id,
        check_id=check_id,
        worker=attempt.worker,
        build=attempt.build,
        attempt=attempt.number,
    )
    adding.add(connection, found, reader)


def find_check(connection: Connection, check_id: int) -> CheckRecord | None:
    row = connection.execute(_records().where(fixity_checks.c.id == check_id)).one_or_none()
    return None if row is None else _record(row)


def checks_of(connection: Connection, *, bag_version_id: int, limit: int) -> list[CheckRecord]:
    """The checks of all copies of a bag version, the newest first."""
    query = _records().where(fixity_checks.c.bag_version_id == bag_version_id)
    return [_record(row) for row in connection.execute(query.order_by(fixity_checks.c.id.desc()).limit(limit))]


def _read(item: Evidence) -> bool:
    return item.evidence_class >= EvidenceClass.READ_BACK


def _records() -> Select[Any]:
    bag = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)
    return select(fixity_checks, *bag).join(bag_versions, bag_versions.c.id == fixity_checks.c.bag_version_id)


def _record(row: Row[Any]) -> CheckRecord:
    facts = row._mapping
    return CheckRecord(
        id=facts["id"],
        bag=BagVersion.of(facts["space"], facts["external_identifier"], facts["version"]),
        location_id=facts["location_id"],
        state=CheckState(facts["state"]),
        asked_by=facts["asked_by"],
        files=facts["files"],
        bytes=facts["bytes"],
        bad=facts["bad"],
        unread=facts["unread"],
        verdict=Verdict(facts["verdict"]) if facts["verdict"] else None,
        why=facts["why"],
        error_code=facts["error_code"],
        last_error=facts["last_error"],
        created_at=facts["created_at"],
        finished_at=facts["finished_at"],
    )
