"""What is far too much of something is read in bounded memory, or refused with a code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from common.domain.bagit.joined import ListedObject
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import read_bag
from common.domain.problem import Severity
from resources.confined import run
from unit.common.domain.bagit.bags import declared

MIB = 1 << 20
EMPTY = hashlib.sha256(b"").hexdigest()
_PAYLOAD = "data/{:08}.tif"
_TAG = "notes/{:08}.txt"


class HugeSource:
    """A bag that is made while it is read: so many payload files and tag files, all of them empty."""

    def __init__(self, *, payload: int = 0, tags: int = 0, last: int = 0) -> None:
        self._payload = payload
        self._tags = tags
        self._last = last
        """Mebibytes without an end of line, with which the manifest ends."""

    def objects(self) -> Iterator[ListedObject]:
        names = ["bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"]
        yield ListedObject(names[0], 1, "e")
        for number in range(self._payload):
            yield ListedObject(_PAYLOAD.format(number), 0, "e")
        for name in names[1:]:
            yield ListedObject(name, 1, "e")
        for number in range(self._tags):
            yield ListedObject(_TAG.format(number), 0, "e")

    @contextmanager
    def open(self, path: str) -> Iterator[Iterator[bytes]]:
        yield {"bagit.txt": self._declaration, "manifest-sha256.txt": self._manifest}.get(path, self._tag_manifest)()

    def _declaration(self) -> Iterator[bytes]:
        yield declared()

    def _manifest(self) -> Iterator[bytes]:
        yield from _lines(_PAYLOAD, self._payload)
        yield from (b"x" * MIB for _ in range(self._last))

    def _tag_manifest(self) -> Iterator[bytes]:
        manifest = hashlib.sha256()
        for block in self._manifest():
            manifest.update(block)
        yield f"{hashlib.sha256(declared()).hexdigest()}  bagit.txt\n".encode()
        yield f"{manifest.hexdigest()}  manifest-sha256.txt\n".encode()
        yield from _lines(_TAG, self._tags)


def _lines(name: str, number: int) -> Iterator[bytes]:
    for first in range(0, number, 1000):
        yield "".join(f"{EMPTY}  {name.format(n)}\n" for n in range(first, min(first + 1000, number))).encode()


def _judged(source: HugeSource) -> dict[str, object]:
    with read_bag(source, policy=Policy()) as reading:
        codes = sorted(reading.findings.codes(Severity.ERROR))
        return {"errors": codes, "files": reading.inventory.totals().files, "kept": len(reading.problems)}


def many_files() -> dict[str, object]:
    return _judged(HugeSource(payload=100_000))


def a_million_files() -> dict[str, object]:
    return _judged(HugeSource(payload=1_000_000))


def many_tag_files() -> dict[str, object]:
    return _judged(HugeSource(payload=1, tags=100_000))


def a_line_of_a_hundred_megabytes() -> dict[str, object]:
    return _judged(HugeSource(payload=2, last=100))


def nothing() -> dict[str, object]:
    return _judged(HugeSource(payload=1))


@pytest.fixture(scope="module")
def floor() -> int:
    """What a process takes that reads a bag of one file, in bytes."""
    return run("resources.test_large_bags.nothing")[1]


@pytest.mark.parametrize(
    ("function", "answer", "most"),
    [
        ("many_files", {"errors": [], "files": 100_003, "kept": 0}, 48 * MIB),
        pytest.param(
            "a_million_files", {"errors": [], "files": 1_000_003, "kept": 0}, 64 * MIB, marks=pytest.mark.slow
        ),
        ("many_tag_files", {"errors": [], "files": 100_004, "kept": 0}, 48 * MIB),
    ],
)
def test_a_bag_of_very_many_files_is_read_in_bounded_memory(
    function: str, answer: dict[str, object], most: int, floor: int
) -> None:
    found, memory = run(f"resources.test_large_bags.{function}", seconds=170)

    assert found == answer
    assert memory - floor < most, f"{(memory - floor) / MIB:.0f} MiB"


def test_a_line_of_a_hundred_megabytes_is_refused_and_not_held(floor: int) -> None:
    found, memory = run("resources.test_large_bags.a_line_of_a_hundred_megabytes")

    assert "bag_line_too_long" in found["errors"]
    assert memory - floor < 16 * MIB, f"{(memory - floor) / MIB:.0f} MiB"
