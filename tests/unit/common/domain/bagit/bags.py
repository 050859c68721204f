"""Builds small bags in memory, right or wrong on purpose, and reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from common.domain.bagit.joined import ListedObject
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import BagReading, BagSource, read_bag
from common.domain.bagit.verify import verify_files
from common.domain.fixity import Algorithm
from common.domain.problem import Problem, Severity

Files = dict[str, bytes]
HELLO = b"hello\n"


class DictSource:
    """A bag in memory; `block` bytes at a time."""

    def __init__(self, files: Mapping[str, bytes], *, block: int = 1024) -> None:
        self._files = files
        self._block = block

    def objects(self) -> Iterator[ListedObject]:
        for path in sorted(self._files, key=lambda path: path.encode()):
            body = self._files[path]
            yield ListedObject(path, len(body), f"etag-{hashlib.md5(body).hexdigest()}")

    @contextmanager
    def open(self, path: str) -> Iterator[Iterator[bytes]]:
        body = self._files[path]
        yield (body[i : i + self._block] for i in range(0, len(body), self._block))


@dataclass(frozen=True)
class Outcome:
    """The codes a bag gets, each once."""

    errors: frozenset[str] = frozenset()
    warnings: frozenset[str] = frozenset()


ACCEPT = Outcome()


def warn(*codes: str) -> Outcome:
    return Outcome(warnings=frozenset(codes))


def reject(*codes: str, warnings: tuple[str, ...] = ()) -> Outcome:
    return Outcome(frozenset(codes), frozenset(warnings))


def outcome(problems: list[Problem]) -> Outcome:
    return Outcome(
        frozenset(p.code for p in problems if p.severity is Severity.ERROR),
        frozenset(p.code for p in problems if p.severity is Severity.WARNING),
    )


def judged(source: BagSource, *, policy: Policy | None = None) -> Outcome:
    """What reading the bag and then every file of it finds."""
    with read_bag(source, policy=policy or Policy()) as reading:
        problems = list(reading.problems)
        if reading.declaration:
            problems += verify_files(source, reading)
    return outcome(problems)


def read(files: Files, *, policy: Policy | None = None, block: int = 1024) -> BagReading:
    return read_bag(DictSource(files, block=block), policy=policy or Policy())


def digest(body: bytes, algorithm: str = "sha256") -> str:
    hasher = Algorithm(algorithm).new()
    hasher.update(body)
    return hasher.hexdigest()


def lines(files: Mapping[str, bytes], algorithm: str = "sha256") -> bytes:
    return "".join(f"{digest(body, algorithm)}  {path}\n" for path, body in files.items()).encode()


def declared(version: str = "1.0", encoding: str = "UTF-8") -> bytes:
    return f"BagIt-Version: {version}\nTag-File-Character-Encoding: {encoding}\n".encode()


def bag(
    payload: Mapping[str, bytes] | None = None,
    *,
    version: str = "1.0",
    algorithm: str = "sha256",
    tags: Mapping[str, bytes] | None = None,
    without: tuple[str, ...] = (),
    listed: Mapping[str, bytes] | None = None,
    manifest: bytes | None = None,
    seal: str | None = None,
) -> Files:
    """A valid bag, but for what the arguments say.

    `tags` are added, or put in place of those there, before the tag manifest is written; `without` are then left out.
    `listed` is what the manifest says where that is not the payload; `manifest` is its text outright.
    `seal` is the tag manifest's algorithm where it is another.
    """
    payload = {"data/hello.txt": HELLO} if payload is None else payload
    text = lines(payload if listed is None else listed, algorithm) if manifest is None else manifest
    protected = {"bagit.txt": declared(version), f"manifest-{algorithm}.txt": text, **(tags or {})}
    protected = {path: body for path, body in protected.items() if path not in without}
    sealing = seal or algorithm
    tag_manifest = {f"tagmanifest-{sealing}.txt": lines(protected, sealing)}
    return {**payload, **protected, **{path: body for path, body in tag_manifest.items() if path not in without}}


def entry(path: str, body: bytes = HELLO) -> bytes:
    return f"{digest(body)}  {path}\n".encode()
