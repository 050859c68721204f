"""ObjectStore over a directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from common.adapters.objects.body import CountedBody, checked_range
from common.adapters.objects.local import places, upload
from common.adapters.objects.local.errors import error_for, translated
from common.adapters.objects.local.facts import info_of, read_facts
from common.adapters.objects.local.listing import listing
from common.adapters.objects.local.writing import create_file
from common.adapters.objects.one_by_one import OneByOne
from common.adapters.objects.reading import fetched, filled
from common.errors import Changed, NameNotAllowed, NotFound
from common.ports import Body, Limits, ObjectInfo, PendingUpload, Upload

_LIMITS = Limits(max_single_put=2**30, min_part=1, max_part=2**32, max_parts=100_000, max_object=2**43)
_BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class LocalStore(OneByOne):
    """Files of `root`, which must exist. Has no versions; an etag names the file, its time and size."""

    root: Path

    @property
    def limits(self) -> Limits:
        return _LIMITS

    def list(self, *, prefix: str, start_after: str | None = None) -> Iterator[ObjectInfo]:
        with translated(str(self.root)):
            yield from listing(self.root, prefix=prefix, start_after=start_after)

    def head(self, *, key: str) -> ObjectInfo:
        with self._open(key) as file:
            return self._info(key, file)

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
        if version_id is not None:
            raise NotFound(f"{key}: a directory keeps no versions, so there is no version {version_id}")
        with self._open(key) as file:
            info = self._info(key, file)
            if if_match not in (None, info.etag):
                raise Changed(f"{key}: etag {if_match} was pinned, it is {info.etag} now")
            wanted = checked_range(key=key, size=info.size, first=first, length=length)
            file.seek(first)
            yield CountedBody(info, _blocks(file, key, wanted), wanted)

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
        with translated(key):
            return create_file(root=self.root, key=key, blocks=[data], content_type=content_type, metadata=metadata)

    def begin_upload(
        self, *, key: str, content_type: str | None = None, metadata: dict[str, str] | None = None
    ) -> Upload:
        self._check_name(key)
        if not self.root.is_dir():
            raise NotFound(f"there is no directory {self.root}")
        with translated(key):
            return upload.begin(root=self.root, key=key, content_type=content_type, metadata=metadata)

    def resume_upload(
        self,
        *,
        key: str,
        upload_id: str,
        content_type: str | None = None,  # noqa: ARG002 - kept since the upload began
        metadata: dict[str, str] | None = None,  # noqa: ARG002
    ) -> Upload:
        return upload.LocalUpload(self.root, key, upload_id)

    def pending_uploads(self, *, prefix: str) -> Iterator[PendingUpload]:
        return upload.pending(root=self.root, prefix=prefix)

    def name_fault(self, key: str) -> str | None:
        return places.name_fault(key)

    def _info(self, key: str, file: BinaryIO) -> ObjectInfo:
        status = os.fstat(file.fileno())
        return info_of(key, status, read_facts(self.root, status))

    def _check_name(self, key: str) -> None:
        if fault := self.name_fault(key):
            raise NameNotAllowed(f"{key!r}: {fault}")

    @contextmanager
    def _open(self, key: str) -> Iterator[BinaryIO]:
        if not self.root.is_dir() or self.name_fault(key):
            raise NotFound(f"there is no {key} in {self.root}")
        with translated(key), places.parent_of(self.root, key) as (directory, name):
            # Not blocking: a pipe put into the directory must not hang a reader.
            handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
        with os.fdopen(handle, "rb", buffering=0, closefd=True) as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise NotFound(f"{key} is not a file")
            yield file


def _blocks(file: BinaryIO, key: str, wanted: int) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(min(_BLOCK, wanted)))
    while wanted:
        try:
            count = file.readinto(buffer[:wanted])  # type: ignore[attr-defined]
        except OSError as problem:
            raise error_for(problem, key) from problem
        if not count:
            return
        wanted -= count
        yield buffer[:count]
