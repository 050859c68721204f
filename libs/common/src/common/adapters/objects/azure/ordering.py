"""Azure's lists in UTF-8 byte order.

The service sorts names by UTF-16 code units. The two orders differ only between characters from U+E000 up and
those beyond U+FFFF; a key without any of these has the same place in both. So runs of keys with them are sorted
again, and nothing else is held back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from common.ports import ObjectInfo


def in_byte_order(infos: Iterable[ObjectInfo], *, start_after: str | None) -> Iterator[ObjectInfo]:
    """`infos` in UTF-16 or UTF-8 order; without `start_after` and those before it."""
    bound = b"" if start_after is None else start_after.encode()
    held: list[ObjectInfo] = []
    for info in infos:
        if info.key.encode() <= bound:
            continue
        if any(character >= "\ue000" for character in info.key):
            held.append(info)
            continue
        yield from sorted(held, key=_bytes)
        held.clear()
        yield info
    yield from sorted(held, key=_bytes)


def _bytes(info: ObjectInfo) -> bytes:
    return info.key.encode()
