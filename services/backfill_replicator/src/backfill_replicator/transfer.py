"""Copying one object: pinned at the source, hashed on the way, created only where nothing is.

A file whose bytes do not hash to its manifests is never committed: a corrupt source does not become a replica.
An object that is already there is left alone; if its bytes hash to the manifests, that is success.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from backfill_replicator.labels import labels
from backfill_replicator.large import LargeCopy, Notes
from backfill_replicator.parts import USUAL_PART, fault
from common.domain.fixity import MultiHasher, mismatches
from common.domain.segment import PlannedFile
from common.errors import AlreadyExists, Changed, NotFound, NotRestored, RefusedByStore, StoreUnavailable
from common.pools import Pools
from common.ports import Body, ObjectStore


class Result(StrEnum):
    """What became of one file."""

    COPIED = "copied"
    ALREADY_THERE = "already there"
    SOURCE_CORRUPT = "source corrupt"
    SOURCE_VANISHED = "source vanished"
    SOURCE_CHANGED = "source changed"
    DESTINATION_DIFFERS = "destination differs"
    TOO_LARGE = "too large"

    @property
    def good(self) -> bool:
        return self in (Result.COPIED, Result.ALREADY_THERE)


@dataclass(frozen=True, slots=True)
class Copied:
    """The outcome for one file; `why` is empty where it is good."""

    file: PlannedFile
    result: Result
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ends:
    """Where one file comes from and goes to."""

    source: ObjectStore
    source_key: str
    destination: ObjectStore
    destination_key: str


class SourceGone(Exception):
    """What was planned for cannot be read any more."""

    def __init__(self, result: Result, why: str) -> None:
        super().__init__(why)
        self.result = result


@contextmanager
def pinned(file: PlannedFile, ends: Ends) -> Iterator[Body]:
    """The source's bytes, as they were planned for. Raises SourceGone where others or none are there."""
    try:
        with ends.source.read(key=ends.source_key, if_match=file.etag, version_id=file.version_id) as body:
            yield body
    except NotFound as error:
        raise SourceGone(Result.SOURCE_VANISHED, f"{file.path}: {error}") from error
    except Changed as error:
        raise SourceGone(Result.SOURCE_CHANGED, f"{file.path}: {error}") from error


class Transfer:
    """Copies files, one call each; safe to call from several threads."""

    def __init__(
        self,
        *,
        checkpoint: Callable[[], None],
        notes: Notes,
        look_first: bool,
        small: int = USUAL_PART,
        pools: Pools = ThreadPoolExecutor,
    ) -> None:
        self._checkpoint = checkpoint
        self._notes = notes
        self._look_first = look_first
        """An earlier attempt may have copied files: look before reading the source a second time."""
        self._pools = pools
        self._small = small
        """Files up to this many bytes go in one request and are held in memory."""

    def copy(self, file: PlannedFile, ends: Ends) -> Copied:
        """Make the destination hold the file. Raises NotRestored where the source is frozen, and other StoreErrors and
        TransientErrors of either store."""
        self._checkpoint()
        if too_large := fault(file.size, ends.destination.limits):
            return Copied(file, Result.TOO_LARGE, too_large)
        small = file.size <= min(self._small, ends.destination.limits.max_single_put)
        if (self._look_first or not small) and (there := self._already_there(file, ends)):
            return there
        try:
            return self._copy_small(file, ends) if small else self._copy_large(file, ends)
        except SourceGone as gone:
            return Copied(file, gone.result, str(gone))
        except AlreadyExists:
            # Somebody was here before: for the rest, looking is cheaper than reading the source in vain.
            self._look_first = True
            return self._compare(file, ends)

    def _copy_small(self, file: PlannedFile, ends: Ends) -> Copied:
        hasher, data, content_type = self._read_small(file, ends)
        if mismatches(expected=file.checksums, measured=hasher.digests()) or hasher.size != file.size:
            # Once more from the source: the flip may have happened on the way.
            hasher, data, content_type = self._read_small(file, ends)
            if wrong := describe_mismatch(file, hasher):
                return Copied(file, Result.SOURCE_CORRUPT, wrong)
        ends.destination.create(key=ends.destination_key, data=data, content_type=content_type, metadata=labels(file))
        return Copied(file, Result.COPIED)

    def _read_small(self, file: PlannedFile, ends: Ends) -> tuple[MultiHasher, bytes, str | None]:
        """The bytes, hashed, and the content type they have at the source."""
        with pinned(file, ends) as body:
            content_type = body.info.content_type
            data = b"".join(bytes(block) for block in body)
        hasher = MultiHasher(file.checksums)
        hasher.update(data)
        return hasher, data, content_type

    def _copy_large(self, file: PlannedFile, ends: Ends) -> Copied:
        wrong = ""
        for _ in range(2):
            wrong = LargeCopy(
                file,
                read=lambda: pinned(file, ends),
                destination=ends.destination,
                destination_key=ends.destination_key,
                notes=self._notes,
                checkpoint=self._checkpoint,
                pools=self._pools,
            ).run()
            if not wrong:
                return Copied(file, Result.COPIED)
        return Copied(file, Result.SOURCE_CORRUPT, wrong)

    def _already_there(self, file: PlannedFile, ends: Ends) -> Copied | None:
        try:
            ends.destination.head(key=ends.destination_key)
        except NotFound:
            return None
        return self._compare(file, ends)

    def _compare(self, file: PlannedFile, ends: Ends) -> Copied:
        """An object is there: its bytes decide, not its size and not what anybody noted about it."""
        hasher = MultiHasher(file.checksums)
        try:
            with ends.destination.read(key=ends.destination_key) as body:
                for block in body:
                    self._checkpoint()
                    hasher.update(block)
        except NotFound as error:
            raise StoreUnavailable(f"{ends.destination_key} was there and is not: {error}") from error
        except NotRestored as error:
            # Not for the bag warmer, who thaws the source: somebody has to restore it at the destination.
            raise RefusedByStore(
                f"an object is at {ends.destination_key}, its bytes cannot be read: {error}"
            ) from error
        if wrong := describe_mismatch(file, hasher):
            return Copied(file, Result.DESTINATION_DIFFERS, f"another object is at {ends.destination_key}: {wrong}")
        return Copied(file, Result.ALREADY_THERE)


def describe_mismatch(file: PlannedFile, hasher: MultiHasher) -> str:
    """What is wrong with the bytes seen, with expected and measured values; empty where nothing is."""
    if hasher.size != file.size:
        return f"{file.path}: {hasher.size} bytes, expected {file.size}"
    measured = hasher.digests()
    wrong = mismatches(expected=file.checksums, measured=measured)
    told = (f"{a.display} {measured.get(a, 'not measured')}, expected {file.checksums[a]}" for a in wrong)
    return f"{file.path}: " + "; ".join(told) if wrong else ""
