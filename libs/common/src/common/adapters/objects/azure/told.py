"""The headers of Azure's answers about a blob → our description; as `listing` does for lists."""

from __future__ import annotations

from collections.abc import Mapping

from common.adapters.objects.dates import http_moment
from common.ports import ObjectInfo, RestoreStatus

_META = "x-ms-meta-"


def told_by_headers(key: str, heard: Mapping[str, str], *, size: int | None = None) -> ObjectInfo:
    """Of Get Blob and Get Blob Properties, by lower-case name; `size` where the answer's length is that of a range."""
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
        last_modified=http_moment(modified) if modified else None,
        content_type=heard.get("content-type"),
        metadata={name[len(_META) :]: value for name, value in heard.items() if name.startswith(_META)},
    )
