"""The record store: each bag version's list of files, one compressed object that is named after its own SHA-256."""

from __future__ import annotations

import errno
import gzip
import hashlib
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import IO, Any, Protocol

from common.domain.storage_manifest import ListedFile
from common.errors import AlreadyExists, DiskFull
from common.ports import ObjectStore, PartReceipt, Upload

_BLOCK = 1 << 20
_PART = 8 << 20
_IN_MEMORY = 2 << 20
PIECE = 256 << 10
"""At most so many bytes are unpacked at a time: deflate makes a thousand bytes of one, and a list is not to be trusted
before its end."""
LONGEST_LINE = 1 << 20
_CONTENT_TYPE = "application/gzip"


class RecordCorrupt(Exception):
    """A file list is not the one that was registered."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file list that the record store holds."""

    key: str
    sha256: str
    """Of the object's bytes, compressed as they are."""
    files: int
    bytes: int
    payload_files: int
    payload_bytes: int


class Keeper(Protocol):
    """What takes a file list; :class:`FileLists` keeps it, :class:`Counted` only counts."""

    def keep(self, files: Iterable[ListedFile]) -> Kept: ...


class Counted:
    """For those who only look: nothing is stored."""

    def keep(self, files: Iterable[ListedFile]) -> Kept:
        """Count the files. `key` and `sha256` are empty."""
        counts = _Counts()
        for file in files:
            counts.add(file)
        return Kept("", "", counts.files, counts.bytes, counts.payload_files, counts.payload_bytes)


class FileLists:
    """Writes and reads file lists, in bounded memory whatever their length."""

    def __init__(self, *, store: ObjectStore, prefix: str = "", labels: bool = True) -> None:
        """`labels`: objects get a content type. A directory has to keep it in a file of its own, each durable."""
        self.store = store
        self.prefix = prefix
        self._content_type = _CONTENT_TYPE if labels else None

    def keep(self, files: Iterable[ListedFile]) -> Kept:
        """Store the list; the same list again changes nothing. Raises DiskFull."""
        with _room(), tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
            counts = _Counts()
            with gzip.GzipFile(filename="", mode="wb", fileobj=spool, mtime=0) as packed:
                for file in files:
                    counts.add(file)
                    packed.write(file.to_line())
            size = spool.tell()
            sha256 = _digest(spool)
            # Few directories: where the store is one, each new one costs more than the list.
            key = f"{self.prefix}file-lists/{sha256[:2]}/{sha256}.ndjson.gz"
            # An earlier attempt may have come as far as this: the name says that it is the same.
            with suppress(AlreadyExists):
                self._store_object(key, spool, size)
        return Kept(key, sha256, counts.files, counts.bytes, counts.payload_files, counts.payload_bytes)

    def _store_object(self, key: str, spool: IO[bytes], size: int) -> None:
        spool.seek(0)
        if size <= min(_PART, self.store.limits.max_single_put):
            self.store.create(key=key, data=spool.read(), content_type=self._content_type)
            return
        upload = self.store.begin_upload(key=key, content_type=self._content_type)
        try:
            upload.commit(list(self._parts(upload, spool)))
        except BaseException:
            upload.abort()
            raise

    def _parts(self, upload: Upload, spool: IO[bytes]) -> Iterator[PartReceipt]:
        """All from one buffer: two parts side by side would be twice the memory."""
        buffer = memoryview(bytearray(max(_PART, self.store.limits.min_part)))
        for number in count(1):
            if not (length := spool.readinto(buffer)):  # type: ignore[attr-defined]
                return
            yield upload.put_part(number, buffer[:length])

    @contextmanager
    def read(self, *, key: str, sha256: str) -> Iterator[Iterator[ListedFile]]:
        """The files of a list, in its order. Raises RecordCorrupt, at the latest after the last."""
        with self.store.read(key=key) as body:
            yield _files(_lines(body, key=key, sha256=sha256), key=key)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise DiskFull(f"a list of files found no room in {tempfile.gettempdir()}: {error.strerror}") from error


class _Counts:
    def __init__(self) -> None:
        self.files = self.bytes = self.payload_files = self.payload_bytes = 0

    def add(self, file: ListedFile) -> None:
        self.files += 1
        self.bytes += file.size
        if not file.tag:
            self.payload_files += 1
            self.payload_bytes += file.size


def _digest(spool: IO[bytes]) -> str:
    spool.seek(0)
    hasher = hashlib.sha256()
    while block := spool.read(_BLOCK):
        hasher.update(block)
    return hasher.hexdigest()


def _files(lines: Iterable[bytes], *, key: str) -> Iterator[ListedFile]:
    for number, line in enumerate(lines, start=1):
        try:
            yield ListedFile.from_line(line)
        except ValueError as error:
            raise RecordCorrupt(f"{key}, line {number}: {error}") from None


def _lines(body: Iterable[bytes | memoryview], *, key: str, sha256: str) -> Iterator[bytes]:
    hasher, unpacker, rest = hashlib.sha256(), zlib.decompressobj(wbits=31), b""
    try:
        for block in body:
            hasher.update(block)
            if unpacker.eof:
                raise RecordCorrupt(f"{key} goes on after its end")
            for piece in _unpacked(unpacker, block):
                *whole, rest = (rest + piece).split(b"\n")
                yield from whole
                if len(rest) > LONGEST_LINE:
                    raise RecordCorrupt(f"{key} has a line of more than {LONGEST_LINE} bytes")
    except zlib.error as error:
        raise RecordCorrupt(f"{key} cannot be unpacked: {error}") from None
    if hasher.hexdigest() != sha256 or rest or not unpacker.eof:
        raise RecordCorrupt(f"{key} has the SHA-256 {hasher.hexdigest()}, registered was {sha256}")


def _unpacked(unpacker: Any, block: bytes | memoryview) -> Iterator[bytes]:
    while piece := unpacker.decompress(block, PIECE):
        yield piece
        block = unpacker.unconsumed_tail
