"""The headers of Azure's answers about a blob → our description; as `info` does for the SDK's objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from common.ports import ObjectInfo, RestoreStatus

_META = "x-ms-meta-"


def told_by_headers(key: str, heard: Mapping[str, str], *, size: int | None = None) -> ObjectInfo:
    """Of Get Blob and Get Blob Properties, by lower-case name; `size` where the answer's length is that of a range."""
    # Imported here: it takes long, and only descriptions have dates.
    from email.utils import parsedate_to_datetime

    archive_status, modified = heard.get("x-ms-archive-status"), heard.get("last-modified")
    return ObjectInfo(
        key=key,
        size=int(heard["content-length"]) if size is None else size,
        etag=heard.get("etag", "").strip('"'),
        version_id=heard.get("x-ms-version-id"),
        storage_class=heard.get("x-ms-access-tier"),
        # Rehydrating moves the blob: there is no copy and no expiry.
        restore=RestoreStatus(ongoing=True) if (archive_status or "").startswith("rehydrate-pending") else None,
        archive_status=archive_status,
        last_modified=parsedate_to_datetime(modified).astimezone(UTC) if modified else None,
        content_type=heard.get("content-type"),
        metadata={name[len(_META) :]: value for name, value in heard.items() if name.startswith(_META)},
    )
