"""All that is known about one path of a bag: what the manifests, the store and fetch.txt say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from common.domain.fixity import Algorithm

LISTED, OBJECT, FETCH = 0, 1, 2
"""What a row of the join is, in its second column."""

_REPEATS_KEPT = 20


class ListedObject(NamedTuple):
    """An object of the store, its path relative to the bag's root."""

    path: str
    size: int
    etag: str
    version_id: str | None = None
    storage_class: str | None = None
    extra: str | None = None
    """The caller's own JSON, handed back as it is."""


class PlannedFile(NamedTuple):
    """A file of the bag, ready to be copied and verified."""

    path: str
    """As the manifests spell it."""
    key: str
    """As the store spells it; it differs from `path` only where a warning said so."""
    size: int | None
    """Bytes; None for a fetched file of unknown length."""
    checksums: dict[Algorithm, str]
    """What the manifests say, or what was measured; empty for a tag manifest that nobody measured."""
    etag: str | None
    version_id: str | None
    storage_class: str | None
    extra: str | None
    url: str | None
    """Where fetch.txt says that the file lies; None for a file that is in the bag."""
    is_tag: bool


class Repeat(NamedTuple):
    """A further entry for a path that the same manifest lists already."""

    manifest: int
    line: int
    same_digest: bool
    same_spelling: bool


@dataclass(slots=True)
class Known:
    """Everything about one path."""

    path: str
    """As the store spells it, or the manifests where the store has no such object."""
    entry: ListedObject | None = None
    listed: dict[int, tuple[bytes, str | None]] = field(default_factory=dict)
    """By manifest number: the digest, and the manifest's spelling where it differs from `path`."""
    how: str | None = None
    """The code of the warning that explains another spelling."""
    repeats: list[Repeat] = field(default_factory=list)
    fetches: int = 0
    fetch_line: int | None = None
    url: str | None = None
    fetch_size: int | None = None

    @property
    def spelled(self) -> str:
        """As the manifests spell it."""
        return next((said for _, said in self.listed.values() if said), self.path)

    def take(self, row: tuple[Any, ...]) -> None:
        kind = row[1]
        if kind == LISTED:
            self._take_listed(*row[2:7])
        elif kind == OBJECT:
            self.entry = ListedObject(row[0], *row[2:7])
        else:
            self.fetches += 1
            self.fetch_line, self.url, self.fetch_size = row[2:5]

    def _take_listed(self, manifest: int, line: int, digest: bytes, said: str | None, how: str | None) -> None:
        self.how = self.how or how
        if manifest not in self.listed:
            self.listed[manifest] = (digest, said)
        elif len(self.repeats) < _REPEATS_KEPT:
            first_digest, first_said = self.listed[manifest]
            self.repeats.append(Repeat(manifest, line, first_digest == digest, first_said == said))


def joined(rows: Iterable[tuple[Any, ...]]) -> Iterator[Known]:
    """`rows` by path → one Known for each path."""
    known: Known | None = None
    for row in rows:
        if known is None or row[0] != known.path:
            if known is not None:
                yield known
            known = Known(row[0])
        known.take(row)
    if known is not None:
        yield known
