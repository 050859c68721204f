"""Where a key lies below the root directory. Never outside it, and never through a symbolic link."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from common.errors import NameNotAllowed

PRIVATE = ".backfill"
"""The directory below the root that holds uploads in the making and what a file cannot say about itself."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def name_fault(key: str) -> str | None:
    """Why no file can have this name, as a sentence; None if one can."""
    segments = key.split("/")
    if not key:
        return "a key must not be empty"
    if "\0" in key:
        return "a key must not hold NUL"
    if "" in segments:
        return "a file's path has no empty segment: no slash at either end, no two slashes together"
    if "." in segments or ".." in segments:
        return "a file's path must not hold . or .. as a segment"
    if segments[0] == PRIVATE:
        return f"{PRIVATE}/ is kept for uploads in the making"
    if any(len(os.fsencode(segment)) > 255 for segment in segments):
        return "a file's name holds at most 255 bytes between two slashes"
    return None


@contextmanager
def parent_of(root: Path, key: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """The open directory that holds `key`, and its name there. Raises OSError as `open` does."""
    *folders, name = key.split("/")
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for folder in folders:
            there = _enter(here, folder, make=make)
            os.close(here)
            here = there
        yield here, name
    finally:
        os.close(here)


def _enter(here: int, folder: str, *, make: bool) -> int:
    if make:
        with suppress(FileExistsError):
            os.mkdir(folder, dir_fd=here)
            os.fsync(here)
    try:
        return os.open(folder, _DIRECTORY, dir_fd=here)
    except NotADirectoryError:
        if make:
            raise NameNotAllowed(
                f"{folder!r} is an object already, so no key can go through it as a directory"
            ) from None
        raise
