"""The SQL of the inventory: a private temporary database that lives in memory up to its cache, then in a file that
nobody else can open and that vanishes with the connection.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from common.errors import DiskFull

_SCHEMA = """
PRAGMA page_size = 8192;
PRAGMA cache_size = -{kib};
PRAGMA temp_store = FILE;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
CREATE TABLE staged (manifest INTEGER, line INTEGER, path TEXT, digest BLOB, other TEXT);
CREATE TABLE objects (
    path TEXT PRIMARY KEY, size INTEGER, etag TEXT, version_id TEXT, storage_class TEXT, extra TEXT, fold INTEGER
) WITHOUT ROWID;
CREATE TABLE fetches (path TEXT, line INTEGER, url TEXT, size INTEGER);
CREATE TABLE measured (path TEXT, algorithm TEXT, digest TEXT, PRIMARY KEY (path, algorithm)) WITHOUT ROWID;
CREATE TABLE listed (
    path TEXT, manifest INTEGER, line INTEGER, digest BLOB, said TEXT, how TEXT, other TEXT,
    PRIMARY KEY (path, manifest, line)
) WITHOUT ROWID;
CREATE TABLE unmatched (path TEXT, manifest INTEGER, line INTEGER, other TEXT);
BEGIN;
"""

# Sorted once, so that every later pass reads it in order.
_SORT = """
INSERT INTO listed
    SELECT path, manifest, line, digest, NULL, CASE WHEN other = path THEN 'bag_percent_legacy' END, other
    FROM staged ORDER BY path, manifest, line
"""
_UNMATCHED = """
INSERT INTO unmatched SELECT path, manifest, line, other FROM listed
    WHERE NOT EXISTS (SELECT 1 FROM objects WHERE objects.path = listed.path)
"""
_JOIN = """
SELECT path, 0, manifest, line, digest, said, how FROM listed
UNION ALL SELECT path, 1, size, etag, version_id, storage_class, extra FROM objects
UNION ALL SELECT path, 2, line, url, size, NULL, NULL FROM fetches
ORDER BY 1
"""
_TWINS = """
SELECT fold, path FROM objects
    WHERE fold IN (SELECT fold FROM objects GROUP BY fold HAVING count(*) > 1) ORDER BY fold, path
"""
_TOTALS = """
SELECT count(*), coalesce(sum(size), 0), count(*) FILTER (WHERE payload), coalesce(sum(size) FILTER (WHERE payload), 0)
    FROM (SELECT size, path >= 'data/' AND path < 'data0' AS payload FROM objects
          WHERE NOT (size = 0 AND (path = '' OR substr(path, -1) = '/')))
"""
_FETCHED = """
SELECT count(*), CASE WHEN count(*) = count(size) THEN coalesce(sum(size), 0) END FROM (
    SELECT path, max(size) AS size FROM fetches
    WHERE NOT EXISTS (SELECT 1 FROM objects WHERE objects.path = fetches.path) GROUP BY path)
"""

_NO_ROOM = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN")

Row = tuple[Any, ...]


@contextmanager
def on_disk() -> Iterator[None]:
    """Around every use of the database: a disk that is full raises DiskFull."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if not error.sqlite_errorname.startswith(_NO_ROOM):
            raise
        where = os.environ.get("SQLITE_TMPDIR") or os.environ.get("TMPDIR") or "/var/tmp"  # noqa: S108 - where SQLite goes
        raise DiskFull(f"the bag's inventory found no room in {where}: {error}") from error


def open_database(*, cache_bytes: int) -> sqlite3.Connection:
    """An empty inventory that keeps about `cache_bytes` in memory."""
    database = sqlite3.connect("", isolation_level=None)
    database.executescript(_SCHEMA.format(kib=cache_bytes // 1024))
    return database


def sort_entries(database: sqlite3.Connection) -> None:
    """Move what was staged into `listed`, and note what names no object."""
    database.execute(_SORT)
    database.execute("DELETE FROM staged")
    database.execute(_UNMATCHED)


def join_rows(database: sqlite3.Connection) -> Iterator[Row]:
    """Rows for common.domain.bagit.joined, by path in UTF-8 byte order."""
    return database.execute(_JOIN)


def twin_rows(database: sqlite3.Connection) -> Iterator[tuple[int, str]]:
    """Fold and path of every object whose fold is not its own."""
    return database.execute(_TWINS)


def object_totals(database: sqlite3.Connection) -> tuple[int, int, int, int]:
    """Files, bytes, payload files and payload bytes in the store, directory markers left out."""
    files, size, payload_files, payload_size = database.execute(_TOTALS).fetchone()
    return files, size, payload_files, payload_size


def fetched_totals(database: sqlite3.Connection) -> tuple[int, int | None]:
    """Files of fetch.txt that are not in the store, and their bytes; None where a length is unknown."""
    files, size = database.execute(_FETCHED).fetchone()
    return files, size
