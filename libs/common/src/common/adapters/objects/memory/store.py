"""ObjectStore over a MemoryBucket."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from common.adapters.objects.body import CountedBody, checked_range
from common.adapters.objects.memory.bucket import MemoryBucket, PendingParts
from common.adapters.objects.one_by_one import OneByOne
from common.adapters.objects.reading import fetched, filled
from common.errors import Changed, NameNotAllowed, NotFound, NotRestored
from common.ports import Body, Limits, ObjectInfo, PartReceipt, PendingUpload, Upload

_LIMITS = Limits(max_single_put=2**30, min_part=1, max_part=2**30, max_parts=10_000, max_object=2**40)
_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class MemoryStore(OneByOne):
    """Keeps every key but the empty one and those with NUL."""

    bucket: MemoryBucket

    @property
    def limits(self) -> Limits:
        return _LIMITS

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        with self.bucket.lock:
            keys = sorted((k for k in self.bucket.objects if k.startswith(prefix)), key=str.encode)
        for key in keys:
            if start_after is None or key.encode() > start_after.encode():
                info = self.bucket.described(self.bucket.find(key))
                yield replace(info, content_type=None, metadata={}, archive_status=None, digests=None)

    def head(self, *, key: str) -> ObjectInfo:
        return self.bucket.described(self.bucket.find(key))

    @contextmanager
    def read(
        self,
        *,
        key: str,
        first: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> Iterator[Body]:
        version = self.bucket.find(key, version_id)
        info = self.bucket.described(version)
        if if_match not in (None, info.etag):
            raise Changed(f"{key}: etag {if_match} was pinned, it is {info.etag} now")
        if self.bucket.archived(version):
            raise NotRestored(f"{key} is in {info.archive_status or info.storage_class} and not restored")
        wanted = checked_range(key=key, size=info.size, first=first, length=length)
        yield CountedBody(info, _blocks(version.data[first : first + wanted]), wanted)

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        return fetched(self.read(key=key, if_match=if_match, version_id=version_id), into)

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        body = self.read(key=key, first=first, length=len(into), if_match=if_match, version_id=version_id)
        return filled(body, into)

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        self._check_name(key)
        return self.bucket.add(_facts(key, content_type, metadata), bytes(data))

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        self._check_name(key)
        upload_id = secrets.token_hex(8)
        with self.bucket.lock:
            self.bucket.uploads[upload_id] = PendingParts(key, self.bucket.clock(), content_type, dict(metadata or {}))
        return MemoryUpload(self.bucket, key, upload_id)

    def resume_upload(
        self,
        *,
        key: str,
        upload_id: str,
        content_type: str | None = None,  # noqa: ARG002 - kept since the upload began
        metadata: dict[str, str] | None = None,  # noqa: ARG002
    ) -> Upload:
        return MemoryUpload(self.bucket, key, upload_id)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        with self.bucket.lock:
            pending = [(u, p) for u, p in self.bucket.uploads.items() if p.key.startswith(prefix)]
        yield from (PendingUpload(parts.key, upload_id, parts.started_at) for upload_id, parts in pending)

    def name_fault(self, key: str) -> str | None:
        if not key:
            return "a key must not be empty"
        return "a key must not hold NUL" if "\0" in key else None

    def _check_name(self, key: str) -> None:
        if fault := self.name_fault(key):
            raise NameNotAllowed(f"{key!r}: {fault}")


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class MemoryUpload:
    """Upload over a MemoryBucket."""

    bucket: MemoryBucket
    key: str
    id: str

    def put_part(
        self,
        number: int,
        data: bytes | memoryview,
        *,
        mark: str = "",  # noqa: ARG002 - the bytes are at hand
    ) -> PartReceipt:
        with self.bucket.lock:
            self._pending().parts[number] = bytes(data)
        return PartReceipt(number, len(data), str(number))

    def parts(self) -> list[PartReceipt]:
        with self.bucket.lock:
            pending = self.bucket.uploads.get(self.id)
            found = sorted(pending.parts.items()) if pending else []
        return [PartReceipt(number, len(data), str(number), _md5(data)) for number, data in found]

    def commit(
        self,
        parts: Sequence[PartReceipt],
        *,
        content_md5: bytes | None = None,  # noqa: ARG002 - nothing to store it in
    ) -> ObjectInfo:
        with self.bucket.lock:
            pending = self._pending()
            missing = [part.number for part in parts if part.number not in pending.parts]
            if missing:
                raise NotFound(f"{self.key}: upload {self.id} has no part {missing[0]}")
            data = b"".join(pending.parts[n] for n in sorted(part.number for part in parts))
            info = self.bucket.add(_facts(self.key, pending.content_type, pending.metadata), data)
            del self.bucket.uploads[self.id]
            return info

    def abort(self) -> None:
        with self.bucket.lock:
            self.bucket.uploads.pop(self.id, None)

    def _pending(self) -> PendingParts:
        pending = self.bucket.uploads.get(self.id)
        if pending is None or pending.key != self.key:
            raise NotFound(f"{self.key}: there is no upload {self.id}; it was committed or aborted")
        return pending


def _facts(key: str, content_type: str | None, metadata: dict[str, str] | None) -> ObjectInfo:
    names = {name.lower(): value for name, value in (metadata or {}).items()}
    return ObjectInfo(key=key, size=0, etag="", content_type=content_type, metadata=names)


def _blocks(data: bytes) -> Iterator[memoryview]:
    view = memoryview(data)
    for start in range(0, len(view), _BLOCK):
        yield view[start : start + _BLOCK]
