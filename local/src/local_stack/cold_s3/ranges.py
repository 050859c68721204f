"""Ranged reads that read the range, where moto reads the whole object for each."""

from __future__ import annotations

import re
from typing import Any

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Slice:
    """One of moto's keys, of whose content only `first` to `last` is there."""

    def __init__(self, key: Any, *, first: int, last: int) -> None:
        self._key = key
        self.first = first
        self.last = last

    @classmethod
    def of(cls, key: Any, header: str | None) -> Slice | None:
        """What a Range header wants; None for all but a plain `bytes=first-last` that lies inside the object."""
        found = _RANGE.fullmatch((header or "").strip())
        if found is None:
            return None
        first = int(found[1])
        last = min(int(found[2]) if found[2] else key.size, key.size - 1)
        return cls(key, first=first, last=last) if first <= last else None

    @property
    def value(self) -> bytes:
        with self._key.lock:
            self._key._value_buffer.seek(self.first)
            content: bytes = self._key._value_buffer.read(self.last - self.first + 1)
            return content

    def __getattr__(self, name: str) -> Any:
        return getattr(self._key, name)

    def headers(self, whole: dict[str, Any]) -> dict[str, Any]:
        """The response's headers, from those of the whole object, whose checksum is not the slice's."""
        kept = {name: value for name, value in whole.items() if not name.startswith("x-amz-checksum-")}
        kept["content-range"] = f"bytes {self.first}-{self.last}/{self._key.size}"
        kept["content-length"] = str(self.last - self.first + 1)
        return kept
