"""The sums of storage classes: exact at any time, and read without looking at any bag."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select, text

from common.domain.replica import EvidenceClass
from common.domain.storage_class import ARCHIVED, UNKNOWN

_LOCK = 0x636F6C64
"""Advisory lock: "cold" in ASCII."""
_FOLD = text(
    """
    WITH gone AS (DELETE FROM cold_changes RETURNING *)
    INSERT INTO cold_sums AS s (location_id, space, storage_class, state, seen_on, bags, files, bytes)
    SELECT location_id, space, storage_class, state, seen_on, sum(bags), sum(files), sum(bytes)
    FROM gone GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (location_id, space, storage_class, state, seen_on) DO UPDATE
    SET bags = s.bags + excluded.bags, files = s.files + excluded.files, bytes = s.bytes + excluded.bytes
    """
)
_EMPTY = text("DELETE FROM cold_sums WHERE bags = 0 AND files = 0 AND bytes = 0")
_LYING = text(
    """
    WITH every AS (
        SELECT location_id, space, storage_class, state, seen_on, bags, files, bytes FROM cold_sums
        UNION ALL
        SELECT location_id, space, storage_class, state, seen_on, bags, files, bytes FROM cold_changes
    ), daily AS (
        SELECT location_id, space, storage_class, state, seen_on, sum(bags) AS bags, sum(files) AS files,
            sum(bytes) AS bytes
        FROM every
        WHERE (CAST(:location AS text) IS NULL OR location_id = :location)
            AND (CAST(:space AS text) IS NULL OR space = :space)
        GROUP BY 1, 2, 3, 4, 5
    ), held AS (
        SELECT location_id, space, bags, files, bytes FROM coverage WHERE state = ANY(:held) AND location_id <> ''
        UNION ALL
        SELECT location_id, space, bags, files, bytes FROM coverage_changes
        WHERE state = ANY(:held) AND location_id <> ''
        UNION ALL
        SELECT location_id, space, -bags, -files, -bytes FROM daily WHERE state = 'known'
    ), parts AS (
        SELECT location_id, space, storage_class, state, seen_on, bags, files, bytes FROM daily WHERE state <> 'known'
        UNION ALL
        SELECT location_id, space, :unknown, 'lying', NULL, bags, files, bytes FROM held
        WHERE (CAST(:location AS text) IS NULL OR location_id = :location)
            AND (CAST(:space AS text) IS NULL OR space = :space)
    )
    SELECT location_id, CASE WHEN :by_space THEN space END AS space, storage_class,
        coalesce(sum(bags) FILTER (WHERE state = 'lying'), 0) AS bags,
        coalesce(sum(files) FILTER (WHERE state = 'lying'), 0) AS files,
        coalesce(sum(bytes) FILTER (WHERE state = 'lying'), 0) AS bytes,
        coalesce(sum(files) FILTER (WHERE state = 'restoring'), 0) AS restoring_files,
        coalesce(sum(bytes) FILTER (WHERE state = 'restoring'), 0) AS restoring_bytes,
        coalesce(sum(files) FILTER (WHERE state = 'restored'), 0) AS restored_files,
        coalesce(sum(bytes) FILTER (WHERE state = 'restored'), 0) AS restored_bytes,
        min(seen_on) FILTER (WHERE state = 'lying' AND bags > 0) AS seen_from,
        max(seen_on) FILTER (WHERE state = 'lying' AND bags > 0) AS seen_to
    FROM parts
    GROUP BY 1, 2, 3
    HAVING coalesce(sum(bags) FILTER (WHERE state = 'lying'), 0) > 0
        OR coalesce(sum(files) FILTER (WHERE state <> 'lying'), 0) > 0
    ORDER BY 1, 2 NULLS FIRST, 3
    """
)


@dataclass(frozen=True, slots=True)
class ClassAmount:
    """What of a location, or of one of its spaces, lies in a storage class."""

    location: str
    space: str | None
    """None: of all the spaces that were asked for."""
    storage_class: str
    """As the provider names it; "unknown": copies that nobody listed since they are registered."""
    bags: int
    """Bag versions with an object in the class; one whose objects lie in two counts in both."""
    files: int
    """Objects; of what is unknown the files of the bags' manifests."""
    bytes: int
    restoring_files: int
    """Asked for, and not readable yet."""
    restoring_bytes: int
    restored_files: int
    """Brought back, and not copied yet."""
    restored_bytes: int
    seen_from: date | None
    """The day of the oldest list that says so; None where it is unknown."""
    seen_to: date | None
    """The day of the youngest."""

    @property
    def archived(self) -> bool:
        """Whether its objects have to be brought back before they can be read."""
        return self.storage_class in ARCHIVED


def fold(connection: Connection) -> int:
    """Add the changes to the sums, so that reading stays quick; how many sums changed. 0 while another does it."""
    if not connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
        return 0
    changed = int(connection.execute(_FOLD).rowcount)
    if changed:
        connection.execute(_EMPTY)
    return changed


def lying(
    connection: Connection, *, location: str | None = None, space: str | None = None, by_space: bool = False
) -> list[ClassAmount]:
    """By location, space (only with `by_space`) and class. To be read in one snapshot (REPEATABLE READ)."""
    asked: dict[str, Any] = {"location": location, "space": space, "by_space": by_space}
    rows = connection.execute(
        _LYING, asked | {"held": [evidence.value for evidence in EvidenceClass], "unknown": UNKNOWN}
    )
    return [
        ClassAmount(
            location=row.location_id,
            space=row.space,
            storage_class=row.storage_class,
            bags=int(row.bags),
            files=int(row.files),
            bytes=int(row.bytes),
            restoring_files=int(row.restoring_files),
            restoring_bytes=int(row.restoring_bytes),
            restored_files=int(row.restored_files),
            restored_bytes=int(row.restored_bytes),
            seen_from=row.seen_from,
            seen_to=row.seen_to,
        )
        for row in rows
    ]
