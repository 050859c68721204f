"""Tries again what may work later.

`create` and `commit` are conditional, so trying them again is safe, but not silent: where the first attempt was
carried out and only its answer was lost, the next one meets the object and raises AlreadyExists (a commit, on some
stores, NotFound). Nobody here can tell whose object it is. The caller, who knows the bytes, compares.

A body that breaks off is opened again where it broke, pinned to the same etag; the bytes come out once and whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime

from common.adapters.objects.one_by_one import UNASKED, created_alone, fetched_alone
from common.adapters.objects.wrappers.completing import completed
from common.adapters.objects.wrappers.forwarding import ForwardingStore, ForwardingUpload
from common.adapters.objects.wrappers.patience import Patience
from common.adapters.objects.wrappers.resuming import resumed_body
from common.errors import TransientError
from common.ports import (
    AllCreated,
    AllFetched,
    Body,
    ColdStore,
    GoingOn,
    New,
    ObjectInfo,
    ObjectStore,
    PartCopier,
    PartReceipt,
    PendingUpload,
    Restore,
    Tier,
    Upload,
    Wanted,
    always,
)


class RetryingStore(ForwardingStore):
    """ObjectStore that is patient with another one."""

    def __init__(self, store: ObjectStore, *, patience: Patience | None = None) -> None:
        super().__init__(store)
        self._patiently = patience or Patience()

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        found = iter(self.store.list(prefix=prefix, start_after=start_after))
        last = start_after

        def following() -> ObjectInfo | None:
            nonlocal found
            try:
                return next(found, None)
            except TransientError:
                found = iter(self.store.list(prefix=prefix, start_after=last))
                raise

        while (info := self._patiently(following)) is not None:
            last = info.key
            yield info

    def head(self, *, key: str) -> ObjectInfo:
        return self._patiently(lambda: self.store.head(key=key))

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
        def open_from(skip: int, etag: str | None) -> AbstractContextManager[Body]:
            rest = None if length is None else length - skip
            return self.store.read(key=key, first=first + skip, length=rest, if_match=etag, version_id=version_id)

        with resumed_body(open_from, patiently=self._patiently, if_match=if_match) as body:
            yield body

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        return self._patiently(lambda: self.store.fetch(key=key, into=into, if_match=if_match, version_id=version_id))

    @property
    def takes_several(self) -> bool:
        return self.store.takes_several

    def fetch_several(self, wanted: Sequence[Wanted], *, at_once: int, going_on: GoingOn = always) -> AllFetched:
        return completed(
            wanted,
            [UNASKED] * len(wanted),
            ask=lambda left: self.store.fetch_several(left, at_once=at_once, going_on=going_on),
            again=lambda one: fetched_alone(self, one),
        )

    def create_several(self, new: Sequence[New], *, at_once: int) -> AllCreated:
        """AlreadyExists as for `create`."""
        return completed(
            new,
            AllCreated([None] * len(new)),
            ask=lambda left: self.store.create_several(left, at_once=at_once),
            again=lambda one: created_alone(self, one),
        )

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        return self._patiently(
            lambda: self.store.read_into(key=key, into=into, first=first, if_match=if_match, version_id=version_id)
        )

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        """Raises AlreadyExists also where an earlier attempt of this very call made the object: compare."""
        return self._patiently(
            lambda: self.store.create(key=key, data=data, content_type=content_type, metadata=metadata)
        )

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        begun = self._patiently(lambda: self.store.begin_upload(key=key, content_type=content_type, metadata=metadata))
        return RetryingUpload(begun, patience=self._patiently)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        resumed = super().resume_upload(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)
        return RetryingUpload(resumed, patience=self._patiently)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        return iter(self._patiently(lambda: [*self.store.pending_uploads(prefix=prefix)]))


class RetryingUpload(ForwardingUpload):
    """Upload that is patient with another one."""

    def __init__(self, upload: Upload, *, patience: Patience) -> None:
        super().__init__(upload)
        self._patiently = patience

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        return self._patiently(lambda: self.upload.put_part(number, data, mark=mark))

    def parts(self) -> list[PartReceipt]:
        return self._patiently(self.upload.parts)

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        return self._patiently(lambda: self.upload.commit(parts, content_md5=content_md5))

    def abort(self) -> None:
        self._patiently(self.upload.abort)


class RetryingColdStore:
    """ColdStore that is patient with another one."""

    def __init__(self, store: ColdStore, *, patience: Patience | None = None) -> None:
        self.store = store
        self._patiently = patience or Patience()

    def now(self) -> datetime:
        return self._patiently(self.store.now)

    def restore(self, *, key: str, version_id: str | None, days: int | None, tier: Tier) -> Restore:
        return self._patiently(lambda: self.store.restore(key=key, version_id=version_id, days=days, tier=tier))


class RetryingCopier:
    """PartCopier that is patient with another one."""

    def __init__(self, copier: PartCopier, *, patience: Patience | None = None) -> None:
        self.copier = copier
        self._patiently = patience or Patience()

    @property
    def part_size(self) -> int:
        return self.copier.part_size

    def copy_part(
        self,
        *,
        key: str,
        upload_id: str,
        number: int,
        source_key: str,
        first: int,
        length: int,
        if_match: str,
        version_id: str | None = None,
    ) -> PartReceipt:
        return self._patiently(
            lambda: self.copier.copy_part(
                key=key,
                upload_id=upload_id,
                number=number,
                source_key=source_key,
                first=first,
                length=length,
                if_match=if_match,
                version_id=version_id,
            )
        )
