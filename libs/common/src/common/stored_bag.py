"""A bag version in an object store, as the BagIt reader wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from common.domain.bagit.joined import ListedObject
from common.domain.naming import Names, decode
from common.domain.storage_class import Classes
from common.ports import ObjectInfo, ObjectStore

_LAST = "\U0010ffff"
_SMALL = 256 * 1024
"""A tag file of at most so many bytes is fetched with one request."""


class StoredBag:
    """Reads pinned: what was listed is what is read, or Changed is raised."""

    def __init__(
        self,
        store: ObjectStore,
        *,
        root: str,
        checkpoint: Callable[[], None],
        names: Names = Names.REFUSE,
        listing: Callable[[], Iterable[ObjectInfo]] | None = None,
    ) -> None:
        """`listing`: every object below `root`, where it need not be asked of the store."""
        self._store = store
        self._listing = listing or (lambda: store.list(prefix=root))
        self._root = root
        self._checkpoint = checkpoint
        self._names = names
        """What the location does with names: mapped ones are told as they were."""
        self.classes = Classes()
        """What the last listing to its end came to, by class; "" where the store names none."""
        self._pinned: dict[str, ObjectInfo] = {}
        """The files at the bag's root: all the reader may open."""

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
        classes = Classes()
        for info in self._listing():
            self._checkpoint()
            classes.add(info.storage_class or "", info.size)
            path = self._original(info.key.removeprefix(self._root))
            if "/" not in path:
                self._pinned[path] = info
            yield ListedObject(path, info.size, info.etag, info.version_id, info.storage_class)
        self.classes = classes

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
        pinned = self._pinned[path]
        key, etag, version_id = self._root + self._names.stored(path), pinned.etag, pinned.version_id
        if pinned.size <= _SMALL:
            into = memoryview(bytearray(pinned.size))
            whole = self._store.fetch(key=key, into=into, if_match=etag, version_id=version_id)
            if whole is not None:
                self._checkpoint()
                yield [into[: whole.size]]
                return
        with self._store.read(key=key, if_match=etag, version_id=version_id) as body:
            yield self._watched(body)

    def _watched(self, body: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        for block in body:
            self._checkpoint()
            yield block
