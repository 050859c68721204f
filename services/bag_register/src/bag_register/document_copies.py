"""Copies of large documents in the record store, handed out by a URL that reads them there for an hour."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from common.errors import AlreadyExists, NotFound
from common.ports import ObjectStore

_PART = 8 << 20
_FORM = 1
"""To be raised when documents get further fields: copies are made anew then."""


@dataclass(frozen=True, slots=True)
class DocumentCopies:
    """Each document is written once, when it is first asked for: it never changes under its entity tag."""

    store: ObjectStore
    prefix: str
    link: Callable[[str], str]
    """Key → a URL that reads it, for a while, without further credentials."""
    above: int
    """Documents of bag versions with more files than this are large."""

    def address(self, *, tag: str, blocks: Callable[[], Iterator[bytes]]) -> str:
        """A URL of the document whose entity tag is `tag`; `blocks` makes it where there is no copy yet."""
        name = hashlib.sha256(f"{_FORM} {tag}".encode()).hexdigest()
        key = f"{self.prefix}documents/{name[:2]}/{name}.json"
        try:
            self.store.head(key=key)
        except NotFound:
            # Somebody else may make the same one meanwhile.
            with suppress(AlreadyExists):
                self._write(key, blocks())
        return self.link(key)

    def _write(self, key: str, blocks: Iterable[bytes]) -> None:
        upload = self.store.begin_upload(key=key, content_type="application/json")
        try:
            parts = enumerate(_joined(blocks, max(_PART, self.store.limits.min_part)), start=1)
            upload.commit([upload.put_part(number, part) for number, part in parts])
        except BaseException:
            upload.abort()
            raise


def _joined(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) >= size:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
