"""A bag version in an object store, as the BagIt reader wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from common.domain.bagit.joined import ListedObject
from common.domain.naming import Names, decode
from common.ports import ObjectInfo, ObjectStore

_LAST = "\U0010ffff"


class StoredBag:
    """Reads pinned: what was listed is what is read, or Changed is raised."""

    def __init__(
        self, store: ObjectStore, *, root: str, checkpoint: Callable[[], None], names: Names = Names.REFUSE
    ) -> None:
        self._store = store
        self._root = root
        self._checkpoint = checkpoint
        self._names = names
        """What the location does with names: mapped ones are told as they were."""
        self._pinned: dict[str, tuple[str, str | None]] = {}
        """ETag and version of the files at the bag's root: all the reader may open."""

    def tag_files(self) -> list[ObjectInfo]:
        """Every object that is not payload: a few, whatever the size of the bag. The payload is not listed."""
        payload = f"{self._root}data/"
        found: list[ObjectInfo] = []
        for info in self._store.list(prefix=self._root):
            if info.key.startswith(payload):
                found += self._store.list(prefix=self._root, start_after=payload + _LAST)
                break
            found.append(info)
        return found

    def objects(self) -> Iterator[ListedObject]:
        """Every object of the bag, by path."""
        for info in self._store.list(prefix=self._root):
            self._checkpoint()
            path = self._original(info.key.removeprefix(self._root))
            if "/" not in path:
                self._pinned[path] = (info.etag, info.version_id)
            yield ListedObject(path, info.size, info.etag, info.version_id, info.storage_class)

    def _original(self, name: str) -> str:
        if self._names is Names.REFUSE:
            return name
        try:
            return decode(name)
        except ValueError:
            return name  # Not ours to have written: no manifest names it.

    @contextmanager
    def open(self, path: str) -> Iterator[Iterable[bytes | memoryview]]:
        """The bytes of a tag file that `objects` named."""
        etag, version_id = self._pinned[path]
        with self._store.read(key=self._root + self._names.stored(path), if_match=etag, version_id=version_id) as body:
            yield self._watched(body)

    def _watched(self, body: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        for block in body:
            self._checkpoint()
            yield block
