"""S1, S2, S3: what the register says about a place is true of the bytes that lie there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from invariants import bagit
from invariants.ports import Connection, Store, Violation, Watched


@dataclass(frozen=True, slots=True)
class Copy:
    """A row of the register that claims that every byte was read back."""

    bag_version_id: int
    location: str
    ingest_id: object
    root: str
    """Key prefix of all versions of the bag at the location, without a slash at the end."""
    version: str
    pins: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.root}/{self.version} at {self.location}"


def copies(connection: Connection, *, only: set[int] | None = None) -> list[Copy]:
    """All copies of the register but the imported ones; `only` of these bag versions."""
    rows = connection.execute(
        "SELECT b.id, bl.location_id, bl.ingest_id, l.prefix || b.space || '/' || b.external_identifier, b.version,"
        " b.pins FROM bag_locations bl JOIN bag_versions b ON b.id = bl.bag_version_id"
        " JOIN locations l ON l.id = bl.location_id WHERE bl.role = 'replica' AND bl.evidence_class >= 'E3'"
        " AND (%(only)s::bigint[] IS NULL OR b.id = ANY(%(only)s))",
        {"only": None if only is None else list(only)},
    ).fetchall()
    return [Copy(*row[:4], f"v{row[4]}", row[5]) for row in rows]


def check_copy(connection: Connection, store: Store, copy: Copy) -> Iterator[Violation]:
    """Read everything of one copy and hold it against its own manifests, the pins and the evidence."""
    root = f"{copy.root}/{copy.version}/"
    held = {_plain(key.removeprefix(root)): key for key in store.keys(root)}
    manifests = {name: store.read(held[name]) for name in bagit.manifest_names(list(held))}
    expected = bagit.digests(manifests) | {name: {} for name in manifests if bagit.is_tag_manifest(name)}
    elsewhere = bagit.fetched(store.read(held["fetch.txt"])) if "fetch.txt" in held else set()
    yield from _same_bag(store, copy, held)
    wanted = expected.keys() - elsewhere
    if extra := sorted(held.keys() - wanted):
        yield Violation("S2", copy.name, f"more than the manifests name: {', '.join(extra)}")
    if missing := sorted(wanted - held.keys()):
        yield Violation("S2", copy.name, f"missing: {', '.join(missing)}")
    yield from _bytes(store, copy, {path: key for path, key in held.items() if path in wanted}, expected)
    yield from _evidence(connection, store, copy, set(expected), held)


def _bytes(store: Store, copy: Copy, held: dict[str, str], expected: dict[str, dict[str, str]]) -> Iterator[Violation]:
    for path, key in held.items():
        if wrong := bagit.mismatch(store.read(key), expected[path]):
            yield Violation("S1", copy.name, f"{path}: {wrong}")


def _same_bag(store: Store, copy: Copy, held: dict[str, str]) -> Iterator[Violation]:
    if not copy.pins:
        yield Violation("S3", copy.name, "the register has no pins for it")
    for path, digest in copy.pins.items():
        if path not in held:
            yield Violation("S3", copy.name, f"{path} is pinned and missing")
        elif hashlib.sha256(store.read(held[path])).hexdigest() != digest:
            yield Violation("S3", copy.name, f"{path} is not the file that the bag was registered with")


def _evidence(
    connection: Connection, store: Store, copy: Copy, paths: set[str], held: dict[str, str]
) -> Iterator[Violation]:
    """Every file was read back by the ingest that registered the copy, and the object read is the one that is there."""
    rows = connection.execute(
        "SELECT path, etag, version_id, expected = measured FROM evidence WHERE ingest_id = %s AND location_id = %s"
        " AND outcome = 'match' AND evidence_class = 'E3' ORDER BY id",
        (copy.ingest_id, copy.location),
    ).fetchall()
    proof = {row[0]: row[1:] for row in rows}
    for path in sorted(paths - proof.keys()):
        yield Violation("S1", copy.name, f"{path} was never read back")
    for path, (etag, version_id, agrees) in proof.items():
        if not agrees:
            yield Violation("S1", copy.name, f"{path}: the evidence says match, its digests differ")
        if etag is None and version_id is None:
            yield Violation("S1", copy.name, f"{path}: the evidence does not say which object was read")
        if path in held and isinstance(store, Watched) and etag not in (None, store.etag(held[path])):
            yield Violation("S1", copy.name, f"{path} was written after it was read back")


def _plain(path: str) -> str:
    """A name that the destination could not hold is written with ^ and two hex digits for a byte."""
    return re.sub(r"(?:\^[0-9A-F]{2})+", lambda found: bytes.fromhex(found[0].replace("^", "")).decode(), path)
