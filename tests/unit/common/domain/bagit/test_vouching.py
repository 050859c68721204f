"""Which files of a bag were read as they lie, because their ETag is the MD5 of what was read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from common.domain.bagit.joined import ListedObject
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import read_bag

BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = f"{hashlib.sha256(b'a').hexdigest()}  data/a\n".encode()
SEAL = f"{hashlib.sha256(MANIFEST).hexdigest()}  manifest-sha256.txt\n".encode()
FILES = {"bagit.txt": BAGIT, "manifest-sha256.txt": MANIFEST, "data/a": b"a"}


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class Stored:
    def __init__(self, files: dict[str, bytes], etags: dict[str, str]) -> None:
        self._files, self._etags = files, etags

    def objects(self) -> Iterator[ListedObject]:
        for path, body in self._files.items():
            yield ListedObject(path, len(body), self._etags.get(path, md5(body)), None, None, None)

    @contextmanager
    def open(self, path: str) -> Iterator[list[bytes]]:
        yield [self._files[path]]


@pytest.mark.parametrize(
    ("files", "etags", "vouched"),
    [
        (FILES, {}, {"bagit.txt", "manifest-sha256.txt"}),
        # A manifest says what the others must be, so that only it needs its ETag.
        ({**FILES, "tagmanifest-sha256.txt": SEAL}, {}, {"tagmanifest-sha256.txt"}),
        ({**FILES, "tagmanifest-sha256.txt": SEAL}, {"tagmanifest-sha256.txt": md5(b"harmed")}, set()),
        ({**FILES, "tagmanifest-sha256.txt": SEAL}, {"tagmanifest-sha256.txt": f"{md5(SEAL)}-1"}, set()),
    ],
    ids=["no tag manifest", "a tag manifest", "other bytes were stored", "an ETag of parts"],
)
def test_an_etag_vouches_where_it_is_the_md5_of_what_was_read(
    files: dict[str, bytes], etags: dict[str, str], vouched: set[str]
) -> None:
    with read_bag(Stored(files, etags), policy=Policy()) as reading:
        assert {path for path, pin in reading.pins.items() if pin.vouched} == vouched
