"""How every ObjectStore makes large objects."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from common.errors import AlreadyExists, NotFound, TransientError
from common.ports import ObjectStore
from contracts.objects.conftest import Place
from contracts.objects.readback import content, keys

MIB = 2**20


def part(number: int) -> bytes:
    """The smallest part S3 takes anywhere but at the end."""
    return bytes([number]) * (5 * MIB)


def test_an_upload_is_invisible_until_it_is_committed(store: ObjectStore) -> None:
    upload = store.begin_upload(key="k")
    receipt = upload.put_part(1, b"hello")

    assert keys(store) == []

    made = upload.commit([receipt])
    assert (made.size, made.etag) == (5, store.head(key="k").etag)
    assert content(store, "k") == b"hello"


def test_parts_come_in_any_order_and_become_one_object(store: ObjectStore) -> None:
    upload = store.begin_upload(key="k")

    receipts = [upload.put_part(3, b"end"), upload.put_part(1, part(1)), upload.put_part(2, memoryview(part(2)))]
    upload.commit(receipts)

    assert content(store, "k") == part(1) + part(2) + b"end"


def test_parts_come_from_many_threads(store: ObjectStore) -> None:
    upload = store.begin_upload(key="k")
    numbers = range(1, 5)

    with ThreadPoolExecutor(4) as threads:
        receipts = list(threads.map(lambda number: upload.put_part(number, part(number)), numbers))
    upload.commit(receipts)

    assert content(store, "k") == b"".join(part(number) for number in numbers)


def test_of_two_parts_with_one_number_the_last_wins(store: ObjectStore) -> None:
    upload = store.begin_upload(key="k")
    upload.put_part(1, b"first")

    upload.commit([upload.put_part(1, b"second")])

    assert content(store, "k") == b"second"


def test_another_process_takes_an_upload_up(place: Place, store: ObjectStore) -> None:
    begun = store.begin_upload(key="k", content_type="image/jp2", metadata={"a": "b"})
    done = [begun.put_part(2, b"end"), begun.put_part(1, part(1))]

    resumed = place.open().resume_upload(key="k", upload_id=begun.id, content_type="image/jp2", metadata={"a": "b"})

    assert resumed.parts() == sorted(done, key=lambda receipt: receipt.number)
    resumed.commit(resumed.parts())
    found = store.head(key="k")
    assert (found.size, found.content_type, found.metadata) == (5 * MIB + 3, "image/jp2", {"a": "b"})


def test_an_upload_nobody_knows_has_no_parts(store: ObjectStore) -> None:
    assert store.resume_upload(key="k", upload_id="0123456789abcdef").parts() == []


def test_committing_over_an_object_leaves_it_as_it_is(store: ObjectStore) -> None:
    store.create(key="k", data=b"first")
    upload = store.begin_upload(key="k")
    receipt = upload.put_part(1, b"late")

    with pytest.raises(AlreadyExists):
        upload.commit([receipt])

    assert content(store, "k") == b"first"


def test_of_two_uploads_of_one_key_the_first_commit_wins(store: ObjectStore) -> None:
    one, two = store.begin_upload(key="k"), store.begin_upload(key="k")
    first, second = one.put_part(1, b"one"), two.put_part(1, b"two!")

    assert ([p.size for p in one.parts()], [p.size for p in two.parts()]) == ([3], [4])
    one.commit([first])
    with pytest.raises(AlreadyExists):
        two.commit([second])

    assert content(store, "k") == b"one"


def test_an_aborted_upload_can_not_be_committed(store: ObjectStore) -> None:
    upload = store.begin_upload(key="k")
    receipt = upload.put_part(1, b"x")

    upload.abort()
    upload.abort()

    assert upload.parts() == []
    with pytest.raises((NotFound, TransientError)):
        upload.commit([receipt])
    assert keys(store) == []


def test_aborting_after_the_commit_changes_nothing(store: ObjectStore) -> None:
    upload = store.begin_upload(key="k")
    upload.commit([upload.put_part(1, b"x")])

    upload.abort()

    assert content(store, "k") == b"x"


def test_pending_uploads_are_told_by_prefix(store: ObjectStore) -> None:
    mine, done = store.begin_upload(key="a/k"), store.begin_upload(key="a/done")
    mine.put_part(1, b"x")
    done.commit([done.put_part(1, b"x")])
    store.begin_upload(key="b/k").put_part(1, b"x")

    pending = [(upload.key, upload.upload_id) for upload in store.pending_uploads(prefix="a/")]

    assert pending == [("a/k", mine.id)]


def test_content_type_and_metadata_survive_the_commit(store: ObjectStore) -> None:
    upload = store.begin_upload(key="k", content_type="image/jp2", metadata={"sha256": "ab"})

    upload.commit([upload.put_part(1, b"x")], content_md5=bytes.fromhex("9dd4e461268c8034f5c8564e155c67a6"))

    found = store.head(key="k")
    assert (found.content_type, found.metadata) == ("image/jp2", {"sha256": "ab"})


def test_limits_are_in_order(store: ObjectStore) -> None:
    limits = store.limits

    assert 1 <= limits.min_part <= limits.max_part
    assert limits.max_part * limits.max_parts >= limits.max_object / 2
