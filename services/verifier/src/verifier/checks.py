"""Reading one file back: every byte, against every digest the manifests give."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from common.domain.fixity import Algorithm, Checksums, digests_of, mismatches
from common.domain.replica import EvidenceClass
from common.domain.segment import PlannedFile
from common.errors import Changed, NotFound
from common.measuring import Measuring
from common.memory import cut
from common.outcome import Evidence
from common.ports import ObjectInfo, ObjectStore, Wanted

READS = 3
"""A file is called bad only when so many reads agree that it is: a bit may flip on the way."""


def convinced(look: Callable[[], Evidence]) -> Evidence:
    """What a look finds: the first that is good, or the last of :data:`READS`, with what those before it found."""
    evidence = look()
    doubts: list[str] = []
    while evidence.outcome != "match" and len(doubts) < READS - 1:
        doubts.append(f"{evidence.outcome}: {evidence.reason}")
        evidence = look()
    return replace(evidence, reads=len(doubts) + 1, doubts=tuple(doubts)) if doubts else evidence


class Check:
    """Reads files back; safe to call from several threads."""

    def __init__(self, *, store: ObjectStore, measuring: Measuring) -> None:
        self._store = store
        self._measuring = measuring
        self._seen: dict[str, Evidence] = {}
        """By key: first reads that were no match."""

    def files(self, files: Sequence[PlannedFile], keys: Sequence[str], at_once: int) -> list[Evidence | None]:
        """Evidence for small files, `at_once` of them under way; None for those that are left to `file`, which knows
        what was found of them already. Raises what the checkpoint does.
        """
        now, zero = datetime.now(UTC), time.perf_counter()
        with self._measuring.memory.holding(sum(file.size for file in files)) as held:
            room = cut(held, [file.size for file in files])
            wanted = [Wanted(key, into) for key, into in zip(keys, room, strict=True)]
            told = self._store.fetch_several(wanted, at_once=at_once, going_on=self._measuring.going_on)
            read = [
                (place, one.answer, now + timedelta(seconds=one.began - zero), one.ended - one.began)
                for place, one in enumerate(told)
                if isinstance(one.answer, ObjectInfo)
            ]
            measured = [digests_of(room[place][: info.size], files[place].checksums) for place, info, *_ in read]
        found = list[Evidence | None]([None] * len(files))
        for (place, info, begun, seconds), digests in zip(read, measured, strict=True):
            seen = _judged(files[place], keys[place], info, digests, info.size, begun, seconds)
            if seen.outcome == "match":
                found[place] = seen
            else:
                self._seen[seen.key] = seen
        return found

    def file(self, file: PlannedFile, *, key: str) -> Evidence:
        """Evidence for one file: "match", or "mismatch" or "missing" after the last of :data:`READS` reads.

        It is that of the last read, and says what those before it found: a file that is good at the second look was
        good all the time, and something between it and us was not.
        Raises TransientErrors of the store, NotRestored and AccessDenied: they say nothing about the bytes.
        """
        return convinced(lambda: self._seen.pop(key, None) or self._read(file, key))

    def _read(self, file: PlannedFile, key: str) -> Evidence:
        begun, began = datetime.now(UTC), time.perf_counter()
        self._measuring.checkpoint()
        try:
            found = self._measuring.hashed(self._store, key=key, size=file.size, algorithms=file.checksums)
        except (NotFound, Changed) as error:
            return _evidence(file, key, "missing", {}, 0, None, begun, time.perf_counter() - began, str(error))
        measured, size = found.hasher.digests(), found.hasher.size
        return _judged(file, key, found.info, measured, size, begun, time.perf_counter() - began)


def _judged(
    file: PlannedFile,
    key: str,
    info: ObjectInfo,
    measured: dict[Algorithm, str],
    size: int,
    begun: datetime,
    seconds: float,
) -> Evidence:
    reason = _fault(file, measured, size, info)
    outcome = "mismatch" if reason else "match"
    return _evidence(file, key, outcome, measured, size, info, begun, seconds, reason)


def _fault(file: PlannedFile, measured: Checksums, size: int, info: ObjectInfo) -> str:
    if measured == file.checksums and measured and size == file.size == info.size:
        return ""
    if size != file.size:
        return f"{size} bytes, expected {file.size}"
    if size != info.size:
        return f"{size} bytes were read of an object of {info.size}"
    if not file.checksums:
        return "no manifest gives a checksum for it"
    wrong = mismatches(expected=file.checksums, measured=measured)
    return "; ".join(f"{a.display} {measured.get(a)}, expected {file.checksums[a]}" for a in wrong)


def _evidence(
    file: PlannedFile,
    key: str,
    outcome: str,
    measured: dict[Algorithm, str],
    size: int,
    info: ObjectInfo | None,
    begun: datetime,
    seconds: float,
    reason: str,
) -> Evidence:
    return Evidence(
        path=file.path,
        key=key,
        outcome=outcome,
        evidence_class=EvidenceClass.READ_BACK,
        expected=file.checksums,
        measured=measured,
        bytes=size,
        etag=info.etag if info else None,
        version_id=info.version_id if info else None,
        started_at=begun,
        seconds=seconds,
        reason=reason,
    )
