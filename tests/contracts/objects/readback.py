"""How these tests look at a store."""

from __future__ import annotations

from typing import Any

from common.ports import ObjectStore


def content(store: ObjectStore, key: str, **how: Any) -> bytes:
    with store.read(key=key, **how) as body:
        return b"".join(bytes(block) for block in body)


def keys(store: ObjectStore, prefix: str = "", start_after: str | None = None) -> list[str]:
    return [info.key for info in store.list(prefix=prefix, start_after=start_after)]
