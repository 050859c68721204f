"""Letting a campaign's ingests into the pipeline, as many as its limits and the pipeline's state allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, exists, func, insert, select, text, update

from common.domain.campaign import Limits, Load
from common.domain.replica import ReplicaState
from common.ledger.campaigns.tables import HELD, campaign_items, campaigns
from common.ledger.claims import Patience, interval
from common.ledger.failing import OPEN_INGESTS
from common.ledger.tables import NOW, bag_versions, ingests, outbox, replicas, segments
from common.messages import encode
from common.topology import PLANNING, Lane, hint_for

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The next bag version in line."""

    bag_version_id: int
    ingest_id: UUID
    bytes: int
    open: bool
    """False: somebody ended the ingest while it was held."""


def limits_of(campaign: Any) -> Limits:
    return Limits(
        bags_in_flight=campaign.bags_in_flight,
        bytes_in_flight=campaign.bytes_in_flight,
        bytes_per_day=campaign.bytes_per_day,
    )


def load(connection: Connection, campaign_id: UUID) -> Load:
    now = connection.execute(
        select(func.count(), func.coalesce(func.sum(campaign_items.c.bytes), 0)).where(
            campaign_items.c.campaign_id == campaign_id,
            campaign_items.c.released_at.is_not(None),
            campaign_items.c.done_at.is_(None),
        )
    ).one()
    today = connection.execute(
        select(func.coalesce(func.sum(campaign_items.c.bytes), 0)).where(
            campaign_items.c.campaign_id == campaign_id,
            campaign_items.c.released_at > func.clock_timestamp() - interval(_DAY),
            campaign_items.c.disposition == "created",
        )
    ).scalar_one()
    return Load(bags=now[0], bytes=int(now[1]), today=int(today))


def wanted(connection: Connection, campaign: Any, *, at_most: int) -> int:
    """How many places, at most `at_most`, the campaign could use now; 0 where nothing waits or nothing more fits."""
    used, limits = load(connection, campaign.id), limits_of(campaign)
    line = _in_line(connection, campaign.id, at_most=min(at_most, limits.bags_in_flight - used.bags))
    return sum(1 for item in _fitting(line, used, limits, places=at_most) if item.open)


def release(connection: Connection, campaign: Any, *, places: int, octets: int | None, patience: Patience) -> Load:
    """Let in at most `places` bag versions and `octets` bytes; what that was. The caller locks the campaign's row.

    A bag version that is larger than all the bytes there are goes when nothing of its campaign is under way.
    """
    used, limits = load(connection, campaign.id), limits_of(campaign)
    if octets is not None:
        most = used.bytes + octets
        limits = replace(limits, bytes_in_flight=min(most, limits.bytes_in_flight or most))
    line = _in_line(connection, campaign.id, at_most=places)
    chosen = _fitting(line, used, limits, places=places)
    _let_in(connection, campaign.id, chosen, patience=patience)
    size = sum(item.bytes for item in chosen if item.open)
    return Load(bags=len(chosen), bytes=size, today=size)


def _in_line(connection: Connection, campaign_id: UUID, *, at_most: int) -> list[Waiting]:
    """Those that can go, in the campaign's order: not those which need a version that is still on its way."""
    rows = connection.execute(
        select(
            campaign_items.c.bag_version_id,
            campaign_items.c.ingest_id,
            campaign_items.c.bytes,
            ingests.c.status.in_(OPEN_INGESTS).label("open"),
        )
        .join(ingests, ingests.c.id == campaign_items.c.ingest_id)
        .join(bag_versions, bag_versions.c.id == campaign_items.c.bag_version_id)
        .where(
            campaign_items.c.campaign_id == campaign_id,
            campaign_items.c.released_at.is_(None),
            campaign_items.c.disposition.is_not(None),
            ~_waits_for_another(),
        )
        .order_by(campaign_items.c.sort_key, campaign_items.c.bag_version_id)
        .limit(max(0, at_most))
    )
    return [Waiting(row.bag_version_id, row.ingest_id, row.bytes, row.open) for row in rows]


def _waits_for_another() -> Any:
    """A version that it needs is being copied to the same destination, or will be."""
    needed, running = bag_versions.alias("needed"), ingests.alias("running")
    return exists().where(
        func.jsonb_array_length(bag_versions.c.depends_on) > 0,
        needed.c.space == bag_versions.c.space,
        needed.c.external_identifier == bag_versions.c.external_identifier,
        bag_versions.c.depends_on.op("@>")(func.to_jsonb(needed.c.version)),
        running.c.bag_version_id == needed.c.id,
        running.c.destination_id == ingests.c.destination_id,
        running.c.status.in_(OPEN_INGESTS),
    )


def _fitting(line: Sequence[Waiting], used: Load, limits: Limits, *, places: int) -> list[Waiting]:
    """From the front of the line, never past one that does not fit: the order is what the campaign asked for."""
    chosen: list[Waiting] = []
    for item in line:
        if item.open:
            if places == 0 or not used.admits(item.bytes, limits):
                break
            used, places = used.plus(item.bytes), places - 1
        chosen.append(item)
    return chosen


def _let_in(connection: Connection, campaign_id: UUID, chosen: Sequence[Waiting], *, patience: Patience) -> None:
    if not chosen:
        return
    connection.execute(
        update(campaign_items)
        .where(
            campaign_items.c.campaign_id == campaign_id,
            campaign_items.c.bag_version_id.in_([item.bag_version_id for item in chosen]),
        )
        .values(released_at=NOW)
    )
    later = func.clock_timestamp() + interval(patience.hint_again)
    let_in = connection.execute(
        update(replicas)
        .where(
            replicas.c.ingest_id.in_([item.ingest_id for item in chosen if item.open]),
            replicas.c.state == ReplicaState.PLANNING.value,
            replicas.c.not_before == HELD,
        )
        .values(not_before=NOW, due_at=later)
        .returning(replicas.c.id)
    ).scalars()
    queue = PLANNING.queue(Lane.BACKFILL)
    hints = [{"queue": queue, "body": encode(hint_for(PLANNING, row_id)).decode()} for row_id in let_in]
    if hints:
        connection.execute(insert(outbox), hints)


def open_segments(connection: Connection, *, at_most: int) -> int:
    """Segments that wait or are worked on, counted no further than `at_most`: the pipeline's fill level."""
    found = select(segments.c.id).where(text("state IN ('thawing', 'copying', 'verifying')")).limit(at_most)
    return int(connection.execute(select(func.count()).select_from(found.subquery())).scalar_one())


def open_campaigns(connection: Connection) -> list[Any]:
    """Those that are not finished, the most urgent first; locked, but for those that another process holds."""
    return list(
        connection.execute(
            select(campaigns)
            .where(campaigns.c.finished_at.is_(None))
            .order_by(campaigns.c.priority.desc(), campaigns.c.created_at, campaigns.c.id)
            .with_for_update(skip_locked=True)
        )
    )
