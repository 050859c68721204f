"""Large files that the stores copy between themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from backfill_replicator.step import Replicate
from common.domain.fixity import Algorithm
from common.domain.segment import PlannedFile
from common.errors import CannotCopy, ClaimLost, NotRestored
from common.outcome import Done, GoBack, Outcome, Rejected
from common.ports import PartReceipt
from unit.common.runtime.archives import AZURE, BAG, Archive, Hold, planned, segment_job
from verifier.step import Verify

MIB = 1 << 20
LARGE = 20 * MIB
PART = 8 * MIB


@dataclass
class Between:
    """A copier between the archive's two stores that does not come by the worker."""

    archive: Archive
    part_size: int = PART
    numbers: list[int] = field(default_factory=list)
    before: Callable[[int], None] = lambda number: None
    after: Callable[[int], None] = lambda number: None

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
        self.before(number)
        self.numbers.append(number)
        source, destination = self.archive.source.inner, self.archive.destination.inner
        with source.read(key=source_key, first=first, length=length, if_match=if_match, version_id=version_id) as body:
            data = b"".join(bytes(block) for block in body)
        receipt = destination.resume_upload(key=key, upload_id=upload_id).put_part(number, data)
        self.after(number)
        return receipt


def replicated(archive: Archive, copier: Between, files: list[PlannedFile], hold: Hold | None = None) -> Outcome:
    step = Replicate(stores=archive, concurrency=1, copier=lambda _source, _destination: copier)
    return step(segment_job(files, hold))


def a_large_file(archive: Archive) -> tuple[PlannedFile, bytes]:
    data = bytes(range(256)) * (LARGE // 256)
    return planned("data/large", data, archive.put("data/large", data)), data


def content(archive: Archive) -> bytes:
    with archive.destination.inner.read(key=AZURE.root(BAG) + "data/large") as body:
        return b"".join(bytes(block) for block in body)


def test_no_byte_of_a_large_file_comes_by_and_small_ones_are_hashed_on_their_way() -> None:
    archive = Archive()
    copier = Between(archive)
    large, data = a_large_file(archive)
    small = planned("data/small", b"small", archive.put("data/small", b"small"))

    outcome = replicated(archive, copier, [large, small])

    assert isinstance(outcome, Done)
    assert outcome.said == "2 files, 21.0 MB, 1 by the stores themselves"
    assert (copier.numbers, archive.source.read_bytes) == ([1, 2, 3], 5)
    assert content(archive) == data
    assert archive.destination.head(key=AZURE.root(BAG) + "data/large").metadata["sha256"]


def test_stores_that_cannot_leave_nothing_behind_and_the_bytes_come_by() -> None:
    def refuse(_: int) -> None:
        raise CannotCopy("APINotImplemented")

    archive = Archive()
    large, data = a_large_file(archive)

    outcome = replicated(archive, Between(archive, before=refuse), [large])

    assert isinstance(outcome, Done)
    assert "by the stores themselves" not in outcome.said
    assert (content(archive), archive.source.read_bytes) == (data, LARGE)
    assert list(archive.destination.pending_uploads(prefix="")) == []


@pytest.mark.parametrize("last", [1, 3])
def test_a_source_that_changes_meanwhile_is_not_committed(last: int) -> None:
    archive = Archive()
    large, _ = a_large_file(archive)

    def change(number: int) -> None:
        if number == last:
            archive.put("data/large", bytes(LARGE))

    outcome = replicated(archive, Between(archive, after=change), [large])

    assert isinstance(outcome, Rejected)
    assert outcome.code == "source_changed"
    assert not archive.buckets[AZURE.id].objects


def test_what_an_attempt_had_copied_is_not_copied_again() -> None:
    def die(number: int) -> None:
        if number == 3:
            raise ClaimLost("somebody else's")

    archive = Archive()
    large, data = a_large_file(archive)
    hold = Hold()
    with pytest.raises(ClaimLost):
        replicated(archive, Between(archive, before=die), [large], hold)
    again = Between(archive)

    step = Replicate(stores=archive, concurrency=1, copier=lambda _source, _destination: again)
    outcome = step(segment_job([large], hold, attempt=2))

    assert isinstance(outcome, Done)
    assert (again.numbers, content(archive)) == ([3], data)


def test_a_file_that_froze_goes_back_to_be_thawed() -> None:
    def frozen(_: int) -> None:
        raise NotRestored("archived")

    archive = Archive()
    large, _ = a_large_file(archive)

    outcome = replicated(archive, Between(archive, before=frozen), [large])

    assert isinstance(outcome, GoBack)


def test_a_source_that_is_corrupt_is_found_by_reading_back_and_by_nothing_else() -> None:
    archive = Archive()
    large, _ = a_large_file(archive)
    wrong = replace(large, checksums={Algorithm.SHA256: "0" * 64})

    copied = replicated(archive, Between(archive), [wrong])
    verified = Verify(stores=archive, concurrency=1)(segment_job([wrong]))

    assert isinstance(copied, Done)
    assert isinstance(verified, Rejected)
    assert verified.code == "replica_digest_mismatch"
