"""S3's descriptions of an object → ours."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from common.adapters.objects.dates import http_moment
from common.domain.fixity import Algorithm
from common.errors import RefusedByStore
from common.ports import ObjectInfo, RestoreStatus

_ONGOING = re.compile(r"ongoing-request\s*=\s*\"?(true|false)\"?", re.IGNORECASE)
_EXPIRES = re.compile(r"expiry-date\s*=\s*\"([^\"]+)\"", re.IGNORECASE)

_META = "x-amz-meta-"
_TOLD = (Algorithm.SHA512, Algorithm.SHA256, Algorithm.SHA1, Algorithm.MD5)
"""What manifests give and S3 may tell; its CRCs are no digests."""


def parse_restore(header: str | None) -> RestoreStatus | None:
    """Read x-amz-restore, whose fields come in any order and case. Raises RefusedByStore for anything else."""
    if header is None:
        return None
    ongoing, expires = _ONGOING.search(header), _EXPIRES.search(header)
    if ongoing is None:
        raise RefusedByStore(f"x-amz-restore was {header!r}, which names no ongoing-request")
    try:
        expires_at = http_moment(expires[1]) if expires else None
    except ValueError:
        raise RefusedByStore(f"x-amz-restore was {header!r}, whose expiry-date is no date") from None
    return RestoreStatus(ongoing[1].lower() == "true", expires_at)


def described(key: str, answer: Mapping[str, Any], *, size: int | None = None) -> ObjectInfo:
    """The answer of HeadObject or GetObject; `size` where the answer's length is that of a range."""
    version = answer.get("VersionId")
    return ObjectInfo(
        key=key,
        size=answer["ContentLength"] if size is None else size,
        etag=answer["ETag"].strip('"'),
        version_id=None if version == "null" else version,
        storage_class=plain_class(answer.get("StorageClass")),
        restore=parse_restore(answer.get("Restore")),
        archive_status=answer.get("ArchiveStatus"),
        last_modified=_utc(answer.get("LastModified")),
        content_type=answer.get("ContentType"),
        metadata={name.lower(): value for name, value in answer.get("Metadata", {}).items()},
        digests=answer.get("Digests"),
    )


def told_by_headers(key: str, heard: Mapping[str, str], *, size: int | None = None) -> ObjectInfo:
    """The headers of HeadObject's and GetObject's answers by lower-case name; `size` as for `described`."""
    modified = heard.get("last-modified")
    facts = {
        "ContentLength": int(heard["content-length"]) if size is None else size,
        "ETag": heard.get("etag", ""),
        "VersionId": heard.get("x-amz-version-id"),
        "StorageClass": heard.get("x-amz-storage-class"),
        "Restore": heard.get("x-amz-restore"),
        "ArchiveStatus": heard.get("x-amz-archive-status"),
        "LastModified": http_moment(modified) if modified else None,
        "ContentType": heard.get("content-type"),
        "Metadata": {name[len(_META) :]: value for name, value in heard.items() if name.startswith(_META)},
        "Digests": told_digests(heard),
    }
    return described(key, facts, size=size)


def told_digests(heard: Mapping[str, str]) -> dict[Algorithm, str] | None:
    """Digests of the whole object by an answer's headers. None where there are none, or only those of its parts."""
    of_parts = "-" in heard.get("etag", "")
    if heard.get("x-amz-checksum-type", "COMPOSITE" if of_parts else "FULL_OBJECT") != "FULL_OBJECT":
        return None
    told = {algorithm: heard.get(f"x-amz-checksum-{algorithm.value}") for algorithm in _TOLD}
    return {
        algorithm: digest for algorithm, value in told.items() if value and (digest := _hex(algorithm, value))
    } or None


def _hex(algorithm: Algorithm, value: str) -> str | None:
    """None for what is no digest of the algorithm: nothing is concluded from it."""
    try:
        digest = b64decode(value, validate=True).hex()
    except ValueError:
        return None
    return digest if len(digest) == algorithm.hex_length else None


def plain_class(name: str | None) -> str | None:
    """Lists name STANDARD and heads leave it out: one spelling for both."""
    return None if name in (None, "STANDARD") else name


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)
