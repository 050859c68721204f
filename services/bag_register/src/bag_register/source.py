"""A bag in a store, as the BagIt reader wants it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from common.domain.bagit.joined import ListedObject
from common.ports import ObjectStore


class BagInStore:
    """Lists once, then reads tag files only, each as it was listed: Changed is raised for any other."""

    def __init__(self, store: ObjectStore, *, root: str, checkpoint: Callable[[], None]) -> None:
        self._store = store
        self._root = root
        self._checkpoint = checkpoint
        self._listed: dict[str, tuple[str, str | None]] = {}
        """ETag and version of the files at the bag's root: all the reader may open."""

    def objects(self) -> Iterator[ListedObject]:
        for info in self._store.list(prefix=self._root):
            self._checkpoint()
            path = info.key.removeprefix(self._root)
            if "/" not in path:
                self._listed[path] = (info.etag, info.version_id)
            yield ListedObject(path, info.size, info.etag, info.version_id, info.storage_class)

    @contextmanager
    def open(self, path: str) -> Iterator[Iterable[bytes | memoryview]]:
        etag, version_id = self._listed[path]
        with self._store.read(key=self._root + path, if_match=etag, version_id=version_id) as body:
            yield self._watched(body)

    def _watched(self, body: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        for block in body:
            self._checkpoint()
            yield block
