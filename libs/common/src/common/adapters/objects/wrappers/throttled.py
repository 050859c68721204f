"""Keeps to a number of requests at once and to bytes per second, over all threads of the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice

from common.adapters.objects.wrappers.forwarding import ForwardingStore, ForwardingUpload
from common.adapters.objects.wrappers.pace import Pace
from common.adapters.objects.wrappers.turns import Turns
from common.errors import Throttled
from common.ports import (
    AllCreated,
    AllFetched,
    Body,
    GoingOn,
    New,
    ObjectInfo,
    ObjectStore,
    PartReceipt,
    Upload,
    Wanted,
    always,
)
from common.records import record

_PAGE = 1000
"""Entries: what stores give in one answer."""


class ThrottledStore(ForwardingStore):
    """ObjectStore that asks less of another one. An open body counts as a request.

    A write waits for its bytes' time before it takes its turn, so that it keeps no other request waiting; the bytes of
    a body are paced block by block, as they are read.
    """

    def __init__(self, store: ObjectStore, *, turns: Turns, pace: Pace | None = None) -> None:
        super().__init__(store)
        self._turns = turns
        self._pace = pace

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        """Takes a turn per page, and gives it back before the reader sees an entry: lists and reads can be nested."""
        found = iter(self.store.list(prefix=prefix, start_after=start_after))
        while page := self._turns.request(lambda: list(islice(found, _PAGE))):
            yield from page
            if len(page) < _PAGE:
                return

    def head(self, *, key: str) -> ObjectInfo:
        return self._turns.request(lambda: self.store.head(key=key))

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
        opened = self.store.read(key=key, first=first, length=length, if_match=if_match, version_id=version_id)
        # What its reader raises says nothing about this store: it may have come from another.
        with self._turns.turn(), ExitStack() as stack:
            body = self._turns.learning(lambda: stack.enter_context(opened))
            yield _PacedBody(body, self._turns, self._pace)

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        found = self._turns.request(
            lambda: self.store.fetch(key=key, into=into, if_match=if_match, version_id=version_id)
        )
        if found is not None:
            _spend(self._pace, into[: found.size])
        return found

    @property
    def takes_several(self) -> bool:
        return self._pace is None and self.store.takes_several

    def fetch_several(self, wanted: Sequence[Wanted], *, at_once: int, going_on: GoingOn = always) -> AllFetched:
        if self._pace is not None or not wanted:
            return super().fetch_several(wanted, at_once=at_once, going_on=going_on)
        with self._turns.several(min(at_once, len(wanted))) as turns:
            found = self.store.fetch_several(wanted, at_once=turns, going_on=going_on)
        self._turns.learn_all(one.answer for one in found)
        return found

    def create_several(self, new: Sequence[New], *, at_once: int) -> AllCreated:
        if self._pace is not None or not new:
            return super().create_several(new, at_once=at_once)
        with self._turns.several(min(at_once, len(new))) as turns:
            made = self.store.create_several(new, at_once=turns)
        self._turns.learn_all(made)
        return made

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        _spend(self._pace, into)
        return self._turns.request(
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
        _spend(self._pace, data)
        return self._turns.request(
            lambda: self.store.create(key=key, data=data, content_type=content_type, metadata=metadata)
        )

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        begun = self._turns.request(
            lambda: self.store.begin_upload(key=key, content_type=content_type, metadata=metadata)
        )
        return _ThrottledUpload(begun, self._turns, self._pace)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        resumed = super().resume_upload(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)
        return _ThrottledUpload(resumed, self._turns, self._pace)


class _ThrottledUpload(ForwardingUpload):
    def __init__(self, upload: Upload, turns: Turns, pace: Pace | None) -> None:
        super().__init__(upload)
        self._turns = turns
        self._pace = pace

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        _spend(self._pace, data)
        return self._turns.request(lambda: self.upload.put_part(number, data, mark=mark))

    def parts(self) -> list[PartReceipt]:
        return self._turns.request(self.upload.parts)

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        return self._turns.request(lambda: self.upload.commit(parts, content_md5=content_md5))


def _spend(pace: Pace | None, data: bytes | memoryview) -> None:
    if pace is not None:
        pace.spend(len(data))


@record
class _PacedBody:
    body: Body
    turns: Turns
    pace: Pace | None

    @property
    def info(self) -> ObjectInfo:
        return self.body.info

    def __iter__(self) -> Iterator[bytes | memoryview]:
        blocks = iter(self.body)
        while (block := self._following(blocks)) is not None:
            self.turns.used()
            _spend(self.pace, block)
            yield block

    def _following(self, blocks: Iterator[bytes | memoryview]) -> bytes | memoryview | None:
        """A body may be cut by a busy store too; only its opening counts as an answer."""
        try:
            return next(blocks, None)
        except Throttled as error:
            self.turns.refused(error)
            raise
