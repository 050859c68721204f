"""The daily digest: what happened in a day and how everything stands at its end; one a day, whoever writes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, FromClause, func, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.ingest import IngestStatus
from common.domain.replica import CheckState, Verdict
from common.ledger.campaigns.tables import campaigns
from common.ledger.claims import interval
from common.ledger.coverage.counting import Matrix, matrix, stalled_replicas
from common.ledger.fixity import reporting
from common.ledger.fixity.tables import fixity_checks
from common.ledger.tables import NOW, dead_letters, ingests
from common.ledger.upkeep_tables import digests

_LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Digest:
    """All that it tells."""

    since: datetime
    until: datetime
    succeeded: int
    """Ingests that ended well in the time."""
    failed: Mapping[str, int]
    """Ingests that failed in the time, by code."""
    running: int
    """Ingests that are under way now."""
    stalled: int
    """Replicas that stand still now."""
    dead_letters: int
    """Those that nobody has decided about yet."""
    campaigns: tuple[str, ...]
    """Names, or ids, of those that run now."""
    checks: Mapping[str, int]
    """Copies that were read again in the time, by verdict; "failed": nothing was found out."""
    overdue: int
    """Copies that a policy wants read again, and that nobody has read for too long."""
    matrix: Matrix


def digest(connection: Connection, *, since: datetime, until: datetime) -> Digest:
    """Of the time from `since` to `until`, and of now. To be read in one snapshot."""
    code = func.coalesce(ingests.c.error_code, "").label("code")
    ends = connection.execute(
        select(ingests.c.status, code, func.count().label("number"))
        .where(ingests.c.finished_at.between(since, until))
        .group_by(ingests.c.status, code)
    ).all()
    failed = Counter({row.code or "unknown": row.number for row in ends if row.status == IngestStatus.FAILED.value})
    return Digest(
        since=since,
        until=until,
        succeeded=sum(row.number for row in ends if row.status == IngestStatus.SUCCEEDED.value),
        failed=dict(sorted(failed.items(), key=lambda each: (-each[1], each[0]))),
        running=_count(connection, ingests, ingests.c.finished_at.is_(None)),
        stalled=_count(connection, stalled_replicas().subquery()),
        dead_letters=_count(connection, dead_letters, dead_letters.c.resolution.is_(None)),
        campaigns=_running_campaigns(connection),
        checks=_checks(connection, since, until),
        overdue=sum(totals.overdue for _, totals in reporting.totals(connection)),
        matrix=matrix(connection),
    )


def _count(connection: Connection, table: FromClause, *where: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())


def _running_campaigns(connection: Connection) -> tuple[str, ...]:
    rows = connection.execute(
        select(campaigns.c.id, campaigns.c.name)
        .where(campaigns.c.finished_at.is_(None))
        .order_by(campaigns.c.created_at)
    )
    return tuple(row.name or str(row.id) for row in rows)


def _checks(connection: Connection, since: datetime, until: datetime) -> dict[str, int]:
    rows = connection.execute(
        select(fixity_checks.c.verdict, func.count().label("number"))
        .where(fixity_checks.c.finished_at.between(since, until), fixity_checks.c.state != CheckState.REREADING.value)
        .group_by(fixity_checks.c.verdict)
    )
    found = {row.verdict or CheckState.FAILED.value: row.number for row in rows}
    return {name: found[name] for name in (*Verdict, CheckState.FAILED.value) if name in found}


def claim(connection: Connection, *, hour: int) -> tuple[date, datetime] | None:
    """The day whose digest this process is to write now, and when it ends: None where it is written, or another does.

    A day ends at `hour` o'clock UTC; its digest is that of the 24 hours before. One that was claimed by a process
    that died is given away again.
    """
    now: datetime = connection.execute(select(NOW)).scalar_one().astimezone(UTC)
    day = (now - timedelta(hours=hour)).date()
    ends = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
    until = func.clock_timestamp() + interval(_LEASE)
    taken = connection.execute(
        insert(digests)
        .values(day=day, claimed_until=until)
        .on_conflict_do_update(
            index_elements=["day"],
            set_={"claimed_until": until},
            where=(digests.c.delivered_at.is_(None)) & (digests.c.claimed_until < NOW),
        )
        .returning(digests.c.day)
    ).one_or_none()
    return None if taken is None else (day, ends)


def delivered(connection: Connection, day: date) -> None:
    """The day's digest has reached everybody who is to have it."""
    connection.execute(update(digests).where(digests.c.day == day).values(delivered_at=NOW))
