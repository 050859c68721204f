"""Finds the bags of a location: wherever a bagit.txt lies that no bag around it owns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from common.domain.bag import BagVersion, ExternalIdentifier, Space, Version
from common.ports import ObjectStore

PATTERN = "{space}/{externalIdentifier}/v{n}"
Part = TypeVar("Part")
_DECLARATION = "bagit.txt"
_SKIPPED_BY_READING = 1000
"""So many objects of a bag are read past, about a page; for more the listing begins anew behind the bag."""


@dataclass(frozen=True, slots=True)
class Found:
    """A bagit.txt."""

    path: str
    """Of its directory below the location's prefix, without a slash at the end."""
    end: str
    """Where a walk that has dealt with it goes on: every key of the bag is before, every later one behind."""
    bag: BagVersion | None
    fault: str = ""
    """Why it can be no bag version; then `bag` is None."""


def bag_at(path: str) -> BagVersion:
    """The bag version whose place `path` is. Raises ValueError, a sentence."""
    space, _, rest = path.partition("/")
    identifier, _, version = rest.rpartition("/")
    if not identifier:
        raise ValueError(f"the path must be {PATTERN}")
    return BagVersion(
        _made("space", Space, space),
        _made("external identifier", ExternalIdentifier, identifier),
        _made("version", Version.parse, version),
    )


def _made(name: str, make: Callable[[str], Part], text: str) -> Part:
    try:
        return make(text)
    except ValueError as error:
        raise ValueError(f"the path must be {PATTERN}; the {name} {text!r}: {error}") from None


def walk(
    store: ObjectStore, *, root: str, prefix: str, after: str | None, checkpoint: Callable[[], None]
) -> Iterator[Found]:
    """Every bagit.txt below `root` + `prefix`, by key, behind `after`; what bags hold inside is passed over."""
    place: str | None = after
    while True:
        inside, skipped = "", 0
        for info in store.list(prefix=root + prefix, start_after=place):
            checkpoint()
            if inside and info.key.startswith(inside):
                skipped += 1
                if skipped > _SKIPPED_BY_READING:
                    break
                continue
            if info.key.rpartition("/")[2] == _DECLARATION:
                found = _found(info.key, root=root)
                yield found
                inside, skipped = (info.key.removesuffix(_DECLARATION), 0) if found.bag else ("", 0)
        else:
            return
        place = _behind(inside)


def _found(key: str, *, root: str) -> Found:
    path = key.removeprefix(root).removesuffix(_DECLARATION).rstrip("/")
    try:
        return Found(path=path, end=_behind(f"{root}{path}/"), bag=bag_at(path))
    except ValueError as error:
        return Found(path=path, end=key, bag=None, fault=str(error))


def _behind(directory: str) -> str:
    """The first key that could come after a directory's: "0" follows "/" in every encoding."""
    return directory[:-1] + "0"
