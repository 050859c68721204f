"""A segment: a bounded slice of a replica's files, the unit of thawing, copying and verifying."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Any

from common.domain.fixity import Algorithm
from common.records import record


@record
class PlannedFile:
    """One file of a bag version, as it was pinned when the replica was planned."""

    path: str
    """Path inside the bag, as the manifests write it: "data/a.tif"."""
    key_path: str
    """Where the object lies below the bag's root: "v2/data/a.tif", or "v1/data/a.tif" for a fetched file."""
    size: int
    checksums: dict[Algorithm, str]
    """Every digest that a manifest (or, for tag manifests, our own reading of the pinned bytes) gives."""
    etag: str
    version_id: str | None = None
    storage_class: str | None = None
    fetched: bool = False
    """True where an earlier version of the bag holds the bytes: nothing to copy, everything to verify."""
    stored_as: str | None = None
    """Its mapped name below the bag's root at the destination, where that is not `key_path` (see `domain.naming`)."""

    def to_json(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "path": self.path,
            "key": self.key_path,
            "size": self.size,
            "etag": self.etag,
        }
        facts["checksums"] = {a.value: digest for a, digest in self.checksums.items()}
        optional = {
            "version": self.version_id,
            "class": self.storage_class,
            "fetched": self.fetched,
            "as": self.stored_as,
        }
        return facts | {name: value for name, value in optional.items() if value}

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> PlannedFile:
        return cls(
            path=facts["path"],
            key_path=facts["key"],
            size=facts["size"],
            checksums={Algorithm(a): digest for a, digest in facts["checksums"].items()},
            etag=facts["etag"],
            version_id=facts.get("version"),
            storage_class=facts.get("class"),
            fetched=facts.get("fetched", False),
            stored_as=facts.get("as"),
        )


@record
class SegmentLimits:
    """How large a segment may be. A file larger than `bytes` has a segment of its own."""

    files: int = 500
    bytes: int = 1 << 30


@record
class SegmentPlan:
    """Which files a segment holds, before it has a row."""

    number: int
    files: list[PlannedFile] = field(default_factory=list)
    readable: bool = False
    """Whether each of its files was seen to be readable while the bag was planned: there is nothing to thaw."""

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)


def cut(files: Iterable[PlannedFile], *, limits: SegmentLimits) -> Iterator[SegmentPlan]:
    """Cut files, in the order given, into segments numbered from 1; holds one segment in memory at a time."""
    number, held, size = 1, list[PlannedFile](), 0
    for file in files:
        if held and (len(held) >= limits.files or size + file.size > limits.bytes):
            yield SegmentPlan(number, held)
            number, held, size = number + 1, [], 0
        held.append(file)
        size += file.size
    if held:
        yield SegmentPlan(number, held)
