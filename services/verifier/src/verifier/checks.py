"""Reading one file back: every byte, against every digest the manifests give."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from common.domain.fixity import Algorithm, Checksums, mismatches
from common.domain.replica import EvidenceClass
from common.domain.segment import PlannedFile
from common.errors import Changed, NotFound
from common.measuring import Measuring
from common.outcome import Evidence
from common.ports import ObjectInfo, ObjectStore

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

    def file(self, file: PlannedFile, *, key: str) -> Evidence:
        """Evidence for one file: "match", or "mismatch" or "missing" after the last of :data:`READS` reads.

        It is that of the last read, and says what those before it found: a file that is good at the second look was
        good all the time, and something between it and us was not.
        Raises TransientErrors of the store, NotRestored and AccessDenied: they say nothing about the bytes.
        """
        return convinced(lambda: self._read(file, key))

    def _read(self, file: PlannedFile, key: str) -> Evidence:
        begun, began = datetime.now(UTC), time.perf_counter()
        self._measuring.checkpoint()
        try:
            found = self._measuring.hashed(self._store, key=key, size=file.size, algorithms=file.checksums)
        except (NotFound, Changed) as error:
            return _evidence(file, key, "missing", {}, 0, None, begun, began, str(error))
        measured, size = found.hasher.digests(), found.hasher.size
        reason = _fault(file, measured, size, found.info)
        outcome = "mismatch" if reason else "match"
        return _evidence(file, key, outcome, measured, size, found.info, begun, began, reason)


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
    began: float,
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
        seconds=time.perf_counter() - began,
        reason=reason,
    )
