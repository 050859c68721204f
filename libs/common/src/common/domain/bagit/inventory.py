"""Joins what a bag's manifests say with what the store has, in bounded memory for millions of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from common.domain.bagit import bag_info
from common.domain.bagit.bag_info import Oxum
from common.domain.bagit.checks import Checks
from common.domain.bagit.fetch import FetchEntry
from common.domain.bagit.inventory_sql import (
    Databases,
    closed_database,
    fetched_totals,
    join_rows,
    object_totals,
    on_disk,
    sort_entries,
    twin_rows,
)
from common.domain.bagit.joined import Known, ListedObject, PlannedFile, joined
from common.domain.bagit.manifest import Entry
from common.domain.bagit.names import PAYLOAD, Manifest, is_directory_marker, is_tag_manifest
from common.domain.bagit.policy import Policy
from common.domain.bagit.spelling import settle_spellings
from common.domain.bagit.twins import fold, twin_problems
from common.domain.fixity import Algorithm, Checksums
from common.domain.problem import Problem, bag_problem

_CACHE = 4 * 1024 * 1024
"""Bytes; SQLite sorts in as much again. More makes nothing faster: everything is written and read in order."""
_USUAL = Databases(cache_bytes=_CACHE)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a bag amounts to, directory markers left out."""

    files: int
    """Objects in the store."""
    bytes: int
    """Of these objects."""
    payload_files: int
    """Payload files, the ones to be fetched included."""
    payload_bytes: int | None
    """Of these; None where fetch.txt does not give a length."""


class Inventory:
    """Everything that is known about the files of one bag. Belongs to one thread; close it, or use it with `with`.
    Every method raises DiskFull where the temporary file finds no room; then only `close` is of use.

    First add, then ask: after `problems`, `files` or `totals` was called, only `add_measured` may add.
    Its temporary file lies where SQLite puts such files (SQLITE_TMPDIR, TMPDIR, /var/tmp).
    """

    def __init__(self, *, cache_bytes: int = _CACHE) -> None:
        self._databases = _USUAL if cache_bytes == _CACHE else Databases(cache_bytes=cache_bytes)
        self._database = self._databases.take()
        self._manifests: list[Manifest] = []
        self._settled = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything. Twice: nothing happens."""
        database, self._database = self._database, closed_database()
        self._databases.give_back(database)

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        return tuple(self._manifests)

    def add_objects(self, objects: Iterable[ListedObject]) -> None:
        """The store's listing; fastest in UTF-8 byte order of the paths. The last of equal paths wins."""
        self._must_be_open()
        rows = ((*entry, fold(entry[0])) for entry in objects)
        with on_disk():
            self._database.executemany("INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def add_entries(self, manifest: Manifest, entries: Iterable[Entry]) -> None:
        """The entries of one manifest, in any order."""
        self._must_be_open()
        number = len(self._manifests)
        self._manifests.append(manifest)
        rows = ((number, line, path, bytes.fromhex(digest), other) for line, path, digest, other in entries)
        with on_disk():
            self._database.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?)", rows)

    def add_fetch(self, entries: Iterable[FetchEntry]) -> None:
        """The entries of fetch.txt, in any order."""
        self._must_be_open()
        rows = ((path, line, url, size) for line, path, url, size in entries)
        with on_disk():
            self._database.executemany("INSERT INTO fetches VALUES (?, ?, ?, ?)", rows)

    def add_measured(self, path: str, digests: Checksums) -> None:
        """Digests of a file's bytes that `files` gives where no manifest has any: tag manifests are listed nowhere."""
        rows = [(path, algorithm.value, digest) for algorithm, digest in digests.items()]
        with on_disk():
            self._database.executemany("INSERT OR REPLACE INTO measured VALUES (?, ?, ?)", rows)

    def problems(self, *, policy: Policy, strict: bool, oxum: Oxum | None = None) -> Iterator[Problem]:
        """Whatever is wrong between manifests, fetch.txt, Payload-Oxum and the store. `strict`: BagIt 1.0 and later."""
        self._settle()
        checks = Checks(manifests=self._manifests, policy=policy, strict=strict)
        yield from checks.of_bag()
        check = checks.of_path()
        with on_disk():
            for known in joined(join_rows(self._database)):
                yield from check(known)
            yield from twin_problems(twin_rows(self._database))
        if oxum:
            yield from self._oxum_problems(oxum)

    def files(self) -> Iterator[PlannedFile]:
        """The files that are there or can be fetched, in UTF-8 byte order of their keys; directory markers left out."""
        self._settle()
        with on_disk():
            for known in joined(join_rows(self._database)):
                entry = known.entry
                if known.url or (entry and not is_directory_marker(known.path, entry.size)):
                    yield self._planned(known)

    @property
    def fetches(self) -> bool:
        """Whether fetch.txt names anything at all."""
        with on_disk():
            return self._database.execute("SELECT 1 FROM fetches LIMIT 1").fetchone() is not None

    def absent(self) -> Iterator[PlannedFile]:
        """The files that manifests list, and that neither are there nor can be fetched; their sizes are not known."""
        self._settle()
        with on_disk():
            for known in joined(join_rows(self._database)):
                if known.listed and not known.entry and not known.url:
                    yield self._planned(known)

    def unexpected(self) -> Iterator[str]:
        """The keys of objects that no manifest lists; tag manifests, which none need list, and directory markers
        left out."""
        self._settle()
        with on_disk():
            for known in joined(join_rows(self._database)):
                entry = known.entry
                if not entry or known.listed or is_tag_manifest(known.path):
                    continue
                if not is_directory_marker(known.path, entry.size):
                    yield known.path

    def expected(self, path: str) -> dict[Algorithm, str]:
        """What the manifests say of the file with this key; empty where they say nothing."""
        self._settle()
        rows = self._database.execute("SELECT manifest, digest FROM listed WHERE path = ?", (path,))
        return {self._manifests[number].algorithm: digest.hex() for number, digest in rows}

    def totals(self) -> Totals:
        self._settle()
        files, size, payload_files, payload_size = object_totals(self._database)
        fetched_files, fetched_size = fetched_totals(self._database)
        return Totals(
            files=files,
            bytes=size,
            payload_files=payload_files + fetched_files,
            payload_bytes=None if fetched_size is None else payload_size + fetched_size,
        )

    def _planned(self, known: Known) -> PlannedFile:
        entry, manifests = known.entry, self._manifests
        checksums = {manifests[n].algorithm: digest.hex() for n, (digest, _) in known.listed.items()}
        return PlannedFile(
            path=known.spelled,
            key=known.path,
            size=entry.size if entry else known.fetch_size,
            checksums=checksums or self._measured(known.path),
            etag=entry.etag if entry else None,
            version_id=entry.version_id if entry else None,
            storage_class=entry.storage_class if entry else None,
            extra=entry.extra if entry else None,
            url=None if entry else known.url,
            is_tag=not known.path.startswith(PAYLOAD),
        )

    def _measured(self, path: str) -> dict[Algorithm, str]:
        rows = self._database.execute("SELECT algorithm, digest FROM measured WHERE path = ?", (path,))
        return {Algorithm(name): digest for name, digest in rows}

    def _oxum_problems(self, oxum: Oxum) -> Iterator[Problem]:
        totals = self.totals()
        octets = oxum.octets if totals.payload_bytes is None else totals.payload_bytes
        if (octets, totals.payload_files) != (oxum.octets, oxum.files):
            what = f"Payload-Oxum is {oxum}, the payload is {Oxum(octets, totals.payload_files)}"
            yield bag_problem("bag_oxum_mismatch", what, path=bag_info.NAME)

    def _settle(self) -> None:
        if not self._settled:
            self._settled = True
            with on_disk():
                sort_entries(self._database)
                settle_spellings(self._database)

    def _must_be_open(self) -> None:
        if self._settled:
            raise RuntimeError("the inventory was asked already: add objects, entries and fetches first")
