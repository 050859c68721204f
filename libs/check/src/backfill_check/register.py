"""What the ledger says is stored, in plain SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from backfill_check.stores import Unreachable
from common.domain.bag import BagVersion

_BATCH = 1000
_COPIES = """
SELECT b.id, b.space, b.external_identifier, b.version, b.pins, b.file_count, b.bytes,
    (l.prefix || b.space || '/' || b.external_identifier || '/v' || b.version || '/') COLLATE "C" AS root,
    coalesce(p.at, 'epoch'::timestamptz)::text AS proven
FROM bag_locations bl JOIN bag_versions b ON b.id = bl.bag_version_id JOIN locations l ON l.id = bl.location_id
LEFT JOIN LATERAL (SELECT max(e.recorded_at) AS at FROM evidence e WHERE %(proven)s AND e.bag_version_id = b.id
    AND e.location_id = bl.location_id AND e.outcome = 'match' AND e.evidence_class >= 'E3') p ON true
WHERE bl.location_id = %(location)s AND (%(space)s::text IS NULL OR b.space = %(space)s)
    AND (%(identifier)s::text IS NULL OR b.external_identifier = %(identifier)s)
    AND (%(version)s::int IS NULL OR b.version = %(version)s)
"""
_BY_KEY = "ORDER BY root"
_OLDEST = "ORDER BY p.at NULLS FIRST, root"


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be checked at a location."""

    space: str | None = None
    identifier: str | None = None
    version: int | None = None

    def prefix(self, location_prefix: str) -> str:
        """What all its keys begin with."""
        parts = [self.space, self.identifier, None if self.version is None else f"v{self.version}"]
        named = [part for part in parts if part is not None]
        return location_prefix + "".join(f"{part}/" for part in named)


@dataclass(frozen=True, slots=True)
class Copy:
    """A bag version that is registered at a location."""

    bag_version_id: int
    bag: BagVersion
    root: str
    """What its keys begin with, with the slash."""
    pins: Mapping[str, str]
    files: int
    bytes: int
    place: tuple[str, ...]
    """Where it comes in the order that was asked for."""


class Ledger:
    """A connection that can only read."""

    def __init__(self, dsn: str) -> None:
        try:
            self._connection = psycopg.connect(dsn.replace("postgresql+psycopg", "postgresql"), autocommit=False)
            self._connection.execute("SET default_transaction_read_only = on; SET timezone = 'UTC'")
            self._connection.commit()
            self._sizes = psycopg.connect(dsn.replace("postgresql+psycopg", "postgresql"), autocommit=True)
        except psycopg.Error as error:
            raise Unreachable(f"the ledger (BACKFILL_DATABASE_URL): {error}") from error

    def close(self) -> None:
        self._connection.close()
        self._sizes.close()

    def locations(self) -> set[str]:
        return {row[0] for row in self._sizes.execute("SELECT id FROM locations")}

    def copies(
        self, location: str, target: Target, *, oldest_first: bool, after: tuple[str, ...] | None
    ) -> Iterator[Copy]:
        """The copies at a location, streamed: by key, or those first that were proven longest ago, or never."""
        wanted = {
            "location": location,
            "space": target.space,
            "identifier": target.identifier,
            "version": target.version,
            "proven": oldest_first,
        }
        query = sql.SQL(_COPIES + (_OLDEST if oldest_first else _BY_KEY))
        with self._connection.cursor(name="copies") as cursor:
            cursor.itersize = _BATCH
            for row in cursor.execute(query, wanted):
                copy = _copy(row, oldest_first=oldest_first)
                if after is None or _bytes(copy.place) > _bytes(after):
                    yield copy
        self._connection.rollback()

    def sizes(self, copy: Copy, location: str) -> Iterator[tuple[str, int]]:
        """What the last good read of each file measured, by path in UTF-8 byte order, streamed."""
        with self._sizes.transaction(), self._sizes.cursor(name="sizes") as cursor:
            cursor.itersize = _BATCH
            yield from cursor.execute(
                'SELECT DISTINCT ON (path COLLATE "C") path, bytes FROM evidence'
                " WHERE bag_version_id = %s AND location_id = %s AND outcome = 'match' AND evidence_class >= 'E3'"
                ' ORDER BY path COLLATE "C", id DESC',
                (copy.bag_version_id, location),
            )


def _copy(row: Any, *, oldest_first: bool) -> Copy:
    number, space, identifier, version, pins, files, size, root, proven = row
    place = (proven, root) if oldest_first else (root,)
    return Copy(number, BagVersion.of(space, identifier, version), root, pins, files, size, place)


def _bytes(place: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(part.encode() for part in place)
