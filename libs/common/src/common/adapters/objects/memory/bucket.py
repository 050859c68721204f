"""A bucket in memory: versioned objects, pending uploads, and archived objects that thaw by an injected clock."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import RLock

from common.errors import AlreadyExists, NotFound
from common.ports import ObjectInfo, RestoreStatus

ARCHIVE_CLASSES = frozenset(("GLACIER", "DEEP_ARCHIVE"))


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Thaw:
    """A restore that was asked for."""

    done_at: datetime
    expires_at: datetime | None
    """None where the object moves for good."""


@dataclass(slots=True)
class Version:
    """One version of one object."""

    info: ObjectInfo
    data: bytes
    thaw: Thaw | None = None


@dataclass(slots=True)
class PendingParts:
    """An upload in the making."""

    key: str
    started_at: datetime
    content_type: str | None
    metadata: dict[str, str]
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class MemoryBucket:
    """What the stores of one bucket share. Thread-safe."""

    clock: Callable[[], datetime] = utc_now
    lock: RLock = field(default_factory=RLock)
    objects: dict[str, list[Version]] = field(default_factory=dict)
    uploads: dict[str, PendingParts] = field(default_factory=dict)

    def add(self, info: ObjectInfo, data: bytes) -> ObjectInfo:
        """Make the object. Raises AlreadyExists."""
        with self.lock:
            if info.key in self.objects:
                raise AlreadyExists(f"{info.key} exists already")
            return self.put(info, data)

    def put(self, info: ObjectInfo, data: bytes) -> ObjectInfo:
        """Make the object or its next version: what a curator may do, and Backfill never does."""
        with self.lock:
            stored = replace(
                info,
                size=len(data),
                etag=hashlib.sha256(secrets.token_bytes(8)).hexdigest()[:32],
                version_id=secrets.token_hex(8),
                last_modified=self.clock(),
            )
            self.objects.setdefault(info.key, []).append(Version(stored, data))
            return stored

    def find(self, key: str, version_id: str | None = None) -> Version:
        """Raises NotFound."""
        with self.lock:
            for version in reversed(self.objects.get(key, [])):
                if version_id in (None, version.info.version_id):
                    return version
        raise NotFound(f"there is no {key}" + (f" of version {version_id}" if version_id else ""))

    def described(self, version: Version) -> ObjectInfo:
        """The version's facts as they are now."""
        with self.lock:
            self._settle(version)
            if version.thaw is None:
                return version.info
            ongoing = self.clock() < version.thaw.done_at
            return replace(version.info, restore=RestoreStatus(ongoing, None if ongoing else version.thaw.expires_at))

    def archived(self, version: Version) -> bool:
        """Whether the version's bytes cannot be read now."""
        info = self.described(version)
        cold = info.storage_class in ARCHIVE_CLASSES or info.archive_status is not None
        return cold and (info.restore is None or info.restore.ongoing)

    def _settle(self, version: Version) -> None:
        """Let time pass: a finished move or an expired copy changes the version."""
        thaw = version.thaw
        if thaw is None or self.clock() < thaw.done_at:
            return
        if thaw.expires_at is None:
            version.thaw = None
            version.info = replace(version.info, archive_status=None)
        elif self.clock() >= thaw.expires_at:
            version.thaw = None
