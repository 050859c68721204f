"""Finds the bags of a location: whatever lies together at a place that the layout gives to a bag version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from common.domain.bag import BagVersion
from common.domain.location import Location
from common.ports import ObjectInfo

_DECLARATION = "bagit.txt"
_SKIPPED_BY_READING = 1000
"""So many objects of a bag are read past, about a page; for more the listing begins anew behind the bag."""
_KEPT = 200
"""The listing of a bag with at most so many objects is handed on, and need not be asked for again."""


class Listing(Protocol):
    """What lists objects: a store, or something that was written down about it."""

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        """As :meth:`common.ports.ObjectStore.list`."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A bag, or what lies where none can be."""

    path: str
    """Of its directory below the location's prefix, without a slash at the end."""
    end: str
    """Where a walk that has dealt with it goes on: every key of the bag is before, every later one behind."""
    bag: BagVersion | None
    code: str = ""
    """What is wrong, and `fault` says it; then `bag` is None."""
    fault: str = ""
    objects: tuple[ObjectInfo, ...] | None = None
    """All objects of the bag; None where there are too many to hold."""

    @property
    def stray(self) -> bool:
        """Objects of no bag: nothing that could be registered is lost with them."""
        return self.code == "object_outside_bags"


def walk(
    listing: Listing,
    *,
    location: Location,
    prefix: str,
    after: str | None,
    until: Callable[[], str | None] = lambda: None,
    checkpoint: Callable[[], None],
) -> Iterator[Found]:
    """What lies below the location's prefix + `prefix`, by key, behind `after`; what bags hold inside is passed over.

    It ends before the first key behind `until`, which is asked again and again: a range may be cut while it is walked.
    """
    place: str | None = after
    while True:
        around: _Group | None = None
        for info in listing.list(prefix=location.prefix + prefix, start_after=place):
            checkpoint()
            if around and around.takes(info):
                if around.skippable:
                    break
                continue
            if around:
                yield from around.found()
            limit = until()
            if limit is not None and info.key.encode() > limit.encode():
                return
            around = _Group.around(info, location=location, before=around)
        else:
            if around:
                yield from around.found()
            return
        assert around is not None
        yield from around.found()
        place = around.end


class _Group:
    """The objects at the place of a bag version; or, where `bag` is None, those of a directory that is in none."""

    def __init__(self, root: str, location: Location, bag: BagVersion | None) -> None:
        self.end = behind(root) if bag else root
        self._root, self._location, self._bag = root, location, bag
        self._seen = 0
        self._objects: list[ObjectInfo] = []
        self._declarations: list[str] = []
        self._told = False
        """A stray directory is told once, though its subdirectories lie between its objects."""

    @classmethod
    def around(cls, info: ObjectInfo, *, location: Location, before: _Group | None) -> _Group:
        path = location.layout.bag_around(info.key.removeprefix(location.prefix))
        if path is not None:
            group = cls(f"{location.prefix}{path}/", location, location.layout.bag_at(path))
        else:
            group = cls(info.key.rpartition("/")[0] + "/", location, None)
            group._told = before is not None and before._bag is None and before._root == group._root
        group.takes(info)
        return group

    def takes(self, info: ObjectInfo) -> bool:
        """Whether the object is of this group."""
        key = info.key
        if not key.startswith(self._root) or (self._bag is None and "/" in key[len(self._root) :]):
            return False
        self._seen += 1
        if self._seen <= _KEPT:
            self._objects.append(info)
        if key.endswith(_DECLARATION) and key.rpartition("/")[2] == _DECLARATION and not self._declared:
            self._declarations.append(key)
        if self._bag is None:
            self.end = key
        return True

    @property
    def _declared(self) -> bool:
        return bool(self._declarations) and self._declarations[0] == self._root + _DECLARATION

    @property
    def skippable(self) -> bool:
        """The rest of a large bag need not be listed here: it is when the bag is read."""
        return self._bag is not None and self._declared and self._seen > _SKIPPED_BY_READING

    def found(self) -> Iterator[Found]:
        path = self._root.removeprefix(self._location.prefix).rstrip("/")
        if self._bag and self._declared:
            objects = tuple(self._objects) if self._seen <= _KEPT else None
            yield Found(path, self.end, self._bag, objects=objects)
            return
        for key in self._declarations:
            inner = key.removeprefix(self._location.prefix).removesuffix(_DECLARATION).rstrip("/")
            yield Found(inner, key, None, code="path_not_understood", fault=self._misplaced(inner))
        if self._bag:
            told = f"there are {self._seen} objects and no bagit.txt. Complete the bag, or move what lies there."
            yield Found(path, self.end, None, code="bag_declaration_missing", fault=told)
        elif not self._declarations and not self._told:
            told = f"objects such as {self._objects[0].key} belong to no bag. They are left alone."
            yield Found(path, self.end, None, code="object_outside_bags", fault=told)

    def _misplaced(self, path: str) -> str:
        try:
            self._location.layout.bag_at(path)
        except ValueError as error:
            return f"{error}. Move or rename it."
        return "a bag lies inside the place of another. Move it."


def behind(directory: str) -> str:
    """The first key that could come after a directory's: "0" follows "/" in every encoding."""
    return directory[:-1] + "0"
