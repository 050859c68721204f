"""A whole object in memory, whose size nobody knows beforehand."""

from __future__ import annotations

from common.ports import ObjectStore


def read_whole(store: ObjectStore, *, key: str, most: int) -> bytes | None:
    """The object's bytes, by one request; None where there are more than `most`. Raises as `ObjectStore.read`."""
    with store.read(key=key) as body:
        return b"".join(bytes(block) for block in body) if body.info.size <= most else None
