"""A bag that lies in an object store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from common.domain.bagit.joined import ListedObject
from common.ports import Body, ObjectStore


class StoreSource:
    """The bag below `root`, a key prefix that ends with a slash."""

    def __init__(self, store: ObjectStore, root: str) -> None:
        self._store = store
        self._root = root

    @classmethod
    def of(cls, store: ObjectStore, root: str, files: Mapping[str, bytes]) -> StoreSource:
        """Puts the files there first."""
        for path, body in files.items():
            store.create(key=root + path, data=body)
        return cls(store, root)

    def objects(self) -> Iterator[ListedObject]:
        for info in self._store.list(prefix=self._root):
            path = info.key.removeprefix(self._root)
            yield ListedObject(path, info.size, info.etag, info.version_id, info.storage_class)

    @contextmanager
    def open(self, path: str) -> Iterator[Body]:
        with self._store.read(key=self._root + path) as body:
            yield body
