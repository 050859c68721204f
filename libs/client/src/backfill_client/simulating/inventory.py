"""What lies in a store, cut into the parts that are thawed together."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import unquote_plus

MOST_OBJECTS, MOST_BYTES = 500, 1 << 30
"""Of one segment, as the service cuts bags unless it is told otherwise."""


class BadInventory(Exception):
    """The message says which line and what is wanted."""


@dataclass(slots=True)
class Part:
    """A segment: of one bag and one class."""

    bag: int
    storage_class: str
    objects: int
    bytes: int


def cut(bag: int, storage_class: str, objects: int, octets: int) -> Iterator[Part]:
    """Parts of objects of one bag whose sizes are not known one by one: even ones."""
    pieces = max(1, -(-objects // MOST_OBJECTS), min(objects, -(-octets // MOST_BYTES)))
    for number in range(pieces):
        yield Part(bag, storage_class, _share(objects, pieces, number), _share(octets, pieces, number))


def _share(total: int, pieces: int, number: int) -> int:
    return total * (number + 1) // pieces - total * number // pieces


def read_csv(path: Path, *, depth: int) -> list[Part]:
    """A CSV with a header: bag, storage_class, objects, bytes; or key, storage_class, size, one object a line.

    The first `depth` folders of a key are its bag. Raises BadInventory.
    """
    with _opened(path) as lines:
        rows = csv.DictReader(lines)
        names = {name.strip().lower().replace(" ", "_") for name in rows.fieldnames or ()}
        if {"bag", "storage_class", "objects", "bytes"} <= names:
            return list(_of_bags(rows, path))
        if {"key", "storage_class", "size"} <= names:
            return _of_objects(
                ((_value(row, "key"), _value(row, "storage_class"), _value(row, "size")) for row in rows), path, depth
            )
    raise BadInventory(
        f"{path}: the first line must name bag, storage_class, objects and bytes, or key, storage_class and size;"
        f" it names {', '.join(sorted(names)) or 'nothing'}"
    )


def read_s3_inventory(manifest: Path, *, depth: int) -> list[Part]:
    """The CSV files that the manifest.json of an S3 Inventory names, from beside it. Raises BadInventory."""
    try:
        facts = json.loads(manifest.read_text("utf-8"))
        schema = [name.strip() for name in facts["fileSchema"].split(",")]
        files = [manifest.parent / Path(one["key"]).name for one in facts["files"]]
        key, size, storage_class = (schema.index(name) for name in ("Key", "Size", "StorageClass"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInventory(
            f"{manifest} is no manifest of an S3 Inventory in CSV with Key, Size and StorageClass: {error}"
        ) from None

    def rows() -> Iterator[tuple[str, str, str]]:
        for file in files:
            with _opened(file) as lines:
                for row in csv.reader(lines):
                    yield unquote_plus(row[key]), row[storage_class], row[size]

    return _of_objects(rows(), manifest, depth)


def _of_bags(rows: Iterable[dict[str, str]], path: Path) -> Iterator[Part]:
    names: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        bag = names.setdefault(_value(row, "bag"), len(names))
        objects, octets = (_number(_value(row, name), path, number, name) for name in ("objects", "bytes"))
        if objects:
            yield from cut(bag, _value(row, "storage_class"), objects, octets)


def _of_objects(rows: Iterable[tuple[str, str, str]], path: Path, depth: int) -> list[Part]:
    """Objects fill their bag's part until it is full, as the service cuts them."""
    names: dict[str, int] = {}
    last: dict[tuple[int, str], Part] = {}
    parts: list[Part] = []
    for number, (key, storage_class, size) in enumerate(rows, start=2):
        bag = names.setdefault("/".join(key.split("/")[:depth]), len(names))
        octets = _number(size, path, number, "size")
        part = last.get((bag, storage_class))
        if part is None or part.objects >= MOST_OBJECTS or part.bytes + octets > MOST_BYTES:
            part = last[bag, storage_class] = Part(bag, storage_class, 0, 0)
            parts.append(part)
        part.objects, part.bytes = part.objects + 1, part.bytes + octets
    return parts


def _value(row: dict[str, str], name: str) -> str:
    found = next((value for key, value in row.items() if key and key.strip().lower().replace(" ", "_") == name), None)
    return (found or "").strip()


def _number(text: str, path: Path, line: int, name: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise BadInventory(f"{path}, line {line}: {name} is {text!r}, but must be a whole number") from None
    return number


def _opened(path: Path) -> TextIO:
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rt", encoding="utf-8", newline="")
        return path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise BadInventory(f"{path} cannot be read: {error.strerror}") from None
