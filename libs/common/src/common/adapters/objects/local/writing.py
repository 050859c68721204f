"""A new file, durable and complete before it gets its name; the name is given only where it is free."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from common.adapters.objects.local.facts import Facts, forget_facts, info_of, write_facts
from common.adapters.objects.local.places import PRIVATE, parent_of
from common.errors import AlreadyExists, NameNotAllowed, NotFound
from common.ports import ObjectInfo


def create_file(
    *,
    root: Path,
    key: str,
    blocks: Iterable[bytes | memoryview],
    content_type: str | None,
    metadata: dict[str, str] | None,
) -> ObjectInfo:
    """Raises AlreadyExists, and leaves that file as it is."""
    facts = Facts(content_type, {name.lower(): value for name, value in (metadata or {}).items()})
    handle, temporary = _unnamed(root)
    try:
        with os.fdopen(handle, "wb") as file:
            for block in blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            status = os.fstat(file.fileno())
        write_facts(root, status, facts)
        _give_name(root, key, temporary, status)
    finally:
        Path(temporary).unlink()
    return info_of(key, status, facts)


def _unnamed(root: Path) -> tuple[int, str]:
    """A new file with a name that no key has, open for writing."""
    staging = f"{root}/{PRIVATE}/staging"
    with suppress(FileNotFoundError):
        return tempfile.mkstemp(dir=staging)
    if not root.is_dir():
        raise NotFound(f"there is no directory {root}")
    Path(staging).mkdir(parents=True, exist_ok=True)
    return tempfile.mkstemp(dir=staging)


def _give_name(root: Path, key: str, temporary: str, status: os.stat_result) -> None:
    with parent_of(root, key, make=True) as (directory, name):
        try:
            os.link(temporary, name, dst_dir_fd=directory)
        except FileExistsError:
            forget_facts(root, status)
            if _is_directory(directory, name):
                raise NameNotAllowed(f"{key!r} is a directory, since other keys go through it") from None
            raise AlreadyExists(f"{key} exists already") from None
        os.fsync(directory)


def _is_directory(directory: int, name: str) -> bool:
    try:
        os.close(os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory))
    except OSError:
        return False
    return True
