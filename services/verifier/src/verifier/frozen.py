"""What a store tells of a file that is frozen, held against what is known of it. Pure; nothing here reads a byte."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from common.domain.fixity import Algorithm, Checksums, mismatches
from common.domain.replica import EvidenceClass
from common.jobs import ReadBefore
from common.outcome import Evidence
from common.ports import ObjectInfo


def judged(
    *,
    path: str,
    key: str,
    expected: Checksums,
    told: ObjectInfo | None,
    before: ReadBefore | None,
    looked_at: datetime,
    seconds: float,
) -> Evidence:
    """Evidence for one frozen file; `told` None: the store has no such object.

    E2 where the provider tells a digest that `expected` has too: it decides, also where the object is not the one that
    was read before. E1 where only size, ETag and version can be held against what was recorded. E0 where nothing can.
    """
    evidence_class, fault = _compared(expected, told, before)
    outcome = "missing" if told is None else "mismatch" if fault else "match"
    return Evidence(
        path=path,
        key=key,
        outcome=outcome,
        evidence_class=evidence_class,
        expected=expected,
        measured=_digests(told, expected) if told else {},
        bytes=told.size if told else 0,
        etag=told.etag if told else None,
        version_id=told.version_id if told else None,
        started_at=looked_at,
        seconds=seconds,
        reason=fault or f"not read, it is frozen: {_SAYS[evidence_class]}",
    )


_SAYS: Mapping[EvidenceClass, str] = {
    EvidenceClass.LISTED: "the store has an object of this name",
    EvidenceClass.SIZED: "size, ETag and version are those of when it was read",
    EvidenceClass.PROVIDER_DIGEST: "the digest that the provider computed when it was written agrees",
}


def _compared(expected: Checksums, told: ObjectInfo | None, before: ReadBefore | None) -> tuple[EvidenceClass, str]:
    """What the comparison rests on, and what is wrong."""
    if told is None:
        return EvidenceClass.LISTED, "the store has no such object"
    digests = _digests(told, expected)
    if digests:
        wrong = mismatches(expected={a: expected[a] for a in digests}, measured=digests)
        said = [f"{a.display} {digests[a]} by the provider, expected {expected[a]}" for a in wrong]
        return EvidenceClass.PROVIDER_DIGEST, "; ".join(said + _other_size(told, before))
    if before is None:
        return EvidenceClass.LISTED, ""
    return EvidenceClass.SIZED, "; ".join(_other_size(told, before) + _other_object(told, before))


def _digests(told: ObjectInfo, expected: Checksums) -> dict[Algorithm, str]:
    """The provider's digests that can be compared. An ETag that is the expected MD5 is one; any other ETag is none: it
    is the MD5 only of what was sent in one piece and is not encrypted by a key of KMS.
    """
    found = {algorithm: digest for algorithm, digest in (told.digests or {}).items() if algorithm in expected}
    if told.etag and told.etag == expected.get(Algorithm.MD5):
        found[Algorithm.MD5] = told.etag
    return found


def _other_size(told: ObjectInfo, before: ReadBefore | None) -> list[str]:
    if before is None or told.size == before.bytes:
        return []
    return [f"{told.size} bytes, {before.bytes} when it was read"]


def _other_object(told: ObjectInfo, before: ReadBefore) -> list[str]:
    changed = []
    if told.etag != before.etag:
        changed.append(f"ETag {told.etag}, {before.etag} when it was read")
    if told.version_id != before.version_id and before.version_id is not None:
        changed.append(f"version {told.version_id}, {before.version_id} when it was read")
    return changed
