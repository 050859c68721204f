"""Copying a segment: every byte proven before it is committed, nothing sent or read twice without need."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from backfill_replicator.large import IN_FLIGHT
from backfill_replicator.parts import USUAL_PART
from backfill_replicator.step import Replicate
from common.domain.fixity import Algorithm
from common.domain.segment import PlannedFile
from common.errors import AlreadyExists, ArchivedAtDestination, NotFound, StoreUnavailable
from common.jobs import Interrupted
from common.outcome import Done, GoBack, Outcome, Rejected
from common.ports import Limits
from common.wording import count, size
from unit.common.domain.bagit.bags import digest
from unit.common.runtime.archives import (
    AZURE,
    BAG,
    COLD,
    Archive,
    Hold,
    as_fetched,
    planned,
    segment_job,
    some_files,
)

LARGE = bytes(range(256)) * (5 * USUAL_PART // 512) + b"the rest"
"""Two and a half parts."""


def copied(
    archive: Archive, files: list[PlannedFile], hold: Hold | None = None, *, attempt: int = 1, concurrency: int = 1
) -> Outcome:
    return Replicate(stores=archive, concurrency=concurrency)(segment_job(files, hold, attempt=attempt))


def source(path: str) -> str:
    return COLD.root(BAG) + path


def there(path: str) -> str:
    return AZURE.root(BAG) + path


@pytest.mark.parametrize("concurrency", [1, 8])
def test_files_of_every_size_arrive_as_they_are(concurrency: int) -> None:
    archive = Archive()
    contents = {
        "data/empty": b"",
        "data/é💾": b"x",
        "data/exactly": LARGE[:USUAL_PART],
        "data/one-more": LARGE[: USUAL_PART + 1],
        "data/large": LARGE,
    }
    files = some_files(archive, contents)

    outcome = copied(archive, files, concurrency=concurrency)

    assert outcome == Done(said="5 files, 37.7 MB")
    assert archive.at(AZURE) == {there(path): data for path, data in sorted(contents.items())}
    assert archive.source.read_bytes == sum(map(len, contents.values()))
    assert archive.buckets[AZURE.id].uploads == {}


def test_fetched_files_are_not_copied() -> None:
    archive = Archive()
    files = [as_fetched(planned("data/a", b"a", archive.put("data/a", b"a")))]

    assert copied(archive, files) == Done(said="0 files, 0 bytes")
    assert archive.at(AZURE) == {}


def fails_at(part: str, error: Exception) -> object:
    def before(operation: str, key: str) -> None:
        if operation == "put_part" and key.endswith(part):
            raise error

    return before


@pytest.mark.parametrize(("tells", "sent"), [("MD5s", [1, 2, 3]), ("marks", [1, 2, 3]), ("nothing", [1, 1, 2, 2, 3])])
def test_after_a_crash_the_parts_that_were_sent_are_not_sent_again_where_the_store_tells_them_apart(
    tells: str, sent: list[int]
) -> None:
    archive, hold = Archive(), Hold()
    archive.destination.tells = tells
    files = some_files(archive, {"data/large": LARGE})
    archive.destination.before = fails_at("#3", StoreUnavailable("500"))  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        copied(archive, files, hold)
    archive.destination.before = lambda *_: None

    outcome = copied(archive, files, hold, attempt=2)

    assert outcome == Done(said="1 file, 21.0 MB")
    assert sorted(archive.destination.parts) == sent
    assert archive.at(AZURE) == {there("data/large"): LARGE}
    assert archive.buckets[AZURE.id].uploads == {}


def test_an_upload_that_the_destination_forgot_is_begun_anew() -> None:
    archive, hold = Archive(), Hold(progress={"uploads": {there("data/large"): "forgotten"}})
    files = some_files(archive, {"data/large": LARGE})

    assert copied(archive, files, hold, attempt=2) == Done(said="1 file, 21.0 MB")
    assert archive.at(AZURE) == {there("data/large"): LARGE}


@pytest.mark.parametrize("operation", ["put_part", "commit"])
def test_an_upload_that_is_forgotten_half_way_is_tried_again_and_no_reason_to_call_the_source_gone(
    operation: str,
) -> None:
    def before(called: str, _key: str) -> None:
        if called == operation:
            raise NotFound("there is no upload u")

    archive = Archive()
    archive.destination.before = before

    with pytest.raises(StoreUnavailable, match="the destination has forgotten an upload"):
        copied(archive, some_files(archive, {"data/large": LARGE}))


def test_an_upload_without_any_part_is_not_left_behind() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/large": LARGE})
    archive.destination.before = fails_at("", StoreUnavailable("500"))  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        copied(archive, files, hold)
    archive.destination.before = lambda *_: None

    copied(archive, files, hold, attempt=2)

    assert archive.buckets[AZURE.id].uploads == {}


def test_parts_of_another_plan_are_sent_again() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/large": LARGE})
    upload = archive.destination.inner.begin_upload(key=there("data/large"))
    for number, length in ((1, 5), (2, USUAL_PART), (7, 5)):
        upload.put_part(number, LARGE[(number - 1) * USUAL_PART :][:length])
    hold.remember(uploads={there("data/large"): upload.id})

    copied(archive, files, hold, attempt=2)

    assert sorted(archive.destination.parts) == [1, 3]
    assert archive.at(AZURE) == {there("data/large"): LARGE}


@pytest.mark.parametrize("tells", ["MD5s", "marks", "nothing"])
def test_a_part_that_an_earlier_attempt_was_given_wrongly_is_not_committed(tells: str) -> None:
    archive, hold = Archive(), Hold()
    archive.destination.tells = tells
    files = some_files(archive, {"data/large": LARGE})
    archive.source.spoil = lambda _key, block: b"X" + block[1:]
    archive.destination.before = fails_at("#2", StoreUnavailable("500"))  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        copied(archive, files, hold)
    archive.source.spoil = lambda _key, block: block
    archive.destination.before = lambda *_: None

    copied(archive, files, hold, attempt=2)

    assert archive.destination.parts.count(1) == 2
    assert archive.at(AZURE) == {there("data/large"): LARGE}


def test_a_part_that_an_earlier_attempt_sent_with_wrong_bytes_is_sent_again() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/large": LARGE})
    upload = archive.destination.inner.begin_upload(key=there("data/large"))
    upload.put_part(1, LARGE[:USUAL_PART])
    upload.put_part(2, bytes(USUAL_PART))
    hold.remember(uploads={there("data/large"): upload.id})

    copied(archive, files, hold, attempt=2)

    assert sorted(archive.destination.parts) == [2, 3]
    assert archive.at(AZURE) == {there("data/large"): LARGE}


def test_a_part_that_fails_ends_the_copy_before_the_rest_is_read() -> None:
    archive = Archive()
    archive.destination.own_limits = Limits(1000, 1, USUAL_PART, 10_000, 1 << 40)
    data = bytes(30 * USUAL_PART)
    archive.destination.before = fails_at("#1", StoreUnavailable("500"))  # type: ignore[assignment]

    with pytest.raises(StoreUnavailable):
        copied(archive, some_files(archive, {"data/large": data}))

    assert archive.source.read_bytes < len(data) / 2


def test_few_parts_are_in_flight_at_the_same_time() -> None:
    archive, here, most, lock = Archive(), [0], [0], threading.Lock()
    inner_before = threading.Barrier(IN_FLIGHT)

    def before(operation: str, key: str) -> None:
        if operation == "put_part":
            with lock:
                here[0] += 1
                most[0] = max(most[0], here[0])
            inner_before.wait(timeout=10)
            with lock:
                here[0] -= 1

    archive.destination.before = before

    copied(archive, some_files(archive, {"data/large": bytes(3 * IN_FLIGHT * USUAL_PART)}))

    assert most == [IN_FLIGHT]


@pytest.mark.parametrize("data", [b"small", LARGE])
@pytest.mark.parametrize("attempt", [1, 2])
def test_an_identical_object_that_is_there_already_is_success_and_left_alone(data: bytes, attempt: int) -> None:
    archive = Archive()
    archive.put("data/a", data, at=AZURE)

    outcome = copied(archive, some_files(archive, {"data/a": data}), attempt=attempt)

    assert outcome == Done(said="0 files, 0 bytes, 1 already there")
    assert len(archive.buckets[AZURE.id].objects[there("data/a")]) == 1


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_an_object_that_is_there_is_called_another_only_when_two_reads_say_so(data: bytes) -> None:
    archive = Archive()
    archive.put("data/a", data, at=AZURE)
    archive.destination.spoil = Flip(times=1)

    assert isinstance(copied(archive, some_files(archive, {"data/a": data}), attempt=2), Done)
    assert archive.at(AZURE) == {there("data/a"): data}


@pytest.mark.parametrize(("data", "other"), [(b"small", b"other"), (b"small", b"longer"), (LARGE, LARGE[::-1])])
@pytest.mark.parametrize("attempt", [1, 2])
def test_another_object_that_is_there_is_refused_and_left_alone(data: bytes, other: bytes, attempt: int) -> None:
    archive = Archive()
    archive.put("data/a", other, at=AZURE)

    outcome = copied(archive, some_files(archive, {"data/a": data}), attempt=attempt)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "destination_differs"
    assert outcome.why.startswith(f"another object is at {there('data/a')}: data/a: ")
    assert [version.data for version in archive.buckets[AZURE.id].objects[there("data/a")]] == [other]


def test_an_object_that_appears_while_a_large_one_is_sent_wins_and_the_upload_is_given_up() -> None:
    def before(operation: str, _key: str) -> None:
        if operation == "commit":
            archive.put("data/large", LARGE, at=AZURE)

    archive = Archive()
    archive.destination.before = before

    outcome = copied(archive, some_files(archive, {"data/large": LARGE}))

    assert outcome == Done(said="0 files, 0 bytes, 1 already there")
    assert archive.buckets[AZURE.id].uploads == {}


def test_pitfall_24_an_archived_object_at_the_destination_is_not_sent_back_to_the_warmer_of_the_source() -> None:
    archive = Archive()
    archive.put("data/a", b"a", at=AZURE, storage_class="GLACIER")

    with pytest.raises(ArchivedAtDestination, match="its bytes cannot be read"):
        copied(archive, some_files(archive, {"data/a": b"a"}))


def test_a_corrupt_source_names_what_was_expected_and_measured_and_creates_nothing() -> None:
    archive = Archive()
    found = some_files(archive, {"data/bad": b"wrong", "data/large": LARGE, "data/worse": b"wrong"})
    wrong = [replace(file, checksums={Algorithm.SHA256: digest(b"right")}) for file in found]
    good = some_files(archive, {"data/good": b"good"})

    outcome = copied(archive, [*wrong, *good])

    assert isinstance(outcome, Rejected)
    assert outcome.code == "source_digest_mismatch"
    small = f"SHA-256 {digest(b'wrong')}, expected {digest(b'right')}"
    assert outcome.why == "; ".join(
        (
            f"data/bad: {small}",
            f"data/large: {len(LARGE)} bytes of {len(LARGE)}; SHA-256 {digest(LARGE)}, expected {digest(b'right')}",
            f"data/worse: {small}",
        )
    )
    assert outcome.for_user == f"source corrupt: 3 files cannot be copied: {outcome.why}"
    assert archive.at(AZURE) == {there("data/good"): b"good"}
    assert archive.buckets[AZURE.id].uploads == {}


class Flip:
    """Flips a bit of the first block of a key, so many times."""

    def __init__(self, *, times: int) -> None:
        self._left = times

    def __call__(self, _key: str, block: bytes) -> bytes:
        if not self._left:
            return block
        self._left -= 1
        return bytes([block[0] ^ 1]) + block[1:]


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_a_bit_that_flips_on_the_way_once_is_read_again(data: bytes) -> None:
    archive = Archive()
    archive.source.spoil = Flip(times=1)

    outcome = copied(archive, some_files(archive, {"data/a": data}))

    assert isinstance(outcome, Done)
    assert archive.at(AZURE) == {there("data/a"): data}
    assert archive.buckets[AZURE.id].uploads == {}


@pytest.mark.parametrize("data", [b"small", LARGE])
def test_every_object_written_or_gone_since_planning_is_named(data: bytes) -> None:
    archive = Archive()
    files = some_files(archive, {"data/a": data, "data/b": data, "data/c": data, "data/d": b"d"})
    archive.put("data/a", b"A")
    archive.put("data/b", b"B")
    del archive.buckets[COLD.id].objects[source("data/c")]

    outcome = copied(archive, files)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "source_changed"
    assert [line.split(":")[0] for line in outcome.why.split("; ")] == ["data/a", "data/b", "data/c"]
    assert f"etag {files[0].etag} was pinned" in outcome.why
    assert archive.at(AZURE) == {there("data/d"): b"d"}


def test_a_source_that_changes_while_it_is_copied_leaves_no_upload_behind() -> None:
    def before(operation: str, _key: str) -> None:
        if operation == "put_part":
            archive.put("data/large", LARGE[::-1])

    archive = Archive()
    files = some_files(archive, {"data/large": LARGE * 4})
    archive.destination.before = before

    outcome = copied(archive, files)

    assert isinstance(outcome, Rejected)
    assert outcome.code == "source_changed"
    assert archive.buckets[AZURE.id].uploads == {}
    assert archive.at(AZURE) == {}


def test_a_pinned_version_is_read_though_a_later_one_exists() -> None:
    archive = Archive()
    files = [planned("data/a", b"a", archive.put("data/a", b"a"), pin_version=True)]
    archive.put("data/a", b"A")

    copied(archive, files)

    assert archive.at(AZURE) == {there("data/a"): b"a"}


def test_pitfall_09_a_frozen_object_sends_the_segment_back_to_the_warmer_and_what_was_copied_stays() -> None:
    archive = Archive()
    files = [
        *some_files(archive, {"data/a": b"a"}),
        *some_files(archive, {"data/b": b"b"}, storage_class="GLACIER"),
        *some_files(archive, {"data/c": b"c"}),
    ]

    outcome = copied(archive, files)

    assert outcome == GoBack("thawing", f"{source('data/b')} is in GLACIER and not restored")
    assert archive.at(AZURE)[there("data/a")] == b"a"


def read_twice_at_most(archive: Archive, total: int) -> None:
    assert archive.source.read_bytes <= 1.5 * total


def fifty(archive: Archive) -> list[PlannedFile]:
    return some_files(archive, {f"data/{n:02}": bytes([n]) * 1000 for n in range(50)})


@pytest.mark.parametrize("concurrency", [1, 8])
def test_the_attempt_after_a_transient_error_copies_what_is_missing_only(concurrency: int) -> None:
    def before(operation: str, key: str) -> None:
        if operation == "create" and key == there("data/30"):
            raise StoreUnavailable("500")

    archive = Archive()
    files = fifty(archive)
    archive.destination.before = before
    with pytest.raises(StoreUnavailable):
        copied(archive, files, concurrency=concurrency)
    already = len(archive.at(AZURE))
    archive.destination.before = lambda *_: None
    archive.source.read_bytes = 0

    outcome = copied(archive, files, attempt=2, concurrency=concurrency)

    missing = 50 - already
    assert outcome == Done(said=f"{count(missing, 'file')}, {size(missing * 1000)}, {already} already there")
    assert already >= 30
    assert archive.source.read_bytes == missing * 1000


def test_an_interrupted_attempt_costs_no_try_and_its_files_are_not_read_again() -> None:
    archive, hold = Archive(), Hold(stop_after=25)
    files = fifty(archive)
    with pytest.raises(Interrupted):
        copied(archive, files, hold)
    done = len(archive.at(AZURE))

    outcome = copied(archive, files, Hold(progress=hold.progress), attempt=1)

    assert done == 25
    assert outcome == Done(said="25 files, 25.0 KB, 25 already there")
    assert archive.source.read_bytes == 50_000


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_new_ingest_of_what_an_earlier_one_copied_reads_hardly_anything_of_the_source(concurrency: int) -> None:
    archive = Archive()
    files = fifty(archive)
    copied(archive, files)
    archive.source.read_bytes = 0

    outcome = copied(archive, files, attempt=1, concurrency=concurrency)

    assert outcome == Done(said="0 files, 0 bytes, 50 already there")
    assert archive.source.read_bytes <= concurrency * 1000


def test_the_first_attempt_of_a_thawed_segment_does_not_look_for_what_cannot_be_there() -> None:
    archive, hold = Archive(), Hold(progress={"asked": {source("data/00"): "2026-01-05T09:00:00+00:00"}})

    copied(archive, fifty(archive), hold)

    assert archive.destination.calls == {"create": 50}


def test_a_large_file_stops_at_the_next_part() -> None:
    archive, hold = Archive(), Hold(stop_after=4)
    files = some_files(archive, {"data/large": bytes(16 * USUAL_PART)})

    with pytest.raises(Interrupted):
        copied(archive, files, hold)

    assert archive.source.read_bytes == 3 * USUAL_PART
    assert archive.at(AZURE) == {}


def test_a_missing_destination_is_not_a_vanished_source() -> None:
    def before(operation: str, _key: str) -> None:
        raise NotFound("there is no container azure")

    archive = Archive()
    archive.destination.before = before

    with pytest.raises(NotFound, match="no container azure"):
        copied(archive, some_files(archive, {"data/a": b"a"}))


def test_a_file_that_the_destination_cannot_hold_is_refused() -> None:
    archive = Archive()
    archive.destination.own_limits = Limits(max_single_put=5, min_part=1, max_part=5, max_parts=2, max_object=100)

    outcome = copied(archive, some_files(archive, {"data/a": b"x" * 11, "data/b": b"x" * 10}))

    told = "11 bytes are more than the 10 the provider can hold"
    assert outcome == Rejected("too_large_for_destination", told, f"too large: {told}")
    assert archive.at(AZURE) == {there("data/b"): b"x" * 10}


def test_a_create_whose_answer_was_lost_is_found_out_and_not_doubled() -> None:
    """The wrapper that retries meets the object that its first try made."""

    def before(operation: str, key: str) -> None:
        if operation == "create":
            archive.put("data/a", b"a", at=AZURE)
            raise AlreadyExists(key)

    archive = Archive()
    archive.destination.before = before

    assert copied(archive, some_files(archive, {"data/a": b"a"})) == Done("0 files, 0 bytes, 1 already there")
