"""Uploads that were neither committed nor aborted: whose they are, and what the last look at a location found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, and_, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from common.domain.location import Location
from common.domain.replica import SegmentState
from common.ledger.claims import interval
from common.ledger.columns import NOW
from common.ledger.locations import location_of
from common.ledger.tables import bag_versions, locations, replicas, segments
from common.ledger.upkeep_tables import unfinished_uploads
from common.ports import PendingUpload

_OPEN = [state.value for state in SegmentState if not state.terminal]
_VERSION = re.compile(r"v([1-9][0-9]{0,8})")


class Owner(StrEnum):
    """Whose an upload is."""

    LIVE = "live"
    """A segment's that is still worked on: its next attempt takes the upload up."""
    ABANDONED = "abandoned"
    """A segment's that has ended: nobody will ever take it up."""
    UNKNOWN = "unknown"
    """No segment's. Somebody else's, or ours from a worker that died before it could note it."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload as the last look at its location found it."""

    location_id: str
    key: str
    upload_id: str
    owner: Owner
    since: datetime
    """When it was begun, or seen first where the store does not say when it was begun."""
    aborted_at: datetime | None


def destinations(connection: Connection) -> list[Location]:
    """The locations that anything was ever copied to, by id."""
    rows = connection.execute(
        select(locations)
        .where(locations.c.id.in_(select(replicas.c.location_id).distinct()))
        .order_by(locations.c.id.collate("C"))
    )
    return [location_of(row) for row in rows]


def begin_look(connection: Connection, location: Location, *, every: timedelta) -> bool:
    """Whether it is time for a look at the location's uploads; True to one process of a deployment only."""
    due = or_(locations.c.swept_at.is_(None), locations.c.swept_at < func.clock_timestamp() - interval(every))
    looked = connection.execute(update(locations).where(locations.c.id == location.id.value, due).values(swept_at=NOW))
    return looked.rowcount == 1


def owner(connection: Connection, location: Location, upload: PendingUpload) -> Owner:
    """Whose the upload is, by the notes that replicators leave with their segments."""
    bags = _bags_of(upload.key.removeprefix(location.prefix))
    if not bags:
        return Owner.UNKNOWN
    noted = segments.c.progress["uploads"][upload.key].astext == upload.upload_id
    states = connection.execute(
        select(segments.c.state)
        .join(replicas, replicas.c.id == segments.c.replica_id)
        .join(bag_versions, bag_versions.c.id == replicas.c.bag_version_id)
        .where(
            replicas.c.location_id == location.id.value,
            tuple_(bag_versions.c.space, bag_versions.c.external_identifier, bag_versions.c.version).in_(bags),
            noted,
        )
    ).scalars()
    found = set(states)
    if not found:
        return Owner.UNKNOWN
    return Owner.ABANDONED if found.isdisjoint(_OPEN) else Owner.LIVE


def _bags_of(path: str) -> list[tuple[str, str, int]]:
    """The bag versions below whose root `path` could lie: an external identifier may hold slashes and versions."""
    space, *rest = path.split("/")
    found = ((index, _VERSION.fullmatch(name)) for index, name in enumerate(rest))
    return [(space, "/".join(rest[:index]), int(match[1])) for index, match in found if match and index]


def seen(connection: Connection, location: Location, uploads: Sequence[tuple[PendingUpload, Owner]]) -> None:
    """Write down what a look at the location found; what it did not find is forgotten, unless we aborted it."""
    here = unfinished_uploads.c.location_id == location.id.value
    began = connection.execute(select(func.clock_timestamp())).scalar_one()
    for upload, whose in uploads:
        connection.execute(
            insert(unfinished_uploads)
            .values(
                location_id=location.id.value,
                key=upload.key,
                upload_id=upload.upload_id,
                owner=whose.value,
                started_at=upload.started_at,
            )
            .on_conflict_do_update(
                index_elements=["location_id", "key", "upload_id"], set_={"owner": whose.value, "seen_at": NOW}
            )
        )
    connection.execute(
        delete(unfinished_uploads).where(
            here, unfinished_uploads.c.seen_at < began, unfinished_uploads.c.aborted_at.is_(None)
        )
    )


def aborted(connection: Connection, location: Location, upload: PendingUpload) -> None:
    """The store has forgotten the upload, because we asked."""
    connection.execute(
        unfinished_uploads.update()
        .where(
            unfinished_uploads.c.location_id == location.id.value,
            unfinished_uploads.c.key == upload.key,
            unfinished_uploads.c.upload_id == upload.upload_id,
        )
        .values(aborted_at=NOW)
    )


def unfinished(
    connection: Connection, *, location_id: str, after: tuple[str, str] | None = None, limit: int
) -> list[Unfinished]:
    """A page of at most `limit`, by key and upload id, beginning behind the pair `after`."""
    table = unfinished_uploads
    query = select(table).where(table.c.location_id == location_id)
    if after is not None:
        key, upload_id = after
        query = query.where(or_(table.c.key > key, and_(table.c.key == key, table.c.upload_id > upload_id)))
    rows = connection.execute(query.order_by(table.c.key, table.c.upload_id).limit(limit))
    return [_unfinished(row) for row in rows]


def find(connection: Connection, location: Location, upload: PendingUpload) -> Unfinished:
    """An upload that :func:`seen` wrote down."""
    table = unfinished_uploads
    row = connection.execute(
        select(table).where(
            table.c.location_id == location.id.value,
            table.c.key == upload.key,
            table.c.upload_id == upload.upload_id,
        )
    ).one()
    return _unfinished(row)


def _unfinished(row: Any) -> Unfinished:
    return Unfinished(
        location_id=row.location_id,
        key=row.key,
        upload_id=row.upload_id,
        owner=Owner(row.owner),
        since=row.started_at or row.first_seen_at,
        aborted_at=row.aborted_at,
    )
