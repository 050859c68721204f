"""What is known about campaigns, as the API answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, tuple_

from common.domain.bag import BagVersion
from common.domain.campaign import CampaignState, Limits, Load, Order
from common.ledger.campaigns.releasing import limits_of, load
from common.ledger.campaigns.tables import campaign_items, campaigns
from common.ledger.claims import interval
from common.ledger.tables import bag_versions, ingest_events, ingests

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a campaign."""

    bags: int
    files: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign with its counts; the counts of ends are confirmed facts and only grow, but for a retry's failures."""

    id: UUID
    name: str
    state: CampaignState
    paused: bool
    destination_id: str
    selection: Mapping[str, Any]
    order: Order
    options: Mapping[str, Any]
    priority: int
    limits: Limits
    expected_count: int | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None
    reason: str | None
    selected: Part
    succeeded: Part
    failed: int
    already_there: int


@dataclass(frozen=True, slots=True)
class Pace:
    """How a campaign moves at the moment."""

    under_way: Load
    last_hour: Part
    """What succeeded in the last 60 minutes."""
    remaining: timedelta | None
    """At that pace; None where nothing succeeded in that hour, or nothing is left."""


def find_campaign(connection: Connection, campaign_id: UUID) -> CampaignRecord | None:
    row = connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).one_or_none()
    return None if row is None else _record(row)


def list_campaigns(
    connection: Connection, *, before: tuple[datetime, UUID] | None, limit: int, only_open: bool
) -> list[CampaignRecord]:
    """A page, the newest first, beginning behind `before`."""
    query = select(campaigns).order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(tuple_(campaigns.c.created_at, campaigns.c.id) < tuple_(*before))
    if only_open:
        query = query.where(campaigns.c.finished_at.is_(None))
    return [_record(row) for row in connection.execute(query)]


def _record(row: Row[Any]) -> CampaignRecord:
    return CampaignRecord(
        id=row.id,
        name=row.name,
        state=CampaignState(row.state),
        paused=row.paused,
        destination_id=row.destination_id,
        selection=row.selection,
        order=Order(row.ordering),
        options=row.options,
        priority=row.priority,
        limits=limits_of(row),
        expected_count=row.expected_count,
        created_by=row.created_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
        reason=row.reason,
        selected=Part(row.bags, row.files, row.bytes),
        succeeded=Part(row.succeeded_bags, row.succeeded_files, row.succeeded_bytes),
        failed=row.failed_bags,
        already_there=row.already_there_bags,
    )


def pace(connection: Connection, campaign: CampaignRecord) -> Pace:
    """Counted now, over what is under way and the last hour only."""
    row = connection.execute(
        select(
            func.count(),
            func.coalesce(func.sum(campaign_items.c.files), 0),
            func.coalesce(func.sum(campaign_items.c.bytes), 0),
        ).where(
            campaign_items.c.campaign_id == campaign.id,
            campaign_items.c.done_at > func.clock_timestamp() - interval(_HOUR),
            campaign_items.c.outcome == "succeeded",
        )
    ).one()
    last = Part(row[0], int(row[1]), int(row[2]))
    return Pace(load(connection, campaign.id), last, _remaining(campaign, last))


def _remaining(campaign: CampaignRecord, last: Part) -> timedelta | None:
    """By whichever of bags and bytes says longer: a campaign of small bags ends with large ones, and the reverse."""
    left = campaign.selected.bags - campaign.succeeded.bags - campaign.failed - campaign.already_there
    octets = (campaign.selected.bytes or 0) - (campaign.succeeded.bytes or 0)
    if campaign.state.terminal or left <= 0 or not last.bags:
        return None
    by_bytes = octets / last.bytes if last.bytes else 0
    return _HOUR * max(left / last.bags, by_bytes)


@dataclass(frozen=True, slots=True)
class Failure:
    """A bag version whose ingest failed."""

    bag: BagVersion
    ingest_id: UUID
    code: str | None
    reason: str
    files: int
    bytes: int


def failures(connection: Connection, campaign_id: UUID, *, after: BagVersion | None, limit: int) -> list[Failure]:
    """A page, by space, identifier and version, beginning behind `after`."""
    order = (bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version)
    said = (
        select(ingest_events.c.description)
        .where(ingest_events.c.ingest_id == ingests.c.id, ingest_events.c.detail["code"].astext == ingests.c.error_code)
        .order_by(ingest_events.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            *order,
            ingests.c.id,
            ingests.c.error_code,
            said.label("said"),
            campaign_items.c.files,
            campaign_items.c.bytes,
        )
        .select_from(campaign_items)
        .join(bag_versions, bag_versions.c.id == campaign_items.c.bag_version_id)
        .join(ingests, ingests.c.id == campaign_items.c.ingest_id)
        .where(campaign_items.c.campaign_id == campaign_id, campaign_items.c.outcome == "failed")
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(*order) > (after.space.value, after.external_identifier.value, after.version.number))
    return [
        Failure(
            bag=BagVersion.of(row.space, row.external_identifier, row.version),
            ingest_id=row.id,
            code=row.error_code,
            reason=row.said or "",
            files=row.files,
            bytes=row.bytes,
        )
        for row in connection.execute(query)
    ]
