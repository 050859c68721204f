"""A store that fails as real ones do, by a seed: for tests and the simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from common.adapters.objects.wrappers.forwarding import ForwardingStore, ForwardingUpload
from common.errors import StoreUnavailable, TruncatedBody
from common.ports import Body, ObjectInfo, ObjectStore, PartReceipt, Upload

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Faults:
    """Probabilities from 0 to 1, each asked once per call that it can happen to."""

    random: Random = field(default_factory=Random)
    before: float = 0.0
    """The request never arrives."""
    after: float = 0.0
    """The request is carried out, and its answer is lost."""
    truncate: float = 0.0
    """A body ends early, and says so."""
    flip_on_read: float = 0.0
    """One bit of a body is wrong, once: the object is whole."""
    flip_on_write: float = 0.0
    """One bit of what is stored is wrong, and nobody notices."""

    def happens(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability

    def around(self, act: Callable[[], T]) -> T:
        """`act`, which may fail before or after its effect."""
        if self.happens(self.before):
            raise StoreUnavailable("injected: the request did not arrive")
        done = act()
        if self.happens(self.after):
            raise StoreUnavailable("injected: the answer was lost")
        return done

    def written(self, data: bytes | memoryview) -> bytes | memoryview:
        return self.flipped(data) if len(data) and self.happens(self.flip_on_write) else data

    def flipped(self, data: bytes | memoryview) -> bytes:
        harmed = bytearray(data)
        harmed[self.random.randrange(len(harmed))] ^= 1 << self.random.randrange(8)
        return bytes(harmed)


class FaultyStore(ForwardingStore):
    """ObjectStore whose calls fail as `faults` say."""

    def __init__(self, store: ObjectStore, *, faults: Faults) -> None:
        super().__init__(store)
        self._faults = faults

    @property
    def takes_several(self) -> bool:
        """As without faults, though each object goes through its own ones."""
        return self.store.takes_several

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        listed = super().list
        yield from self._faults.around(lambda: [*listed(prefix=prefix, start_after=start_after)])

    def head(self, *, key: str) -> ObjectInfo:
        return self._faults.around(lambda: self.store.head(key=key))

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
        if self._faults.happens(self._faults.before):
            raise StoreUnavailable("injected: the request did not arrive")
        opened = self.store.read(key=key, first=first, length=length, if_match=if_match, version_id=version_id)
        with opened as body:
            yield _FaultyBody(body, self._faults)

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        found = self._faults.around(
            lambda: self.store.fetch(key=key, into=into, if_match=if_match, version_id=version_id)
        )
        if found is None or not found.size:
            return found
        if self._faults.happens(self._faults.truncate):
            raise TruncatedBody("injected: the body ended early")
        if self._faults.happens(self._faults.flip_on_read):
            into[: found.size] = self._faults.flipped(into[: found.size])
        return found

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        info = self._faults.around(
            lambda: self.store.read_into(key=key, into=into, first=first, if_match=if_match, version_id=version_id)
        )
        if self._faults.happens(self._faults.truncate):
            raise TruncatedBody("injected: the body ended early")
        if self._faults.happens(self._faults.flip_on_read):
            into[:] = self._faults.flipped(into)
        return info

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        stored = self._faults.written(data)
        return self._faults.around(
            lambda: self.store.create(key=key, data=stored, content_type=content_type, metadata=metadata)
        )

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        begin = super().begin_upload
        begun = self._faults.around(lambda: begin(key=key, content_type=content_type, metadata=metadata))
        return _FaultyUpload(begun, self._faults)

    def resume_upload(
        self, *, key: str, upload_id: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        resumed = super().resume_upload(key=key, upload_id=upload_id, content_type=content_type, metadata=metadata)
        return _FaultyUpload(resumed, self._faults)


class _FaultyUpload(ForwardingUpload):
    def __init__(self, upload: Upload, faults: Faults) -> None:
        super().__init__(upload)
        self._faults = faults

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        stored = self._faults.written(data)
        return self._faults.around(lambda: self.upload.put_part(number, stored, mark=mark))

    def parts(self) -> list[PartReceipt]:
        return self._faults.around(self.upload.parts)

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        return self._faults.around(lambda: self.upload.commit(parts, content_md5=content_md5))

    def abort(self) -> None:
        self._faults.around(self.upload.abort)


@dataclass(frozen=True, slots=True)
class _FaultyBody:
    body: Body
    faults: Faults

    @property
    def info(self) -> ObjectInfo:
        return self.body.info

    def __iter__(self) -> Iterator[bytes | memoryview]:
        cut = self.faults.happens(self.faults.truncate)
        flip = self.faults.happens(self.faults.flip_on_read)
        for block in self.body:
            if cut:
                yield block[: len(block) // 2]
                raise TruncatedBody("injected: the body ended early")
            yield self.faults.flipped(block) if flip and len(block) else block
            flip = False
