"""A file list is believed no further than it can be checked: whatever lies in the record store, memory is bounded."""

from __future__ import annotations

import gzip
import hashlib
import tracemalloc

import pytest

from bag_register.file_lists import FileLists, RecordCorrupt
from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.domain.bag import BagVersion
from common.domain.fixity import Algorithm
from common.domain.storage_manifest import ListedFile

BAG = BagVersion.of("digitised", "b1", 1)
MIB = 1 << 20


def files(number: int) -> list[ListedFile]:
    checksums = {Algorithm.SHA256: "0" * 64}
    return [ListedFile(f"data/{n:08}.tif", f"v1/data/{n:08}.tif", n, checksums, tag=False) for n in range(number)]


def read(data: bytes) -> list[ListedFile]:
    store = MemoryStore(MemoryBucket())
    store.create(key="list", data=data)
    with FileLists(store=store).read(key="list", sha256=hashlib.sha256(data).hexdigest()) as found:
        return list(found)


def test_what_was_kept_is_read_again_whatever_its_length() -> None:
    lists = FileLists(store=MemoryStore(MemoryBucket()))
    kept = lists.keep(files(20_000))

    with lists.read(key=kept.key, sha256=kept.sha256) as found:
        again = list(found)

    assert again == files(20_000)


def test_a_line_that_unpacks_to_gigabytes_is_refused_after_a_megabyte() -> None:
    bomb = gzip.compress(b"x" * (200 * MIB), mtime=0)
    tracemalloc.start()
    try:
        with pytest.raises(RecordCorrupt, match="list has a line of more than 1048576 bytes"):
            read(bomb)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 8 * MIB


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"plain", "list cannot be unpacked: Error -3 while decompressing data: incorrect header check"),
        (gzip.compress(b"{}\n"), "list, line 1: not the record of a file: KeyError: 'size'"),
        (gzip.compress(b"[" * 100_000 + b"\n"), "list, line 1: not the record of a file: RecursionError"),
        (gzip.compress(files(1)[0].to_line())[:-5], "list has the SHA-256 "),
        (gzip.compress(files(1)[0].to_line()[:-1]), "list has the SHA-256 "),
        (
            gzip.compress(files(1)[0].to_line().replace(b'"size":0', b'"size":-1')),
            "list, line 1: size and tag are -1 and False",
        ),
    ],
    ids=["no gzip", "no record", "deep", "cut", "without its last end", "negative size"],
)
def test_what_the_register_never_wrote_is_refused_with_its_place(data: bytes, told: str) -> None:
    with pytest.raises(RecordCorrupt) as refused:
        read(data)

    assert str(refused.value).startswith(told)
