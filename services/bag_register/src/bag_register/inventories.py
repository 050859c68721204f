"""S3 Inventory: lists that the provider writes of a bucket, read in place of asking for every page of a listing.

What is read here was true when the inventory was made. Tag files are read from the store itself, as the inventory names
them: one that was written since is not taken for it.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import json
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import unquote_plus

from common.errors import NotFound
from common.ports import ObjectInfo, ObjectStore
from common.whole import read_whole

_PAGE = 1000
_MOST = 64 << 20
"""Bytes of a manifest.json; one of ten thousand files has two million."""
_MANIFEST, _SYMLINK = "manifest.json", "symlink.txt"
_Row = tuple[bytes, int, str, str | None, str | None]
_CREATE = "CREATE TABLE objects (key BLOB PRIMARY KEY, size INTEGER, etag TEXT, version TEXT, class TEXT) WITHOUT ROWID"


class InventoryFault(ValueError):
    """The inventory cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class _File:
    key: str
    md5: str | None


class Inventory:
    """The objects of an inventory, by key, in a private temporary database. Use it from any thread; close it."""

    def __init__(self, *, tells_classes: bool, made_at: datetime | None) -> None:
        self.made_at = made_at
        """When the provider listed the bucket, or wrote down what it had listed."""
        self.tells_classes = tells_classes
        """Whether every list in it has a column of storage classes."""
        self._lock = threading.Lock()
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(_CREATE)

    def close(self) -> None:
        self._database.close()

    def add(self, rows: Iterable[_Row]) -> None:
        """In any order; the last of one key stays."""
        with self._lock:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)", rows)
            self._database.execute("COMMIT")

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        """As a store does."""
        begins, after = prefix.encode(), (start_after or "").encode()
        while True:
            with self._lock:
                rows = self._database.execute(
                    "SELECT * FROM objects WHERE key > ? AND key >= ? ORDER BY key LIMIT ?", (after, begins, _PAGE)
                ).fetchall()
            for key, size, etag, version, storage_class in rows:
                if not key.startswith(begins):
                    return
                yield ObjectInfo(key.decode(), size, etag, version_id=version, storage_class=storage_class)
            if len(rows) < _PAGE:
                return
            after = rows[-1][0]


def read_inventory(store: ObjectStore, *, key: str, bucket: str, checkpoint: Callable[[], None]) -> Inventory:
    """Read the inventory of `bucket` whose manifest.json or symlink.txt is `key` in `store`. Raises InventoryFault."""
    schema, files, made_at = _contents(store, key, bucket)
    found = Inventory(tells_classes=schema is None or "StorageClass" in schema, made_at=made_at)
    try:
        for file in files:
            with tempfile.TemporaryFile() as spool:
                _download(store, file, spool, checkpoint)
                found.add(_parquet(spool, found) if schema is None else _csv(spool, schema, bucket))
    except BaseException:
        found.close()
        raise
    return found


def _contents(store: ObjectStore, key: str, bucket: str) -> tuple[list[str] | None, list[_File], datetime | None]:
    """The columns of CSV, None for Parquet; the files; and when it was made."""
    try:
        whole = read_whole(store, key=key, most=_MOST)
    except NotFound as error:
        raise InventoryFault(f"{error}: {key} is not there") from None
    if whole is None:
        raise InventoryFault(f"{key} has more than {_MOST} bytes")
    if key.endswith(_SYMLINK):
        lines = whole.decode().split()
        if not all(line.startswith("s3://") and line.endswith(".parquet") for line in lines):
            raise InventoryFault(f"{key} names files that are not Parquet: their columns are in {_MANIFEST} only")
        made_at = store.head(key=key).last_modified
        return None, [_File(line.removeprefix("s3://").partition("/")[2], None) for line in lines], made_at
    try:
        document = json.loads(whole)
        schema, files = _described(key, document, bucket)
        began = document.get("creationTimestamp")
        made_at = datetime.fromtimestamp(int(began) / 1000, UTC) if began else store.head(key=key).last_modified
        return schema, files, made_at
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InventoryFault(f"{key} is not the manifest of an inventory: {type(error).__name__}: {error}") from None


def _described(key: str, document: dict[str, Any], bucket: str) -> tuple[list[str] | None, list[_File]]:
    if document["sourceBucket"] != bucket:
        raise InventoryFault(f"{key} is of the bucket {document['sourceBucket']}, the location's is {bucket}")
    files = [_File(each["key"], each.get("MD5checksum")) for each in document["files"]]
    if document["fileFormat"] == "Parquet":
        return None, files
    if document["fileFormat"] != "CSV":
        raise InventoryFault(f"{key} is of files in {document['fileFormat']}, which cannot be read")
    schema = [column.strip() for column in document["fileSchema"].split(",")]
    if missing := {"Key", "Size", "ETag"} - set(schema):
        raise InventoryFault(f"{key} has no column {', '.join(sorted(missing))}: have the inventory list it")
    return schema, files


def _download(store: ObjectStore, file: _File, spool: IO[bytes], checkpoint: Callable[[], None]) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with store.read(key=file.key) as body:
            for block in body:
                checkpoint()
                digest.update(block)
                spool.write(block)
    except NotFound as error:
        raise InventoryFault(f"{error}: a file of the inventory is not there") from None
    if file.md5 is not None and digest.hexdigest() != file.md5.lower():
        raise InventoryFault(f"{file.key} has the MD5 {digest.hexdigest()}, the inventory's manifest says {file.md5}")
    spool.seek(0)


def _csv(spool: IO[bytes], schema: list[str], bucket: str) -> Iterator[_Row]:
    packed = spool.read(2) == b"\x1f\x8b"
    spool.seek(0)
    with gzip.open(spool) if packed else nullcontext(spool) as plain:
        for line in csv.reader(codecs.getreader("utf-8")(plain)):
            facts = dict(zip(schema, line, strict=False))
            if facts.get("Bucket", bucket) == bucket and _is_current(
                facts.get("IsLatest"), facts.get("IsDeleteMarker")
            ):
                key = unquote_plus(facts["Key"])
                yield _row(key, facts["Size"], facts["ETag"], facts.get("VersionId"), facts.get("StorageClass"))


def _parquet(spool: IO[bytes], found: Inventory) -> Iterator[_Row]:
    try:
        from arro3.io import read_parquet
    except ImportError:
        raise InventoryFault("Parquet needs the extra: pip install 'backfill-bag-register[parquet]'") from None
    for batch in read_parquet(spool):
        columns = {name: batch.column(name).to_pylist() for name in batch.schema.names}
        found.tells_classes = found.tells_classes and "storage_class" in columns
        nothing = [None] * batch.num_rows
        wanted = ("is_latest", "is_delete_marker", "key", "size", "e_tag", "version_id", "storage_class")
        for latest, marker, key, size, etag, version, kept in zip(
            *(columns.get(name, nothing) for name in wanted), strict=True
        ):
            if _is_current(latest, marker):
                yield _row(_text(key), size, _text(etag), _text(version), _text(kept))


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _is_current(latest: Any, marker: Any) -> bool:
    return str(latest).lower() != "false" and str(marker).lower() != "true"


def _row(key: str, size: Any, etag: str, version: str | None, storage_class: str | None) -> _Row:
    shown = None if storage_class in (None, "", "STANDARD") else storage_class
    return key.encode(), int(size or 0), etag.strip('"'), version or None, shown
