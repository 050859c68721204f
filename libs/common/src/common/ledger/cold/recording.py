"""Keeping in which storage classes the objects of registered copies were seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from common.domain.bag import BagVersion
from common.domain.storage_class import Classes

_OF_BAGS = text(
    """
    INSERT INTO copy_classes (bag_version_id, location_id, classes, seen_at)
    SELECT l.bag_version_id, l.location_id, s.classes,
        coalesce(CAST(:seen_at AS timestamptz), clock_timestamp())
    FROM jsonb_to_recordset(CAST(:seen AS jsonb)) AS s (space text, identifier text, version integer, classes jsonb)
    JOIN bag_versions b ON b.space = s.space AND b.external_identifier = s.identifier AND b.version = s.version
    JOIN bag_locations l ON l.bag_version_id = b.id AND l.location_id = :location
    ORDER BY 1
    ON CONFLICT (bag_version_id, location_id) DO UPDATE SET classes = excluded.classes, seen_at = excluded.seen_at
    WHERE copy_classes.seen_at <= excluded.seen_at AND (copy_classes.classes <> excluded.classes
        OR (copy_classes.seen_at AT TIME ZONE 'UTC')::date <> (excluded.seen_at AT TIME ZONE 'UTC')::date)
    """
)
_OF_COPY = text(
    """
    INSERT INTO copy_classes (bag_version_id, location_id, classes, seen_at)
    SELECT bag_version_id, location_id, CAST(:classes AS jsonb),
        coalesce(CAST(:seen_at AS timestamptz), clock_timestamp())
    FROM bag_locations WHERE bag_version_id = :bag AND location_id = :location
    ON CONFLICT (bag_version_id, location_id) DO UPDATE SET classes = excluded.classes, seen_at = excluded.seen_at
    WHERE copy_classes.seen_at <= excluded.seen_at AND (copy_classes.classes <> excluded.classes
        OR (copy_classes.seen_at AT TIME ZONE 'UTC')::date <> (excluded.seen_at AT TIME ZONE 'UTC')::date)
    """
)


def record(
    connection: Connection, *, location_id: str, seen: Mapping[BagVersion, Classes], seen_at: datetime | None = None
) -> None:
    """Note what was listed of bag versions at a location, at `seen_at` or just now.

    Copies that are not registered are passed over, and those of which something younger is known.
    """
    lines = [_line(bag, classes) for bag, classes in seen.items() if classes.amounts]
    if lines:
        connection.execute(_OF_BAGS, {"location": location_id, "seen": json.dumps(lines), "seen_at": seen_at})


def record_copy(
    connection: Connection, *, bag_version_id: int, location_id: str, classes: Classes, seen_at: datetime | None = None
) -> None:
    """Note what was listed of one copy, at `seen_at` or just now; nothing where it is not registered."""
    if classes.amounts:
        facts = {"bag": bag_version_id, "location": location_id, "seen_at": seen_at}
        connection.execute(_OF_COPY, facts | {"classes": json.dumps(classes.amounts)})


def _line(bag: BagVersion, classes: Classes) -> dict[str, Any]:
    return {
        "space": bag.space.value,
        "identifier": bag.external_identifier.value,
        "version": bag.version.number,
        "classes": classes.amounts,
    }
