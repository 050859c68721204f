"""News for whoever listens on the broker: written by triggers in the transaction that made them true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from common.domain.bag import BagVersion
from common.ledger.asking_tables import announcements
from common.ledger.tables import bag_versions, outbox


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that has happened, as the ledger noted it."""

    event_id: UUID
    type: str
    """ingest.finished, bag.registered, campaign.progressed, copy.bad, copy.recovered or check.failed."""
    subject: str
    """The id of the ingest, bag version, campaign or check."""
    detail: Mapping[str, Any]
    created_at: datetime


def announce(connection: Connection, *, type: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Note something that no trigger sees, in the transaction that makes it true."""
    connection.execute(insert(announcements).inline().values(type=type, subject=subject, detail=dict(detail)))


def take(connection: Connection, *, at_most: int) -> list[Announcement]:
    """The oldest news, which are forgotten when the transaction commits. Those that another takes are left out."""
    rows = connection.execute(
        select(announcements).order_by(announcements.c.id).limit(at_most).with_for_update(skip_locked=True)
    ).all()
    if rows:
        connection.execute(delete(announcements).where(announcements.c.id.in_([row.id for row in rows])))
    return [Announcement(row.event_id, row.type, row.subject, row.detail, row.created_at) for row in rows]


def forget(connection: Connection, *, at_most: int) -> int:
    """Forget the oldest news, which nobody listens for, without reading them; how many there were."""
    oldest = select(announcements.c.id).order_by(announcements.c.id).limit(at_most).with_for_update(skip_locked=True)
    return connection.execute(delete(announcements).where(announcements.c.id.in_(oldest))).rowcount


def bag_of(connection: Connection, bag_version_id: int) -> BagVersion:
    row = connection.execute(select(bag_versions).where(bag_versions.c.id == bag_version_id)).one()
    return BagVersion.of(row.space, row.external_identifier, row.version)


def post(connection: Connection, *, event_id: UUID, queue: str, body: str) -> None:
    """Hand it to the relay, in the same transaction: it is published exactly if it is not noted any more."""
    connection.execute(insert(outbox).values(message_id=event_id, queue=queue, body=body))
