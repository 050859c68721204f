"""A directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from backfill_check.stores import Gone, Listed, Unreachable
from common.adapters.objects.configuration import LocationConfig

_BLOCK = 1 << 20


class LocalReader:
    """Keys are paths below the directory. What begins with a dot at its top is the store's own."""

    def __init__(self, config: LocationConfig) -> None:
        self._root = Path(config.bucket)

    def list(self, prefix: str, *, after: str = "") -> Iterator[Listed]:
        if not self._root.is_dir():
            raise Unreachable(f"{self._root} is no directory")
        begun = after.encode()
        for key, size in _walk(self._root, ""):
            if key.startswith(prefix) and key.encode() > begun:
                yield Listed(key, size)

    def size(self, key: str) -> int:
        try:
            return (self._root / key).stat().st_size
        except OSError as error:
            raise Gone(key) from error

    def read(self, key: str) -> Iterator[bytes]:
        try:
            with (self._root / key).open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block
        except FileNotFoundError as error:
            raise Gone(key) from error
        except OSError as error:
            raise Unreachable(f"{key}: {error.strerror}") from error


def _walk(root: Path, below: str) -> Iterator[tuple[str, int]]:
    """By key in byte order: a directory comes where its name with a slash does."""
    with os.scandir(root / below) as entries:
        found = [entry for entry in entries if below or not entry.name.startswith(".")]
    order = {e.name + ("/" if e.is_dir(follow_symlinks=False) else ""): e for e in found}
    for name in sorted(order, key=os.fsencode):
        entry = order[name]
        if name.endswith("/"):
            yield from _walk(root, f"{below}{name}")
        elif entry.is_file(follow_symlinks=False):
            yield f"{below}{name}", entry.stat(follow_symlinks=False).st_size
