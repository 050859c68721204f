"""What was really asked of the stores: what it cost, what a row may still ask for, and how long its copies last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.replica import SegmentState
from common.ledger import context, events, windows
from common.ledger.claims import Patience, interval
from common.ledger.context import Context
from common.ledger.tables import NOW, imports, ingests, segments
from common.ledger.thawing.tables import thaw_admissions, thaw_bills, thaw_import_bills
from common.topology import THAWING, Kind


@dataclass(frozen=True, slots=True)
class Bill:
    """Restores that a store took on, of one class, at one tier, for so many days."""

    storage_class: str
    tier: str
    days: int
    """0 where objects are moved for good."""
    extension: bool
    """Readable copies were prolonged: nothing was brought back."""
    objects: int
    bytes: int
    cost: Decimal
    currency: str
    priced: bool = True
    """False: the price book lacked something, and the cost does."""


def record(
    connection: Connection, *, kind: Kind, row_id: int, ingest_id: UUID | None, location: str, bills: Sequence[Bill]
) -> None:
    """Add to what the ingest (or import) has cost, and take from what the row may still ask for."""
    for bill in bills:
        if ingest_id is None:
            whose = select(func.coalesce(imports.c.parent_id, imports.c.id)).where(imports.c.id == row_id)
            _add(connection, thaw_import_bills, location, bill, import_id=whose.scalar_subquery())
        else:
            _add(connection, thaw_bills, location, bill, ingest_id=ingest_id)
    fresh = sum(bill.objects for bill in bills if not bill.extension)
    table = thaw_admissions.c
    connection.execute(
        update(thaw_admissions)
        .where(table.kind == kind, table.row_id == row_id, table.released_at.is_(None))
        .values(
            left_objects=func.greatest(0, table.left_objects - fresh),
            extensions=table.extensions + int(any(bill.extension for bill in bills)),
        )
    )


def _add(connection: Connection, table: Table, location: str, bill: Bill, **whose: Any) -> None:
    place = insert(table).values(
        **whose,
        location_id=location,
        storage_class=bill.storage_class,
        tier=bill.tier,
        days=bill.days,
        extension=bill.extension,
        currency=bill.currency,
        objects=bill.objects,
        bytes=bill.bytes,
        cost=bill.cost,
        priced=bill.priced,
    )
    sums: Mapping[str, Any] = {name: table.c[name] + place.excluded[name] for name in ("objects", "bytes", "cost")}
    both = table.c.priced & place.excluded.priced
    connection.execute(
        place.on_conflict_do_update(index_elements=list(table.primary_key), set_={**sums, "priced": both})
    )


def expiring(connection: Connection, *, kind: Kind, row_id: int, at: datetime) -> None:
    """When the first of the row's readable copies expires, as the store said."""
    table = thaw_admissions.c
    connection.execute(
        update(thaw_admissions)
        .where(table.kind == kind, table.row_id == row_id, table.released_at.is_(None))
        .values(expires_at=at)
    )


def send_back(
    connection: Connection, *, location: str, margin: timedelta, most_extensions: int, patience: Patience, at_most: int
) -> int:
    """Segments whose copies would run out before it is their turn to be copied go back to be prolonged.

    Only those that nobody works on, and each a bounded number of times: after that it is copied or thawed anew.
    Returns how many went back.
    """
    table = thaw_admissions.c
    rows = connection.execute(
        select(table.row_id)
        .where(
            table.location_id == location,
            table.kind == "segment",
            table.released_at.is_(None),
            table.readable_at.is_not(None),
            table.extensions < most_extensions,
            table.expires_at < func.clock_timestamp() + interval(margin),
            table.expires_at > NOW,
        )
        .order_by(table.expires_at)
        .limit(at_most)
    ).scalars()
    went = [around for row_id in list(rows) if (around := _back(connection, row_id, patience=patience))]
    for ingest_id, around in sorted({around.ingest_id: around for around in went}.items()):
        told = f"{around.title(THAWING)} going back - readable copies expire before it is their turn to be copied"
        events.add(connection, ingest_id, told, once="thawing:prolonged")
    return len(went)


def _back(connection: Connection, row_id: int, *, patience: Patience) -> Context | None:
    around = context.read(connection, kind="segment", row_id=row_id, lock=True)
    assert around is not None
    free = or_(segments.c.lease_until.is_(None), segments.c.lease_until < NOW)
    moved = connection.execute(
        update(segments)
        .where(segments.c.id == row_id, segments.c.state == SegmentState.COPYING.value, free)
        .values(state=SegmentState.THAWING.value, fence=segments.c.fence + 1, due_at=NOW, not_before=NOW, hinted=False)
    )
    if not moved.rowcount:
        return None
    windows.fill(connection, stage=THAWING, around=around, patience=patience)
    return around


@dataclass(frozen=True, slots=True)
class Expected:
    """What was found frozen, priced before it was asked for."""

    parts: int
    objects: int
    bytes: int
    cost: Decimal
    """In the currency of the bag warmers' price book."""


def expected_of_import(connection: Connection, *, import_id: int) -> Expected:
    """Of the import's parts, each as it stood in line last: it grows as bags are found frozen."""
    mine = select(imports.c.id).where(or_(imports.c.id == import_id, imports.c.parent_id == import_id))
    table = thaw_admissions.c
    summed = table.objects, table.bytes, table.cost
    sums = [func.coalesce(func.sum(column), 0).label(column.name) for column in summed]
    query = select(func.count().label("parts"), *sums).where(table.kind == "import", table.row_id.in_(mine))
    row = connection.execute(query).one()
    return Expected(row.parts, int(row.objects), int(row.bytes), Decimal(row.cost))


def billed_to_import(connection: Connection, *, import_id: int) -> list[Bill]:
    """The same for an import with all its parts."""
    mine = select(thaw_import_bills).where(thaw_import_bills.c.import_id == import_id)
    by = (thaw_import_bills.c.storage_class, thaw_import_bills.c.tier, thaw_import_bills.c.days)
    return [_bill(row) for row in connection.execute(mine.order_by(*by))]


def billed(connection: Connection, *, ingest_id: UUID) -> list[Bill]:
    """What an ingest has asked for, by class, tier and days."""
    rows = connection.execute(
        select(thaw_bills)
        .where(thaw_bills.c.ingest_id == ingest_id)
        .order_by(*(thaw_bills.c[name] for name in ("storage_class", "tier", "days", "extension")))
    )
    return [_bill(row) for row in rows]


def billed_to_campaign(connection: Connection, *, campaign_id: UUID) -> list[Bill]:
    """The same of all ingests that were made for a campaign; those it joined are others' bills."""
    names = ("storage_class", "tier", "days", "extension", "currency")
    by = [thaw_bills.c[name] for name in names]
    rows = connection.execute(
        select(
            *by,
            *(func.sum(thaw_bills.c[name]).label(name) for name in ("objects", "bytes", "cost")),
            func.bool_and(thaw_bills.c.priced).label("priced"),
        )
        .join(ingests, ingests.c.id == thaw_bills.c.ingest_id)
        .where(ingests.c.campaign_id == campaign_id)
        .group_by(*by)
        .order_by(*by)
    )
    return [_bill(row) for row in rows]


def _bill(row: Any) -> Bill:
    return Bill(
        storage_class=row.storage_class,
        tier=row.tier,
        days=row.days,
        extension=row.extension,
        objects=int(row.objects),
        bytes=int(row.bytes),
        cost=row.cost,
        currency=row.currency,
        priced=row.priced,
    )
