"""The SQL of the inventory: a private temporary database that lives in memory up to its cache, then in a file that
nobody else can open and that vanishes with the connection.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
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

_EMPTY = """
DELETE FROM staged; DELETE FROM objects; DELETE FROM fetches; DELETE FROM measured; DELETE FROM listed;
DELETE FROM unmatched; DROP INDEX IF EXISTS objects_by_fold;
"""
_CALLER_AND_US = 3
"""Names of a database that nobody reads any more, that of the asking included: a reader's cursor is one more, and must
not find the next bag in it."""
_MOST_PAGES = 64
"""Half a MiB: a database that has grown does not shrink."""
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


@cache
def closed_database() -> sqlite3.Connection:
    """What nothing can be asked of: sqlite3.ProgrammingError, always."""
    database = sqlite3.connect("", check_same_thread=False)
    database.close()
    return database


class Databases:
    """Empty inventories of one kind; used ones are emptied for the next bag where that is cheap.

    To make one takes as long as to read a small bag into it, and most bags are small. A thread has its own.
    """

    def __init__(self, *, cache_bytes: int) -> None:
        self._cache_bytes = cache_bytes
        self._spare = threading.local()

    def take(self) -> sqlite3.Connection:
        spare: sqlite3.Connection | None = self._spare.__dict__.pop("database", None)
        return spare or open_database(cache_bytes=self._cache_bytes)

    def give_back(self, database: sqlite3.Connection) -> None:
        """Forget everything in it; closed, or kept for the next. The caller has one name for it and lets go of it."""
        if sys.getrefcount(database) <= _CALLER_AND_US and "database" not in self._spare.__dict__:
            with suppress(sqlite3.Error):  # closed already, full, or of another thread
                if database.execute("PRAGMA page_count").fetchone()[0] <= _MOST_PAGES:
                    database.executescript(_EMPTY)
                    self._spare.database = database
                    return
        database.close()


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
