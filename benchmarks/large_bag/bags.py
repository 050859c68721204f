"""The bags, without their bytes: the null server makes small files up, and large ones are holes of the file system."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from local_stack.demo.making import Recipe

BAG = Recipe("bench", "million", 1, payload={})
"""Whichever bag it is: `made_up.h` knows this name."""
_BLOCK = bytes(1 << 20)
_LINES = 1000


@dataclass(frozen=True, slots=True)
class Payload:
    """So many small files, or large ones of these sizes."""

    small: int = 0
    large: tuple[int, ...] = ()
    copied: float = 1.0
    """The share of its bytes after which the run is ended."""

    @property
    def stops_at(self) -> float:
        """Bytes that are sent until then; infinity where all are."""
        return sum(self.large) * self.copied if self.copied < 1 else float("inf")


def payload(name: str, *, files: int) -> Payload:
    """ "million" of so many files, "w3", or "film". Of the film nobody ever knows the digest: half of it is copied."""
    if name == "million":
        return Payload(small=files)
    return Payload(large=(512 << 20,) * 4) if name == "w3" else Payload(large=(200 << 30,), copied=0.5)


def path(number: int) -> str:
    """Of a small file in the bag, which holds just this; `made_up.h` says the same."""
    return f"data/{number // 1000:04d}/page-{number:07d}.jp2"


def write_bag(bag: Path, payload: Payload) -> None:
    """The bag's directory: large files as holes, and what describes them all."""
    (bag / "data").mkdir(parents=True)
    entries = _large(bag, payload) if payload.large else _small(payload.small)
    octets = files = 0
    with (bag / "manifest-sha256.txt").open("w") as manifest:
        while some := list(islice(entries, _LINES)):
            manifest.write("".join(f"{digest}  {name}\n" for name, _, digest in some))
            octets, files = octets + sum(size for _, size, _ in some), files + len(some)
    info = f"External-Identifier: {BAG.external_identifier}\nPayload-Oxum: {octets}.{files}\nBagging-Date: 2019-08-15\n"
    (bag / "bag-info.txt").write_text(info)
    (bag / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    lines = [f"{_sha256_of(file)}  {file.name}\n" for file in sorted(bag.glob("*.txt"))]
    (bag / "tagmanifest-sha256.txt").write_text("".join(lines))


def _small(files: int) -> Iterator[tuple[str, int, str]]:
    """Path, size and SHA-256."""
    for name in map(path, range(files)):
        yield name, len(name), hashlib.sha256(name.encode()).hexdigest()


def _large(bag: Path, payload: Payload) -> Iterator[tuple[str, int, str]]:
    digests = {size: _sha256_of_zeros(size) if payload.copied == 1 else "0" * 64 for size in set(payload.large)}
    for number, size in enumerate(payload.large):
        name = f"data/film-{number}.mxf"
        with (bag / name).open("wb") as file:
            file.truncate(size)
        yield name, size, digests[size]


def _sha256_of_zeros(size: int) -> str:
    hasher = hashlib.sha256()
    for _ in range(size // len(_BLOCK)):
        hasher.update(_BLOCK)
    return hasher.hexdigest()


def _sha256_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
