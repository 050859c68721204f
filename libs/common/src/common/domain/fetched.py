"""Files that fetch.txt says lie elsewhere: elsewhere may only be an earlier version of the same bag."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from common.domain.bag import BagVersion, Version
from common.domain.location import Location, Provider

_SCHEMES = {
    Provider.AMAZON_S3: "s3",
    Provider.AZURE_BLOB: "azure",
    Provider.LOCAL: "local",
    Provider.MEMORY: "memory",
}
_PLACE = re.compile(r"v([1-9][0-9]{0,8})/(.+)", re.DOTALL)


class NotOurs(ValueError):
    """The URL does not lead to an earlier version of the same bag in a configured location."""


@dataclass(frozen=True, slots=True)
class FetchedFrom:
    """Where the bytes of a fetched file lie, the same below every location that has that version."""

    version: Version
    key_path: str
    """Below the bag's root: "v1/data/a.tif"."""


def fetched_from(url: str, *, bag: BagVersion, locations: Iterable[Location]) -> FetchedFrom:
    """Resolve a URL of fetch.txt, such as s3://bucket/prefix/space/b1/v1/data/a.tif.

    No URL is ever followed: it must name a key below the bag's own root in one of `locations`, in an earlier version.
    Raises NotOurs with a sentence that says why.
    """
    try:
        parts = urlsplit(url)
        key = unquote(parts.path.removeprefix("/"), errors="strict")
    except ValueError as error:
        raise NotOurs(f"{url} is not a URL that can be read: {error}") from None
    if parts.query or parts.fragment:
        raise NotOurs(f"{url} has a ? or #: in a key they are written %3F and %23")
    roots = [f"{loc.bag_root(bag)}/" for loc in locations if _names(loc, parts.scheme, parts.netloc)]
    place = next((_PLACE.fullmatch(key.removeprefix(root)) for root in roots if key.startswith(root)), None)
    if not place:
        raise NotOurs(f"{url} is not an object of this bag ({bag.bag_path}) in a configured location")
    number, path = int(place.group(1)), place.group(2)
    if number >= bag.version.number:
        raise NotOurs(f"{url} is in v{number}, which is not earlier than {bag.version}")
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise NotOurs(f"{url} has an empty, . or .. segment")
    return FetchedFrom(Version(number), f"v{number}/{path}")


def _names(location: Location, scheme: str, bucket: str) -> bool:
    return scheme == _SCHEMES[location.provider] and bucket == location.bucket
