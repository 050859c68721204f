"""A bag in its source store: what was listed is what is read."""

from __future__ import annotations

import pytest

from common.errors import NotFound
from common.stored_bag import StoredBag
from unit.common.domain.bagit.bags import bag
from unit.common.runtime.archives import BAG, COLD, Archive


def stored(archive: Archive) -> StoredBag:
    return StoredBag(archive.source, root=COLD.root(BAG), checkpoint=lambda: None)


def test_a_tag_file_written_after_it_was_listed_is_read_as_it_was_listed() -> None:
    archive = Archive()
    archive.put("bagit.txt", b"listed")
    source = stored(archive)
    assert [entry.path for entry in source.objects()] == ["bagit.txt"]
    archive.put("bagit.txt", b"written since")

    with source.open("bagit.txt") as body:
        assert b"".join(bytes(block) for block in body) == b"listed"


def test_a_tag_file_that_is_gone_after_it_was_listed_is_not_found() -> None:
    archive = Archive()
    archive.put("bagit.txt", b"listed")
    source = stored(archive)
    list(source.objects())
    archive.buckets[COLD.id].objects.clear()

    with pytest.raises(NotFound), source.open("bagit.txt"):
        pass


def test_tag_files_before_and_behind_the_payload_are_found_and_the_payload_is_passed_over() -> None:
    archive = Archive()
    archive.put_bag(bag({f"data/{n}\U0001f4be": b"x" for n in range(300)}, tags={"data.txt": b"d", "Ünder/x": b"u"}))

    found = [info.key.removeprefix(COLD.root(BAG)) for info in stored(archive).tag_files()]

    assert sorted(found) == sorted(
        ["bagit.txt", "data.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "Ünder/x"]
    )
    assert sum(archive.source.listed) < 10
