"""Checkpoints at the second place: read, held against each other, and their signatures checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from backfill_check.stores import Reader

FOLDER = "evidence-checkpoints/"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one document says."""

    name: str
    seq: int
    hash: str
    time: str
    faults: tuple[str, ...]


def of_directory(directory: Path) -> Iterator[tuple[str, bytes]]:
    """The documents of a directory, or of its folder of checkpoints, by name."""
    folder = directory / FOLDER if (directory / FOLDER).is_dir() else directory
    for path in sorted(folder.glob("*.json")):
        yield path.name, path.read_bytes()


def of_location(reader: Reader, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in reader.list(prefix + FOLDER):
        yield item.key, b"".join(reader.read(item.key))


def read(documents: Iterable[tuple[str, bytes]], *, key: str | None) -> list[Checkpoint]:
    """By number. `key`: the public key, in hex digits, that has to have signed every one of them."""
    found, before = list[Checkpoint](), None
    for name, data in documents:
        try:
            document = json.loads(data)
            faults = tuple(_faults(document, key, before))
            one = Checkpoint(name, int(document["seq"]), str(document["hash"]), str(document["time"]), faults)
        except (ValueError, KeyError, TypeError) as error:
            found.append(Checkpoint(name, 0, "", "", (f"cannot be read: {error!r}",)))
            continue
        found.append(one)
        before = {"seq": one.seq, "hash": one.hash}
    return sorted(found, key=lambda one: one.seq)


def _faults(document: dict[str, Any], key: str | None, before: dict[str, Any] | None) -> Iterator[str]:
    if document.get("before") != before:
        yield f"names {document.get('before')} as the checkpoint before it, and {before} is there"
    signature = document.pop("signature", None)
    if key is None:
        return
    if not signature or signature.get("key") != key:
        yield f"is not signed with the key {key}"
        return
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature["value"]), data)
    except (InvalidSignature, ValueError):
        yield "its signature is wrong"
