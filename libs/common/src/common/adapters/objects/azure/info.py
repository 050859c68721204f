"""Azure's descriptions of a blob → ours."""

from __future__ import annotations

from datetime import UTC

from azure.storage.blob import BlobProperties

from common.ports import ObjectInfo, RestoreStatus


def described(properties: BlobProperties, *, key: str, listed: bool = False) -> ObjectInfo:
    """A blob's facts; from a list without content type and metadata."""
    archive_status = str(properties.archive_status) if properties.archive_status else None
    tier = properties.blob_tier
    modified = properties.last_modified
    return ObjectInfo(
        key=key,
        size=properties.size,
        etag=(properties.etag or "").strip('"'),
        version_id=properties.version_id,
        storage_class=None if tier is None else str(getattr(tier, "value", tier)),
        # Rehydrating moves the blob: there is no copy and no expiry.
        restore=RestoreStatus(ongoing=True) if (archive_status or "").startswith("rehydrate-pending") else None,
        archive_status=None if listed else archive_status,
        last_modified=modified and modified.astimezone(UTC),
        content_type=None if listed else properties.content_settings.content_type,
        metadata={} if listed else {name.lower(): value for name, value in (properties.metadata or {}).items()},
    )
