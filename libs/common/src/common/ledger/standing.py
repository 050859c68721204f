"""How everything stands now, in a few numbers: read by indexes and sums, never by looking at every bag or copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, literal, select

from common.domain.ingest import IngestStatus
from common.domain.replica import Verdict
from common.ledger.claims import interval
from common.ledger.coverage.counting import Matrix, matrix, stalled_replicas
from common.ledger.fixity import reporting
from common.ledger.fixity.policies import every_policy
from common.ledger.fixity.tables import copy_health
from common.ledger.tables import NOW, dead_letters, ingests, locations, outbox

MOST = 100_000
"""Where more rows than this wait, this number is told: whoever watches has been alarmed long before."""
RECENTLY = timedelta(days=1)
_OPEN = (IngestStatus.ACCEPTED.value, IngestStatus.PROCESSING.value)
_ENDED = (IngestStatus.SUCCEEDED.value, IngestStatus.FAILED.value)


@dataclass(frozen=True, slots=True)
class Standing:
    """All of one moment."""

    ingests: Mapping[str, int]
    """Those under way, by status."""
    ended: Mapping[str, int]
    """Those that ended in the last day, by status."""
    stalled: int
    """Replicas that stand still."""
    dead_letters: int
    """Those that nobody has decided about."""
    waiting: int
    """Messages in the outbox."""
    oldest: float
    """Seconds that the oldest of them has waited."""
    damaged: Mapping[str, int]
    """Copies whose last reading was bad, by location; 0 for locations without any."""
    overdue: Mapping[tuple[str, str], int]
    """Copies that a fixity policy wants read and that nobody has read, by location and space ("": every space)."""
    matrix: Matrix


def standing(connection: Connection) -> Standing:
    """To be read in one snapshot."""
    waiting, oldest = _outbox(connection)
    return Standing(
        ingests=_statuses(connection, _OPEN, ingests.c.status.in_(_OPEN)),
        ended=_statuses(connection, _ENDED, ingests.c.finished_at > NOW - interval(RECENTLY)),
        stalled=_count(connection, select(stalled_replicas().subquery())),
        dead_letters=_count(connection, select(literal(1)).where(dead_letters.c.resolution.is_(None))),
        waiting=waiting,
        oldest=oldest,
        damaged=_damaged(connection),
        overdue={
            (policy.location_id, policy.space or ""): _count(connection, reporting.overdue_of(policy.id))
            for policy in every_policy(connection)
        },
        matrix=matrix(connection),
    )


def _statuses(connection: Connection, known: tuple[str, ...], *where: Any) -> dict[str, int]:
    rows = connection.execute(select(ingests.c.status, func.count()).where(*where).group_by(ingests.c.status))
    return dict.fromkeys(known, 0) | {row[0]: row[1] for row in rows}


def _count(connection: Connection, rows: Select[Any]) -> int:
    return int(connection.execute(select(func.count()).select_from(rows.limit(MOST).subquery())).scalar_one())


def _outbox(connection: Connection) -> tuple[int, float]:
    age = func.extract("epoch", func.clock_timestamp() - outbox.c.created_at)
    oldest = connection.execute(select(age).order_by(outbox.c.id).limit(1)).scalar_one_or_none()
    return _count(connection, select(outbox.c.id)), max(0.0, float(oldest or 0))


def _damaged(connection: Connection) -> dict[str, int]:
    none = dict.fromkeys(connection.execute(select(locations.c.id)).scalars(), 0)
    rows = connection.execute(
        select(copy_health.c.location_id, func.count())
        .where(copy_health.c.verdict == Verdict.BAD.value)
        .group_by(copy_health.c.location_id)
    )
    return none | {row[0]: row[1] for row in rows}
