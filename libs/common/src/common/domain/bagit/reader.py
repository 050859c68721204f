"""Reads a bag behind a minimal port: bagit.txt, bag-info.txt, the manifests and fetch.txt, each once, as streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self

from common.domain.bagit import bag_info, declaration, fetch
from common.domain.bagit.bag_info import BagInfo, read_bag_info
from common.domain.bagit.declaration import BagitVersion, Declaration, read_declaration
from common.domain.bagit.fetch import FetchReader
from common.domain.bagit.findings import Findings
from common.domain.bagit.inventory import Inventory
from common.domain.bagit.joined import ListedObject
from common.domain.bagit.lines import TextLimits, read_lines
from common.domain.bagit.manifest import ManifestReader
from common.domain.bagit.names import Manifest, ManifestKind, is_tag_manifest, looks_like_manifest, manifest_named
from common.domain.bagit.policy import Policy
from common.domain.fixity import Algorithm, MultiHasher, mismatches
from common.domain.problem import Problem, bag_problem

_MANIFESTS_KEPT = 64
_MD5 = re.compile(r"[0-9a-f]{32}")
_FIRST_WITH_BAG_INFO = BagitVersion(0, 96)


class BagSource(Protocol):
    """A bag's objects, with paths relative to its root. Errors of the store pass through the reader untouched."""

    def objects(self) -> Iterator[ListedObject]:
        """Every object of the bag, fastest in UTF-8 byte order of the paths."""
        ...

    def open(self, path: str) -> AbstractContextManager[Iterable[bytes | memoryview]]:
        """The bytes of an object that `objects` named: of that very object, so insist on its etag where you can."""
        ...


@dataclass(frozen=True, slots=True)
class Pin:
    """Which bytes were read as a tag file, so that later steps can insist on the same."""

    sha256: str
    size: int
    etag: str
    vouched: bool = False
    """The ETag is the MD5 of the very bytes that were read: nothing was harmed between the store and here."""


@dataclass(slots=True)
class BagReading:
    """What a bag says. Holds its inventory open: close it, or use it with `with`."""

    inventory: Inventory
    findings: Findings
    declaration: Declaration | None = None
    info: BagInfo = field(default_factory=BagInfo)
    pins: dict[str, Pin] = field(default_factory=dict)
    """Of bagit.txt, bag-info.txt, fetch.txt and every manifest that was read to its end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.inventory.close()

    @property
    def version(self) -> BagitVersion | None:
        return self.declaration.version if self.declaration else None

    @property
    def encoding(self) -> str | None:
        """The IANA name of the tag files' encoding."""
        return self.declaration.encoding.name if self.declaration else None

    @property
    def algorithms(self) -> frozenset[Algorithm]:
        """Of the payload manifests."""
        return frozenset(m.algorithm for m in self.inventory.manifests if m.kind is ManifestKind.PAYLOAD)

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.findings.problems

    @property
    def rejected(self) -> bool:
        return self.findings.rejected


def read_bag(source: BagSource, *, policy: Policy) -> BagReading:
    """Read everything but the payload and the tag files that BagIt does not define; whatever is wrong is in the result.

    Raises what the source raises, and nothing of its own.
    """
    reading = BagReading(Inventory(), Findings())
    try:
        _Reader(source, policy, reading).run()
    except BaseException:
        reading.inventory.close()
        raise
    return reading


class _Reader:
    def __init__(self, source: BagSource, policy: Policy, reading: BagReading) -> None:
        self._source = source
        self._policy = policy
        self._reading = reading
        self._inventory = reading.inventory
        self._report = reading.findings.add
        self._etags: dict[str, str] = {}
        """Of the tag files that BagIt defines."""
        self._algorithms = {Algorithm.SHA256}
        """What every tag file that is read is hashed with."""
        self._digests: dict[str, dict[Algorithm, str]] = {}

    def run(self) -> None:
        self._inventory.add_objects(self._noted(self._source.objects()))
        manifests = self._manifests()
        self._algorithms.update(m.algorithm for m in manifests)
        declared = self._reading.declaration = self._declaration()
        if not declared:
            return
        self._read_info(declared)
        for manifest in manifests:
            self._read_manifest(manifest, declared)
        self._read_fetch(declared)
        self._cross_check(declared)

    def _noted(self, objects: Iterable[ListedObject]) -> Iterator[ListedObject]:
        special = {declaration.NAME, bag_info.NAME, bag_info.OLD_NAME, fetch.NAME}
        manifests = 0
        for entry in objects:
            path = entry[0]
            manifests += looks_like_manifest(path)
            # More than there are algorithms: some are refused below, so the ones left out cannot be overlooked.
            if path in special or (looks_like_manifest(path) and manifests <= _MANIFESTS_KEPT):
                self._etags[path] = entry[2]
            yield entry

    def _manifests(self) -> list[Manifest]:
        """Payload manifests first; unknown and repeated algorithms are reported."""
        found: dict[tuple[ManifestKind, Algorithm], Manifest] = {}
        for name in sorted(filter(looks_like_manifest, self._etags)):
            manifest = manifest_named(name, report=self._report)
            if not manifest:
                continue
            first = found.setdefault((manifest.kind, manifest.algorithm), manifest)
            if first is not manifest:
                what = f"is for {manifest.algorithm.display}, as is {first.name}"
                self._report(bag_problem("bag_manifest_twice", what, path=name))
        return sorted(found.values(), key=lambda m: (m.kind is ManifestKind.TAG, m.name))

    def _declaration(self) -> Declaration | None:
        if declaration.NAME not in self._etags:
            self._report(bag_problem("bag_declaration_missing", "is not there", path=declaration.NAME))
            return None
        with self._hashed(declaration.NAME) as blocks:
            return read_declaration(blocks, report=self._report)

    def _read_info(self, declared: Declaration) -> None:
        old = declared.version < _FIRST_WITH_BAG_INFO
        names = (bag_info.OLD_NAME, bag_info.NAME) if old else (bag_info.NAME,)
        for name in names:
            if name in self._etags:
                with self._lines(name, declared, self._policy.info_limits) as lines:
                    strict = declared.version.strict
                    self._reading.info = read_bag_info(lines, name=name, strict=strict, report=self._report)
                return

    def _read_manifest(self, manifest: Manifest, declared: Declaration) -> None:
        reader = ManifestReader(
            manifest,
            strict=declared.version.strict,
            windows=self._policy.refuse_windows_names,
            max_entries=self._policy.max_entries,
            report=self._report,
        )
        with self._lines(manifest.name, declared, self._policy.manifest_limits) as lines:
            self._inventory.add_entries(manifest, reader.entries(lines))

    def _read_fetch(self, declared: Declaration) -> None:
        if fetch.NAME not in self._etags:
            return
        if not self._policy.allow_fetch:
            self._report(bag_problem("bag_fetch_not_allowed", "is there", path=fetch.NAME))
        reader = FetchReader(
            strict=declared.version.strict,
            windows=self._policy.refuse_windows_names,
            max_entries=self._policy.max_entries,
            report=self._report,
        )
        with self._lines(fetch.NAME, declared, self._policy.manifest_limits) as lines:
            self._inventory.add_fetch(reader.entries(lines))

    def _cross_check(self, declared: Declaration) -> None:
        for path, digests in self._digests.items():
            expected = self._inventory.expected(path)
            for algorithm in mismatches(expected=expected, measured=digests):
                what = f"its {algorithm.display} is {digests[algorithm]}, a tag manifest says {expected[algorithm]}"
                self._report(bag_problem("bag_file_corrupt", what, path=path))
            if is_tag_manifest(path):
                self._inventory.add_measured(path, digests)
        strict, oxum = declared.version.strict, self._reading.info.payload_oxum
        for problem in self._inventory.problems(policy=self._policy, strict=strict, oxum=oxum):
            self._report(problem)

    @contextmanager
    def _lines(self, name: str, declared: Declaration, limits: TextLimits) -> Iterator[Iterator[tuple[int, str]]]:
        with self._hashed(name) as blocks:
            yield read_lines(blocks, name=name, encoding=declared.encoding, limits=limits, report=self._report)

    @contextmanager
    def _hashed(self, name: str) -> Iterator[Iterator[bytes | memoryview]]:
        """The file's blocks, hashed as they pass; a file that was read to its end gets its pin."""
        hasher, ended = MultiHasher(self._algorithms), False
        asked = MultiHasher({Algorithm.MD5} if self._unvouched(name) else ())

        def passing(body: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
            nonlocal ended
            for block in body:
                hasher.update(block)
                asked.update(block)
                yield block
            ended = True

        with self._source.open(name) as body:
            yield passing(body)
        if ended:
            digests = self._digests[name] = hasher.digests()
            vouched = asked.digests().get(Algorithm.MD5) == self._etags[name]
            self._reading.pins[name] = Pin(digests[Algorithm.SHA256], hasher.size, self._etags[name], vouched)

    def _unvouched(self, name: str) -> bool:
        """Whether only the ETag can say that the file was read as it is; many stores' are the MD5 of the bytes."""
        return _MD5.fullmatch(self._etags[name]) is not None and (
            is_tag_manifest(name) or not any(map(is_tag_manifest, self._etags))
        )
