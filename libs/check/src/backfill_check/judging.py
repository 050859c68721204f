"""One copy: its manifests against the register's pins, its objects against its manifests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice

from backfill_check.depth import Depth
from backfill_check.findings import Finding, Sign
from backfill_check.register import Copy
from backfill_check.stores import Frozen, Gone, Listed, Reader, Unreachable
from common.domain.bagit.joined import ListedObject, PlannedFile
from common.domain.bagit.policy import Policy
from common.domain.bagit.reader import BagReading, read_bag
from common.domain.fetched import NotOurs, fetched_from
from common.domain.fixity import Algorithm
from common.domain.location import Location
from common.domain.naming import Names, decode

_POLICY = Policy(allow_fetch=True)
_AT_ONCE = 8
_BATCH = 64
_HASHLIB = {"sha512256": "sha512_256", "sha3224": "sha3_224", "sha3256": "sha3_256", "sha3384": "sha3_384"}
_HASHLIB |= {"sha3512": "sha3_512"}


@dataclass(frozen=True, slots=True)
class Place:
    """A location as a check sees it."""

    location: Location
    reader: Reader
    names: Names
    known: tuple[Location, ...]
    """Every location: a URL of fetch.txt may name any of them."""

    @property
    def id(self) -> str:
        return self.location.id.value


@dataclass
class _Source:
    """The bag as its listing has it, for the BagIt reader. Remembers how names were mapped."""

    place: Place
    root: str
    listed: Iterable[Listed]
    seen: int = 0
    mapped: dict[str, str] = field(default_factory=dict)

    def objects(self) -> Iterator[ListedObject]:
        for item in self.listed:
            self.seen += 1
            yield ListedObject(self._original(item.key.removeprefix(self.root)), item.size, item.etag)

    def _original(self, name: str) -> str:
        if self.place.names is Names.REFUSE:
            return name
        try:
            path = decode(name)
        except ValueError:
            return name
        if path != name:
            self.mapped[path] = name
        return path

    @contextmanager
    def open(self, path: str) -> Iterator[Iterator[bytes]]:
        yield self.place.reader.read(self.key(path))

    def key(self, path: str) -> str:
        return self.root + self.mapped.get(path, path)


def judge(
    copy: Copy, listed: Iterable[Listed], place: Place, *, depth: Depth, sizes: Callable[[], Iterator[tuple[str, int]]]
) -> Iterator[Finding]:
    """Everything there is to say about one copy. `listed` is consumed; sizes are what the ledger's evidence says."""
    source = _Source(place, copy.root, listed)
    try:
        with read_bag(source, policy=_POLICY) as reading:
            if not source.seen:
                told = f"phantom: {copy.bag} is registered with {copy.files} files, and nothing is there"
                yield Finding(Sign.PHANTOM, place.id, copy.root, told)
                return
            yield from _manifests(copy, reading, source)
            yield from _files(copy, reading, source, depth=depth, sizes=sizes)
    except Frozen as error:
        yield Finding(Sign.ERROR, place.id, str(error), "its manifests are frozen: thaw them to have it checked")
    except Gone as error:
        yield Finding(Sign.PHANTOM, place.id, str(error), "was listed and is gone")
    except Unreachable as error:
        yield Finding(Sign.ERROR, place.id, copy.root, str(error))


def _manifests(copy: Copy, reading: BagReading, source: _Source) -> Iterator[Finding]:
    """The manifest set must be the registered one, byte for byte."""
    found = {path: pin.sha256 for path, pin in reading.pins.items()}
    for path in sorted({*found, *copy.pins}):
        measured, pinned = found.get(path), copy.pins.get(path)
        key = source.key(path)
        if measured is None:
            yield Finding(Sign.PHANTOM, source.place.id, key, "registered as a part of the manifest set")
        elif pinned is None:
            yield Finding(Sign.ORPHAN, source.place.id, key, "no part of the registered manifest set")
        elif measured != pinned:
            told = f"SHA-256 {measured}, the register has {pinned}"
            yield Finding(Sign.DIFFERS, source.place.id, key, told, read=True)


def _files(
    copy: Copy,
    reading: BagReading,
    source: _Source,
    *,
    depth: Depth,
    sizes: Callable[[], Iterator[tuple[str, int]]],
) -> Iterator[Finding]:
    place = source.place
    for absent in reading.inventory.absent():
        if absent.key not in copy.pins:
            yield Finding(Sign.PHANTOM, place.id, source.key(absent.key), "the manifests name it")
    for extra in reading.inventory.unexpected():
        if extra not in copy.pins:
            yield Finding(Sign.ORPHAN, place.id, source.key(extra), "no manifest names it")
    wrong = {path for path, pin in reading.pins.items() if copy.pins.get(path) != pin.sha256}
    expected = _with_sizes(reading.inventory.files(), sizes())
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="check") as pool:
        while batch := list(islice(expected, _BATCH)):
            asked = [(one, _asks(one[0], source, depth)) for one in _wanted(batch, wrong)]
            # What the listing tells already would take longer to hand to a thread than to compare.
            told = [pool.submit(_file, copy, *one, source, depth) if asks else one for one, asks in asked]
            yield from (one.result() if isinstance(one, Future) else _file(copy, *one, source, depth) for one in told)


def _wanted(batch: list[tuple[PlannedFile, int | None]], wrong: set[str]) -> list[tuple[PlannedFile, int | None]]:
    """Those that were not told of as manifests already, and that a manifest says anything of."""
    return [(file, size) for file, size in batch if file.key not in wrong and file.checksums]


def _with_sizes(
    files: Iterator[PlannedFile], sizes: Iterator[tuple[str, int]]
) -> Iterator[tuple[PlannedFile, int | None]]:
    """Merges two streams that are in byte order; the size is None for what the ledger has no evidence of."""
    known = next(sizes, None)
    for file in files:
        path = file.key.encode()
        while known is not None and known[0].encode() < path:
            known = next(sizes, None)
        yield file, known[1] if known is not None and known[0] == file.key else None


def _asks(file: PlannedFile, source: _Source, depth: Depth) -> bool:
    """Whether the store is to be asked for more than it listed."""
    return file.url is not None or depth.reads(source.place.id, source.key(file.key))


def _file(copy: Copy, file: PlannedFile, size: int | None, source: _Source, depth: Depth) -> Finding:
    place = source.place
    key = source.key(file.key) if file.url is None else _elsewhere(copy, file, place)
    if key is None:
        return Finding(Sign.ERROR, place.id, source.key(file.key), f"{file.url} leads to no location that is known")
    try:
        if depth.reads(place.id, key):
            return _read(place, key, file, size)
        there = file.size if file.url is None else place.reader.size(key)
        if size is not None and there != size:
            return Finding(Sign.DIFFERS, place.id, key, f"{there} bytes, {size} were verified")
        return Finding(Sign.SAME, place.id, key, bytes=there or 0)
    except Gone:
        return Finding(Sign.PHANTOM, place.id, key, f"{copy.bag} fetches it from there" if file.url else "is gone")
    except Frozen:
        return Finding(Sign.ERROR, place.id, key, "frozen: it can be listed, not read")
    except Unreachable as error:
        return Finding(Sign.ERROR, place.id, key, str(error))


def _elsewhere(copy: Copy, file: PlannedFile, place: Place) -> str | None:
    assert file.url is not None
    try:
        found = fetched_from(file.url, bag=copy.bag, locations=place.known)
    except NotOurs:
        return None
    return f"{place.location.bag_root(copy.bag)}/{place.names.stored(found.key_path)}"


def _read(place: Place, key: str, file: PlannedFile, size: int | None) -> Finding:
    """Every byte, with every algorithm that the manifests use."""
    hashers = {algorithm: _hasher(algorithm) for algorithm in file.checksums}
    read = 0
    for block in place.reader.read(key):
        read += len(block)
        for hasher in hashers.values():
            hasher.update(block)
    wrong = [
        f"{algorithm.display} {hasher.hexdigest()}, the manifest has {file.checksums[algorithm]}"
        for algorithm, hasher in hashers.items()
        if hasher.hexdigest() != file.checksums[algorithm].lower()
    ]
    if size is not None and read != size:
        wrong.append(f"{read} bytes, {size} were verified")
    sign = Sign.DIFFERS if wrong else Sign.SAME
    return Finding(sign, place.id, key, "; ".join(wrong), read=True, bytes=read)


def _hasher(algorithm: Algorithm) -> hashlib._Hash:
    name = algorithm.value
    if name.startswith("blake2b"):
        return hashlib.blake2b(digest_size=int(name[7:]) // 8)  # type: ignore[return-value]
    return hashlib.new(_HASHLIB.get(name, name), usedforsecurity=False)
