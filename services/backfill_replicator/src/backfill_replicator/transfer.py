"""Copying one object: pinned at the source, hashed on the way, created only where nothing is.

A file whose bytes do not hash to its manifests is never committed: a corrupt source does not become a replica.
An object that is already there is left alone; if its bytes hash to the manifests, that is success.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from backfill_replicator.labels import labels
from backfill_replicator.notes import Notes
from backfill_replicator.parts import fault
from common.domain.fixity import MultiHasher, mismatches
from common.domain.segment import PlannedFile
from common.errors import (
    AlreadyExists,
    ArchivedAtDestination,
    CannotCopy,
    Changed,
    NotFound,
    NotRestored,
    StoreError,
    StoreUnavailable,
)
from common.measuring import WHOLE, Measuring
from common.ports import ObjectInfo, ObjectStore, PartCopier
from common.records import record


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


@record
class Copied:
    """The outcome for one file; `why` is empty where it is good."""

    file: PlannedFile
    result: Result
    why: str = ""
    remotely: bool = False
    """The stores copied it between themselves: it was not hashed on its way."""


@record
class Ends:
    """Where one file comes from and goes to."""

    source: ObjectStore
    source_key: str
    destination: ObjectStore
    destination_key: str
    copier: PartCopier | None = None
    """Has the destination fetch large files by itself; None: their bytes come by here."""


class SourceGone(Exception):
    """What was planned for cannot be read any more."""

    def __init__(self, result: Result, why: str) -> None:
        super().__init__(why)
        self.result = result


def gone(file: PlannedFile, error: NotFound | Changed) -> SourceGone:
    """The source has no such object any more, or another one."""
    result = Result.SOURCE_VANISHED if isinstance(error, NotFound) else Result.SOURCE_CHANGED
    return SourceGone(result, f"{file.path}: {error}")


class Transfer:
    """Copies files, one call each; safe to call from several threads."""

    def __init__(
        self,
        *,
        measuring: Measuring,
        notes: Notes,
        look_first: bool,
        small: int = WHOLE,
    ) -> None:
        self._measuring = measuring
        self._notes = notes
        self._look_first = look_first
        """An earlier attempt may have copied files: look before reading the source a second time."""
        self._small = small
        """Files up to this many bytes come and go in one request each and are held in memory between the two."""

    @property
    def looks_first(self) -> bool:
        """Whether files may be at the destination already."""
        return self._look_first

    def copy(self, file: PlannedFile, ends: Ends) -> Copied:
        """Make the destination hold the file. Raises NotRestored where the source is frozen, and other StoreErrors and
        TransientErrors of either store."""
        self._measuring.checkpoint()
        limits = ends.destination.limits
        if too_large := fault(file.size, limits):
            return Copied(file, Result.TOO_LARGE, too_large)
        small = file.size <= min(self._small, limits.max_single_put)
        if (self._look_first or not small) and (there := self._already_there(file, ends)):
            return there
        try:
            return self._copy_small(file, ends) if small else self._copy_large(file, ends)
        except SourceGone as gone:
            return Copied(file, gone.result, str(gone))
        except NotRestored:
            # The warmer leaves frozen what lies at the destination already.
            if small and (there := self._already_there(file, ends)):
                return there
            raise
        except AlreadyExists:
            return self.met(file, ends)

    def met(self, file: PlannedFile, ends: Ends) -> Copied:
        """What a conditional create found at the destination is compared. Raises as `copy` does."""
        # Somebody was here before: for the rest, looking is cheaper than reading the source in vain.
        self._look_first = True
        return self._compare(file, ends)

    def _copy_small(self, file: PlannedFile, ends: Ends) -> Copied:
        with self._measuring.memory.holding(file.size) as into:
            info, wrong = self._read_small(file, ends, into)
            if wrong:
                # Once more from the source: the flip may have happened on the way.
                info, wrong = self._read_small(file, ends, into)
            if wrong or info is None:
                return Copied(file, Result.SOURCE_CORRUPT, wrong)
            ends.destination.create(
                key=ends.destination_key,
                data=into[: info.size],
                content_type=info.content_type,
                metadata=labels(file),
            )
        return Copied(file, Result.COPIED)

    def _read_small(self, file: PlannedFile, ends: Ends, into: memoryview) -> tuple[ObjectInfo | None, str]:
        """What was read and what is wrong with its bytes, if anything; None where there are too many."""
        try:
            info = ends.source.fetch(key=ends.source_key, into=into, if_match=file.etag, version_id=file.version_id)
        except (NotFound, Changed) as error:
            raise gone(file, error) from error
        if info is None:
            return None, f"{file.path}: more than {file.size} bytes, expected {file.size}"
        hasher = MultiHasher(file.checksums)
        hasher.update(into[: info.size])
        return info, describe_mismatch(file, hasher)

    def _copy_large(self, file: PlannedFile, ends: Ends) -> Copied:
        if ends.copier is not None:
            try:
                return self._copy_remotely(file, ends, ends.copier)
            except CannotCopy as problem:
                _log().info("the stores do not copy by themselves", path=file.path, reason=str(problem))
        # Imported here, as below: only large files need it, and every start would pay.
        from backfill_replicator.large import LargeCopy

        wrong = ""
        for _ in range(2):
            attempt = LargeCopy(
                file,
                read_into=lambda first, into: self._read_range(file, ends, first, into),
                destination=ends.destination,
                destination_key=ends.destination_key,
                notes=self._notes,
                measuring=self._measuring,
            )
            try:
                wrong = attempt.run()
            except NotRestored:
                raise
            except (SourceGone, StoreError):
                attempt.give_up()
                raise
            if not wrong:
                return Copied(file, Result.COPIED)
        return Copied(file, Result.SOURCE_CORRUPT, wrong)

    def _read_range(self, file: PlannedFile, ends: Ends, first: int, into: memoryview) -> ObjectInfo:
        """The range and what it is of, pinned; raises SourceGone."""
        try:
            return ends.source.read_into(
                key=ends.source_key, into=into, first=first, if_match=file.etag, version_id=file.version_id
            )
        except (NotFound, Changed) as error:
            raise gone(file, error) from error

    def _copy_remotely(self, file: PlannedFile, ends: Ends, copier: PartCopier) -> Copied:
        from backfill_replicator.remote import RemoteCopy

        remote = RemoteCopy(
            file,
            copier=copier,
            source=ends.source,
            source_key=ends.source_key,
            destination=ends.destination,
            destination_key=ends.destination_key,
            notes=self._notes,
            measuring=self._measuring,
        )
        try:
            remote.run()
        except (NotFound, Changed) as error:
            raise gone(file, error) from error
        return Copied(file, Result.COPIED, remotely=True)

    def _already_there(self, file: PlannedFile, ends: Ends) -> Copied | None:
        try:
            ends.destination.head(key=ends.destination_key)
        except NotFound:
            return None
        return self._compare(file, ends)

    def _compare(self, file: PlannedFile, ends: Ends) -> Copied:
        """An object is there: its bytes decide, not its size and not what anybody noted about it."""
        # Once more before it is called another: the flip may have happened on the way.
        if self._difference(file, ends) and (wrong := self._difference(file, ends)):
            return Copied(file, Result.DESTINATION_DIFFERS, f"another object is at {ends.destination_key}: {wrong}")
        return Copied(file, Result.ALREADY_THERE)

    def _difference(self, file: PlannedFile, ends: Ends) -> str:
        """How the object that is there differs from the file; empty: it does not."""
        try:
            found = self._measuring.hashed(
                ends.destination, key=ends.destination_key, size=file.size, algorithms=file.checksums
            )
        except NotFound as error:
            raise StoreUnavailable(f"{ends.destination_key} was there and is not: {error}") from error
        except NotRestored as error:
            # Not for the bag warmer, who thaws the source: somebody has to restore it at the destination.
            raise ArchivedAtDestination(
                f"an object is at {ends.destination_key}, its bytes cannot be read: {error}"
            ) from error
        return describe_mismatch(file, found.hasher)


def describe_mismatch(file: PlannedFile, hasher: MultiHasher) -> str:
    """What is wrong with the bytes seen, with expected and measured values; empty where nothing is."""
    if hasher.size != file.size:
        return f"{file.path}: {hasher.size} bytes, expected {file.size}"
    measured = hasher.digests()
    if measured == file.checksums:
        return ""
    wrong = mismatches(expected=file.checksums, measured=measured)
    told = (f"{a.display} {measured.get(a, 'not measured')}, expected {file.checksums[a]}" for a in wrong)
    return f"{file.path}: " + "; ".join(told) if wrong else ""


def _log() -> Any:
    # Imported when there is something to tell, which is seldom; with its colours it takes long.
    import structlog

    return structlog.get_logger()
