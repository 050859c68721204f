"""A store that hands every call on: what the wrappers begin from, so that each shows only what it changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from common.adapters.objects.one_by_one import OneByOne
from common.ports import Body, Limits, ObjectInfo, ObjectStore, PartReceipt, PendingUpload, Upload


class ForwardingStore(OneByOne):
    """ObjectStore over another one. Several objects go one by one through its own `fetch` and `create`, so that a
    wrapper which changes these changes all."""

    def __init__(self, store: ObjectStore) -> None:
        self.store = store

    @property
    def limits(self) -> Limits:
        return self.store.limits

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        return self.store.list(prefix=prefix, start_after=start_after)

    def head(self, *, key: str) -> ObjectInfo:
        return self.store.head(key=key)

    def read(
        self,
        *,
        key: str,
        first: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> AbstractContextManager[Body]:
        return self.store.read(key=key, first=first, length=length, if_match=if_match, version_id=version_id)

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        return self.store.fetch(key=key, into=into, if_match=if_match, version_id=version_id)

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        return self.store.read_into(key=key, into=into, first=first, if_match=if_match, version_id=version_id)

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        return self.store.create(key=key, data=data, content_type=content_type, metadata=metadata)

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        return self.store.begin_upload(key=key, content_type=content_type, metadata=metadata)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        return self.store.resume_upload(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        return self.store.pending_uploads(prefix=prefix)

    def name_fault(self, key: str) -> str | None:
        return self.store.name_fault(key)


class ForwardingUpload:
    """Upload over another one."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload

    @property
    def id(self) -> str:
        return self.upload.id

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        return self.upload.put_part(number, data, mark=mark)

    def parts(self) -> list[PartReceipt]:
        return self.upload.parts()

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        return self.upload.commit(parts, content_md5=content_md5)

    def abort(self) -> None:
        self.upload.abort()
