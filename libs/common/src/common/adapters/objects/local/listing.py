"""Listing files as an object store lists keys: whole paths in UTF-8 byte order, without loading them all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from common.adapters.objects.local.facts import info_of
from common.adapters.objects.local.places import PRIVATE
from common.ports import ObjectInfo


def listing(root: Path, *, prefix: str, start_after: str | None) -> Iterator[ObjectInfo]:
    """Raises OSError where `root` is not there."""
    bound = None if start_after is None else os.fsencode(start_after)
    yield from _below(os.fsencode(root), b"", os.fsencode(prefix), bound)


def _below(directory: bytes, path: bytes, prefix: bytes, bound: bytes | None) -> Iterator[ObjectInfo]:
    """`path` is the directory's own key: empty, or ending with a slash."""
    with os.scandir(directory) as entries:
        # A directory sorts as its keys do, with the slash: "a.b" comes before "a/b".
        found = sorted((path + e.name + (b"/" if e.is_dir(follow_symlinks=False) else b""), e) for e in entries)
    for key, entry in found:
        if key.endswith(b"/"):
            if key != os.fsencode(f"{PRIVATE}/") and _may_hold(key, prefix, bound):
                yield from _below(entry.path, key, prefix, bound)
        elif key.startswith(prefix) and (bound is None or key > bound) and entry.is_file(follow_symlinks=False):
            yield info_of(os.fsdecode(key), entry.stat(follow_symlinks=False))


def _may_hold(folder: bytes, prefix: bytes, bound: bytes | None) -> bool:
    """Whether a key below `folder` can have the prefix and come after the bound."""
    if not (folder.startswith(prefix) or prefix.startswith(folder)):
        return False
    return bound is None or folder > bound or bound.startswith(folder)
