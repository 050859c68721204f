"""What a file cannot say about itself, content type and metadata, beside it by inode number.

The number is known before the file gets its key, so the facts are complete before anybody can see the object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from common.adapters.objects.local.places import PRIVATE
from common.ports import ObjectInfo


class Facts(NamedTuple):
    """What is kept beside a file."""

    content_type: str | None = None
    metadata: Mapping[str, str] = MappingProxyType({})


def _path(root: Path, status: os.stat_result) -> str:
    return f"{root}/{PRIVATE}/facts/{status.st_ino}.json"


def write_facts(root: Path, status: os.stat_result, facts: Facts) -> None:
    """Keep what there is to keep, durable."""
    if facts.content_type is None and not facts.metadata:
        forget_facts(root, status)  # of a file that had this inode number before
        return
    path = Path(_path(root, status))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        json.dump({"content_type": facts.content_type, "metadata": dict(facts.metadata)}, file)
        file.flush()
        os.fsync(file.fileno())


def forget_facts(root: Path, status: os.stat_result) -> None:
    """Nothing is kept beside the file from now on."""
    with suppress(FileNotFoundError):
        Path(_path(root, status)).unlink()


def read_facts(root: Path, status: os.stat_result) -> Facts:
    """What is kept; nothing, where nothing is."""
    try:
        with Path(_path(root, status)).open(encoding="utf-8") as file:
            kept = json.load(file)
    except FileNotFoundError:
        return Facts()
    content_type, metadata = kept.get("content_type"), kept.get("metadata")
    return Facts(
        content_type if isinstance(content_type, str) else None, metadata if isinstance(metadata, dict) else {}
    )


def info_of(key: str, status: os.stat_result, facts: Facts | None = None) -> ObjectInfo:
    """The object's facts; with those kept beside it where they are given."""
    content_type, metadata = facts or Facts()
    return ObjectInfo(
        key=key,
        size=status.st_size,
        etag=f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}",
        last_modified=datetime.fromtimestamp(status.st_mtime, UTC),
        content_type=content_type,
        metadata=dict(metadata),
    )
