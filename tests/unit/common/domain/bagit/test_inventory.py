from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from common.domain.bagit.bag_info import Oxum
from common.domain.bagit.findings import KEPT_OF_EACH_CODE
from common.domain.bagit.inventory import Inventory, Totals
from common.domain.bagit.joined import ListedObject, PlannedFile
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import Pin, read_bag
from common.domain.fixity import Algorithm
from common.domain.problem import BAG_PROBLEMS, Severity
from unit.common.domain.bagit.bags import HELLO, DictSource, bag, declared, digest, entry, judged, lines, read, reject

BAGIT, MANIFEST, SEAL = declared(), entry("data/hello.txt"), bag()["tagmanifest-sha256.txt"]


def etag(body: bytes) -> str:
    return f"etag-{hashlib.md5(body).hexdigest()}"


def planned(key: str, body: bytes, **changed: Any) -> PlannedFile:
    file = PlannedFile(
        path=key,
        key=key,
        size=len(body),
        checksums={Algorithm.SHA256: digest(body)},
        etag=etag(body),
        version_id=None,
        storage_class=None,
        extra=None,
        url=None,
        is_tag=not key.startswith("data/"),
    )
    return file._replace(**changed)


def test_the_files_of_a_bag_are_in_byte_order_with_all_that_is_known() -> None:
    with read(bag()) as reading:
        files = list(reading.inventory.files())

    assert files == [
        planned("bagit.txt", BAGIT),
        planned("data/hello.txt", HELLO),
        planned("manifest-sha256.txt", MANIFEST),
        planned("tagmanifest-sha256.txt", SEAL),
    ]


def test_names_beyond_the_basic_plane_sort_by_their_utf_8_bytes() -> None:
    with read(bag({"data/\uffee": b"", "data/\U0001f5c4": b"", "data/a": b""})) as reading:
        keys = [file.key for file in reading.inventory.files() if not file.is_tag]

    assert keys == ["data/a", "data/\uffee", "data/\U0001f5c4"]


def test_a_file_keeps_the_stores_key_and_the_manifests_spelling() -> None:
    composed, apart = normalize("NFC", "data/é"), normalize("NFD", "data/é")
    with read(bag({apart: HELLO}, manifest=entry(composed))) as reading:
        file = next(file for file in reading.inventory.files() if not file.is_tag)

    assert file == planned(apart, HELLO, path=composed)


def test_a_file_has_the_checksums_of_every_manifest() -> None:
    files = bag(tags={"manifest-sha512.txt": lines({"data/hello.txt": HELLO}, "sha512")})
    with read(files) as reading:
        file = next(file for file in reading.inventory.files() if not file.is_tag)

    assert file.checksums == {Algorithm.SHA256: digest(HELLO), Algorithm.SHA512: digest(HELLO, "sha512")}


def test_a_fetched_file_has_its_url_and_no_etag() -> None:
    files = bag({}, manifest=entry("data/far"), tags={"fetch.txt": b"s3://b/v1/far - data/far\n"})
    with read(files, policy=Policy(allow_fetch=True)) as reading:
        file = next(file for file in reading.inventory.files() if not file.is_tag)
        totals = reading.inventory.totals()

    assert file == planned("data/far", HELLO, size=None, etag=None, url="s3://b/v1/far")
    assert (totals.payload_files, totals.payload_bytes) == (1, None)


def test_what_the_caller_knows_of_an_object_comes_back() -> None:
    with Inventory() as inventory:
        inventory.add_objects([ListedObject("notes", 3, "tag", "v7", "GLACIER", '{"restore": null}')])
        inventory.add_measured("notes", {Algorithm.SHA256: digest(b"abc")})
        files = list(inventory.files())

    assert files == [
        PlannedFile(
            "notes", "notes", 3, {Algorithm.SHA256: digest(b"abc")}, "tag", "v7", "GLACIER",
            '{"restore": null}', None, True,
        )
    ]  # fmt: skip


def test_totals_leave_directory_markers_out() -> None:
    with read({**bag(), "data/": b"", "data/x/": b""}) as reading:
        totals = reading.inventory.totals()

    size = len(BAGIT) + len(HELLO) + len(MANIFEST) + len(SEAL)
    assert totals == Totals(files=4, bytes=size, payload_files=1, payload_bytes=len(HELLO))


def test_an_inventory_that_was_asked_takes_no_more_files() -> None:
    with Inventory() as inventory:
        inventory.totals()
        with pytest.raises(RuntimeError, match="asked already"):
            inventory.add_objects([])


def test_a_reading_says_what_the_bag_says() -> None:
    fields = b"external-identifier: b1234\nBagging-Date: 2026-01-02\nA: long\n  value\nPayload-Oxum: 6.1\nA: again\n"
    with read(bag(tags={"bag-info.txt": fields}), block=3) as reading:
        info = reading.info

    assert (str(reading.version), reading.encoding, reading.algorithms) == ("1.0", "UTF-8", {Algorithm.SHA256})
    assert (info.external_identifier, info.bagging_date) == ("b1234", "2026-01-02")
    assert (info.values("a"), info.payload_oxum) == (["long value", "again"], Oxum(6, 1))


def test_every_tag_file_that_was_read_is_pinned() -> None:
    files = bag(tags={"bag-info.txt": b"A: b\n", "notes.txt": b"not read\n"})
    with read(files) as reading:
        pins = reading.pins

    read_names = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt")
    assert pins == {name: Pin(digest(files[name]), len(files[name]), etag(files[name])) for name in read_names}


def test_a_file_that_is_longer_than_the_store_listed_is_found() -> None:
    class Outdated(DictSource):
        def objects(self) -> Iterator[ListedObject]:
            for found in super().objects():
                yield found._replace(size=5) if found.path == "data/hello.txt" else found

    assert judged(Outdated(bag())) == reject("bag_file_size_changed")


def test_problems_beyond_the_first_of_a_code_are_counted_and_not_kept() -> None:
    files = {**bag(), **{f"data/{n}": b"" for n in range(KEPT_OF_EACH_CODE + 10)}}
    with read(files) as reading:
        found = (len(reading.problems), reading.findings.counts, reading.findings.errors)

    assert found == (KEPT_OF_EACH_CODE, {"bag_file_unlisted": KEPT_OF_EACH_CODE + 10}, KEPT_OF_EACH_CODE + 10)


def test_a_problem_names_the_file_the_line_the_value_and_the_remedy() -> None:
    with read(bag(manifest=MANIFEST + b"lost.txt\n")) as reading:
        (problem,) = reading.problems

    assert (problem.path, problem.line, problem.severity) == ("manifest-sha256.txt", 2, Severity.ERROR)
    assert problem.message == (
        "'manifest-sha256.txt', line 2: 'lost.txt' is not 'checksum path'. "
        "Correct the line: a skipped line would hide a lost file."
    )


def test_every_code_is_a_heading_with_a_sentence_and_a_remedy() -> None:
    for code, row in BAG_PROBLEMS.items():
        assert code.startswith("bag_")
        assert row.meaning.endswith(".")
        assert row.remedy.endswith(".")


def test_a_source_that_fails_closes_the_inventory_and_passes_its_error_on() -> None:
    class Failing(DictSource):
        def objects(self):  # type: ignore[no-untyped-def]
            yield from super().objects()
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        read_bag(Failing(bag()), policy=Policy())


_LARGE = """
from contextlib import contextmanager
from pathlib import Path
from common.domain.bagit.joined import ListedObject
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import read_bag

COUNT = {count}
def manifest():
    for first in range(0, COUNT, 1000):
        numbers = [n * 7919 % COUNT for n in range(first, first + 1000)]
        yield "".join(f"{{n:064x}}  data/b{{n:09d}}/a-folder/page.tif\\n" for n in numbers).encode()

class Large:
    def objects(self):
        yield ListedObject("bagit.txt", 54, "e")
        for n in range(COUNT):
            yield ListedObject(f"data/b{{n:09d}}/a-folder/page.tif", 1000, f'"{{n:032x}}"', f"v{{n:030d}}", "GLACIER")
        yield ListedObject("manifest-sha256.txt", 1, "e")
    @contextmanager
    def open(self, path):
        yield manifest() if "manifest" in path else [b"BagIt-Version: 1.0\\nTag-File-Character-Encoding: UTF-8\\n"]

def peak():  # Of this program alone: ru_maxrss begins with what the parent had before exec.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024
before = peak()
with read_bag(Large(), policy=Policy()) as reading:
    listed = sum(1 for _ in reading.inventory.files())
    print(listed, sorted(reading.findings.counts.items()), peak() - before)
"""


def _read_large(count: int) -> tuple[str, int]:
    """What a process says of a bag of `count` files, and by how many MiB it grew."""
    ran = subprocess.run(
        [sys.executable, "-c", _LARGE.format(count=count)], capture_output=True, text=True, check=True, timeout=120
    )
    said, _, grown = ran.stdout.strip().rpartition(" ")
    return said, int(grown)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.slow
def test_200_000_files_are_read_in_less_than_64_mebibytes() -> None:
    said, grown = _read_large(200_000)

    assert said == "200002 [('bag_tag_manifest_missing', 1)]"
    assert grown < 64
