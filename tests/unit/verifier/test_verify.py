"""Verifying a segment: every byte read back, evidence for every file."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.domain.segment import PlannedFile
from common.errors import ArchivedAtDestination, StoreUnavailable, TruncatedBody
from common.jobs import Interrupted
from common.measuring import WHOLE
from common.outcome import Done, Evidence, Outcome, Rejected, Verified
from unit.common.domain.bagit.bags import digest
from unit.common.runtime.archives import AZURE, BAG, Archive, Hold, as_fetched, planned, segment_job
from verifier.checks import READS
from verifier.step import Verify

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)


def verified(archive: Archive, files: list[PlannedFile], hold: Hold | None = None, *, concurrency: int = 1) -> Outcome:
    return Verify(stores=archive, concurrency=concurrency)(segment_job(files, hold))


def at_destination(archive: Archive, **contents: bytes) -> list[PlannedFile]:
    return [
        planned(f"data/{name}", data, archive.put(f"data/{name}", data, at=AZURE)) for name, data in contents.items()
    ]


def evidence(outcome: Outcome) -> list[Evidence]:
    assert isinstance(outcome, Done | Rejected)
    (fact,) = outcome.writes
    assert isinstance(fact, Verified)
    return fact.evidence


def key(path: str) -> str:
    return AZURE.root(BAG) + path


@pytest.mark.parametrize("concurrency", [1, 8])
def test_files_that_hash_to_their_manifests_are_a_match_with_complete_evidence(concurrency: int) -> None:
    archive = Archive()
    files = at_destination(archive, a=b"aaa", empty=b"", large=bytes(200_000))

    outcome = verified(archive, files, concurrency=concurrency)

    found = evidence(outcome)
    assert isinstance(outcome, Done)
    assert outcome.said == "3 files, 200.0 KB"
    assert found == [
        Evidence(
            path=file.path,
            key=key(file.path),
            outcome="match",
            evidence_class=EvidenceClass.READ_BACK,
            expected=file.checksums,
            measured=file.checksums,
            bytes=file.size,
            etag=file.etag,
            version_id=archive.destination.head(key=key(file.path)).version_id,
            started_at=item.started_at,
            seconds=item.seconds,
        )
        for file, item in zip(files, found, strict=True)
    ]
    assert all(item.started_at.tzinfo and item.seconds >= 0 for item in found)
    assert archive.destination.read_bytes == 200_003
    assert archive.source.calls == {}


def test_every_bad_file_is_told_with_what_was_expected_and_measured() -> None:
    archive = Archive()
    good, bad, short, long, gone = at_destination(archive, good=b"g", bad=b"bad", short=b"123", long=b"123", gone=b"g")
    archive.put("data/bad", b"BAD", at=AZURE)
    archive.put("data/short", b"12", at=AZURE)
    archive.put("data/long", b"1234", at=AZURE)
    del archive.buckets[AZURE.id].objects[key("data/gone")]

    outcome = verified(archive, [good, bad, short, long, gone])

    assert isinstance(outcome, Rejected)
    assert outcome.code == "replica_digest_mismatch"
    assert outcome.for_user == (
        "unable to verify 4 files at the destination: data/bad, data/short, data/long, data/gone"
    )
    told = f"SHA-256 {digest(b'BAD')}, expected {digest(b'bad')}"
    assert [(item.path, item.outcome, item.bytes, item.reason) for item in evidence(outcome)] == [
        ("data/good", "match", 1, ""),
        ("data/bad", "mismatch", 3, told),
        ("data/short", "mismatch", 2, "2 bytes, expected 3"),
        ("data/long", "mismatch", 4, "4 bytes, expected 3"),
        ("data/gone", "missing", 0, f"there is no {key('data/gone')}"),
    ]
    assert evidence(outcome)[1].measured == {Algorithm.SHA256: digest(b"BAD")}
    assert evidence(outcome)[4].measured == {}
    assert evidence(outcome)[4].etag is None
    assert f"data/bad: mismatch, {told}" in outcome.why


@pytest.mark.parametrize(("flips", "expected"), [(1, "match"), (READS - 1, "match"), (READS, "mismatch")])
def test_a_file_is_called_bad_only_when_every_read_says_so(flips: int, expected: str) -> None:
    left = iter(range(flips))

    def spoil(_key: str, block: bytes) -> bytes:
        return block if next(left, None) is None else bytes([block[0] ^ 1]) + block[1:]

    archive = Archive()
    archive.destination.spoil = spoil

    (file,) = at_destination(archive, a=b"aaa")
    outcome = verified(archive, [file])

    (item,) = evidence(outcome)
    flipped = f"mismatch: SHA-256 {digest(bytes([ord('a') ^ 1]) + b'aa')}, expected {digest(b'aaa')}"
    assert (item.outcome, item.reads) == (expected, min(flips + 1, READS))
    assert item.doubts == (flipped,) * (item.reads - 1)
    assert isinstance(outcome, Done) == (expected == "match")
    if isinstance(outcome, Done):
        assert outcome.said == "1 file, 3 bytes, 1 only at a further read"
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.after_the_rest


def test_one_digest_of_several_that_differs_is_enough() -> None:
    archive = Archive()
    (file,) = at_destination(archive, a=b"aaa")
    doubted = replace(file, checksums=file.checksums | {Algorithm.MD5: "0" * 32})

    (item,) = evidence(verified(archive, [doubted]))

    assert item.outcome == "mismatch"
    assert item.reason == f"MD5 {digest(b'aaa', 'md5')}, expected {'0' * 32}"


def test_a_file_without_any_checksum_is_never_a_match() -> None:
    archive = Archive()
    (file,) = at_destination(archive, a=b"aaa")

    (item,) = evidence(verified(archive, [replace(file, checksums={})]))

    assert (item.outcome, item.reason) == ("mismatch", "no manifest gives a checksum for it")


def test_a_fetched_file_is_read_where_its_version_lies() -> None:
    archive = Archive()
    (file,) = at_destination(archive, a=b"aaa")
    elsewhere = as_fetched(replace(file, path="data/moved"), version=1)
    archive.put("data/moved", b"aaa", at=AZURE)

    (item,) = evidence(verified(archive, [elsewhere]))

    assert (item.path, item.key, item.outcome) == ("data/moved", "digitised/b1/v1/data/moved", "match")


@pytest.mark.parametrize("error", [StoreUnavailable("500"), TruncatedBody("short")])
def test_an_error_that_says_nothing_about_the_bytes_is_no_evidence(error: Exception) -> None:
    def before(_operation: str, _key: str) -> None:
        raise error

    archive = Archive()
    files = at_destination(archive, a=b"a", b=b"b")
    archive.destination.before = before

    with pytest.raises(type(error)):
        verified(archive, files)


def test_pitfall_24_a_copy_that_a_rule_archived_meanwhile_is_said_to_be_archived_and_not_corrupt() -> None:
    archive = Archive()
    files = at_destination(archive, a=b"a")
    archive.put("data/a", b"a", at=AZURE, storage_class="GLACIER")

    with pytest.raises(ArchivedAtDestination, match="data/a"):
        verified(archive, files)


def test_a_stopping_worker_leaves_off_between_ranges() -> None:
    archive = Archive()
    files = at_destination(archive, large=bytes(5 * WHOLE))

    with pytest.raises(Interrupted):
        verified(archive, files, Hold(stop_after=3))

    assert archive.destination.read_bytes == 2 * WHOLE


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("count", [4, 40])
def test_rounds_end_as_verifying_one_by_one_does(count: int, concurrency: int) -> None:
    archive = Archive()
    files = at_destination(archive, **{f"f{n:02}": bytes([n]) * 1000 for n in range(count)})
    archive.put("data/f01", b"another", at=AZURE)
    archive.put("data/f02", b"x" * 1000, at=AZURE)
    del archive.buckets[AZURE.id].objects[key("data/f00")]

    def told(*, takes_several: bool) -> list[Evidence]:
        archive.destination.takes_several = takes_several
        found = evidence(verified(archive, files, concurrency=concurrency))
        return [replace(item, started_at=EPOCH, seconds=0) for item in found]

    together = told(takes_several=True)

    assert [item.outcome for item in together[:3]] == ["missing", "mismatch", "mismatch"]
    assert [item.reads for item in together[:4]] == [READS, READS, READS, 1]
    assert together == told(takes_several=False)


def test_each_file_of_a_round_has_its_own_time() -> None:
    archive = Archive()
    files = at_destination(archive, **{f"f{n}": bytes([n]) for n in range(5)})
    archive.destination.before = lambda *_: time.sleep(0.01)
    before = datetime.now(UTC)

    found = evidence(verified(archive, files, concurrency=8))

    times = [(item.started_at, item.started_at + timedelta(seconds=item.seconds)) for item in found]
    assert all(0.01 <= item.seconds < 5 for item in found)
    assert before <= times[0][0]
    assert times[-1][1] <= datetime.now(UTC) + timedelta(seconds=0.01)
    assert all(ended <= begun + timedelta(milliseconds=1) for (_, ended), (begun, _) in pairwise(times))
