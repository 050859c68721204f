"""Where to cut a range of keys, so that two workers walk what one would: by asking the store, not by knowing it."""

from __future__ import annotations

from dataclasses import dataclass

from bag_register.walking import Listing, behind
from common.domain.location import Location

_ASCII = 0x7F
_LONGEST = 200
"""Letters that all keys may have in common before it is given up."""


def cut_of(listing: Listing, *, location: Location, prefix: str, after: str, until: str | None) -> str | None:
    """A key between bags, about in the middle of those behind `after` and up to `until`; None where there is none.

    The middle is that of the first letters in which the keys differ. Bags before and behind it may be unequal in
    number: then the larger part is cut once more when somebody is free.
    """
    probe = _Probe(listing, location.prefix + prefix, until)
    first = probe.behind(after)
    if first is not None:
        middle = _middle(probe, first)
        if middle is None:
            return None
        root = _root(middle, location)
        if root.encode() > first.encode():
            return root
        # All that is left begins with the bag in which the walk is: cut behind it.
        first = probe.behind(behind(root) if root.endswith("/") else middle)
        if first is not None:
            return _root(first, location)
    return None


@dataclass(frozen=True, slots=True)
class _Probe:
    listing: Listing
    prefix: str
    until: str | None

    def behind(self, key: str) -> str | None:
        """The first key of the range behind `key`."""
        found = next((info.key for info in self.listing.list(prefix=self.prefix, start_after=key)), None)
        if found is None or (self.until is not None and found.encode() > self.until.encode()):
            return None
        return found


def _middle(probe: _Probe, first: str) -> str | None:
    """A key of the range that differs from the first as early as any does; None where there is no second."""
    for length in range(len(probe.prefix), min(len(first), len(probe.prefix) + _LONGEST)):
        common, letter = first[:length], ord(first[length])
        if probe.behind(common + _letter(letter + 1)) is None:
            continue
        highest = _highest(probe, common, letter + 1)
        return probe.behind(common + _letter((letter + highest) // 2 + 1))
    return None


def _highest(probe: _Probe, common: str, lowest: int) -> int:
    """The highest letter behind `common` with which keys begin; every one above ASCII counts as the lowest of them."""
    low, high = lowest, _ASCII
    while low < high:
        middle = (low + high + 1) // 2
        if probe.behind(common + _letter(middle)) is None:
            high = middle - 1
        else:
            low = middle
    return low


def _letter(code: int) -> str:
    return chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)


def _root(key: str, location: Location) -> str:
    """A place before the whole of what the key belongs to."""
    path = location.layout.bag_around(key.removeprefix(location.prefix))
    return key if path is None else f"{location.prefix}{path}/"
