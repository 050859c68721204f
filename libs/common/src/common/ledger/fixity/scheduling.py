"""The scheduler: gives every copy under a policy its place in time, and begins checks as they come due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from common.domain.replica import CheckState
from common.ledger.claims import interval
from common.ledger.fixity.checking import request_check
from common.ledger.fixity.policies import Policy, every_policy
from common.ledger.fixity.schedule_tables import copy_schedule, fixity_policies
from common.ledger.fixity.tables import fixity_checks
from common.ledger.tables import NOW, bag_versions

SCHEDULE = "schedule"
"""Who asked for a check that nobody asked for."""
AHEAD = timedelta(minutes=5)
"""For how long a look begins checks: until about the next one."""
AFTER_FAILURE = timedelta(days=1)
"""A check that failed is begun again after this."""
ADOPTED = 20_000
"""Copies that get their place in one look."""

_LOCK = 0x666978697479
"""Advisory lock: "fixity" in ASCII."""

# A copy that was never read is due at its place in the policy's first period, one that was read at its next place.
_ADOPT = text(
    """
    INSERT INTO copy_schedule (bag_version_id, location_id, policy_id, every_days, phase, due_at)
    SELECT id, location_id, CAST(:policy AS bigint), CAST(:every AS integer), phase,
        coalesce(fixity_due(read_at, CAST(:every AS integer), phase),
            CAST(:since AS timestamptz) + phase * CAST(:every AS integer) * interval '1 day')
    FROM (
        SELECT b.id, bl.location_id,
            ('x' || left(md5(b.space || '/' || b.external_identifier || '/' || b.version || '@' || bl.location_id), 8))
                ::bit(32)::bigint / 4294967296.0 AS phase,
            coalesce(
                greatest(h.read_at, CASE WHEN h.verdict = 'unread' AND h.evidence_class >= 'E2' THEN h.checked_at END),
                CASE WHEN bl.evidence_class >= 'E3' THEN bl.registered_at END) AS read_at
        FROM bag_locations bl JOIN bag_versions b ON b.id = bl.bag_version_id
        LEFT JOIN copy_health h ON h.bag_version_id = b.id AND h.location_id = bl.location_id
        LEFT JOIN copy_schedule s ON s.bag_version_id = b.id AND s.location_id = bl.location_id
        WHERE bl.location_id = :location AND (s.policy_id IS NULL OR s.policy_id <> :policy OR s.every_days <> :every)
            AND CASE WHEN CAST(:space AS text) IS NULL THEN NOT EXISTS (SELECT 1 FROM fixity_policies p
                    WHERE p.location_id = bl.location_id AND p.space = b.space)
                ELSE b.space = :space END
        LIMIT :most
    ) AS found
    ON CONFLICT (bag_version_id, location_id) DO UPDATE SET policy_id = excluded.policy_id,
        every_days = excluded.every_days, phase = excluded.phase, due_at = excluded.due_at,
        not_before = least(copy_schedule.not_before, now() + excluded.phase * excluded.every_days * interval '1 day')
    """
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look of the scheduler did."""

    adopted: int = 0
    begun: int = 0


def look(connection: Connection, *, most: int = ADOPTED) -> Looked:
    """Look once after every policy; nothing where another process looks now."""
    if not connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
        return Looked()
    adopted = begun = 0
    for policy in every_policy(connection):
        adopted += _adopt(connection, policy, most)
        begun += _begin(connection, policy)
    return Looked(adopted, begun)


def _adopt(connection: Connection, policy: Policy, most: int) -> int:
    wanted = {"policy": policy.id, "every": policy.every_days, "since": policy.created_at}
    where = {"location": policy.location_id, "space": policy.space, "most": most}
    return connection.execute(_ADOPT, wanted | where).rowcount


def _begin(connection: Connection, policy: Policy) -> int:
    """As many as may run at once, until what they will read is not paid for."""
    begun = 0
    for row in _due(connection, policy, most=policy.at_once - _running(connection, policy)):
        if policy.bytes_per_second and not _pay(connection, policy, row.bytes):
            break
        request_check(connection, bag_version_id=row.bag_version_id, location_id=policy.location_id, asked_by=SCHEDULE)
        begun += 1
    return begun


def _due(connection: Connection, policy: Policy, *, most: int) -> list[Any]:
    running = (
        (fixity_checks.c.bag_version_id == copy_schedule.c.bag_version_id)
        & (fixity_checks.c.location_id == copy_schedule.c.location_id)
        & (fixity_checks.c.state == CheckState.REREADING.value)
    )
    query = (
        select(copy_schedule.c.bag_version_id, bag_versions.c.bytes)
        .join(bag_versions, bag_versions.c.id == copy_schedule.c.bag_version_id)
        .where(copy_schedule.c.policy_id == policy.id, copy_schedule.c.due_at <= NOW, copy_schedule.c.not_before <= NOW)
        .where(~select(fixity_checks.c.id).where(running).exists())
        .order_by(copy_schedule.c.due_at)
        .limit(max(0, most))
    )
    return list(connection.execute(query))


def _running(connection: Connection, policy: Policy) -> int:
    mine = select(copy_schedule.c.policy_id).where(
        copy_schedule.c.bag_version_id == fixity_checks.c.bag_version_id,
        copy_schedule.c.location_id == fixity_checks.c.location_id,
        copy_schedule.c.policy_id == policy.id,
    )
    running = fixity_checks.c.state == CheckState.REREADING.value
    here = fixity_checks.c.location_id == policy.location_id
    return connection.execute(
        select(func.count()).select_from(fixity_checks).where(running, here, mine.exists())
    ).scalar_one()


def _pay(connection: Connection, policy: Policy, size: int) -> bool:
    """Whether the checks before this one are paid for by the next look; then this one's bytes are owed too."""
    assert policy.bytes_per_second is not None
    seconds, now = timedelta(seconds=size / policy.bytes_per_second), func.clock_timestamp()
    paid = connection.execute(
        update(fixity_policies)
        .where(fixity_policies.c.id == policy.id, fixity_policies.c.paid_until <= now + interval(AHEAD))
        .values(paid_until=func.greatest(fixity_policies.c.paid_until, now) + interval(seconds))
    )
    return paid.rowcount == 1


def read_again(connection: Connection, check: Any) -> None:
    """A check has finished: the copy is due at its next place in time."""
    now, mine = func.clock_timestamp(), copy_schedule.c
    _move(connection, check, due_at=func.fixity_due(now, mine.every_days, mine.phase))


def ask_again(connection: Connection, check: Any) -> None:
    """A check showed nothing of a copy's bytes: it is repeated in time, and the copy is as overdue as it is."""
    now, mine = func.clock_timestamp(), copy_schedule.c
    _move(connection, check, not_before=func.fixity_due(now, mine.every_days, mine.phase))


def put_off(connection: Connection, check: Any) -> None:
    """A check has failed: it is not begun again at once, and the copy is as overdue as it is."""
    _move(connection, check, not_before=func.clock_timestamp() + interval(AFTER_FAILURE))


def _move(connection: Connection, check: Any, **values: Any) -> None:
    connection.execute(
        update(copy_schedule)
        .where(
            copy_schedule.c.bag_version_id == check.bag_version_id,
            copy_schedule.c.location_id == check.location_id,
        )
        .values(**values)
    )
