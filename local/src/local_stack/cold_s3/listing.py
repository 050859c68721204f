"""RestoreStatus in object listings, for requests that ask for it (x-amz-optional-object-attributes)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from local_stack.cold_s3.archive import Archive
from local_stack.cold_s3.freezer import Freezer

_LISTS = {"ListObjects": "Contents", "ListObjectsV2": "Contents", "ListObjectVersions": "Versions"}


def asks_for_restore_status(headers: Any) -> bool:
    asked = headers.get("x-amz-optional-object-attributes", "")
    return "RestoreStatus" in [part.strip() for part in asked.split(",")]


def add_restore_status(result: dict[str, Any], *, action: str, bucket: Any, freezer: Freezer) -> None:
    """Give each listed object that is being, or was, restored its RestoreStatus."""
    encoded = result.get("EncodingType") == "url"
    for item in result.get(_LISTS.get(action, ""), ()):
        name = unquote(item["Key"]) if encoded else item["Key"]
        key = _listed(bucket.keys.getlist(name, []), item.get("VersionId"))
        if key is not None and (status := _status(freezer.archive_of(key))):
            item["RestoreStatus"] = status


def _listed(versions: Iterable[Any], version_id: str | None) -> Any:
    """The version that a list shows: the named one, or the latest; None for a delete marker."""
    found = [key for key in versions if version_id is None or key.version_id == version_id]
    return found[-1] if found and hasattr(found[-1], "storage_class") else None


def _status(archive: Archive | None) -> dict[str, Any] | None:
    if archive is None or archive.restore is None:
        return None
    if archive.ongoing:
        return {"IsRestoreInProgress": True}
    return {"IsRestoreInProgress": False, "RestoreExpiryDate": archive.restore.expires_at}
