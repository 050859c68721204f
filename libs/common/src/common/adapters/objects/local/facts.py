"""What a file cannot say about itself, content type and metadata, beside it by inode number.

The number is known before the file gets its key, so the facts are complete before anybody can see the object.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from common.adapters.objects.local.places import PRIVATE
from common.ports import ObjectInfo


def facts_path(root: Path, status: os.stat_result) -> Path:
    return root / PRIVATE / "facts" / f"{status.st_ino}.json"


def write_facts(root: Path, status: os.stat_result, content_type: str | None, metadata: dict[str, str] | None) -> None:
    """Keep what there is to keep, durable."""
    path = facts_path(root, status)
    if content_type is None and not metadata:
        path.unlink(missing_ok=True)  # of a file that had this inode number before
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    names = {name.lower(): value for name, value in (metadata or {}).items()}
    with path.open("w", encoding="utf-8") as file:
        json.dump({"content_type": content_type, "metadata": names}, file)
        file.flush()
        os.fsync(file.fileno())


def info_of(key: str, status: os.stat_result, *, root: Path | None = None) -> ObjectInfo:
    """The object's facts; with `root` also those kept beside it."""
    kept: dict[str, object] = {}
    if root is not None:
        try:
            kept = json.loads(facts_path(root, status).read_text("utf-8"))
        except FileNotFoundError:
            kept = {}
    content_type, metadata = kept.get("content_type"), kept.get("metadata")
    return ObjectInfo(
        key=key,
        size=status.st_size,
        etag=f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}",
        last_modified=datetime.fromtimestamp(status.st_mtime, UTC),
        content_type=content_type if isinstance(content_type, str) else None,
        metadata=metadata if isinstance(metadata, dict) else {},
    )
