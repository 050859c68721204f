"""Object stores. Keys are text, compared code point by code point: no adapter normalises, encodes or trims them.
An adapter never retries and never logs; the wrappers of :mod:`common.adapters.objects.wrappers` do.
There is no way to delete an object: nothing in Backfill may.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from datetime import datetime
from typing import Protocol

from common.domain.fixity import Checksums
from common.ports.several import Several
from common.records import record


@record
class RestoreStatus:
    """What a store says about the readable copy of an archived object (the x-amz-restore header)."""

    ongoing: bool
    expires_at: datetime | None = None
    """Until when the copy can be read; None while ongoing, or where restoring moves the object for good."""


@record
class ObjectInfo:
    """One object as a store describes it."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """Opaque, without quotes, good for `if_match`. Never a checksum to us; where it happens to be the MD5 of what was
    read, the reading was right, and that is all it says."""
    version_id: str | None = None
    storage_class: str | None = None
    """As the provider names it; None means the provider's default (S3 STANDARD)."""
    restore: RestoreStatus | None = None
    archive_status: str | None = None
    """S3 Intelligent-Tiering's archive tier; known from `head` only, never from `list`."""
    last_modified: datetime | None = None
    content_type: str | None = None
    """From `head` and `read` only."""
    metadata: dict[str, str] = field(default_factory=dict)
    """User metadata with lower-case names; from `head` only."""
    digests: Checksums | None = field(default=None, compare=False)
    """Of the whole object, as the provider computed them when it was written; from `head` only, where it tells any.
    Never what a client only claimed: Azure's Content-MD5 is that."""


class Body(Protocol):
    """An open object: iterate once for its bytes, in blocks of the store's choosing."""

    @property
    def info(self) -> ObjectInfo:
        """The object being read. `size` is the whole object's size, also for a range."""
        ...

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """Yields exactly the bytes asked for; raises TruncatedBody where the store sends fewer.

        A block may be a view of a buffer that the next step re-uses: use it before taking the next.
        """
        ...


@record
class PartReceipt:
    """A part that the store has and an upload may be committed with."""

    number: int
    size: int
    tag: str
    """What the store wants back at commit (S3: the part's ETag; Azure: the block id)."""
    md5: str = field(default="", compare=False)
    """Of the part's bytes, in hex, where `Upload.parts` of this store tells: for who takes up what another began."""
    mark: str = field(default="", compare=False)
    """What it was sent with, where `Upload.parts` of this store tells that."""


class Upload(Protocol):
    """A large object in the making. Invisible to readers until `commit`; parts come in any order and from any thread.

    It belongs to one attempt: two uploads of the same key never see each other's parts.
    """

    @property
    def id(self) -> str:
        """Opaque; with the key, enough to `resume_upload` from another process."""
        ...

    def put_part(self, number: int, data: bytes | memoryview, *, mark: str = "") -> PartReceipt:
        """Store part `number` (from 1). Twice with the same number: the last wins.

        `mark`: nothing, or 8 hex digits that say what these bytes are. Where a store tells no MD5 of parts, `parts`
        tells the mark; and both parts, where one number was sent with two marks.
        """
        ...

    def parts(self) -> list[PartReceipt]:
        """The parts the store has now, by number. Empty for an upload nobody knows."""
        ...

    def commit(self, parts: Sequence[PartReceipt], *, content_md5: bytes | None = None) -> ObjectInfo:
        """Make the object, of exactly these parts in order of number; only if no object has the key.

        The answer knows key, size, ETag and version; `head` tells the rest.
        Raises AlreadyExists (and leaves that object as it is), NotFound for an upload that was aborted.
        """
        ...

    def abort(self) -> None:
        """Forget the parts. Twice, or after commit: nothing happens."""
        ...


class PartCopier(Protocol):
    """Has a destination take parts of a source's objects by itself: no byte of them comes by here."""

    @property
    def part_size(self) -> int:
        """Bytes of a usual part."""
        ...

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
        """Store `length` bytes of the source's object from byte `first` as part `number` of the destination's upload.

        Raises CannotCopy where these stores do not do that, or not with these credentials; NotFound (the upload or the
        source), NotRestored, Changed (the source's etag is not `if_match`; a copier that cannot send it ignores it).
        Nothing but the store's word says that the bytes are the source's.
        """
        ...


@record
class PendingUpload:
    """An upload that was neither committed nor aborted."""

    key: str
    upload_id: str
    started_at: datetime | None


@record
class Limits:
    """What a provider can hold and how it wants its uploads."""

    max_single_put: int
    """Largest object in one `create` call, bytes."""
    min_part: int
    """Smallest part but the last, bytes."""
    max_part: int
    max_parts: int
    max_object: int


class ObjectStore(Several, Protocol):
    """One bucket, container or directory."""

    @property
    def limits(self) -> Limits: ...

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        """Every object whose key begins with `prefix`, by key in UTF-8 byte order, a page of at most 1,000 at a time.

        `start_after` leaves out that key and those before it. No objects: an empty iterator, not an error.
        Raises NotFound where the bucket does not exist. `restore` is set where the store tells it in lists.
        """
        ...

    def head(self, *, key: str) -> ObjectInfo:
        """The object's facts. Raises NotFound."""
        ...

    def read(
        self,
        *,
        key: str,
        first: int = 0,
        length: int | None = None,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> AbstractContextManager[Body]:
        """Open `length` bytes from byte `first`, to the end where None.

        Raises NotFound, NotRestored, Changed (the etag is not `if_match`). A range that goes past the end raises
        ValueError; `first == size` with length None or 0 yields nothing (an empty object can be read).
        """
        ...

    def fetch(
        self, *, key: str, into: memoryview, if_match: str | None = None, version_id: str | None = None
    ) -> ObjectInfo | None:
        """The whole object in one request, for small ones: its bytes from the start of `into` on, as many as `size` of
        the answer says. None where it has more than `into` holds; then what is in `into` means nothing.

        Raises as `read` does, and TruncatedBody.
        """
        ...

    def read_into(
        self,
        *,
        key: str,
        into: memoryview,
        first: int = 0,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> ObjectInfo:
        """Fill `into`, which is not empty, with the object's bytes from `first` on: for parts of large objects.

        Raises as `read` does (ValueError where the object ends before `into` is full), and TruncatedBody; then what
        is in `into` means nothing.
        """
        ...

    def create(
        self,
        *,
        key: str,
        data: bytes | memoryview,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> ObjectInfo:
        """Store the object in one request, only if no object has the key.

        Raises AlreadyExists (and leaves that object as it is), NameNotAllowed.
        After StoreUnavailable the object may or may not be there.
        """
        ...

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        """Start a large object. Raises NameNotAllowed."""
        ...

    def resume_upload(
        self,
        *,
        key: str,
        upload_id: str,
        content_type: str | None = None,
        metadata: dict[str, str] | None = None,
    ) -> Upload:
        """Take up an upload that another process began; its `parts` are empty where the store forgot it."""
        ...

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        """Uploads below `prefix` that were neither committed nor aborted."""
        ...

    def name_fault(self, key: str) -> str | None:
        """Why the provider could not hold `key`, as a sentence; None if it can. Asks nobody."""
        ...
