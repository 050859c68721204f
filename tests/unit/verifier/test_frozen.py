"""What a store's word on a frozen file is worth."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from common.domain.fixity import Algorithm
from common.jobs import ReadBefore
from common.ports import ObjectInfo
from verifier.frozen import judged

MD5, SHA256 = "a" * 32, "b" * 64
OTHER = "c" * 64
EXPECTED = {Algorithm.MD5: MD5, Algorithm.SHA256: SHA256}
BEFORE = ReadBefore("data/a", "k", EXPECTED, bytes=3, etag="e-2", version_id="v1")
TOLD = ObjectInfo(key="k", size=3, etag="e-2", version_id="v1", storage_class="DEEP_ARCHIVE")
AGREES, DIFFERS = {Algorithm.SHA256: SHA256}, {Algorithm.SHA256: OTHER}


@pytest.mark.parametrize(
    ("told", "before", "shown", "reason"),
    [
        (TOLD, BEFORE, "match E1", "size, ETag and version are those of when it was read"),
        (TOLD, None, "match E0", "the store has an object of this name"),
        (replace(TOLD, etag="e-3"), BEFORE, "mismatch E1", "ETag e-3, e-2 when it was read"),
        (replace(TOLD, size=4), BEFORE, "mismatch E1", "4 bytes, 3 when it was read"),
        (replace(TOLD, version_id="v2"), BEFORE, "mismatch E1", "version v2, v1 when it was read"),
        (replace(TOLD, version_id="v2"), replace(BEFORE, version_id=None), "match E1", "size, ETag and version"),
        (replace(TOLD, digests=AGREES), BEFORE, "match E2", "the digest that the provider computed"),
        (replace(TOLD, digests=AGREES), None, "match E2", "the digest that the provider computed"),
        (replace(TOLD, digests=AGREES, etag="e-3"), BEFORE, "match E2", "the digest that the provider computed"),
        (replace(TOLD, digests=AGREES, size=4), BEFORE, "mismatch E2", "4 bytes, 3 when it was read"),
        (replace(TOLD, digests=DIFFERS), BEFORE, "mismatch E2", f"SHA-256 {OTHER} by the provider, expected {SHA256}"),
        (replace(TOLD, digests={Algorithm.SHA1: "d" * 40}), BEFORE, "match E1", "size, ETag and version"),
        (replace(TOLD, etag=MD5), replace(BEFORE, etag="e"), "match E2", "the digest that the provider computed"),
        (replace(TOLD, etag=MD5, digests=DIFFERS), BEFORE, "mismatch E2", f"SHA-256 {OTHER} by the provider"),
        (replace(TOLD, etag="d" * 32), BEFORE, "mismatch E1", f"ETag {'d' * 32}, e-2 when it was read"),
        (replace(TOLD, etag="d" * 32), None, "match E0", "the store has an object of this name"),
        (None, BEFORE, "missing E0", "the store has no such object"),
    ],
)
def test_a_frozen_file_is_shown_as_far_as_the_store_tells(
    told: ObjectInfo | None, before: ReadBefore | None, shown: str, reason: str
) -> None:
    found = judged(
        path="data/a",
        key="k",
        expected=EXPECTED,
        told=told,
        before=before,
        looked_at=datetime(2026, 1, 1, tzinfo=UTC),
        seconds=0.1,
    )

    assert f"{found.outcome} {found.evidence_class.value}" == shown
    assert reason in found.reason
