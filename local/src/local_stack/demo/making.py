"""Making BagIt bags, by the book and without any of Backfill's own code."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

_TAG_FILES = ("bagit.txt", "bag-info.txt")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A payload file whose bytes lie in an earlier version."""

    path: str
    url: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a bag is made of."""

    space: str
    external_identifier: str
    version: int
    payload: dict[str, bytes]
    """By path, beginning with data/."""
    algorithms: tuple[str, ...] = ("sha256",)
    payload_class: str = "STANDARD"
    frozen_tags: str | None = None
    """The class that a lifecycle rule moves the tag files to after the bag was registered."""
    archive_tier: str | None = None
    """For INTELLIGENT_TIERING: the archive tier its objects have sunk to."""
    tag_files: dict[str, bytes] = field(default_factory=dict)
    """Further tag files, by path."""
    fetched: tuple[Fetched, ...] = ()
    corrupt: str | None = None
    """A payload file of which the store holds one wrong byte."""
    story: str = ""
    """One line for the audience."""

    @property
    def name(self) -> str:
        return f"{self.space}/{self.external_identifier}"

    @property
    def root(self) -> str:
        return f"{self.name}/v{self.version}/"


@dataclass(frozen=True, slots=True)
class MadeObject:
    """One object to be put into the store."""

    key: str
    data: bytes
    storage_class: str
    tag: bool = False


def make(recipe: Recipe) -> list[MadeObject]:
    """Every object of the bag, its keys complete."""
    payload = dict(recipe.payload)
    listed = payload | {fetched.path: fetched.data for fetched in recipe.fetched}
    tags = _tag_files(recipe, listed)
    for algorithm in recipe.algorithms:
        tags[f"manifest-{algorithm}.txt"] = _manifest(listed, algorithm)
    tag_manifests = {f"tagmanifest-{a}.txt": _manifest(tags, a) for a in recipe.algorithms}
    if recipe.corrupt:
        payload[recipe.corrupt] = _with_a_wrong_byte(payload[recipe.corrupt])
    made = [MadeObject(recipe.root + path, data, recipe.payload_class) for path, data in payload.items()]
    every_tag = tags | tag_manifests
    return made + [MadeObject(recipe.root + path, data, "STANDARD", tag=True) for path, data in every_tag.items()]


def _tag_files(recipe: Recipe, listed: dict[str, bytes]) -> dict[str, bytes]:
    octets = sum(len(data) for data in listed.values())
    info = (
        f"External-Identifier: {recipe.external_identifier}\n"
        "Source-Organization: The Backfill demo\n"
        "Bagging-Date: 2019-08-15\n"
        f"Payload-Oxum: {octets}.{len(listed)}\n"
    )
    tags = {"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "bag-info.txt": info.encode()}
    if recipe.fetched:
        lines = (f"{fetched.url} {len(fetched.data)} {_written(fetched.path)}\n" for fetched in recipe.fetched)
        tags["fetch.txt"] = "".join(lines).encode()
    return tags | recipe.tag_files


def _manifest(files: dict[str, bytes], algorithm: str) -> bytes:
    lines = (f"{hashlib.new(algorithm, data).hexdigest()}  {_written(path)}\n" for path, data in sorted(files.items()))
    return "".join(lines).encode()


def _written(path: str) -> str:
    """A path as manifests write it (RFC 8493, 2.1.3): %, CR and LF percent-encoded, nothing else."""
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _with_a_wrong_byte(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x01]) + data[middle + 1 :]
