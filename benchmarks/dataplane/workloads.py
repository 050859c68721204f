"""What is copied: files of the sizes that archives hold, the same bytes on every machine, with their manifests.

They are laid out as both the stores and the benchmarked step see them: `<root>/src/<workload>/<bag>/v1/data/<file>`.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

SOURCE_BUCKET = "src"
_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a workload."""

    key: str
    """The whole key in the source bucket."""
    bag: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Shape:
    """How many files of which sizes, in how many bags."""

    name: str
    story: str
    bags: int
    parts: tuple[tuple[int, int, int], ...]
    """Per bag: how many files, of at least and at most so many bytes."""

    @property
    def prefix(self) -> str:
        return f"{self.name}/"

    @property
    def files(self) -> int:
        return self.bags * sum(count for count, _, _ in self.parts)

    def sizes(self) -> Iterator[tuple[int, int]]:
        """(bag number, bytes), the same on every machine."""
        chance = random.Random(self.name)
        for bag in range(self.bags):
            for count, least, most in self.parts:
                yield from ((bag, chance.randint(least, most)) for _ in range(count))


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("w1", "2,000 x 10 KB", 1, ((2000, 10_240, 10_240),)),
        Shape("w2", "200 x 1 MB", 1, ((200, 1 << 20, 1 << 20),)),
        Shape("w3", "4 x 512 MB", 1, ((4, 512 << 20, 512 << 20),)),
        Shape("w4", "300 x 1.5 MB + 300 x 20 KB", 1, ((300, 1_200_000, 1_800_000), (300, 15_000, 25_000))),
        Shape("w5", "50 bags of 40 files, 200 KB mean", 50, ((40, 50_000, 350_000),)),
    )
}
QUICK_SHAPES = {
    shape.name: shape
    for shape in (
        Shape("w1", "400 x 10 KB (quick)", 1, ((400, 10_240, 10_240),)),
        Shape("w2", "40 x 1 MB (quick)", 1, ((40, 1 << 20, 1 << 20),)),
        Shape("w3", "2 x 128 MB (quick)", 1, ((2, 128 << 20, 128 << 20),)),
        Shape("w4", "60 x 1.5 MB + 60 x 20 KB (quick)", 1, ((60, 1_200_000, 1_800_000), (60, 15_000, 25_000))),
        Shape("w5", "5 bags of 40 files, 200 KB mean (quick)", 5, ((40, 50_000, 350_000),)),
    )
}


@dataclass(frozen=True, slots=True)
class Workload:
    """A shape whose files exist."""

    shape: Shape
    items: Path
    """JSON: what `read_items` reads."""
    manifest: Path
    """As sha256sum and rclone write it; paths without the workload's prefix."""
    bytes: int


def make(shape: Shape, root: Path) -> Workload:
    """Write the files below `root` and their manifests beside them."""
    items = [_written(shape, root, number, bag, size) for number, (bag, size) in enumerate(shape.sizes())]
    notes = root / "manifests"
    notes.mkdir(parents=True, exist_ok=True)
    described, manifest = notes / f"{shape.name}.json", notes / f"{shape.name}.sha256"
    described.write_text(json.dumps([asdict(item) for item in items]), "utf-8")
    lines = (f"{item.sha256}  {item.key.removeprefix(shape.prefix)}\n" for item in items)
    manifest.write_text("".join(lines), "utf-8")
    return Workload(shape, described, manifest, sum(item.size for item in items))


def read_items(path: Path) -> list[Item]:
    """What `make` wrote."""
    return [Item(**facts) for facts in json.loads(path.read_text("utf-8"))]


def _written(shape: Shape, root: Path, number: int, bag: int, size: int) -> Item:
    name = f"bag-{bag:03d}"
    key = f"{shape.prefix}{name}/v1/data/{number:06d}.bin"
    path = root / SOURCE_BUCKET / key
    path.parent.mkdir(parents=True, exist_ok=True)
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("wb") as file:
        for block in content(f"{shape.name} {number}", size):
            sha256.update(block)
            md5.update(block)
            file.write(block)
    _note_md5(path, md5.hexdigest())
    return Item(key, name, size, sha256.hexdigest())


def content(seed: str, size: int) -> Iterator[bytes]:
    """So many bytes that do not compress, in blocks; the same for the same seed."""
    chance = random.Random(seed)
    for first in range(0, size, _BLOCK):
        yield chance.randbytes(min(_BLOCK, size - first))


def _note_md5(path: Path, digest: str) -> None:
    """What the null server answers as ETag; without extended attributes it answers zeros, which also works."""
    try:
        os.setxattr(path, "user.md5", digest.encode())
    except (OSError, AttributeError):
        return
