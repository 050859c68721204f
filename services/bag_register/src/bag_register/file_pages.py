"""Pages of file lists: any of them in bounded memory, and those that follow each other without beginning anew."""

from __future__ import annotations

import hashlib
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bag_register.file_lists import LONGEST_LINE, PIECE, FileLists, RecordCorrupt
from common.domain.storage_manifest import ListedFile

_KEPT = 64
"""Places that are remembered, each with what was unpacked and not used: 20 MiB at most."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Between two lines of a list."""

    number: int
    """Lines before it."""
    offset: int
    """Bytes of the object that were given to the unpacker."""
    unpacker: Any
    """Never used itself: a copy is."""
    rest: bytes
    """What was unpacked behind the place."""


class FilePages:
    """Reads pages of lists whose bytes were compared with their registered digest. Use it from any thread."""

    def __init__(self, lists: FileLists) -> None:
        self._lists = lists
        self._lock = threading.Lock()
        self._etags: OrderedDict[tuple[str, str], str] = OrderedDict()
        """Of objects that have the digest they should have."""
        self._places: OrderedDict[tuple[str, int], _Place] = OrderedDict()

    def page(self, *, key: str, sha256: str, after: int, limit: int) -> list[ListedFile]:
        """At most `limit` files behind the first `after`, in the list's order. Raises RecordCorrupt, NotFound."""
        etag = self._known(key, sha256)
        try:
            return [ListedFile.from_line(line) for line in self._lines(key, etag, after, limit)]
        except (ValueError, zlib.error) as error:
            raise RecordCorrupt(f"{key}, behind line {after}: {error}") from None

    def _known(self, key: str, sha256: str) -> str:
        """The ETag of the object, which is read to its end once: a page alone says nothing about the digest."""
        with self._lock:
            if etag := self._etags.get((key, sha256)):
                return etag
        hasher = hashlib.sha256()
        with self._lists.store.read(key=key) as body:
            etag = body.info.etag
            for block in body:
                hasher.update(block)
        if hasher.hexdigest() != sha256:
            raise RecordCorrupt(f"{key} has the SHA-256 {hasher.hexdigest()}, registered was {sha256}")
        with self._lock:
            self._etags[key, sha256] = etag
            _forget(self._etags)
        return etag

    def _lines(self, key: str, etag: str, after: int, limit: int) -> Iterator[bytes]:
        place = self._near(key, after)
        with self._lists.store.read(key=key, first=place.offset, if_match=etag) as body:
            walk = _Walk(place, iter(body))
            walk.skip(after - place.number)
            yield from walk.take(limit)
        with self._lock:
            self._places[key, after + limit] = walk.place(after + limit)
            _forget(self._places)

    def _near(self, key: str, after: int) -> _Place:
        with self._lock:
            known = self._places.get((key, after))
        return known or _Place(0, 0, zlib.decompressobj(wbits=31), b"")


def _forget(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)


class _Walk:
    """Unpacks on from a place."""

    def __init__(self, place: _Place, blocks: Iterator[bytes | memoryview]) -> None:
        self._unpacker, self._rest, self._offset = place.unpacker.copy(), place.rest, place.offset
        self._blocks = blocks

    def skip(self, lines: int) -> None:
        for _ in self.take(lines):
            pass

    def take(self, most: int) -> Iterator[bytes]:
        while most > 0:
            whole, end, self._rest = self._rest.rpartition(b"\n")
            lines = whole.split(b"\n") if end else []
            if len(lines) > most:
                self._rest = b"\n".join([*lines[most:], self._rest])
                del lines[most:]
            yield from lines
            most -= len(lines)
            if most and not self._grow():
                return

    def place(self, number: int) -> _Place:
        return _Place(number, self._offset, self._unpacker, self._rest)

    def _grow(self) -> bool:
        """Unpack some more; False at the end."""
        if len(self._rest) > LONGEST_LINE:
            raise ValueError(f"there is a line of more than {LONGEST_LINE} bytes")
        packed: bytes | memoryview | None = self._unpacker.unconsumed_tail
        if not packed:
            packed = next(self._blocks, None)
            if packed is None:
                return False
            self._offset += len(packed)
        self._rest += self._unpacker.decompress(packed, PIECE)
        return True
