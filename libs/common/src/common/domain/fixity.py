"""Checksums: the algorithms BagIt manifests use, and hashing once with several of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol

from multibuffer import LARGE, sha256, why_not


class Algorithm(StrEnum):
    """A hash algorithm by its normalised BagIt name (RFC 8493 section 2.4: lower-case, no punctuation)."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"
    SHA512_256 = "sha512256"
    SHA3_224 = "sha3224"
    SHA3_256 = "sha3256"
    SHA3_384 = "sha3384"
    SHA3_512 = "sha3512"
    BLAKE2B_160 = "blake2b160"
    BLAKE2B_256 = "blake2b256"
    BLAKE2B_384 = "blake2b384"
    BLAKE2B_512 = "blake2b512"

    @property
    def hex_length(self) -> int:
        return _HEX_LENGTHS[self]

    @property
    def weak(self) -> bool:
        """True where collisions can be made on purpose: such a digest alone proves no identity."""
        return self in (Algorithm.MD5, Algorithm.SHA1)

    @property
    def display(self) -> str:
        """As storage manifests write it: "SHA-256"."""
        return _DISPLAY.get(self, self.value.upper())

    def new(self) -> Hasher:
        return _NEW[self]()


class Hasher(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...

    def hexdigest(self) -> str: ...


_DISPLAY = {
    Algorithm.MD5: "MD5",
    Algorithm.SHA1: "SHA-1",
    Algorithm.SHA224: "SHA-224",
    Algorithm.SHA256: "SHA-256",
    Algorithm.SHA384: "SHA-384",
    Algorithm.SHA512: "SHA-512",
}
_NEW: dict[Algorithm, Callable[..., Hasher]] = {
    Algorithm.MD5: partial(hashlib.md5, usedforsecurity=False),
    Algorithm.SHA1: partial(hashlib.sha1, usedforsecurity=False),
    Algorithm.SHA224: hashlib.sha224,
    Algorithm.SHA256: hashlib.sha256,
    Algorithm.SHA384: hashlib.sha384,
    Algorithm.SHA512: hashlib.sha512,
    Algorithm.SHA512_256: partial(hashlib.new, "sha512_256"),
    Algorithm.SHA3_224: hashlib.sha3_224,
    Algorithm.SHA3_256: hashlib.sha3_256,
    Algorithm.SHA3_384: hashlib.sha3_384,
    Algorithm.SHA3_512: hashlib.sha3_512,
    Algorithm.BLAKE2B_160: partial(hashlib.blake2b, digest_size=20),
    Algorithm.BLAKE2B_256: partial(hashlib.blake2b, digest_size=32),
    Algorithm.BLAKE2B_384: partial(hashlib.blake2b, digest_size=48),
    Algorithm.BLAKE2B_512: partial(hashlib.blake2b, digest_size=64),
}


_HEX_LENGTHS = {algorithm: len(algorithm.new().hexdigest()) for algorithm in Algorithm}

BY_STRENGTH: tuple[Algorithm, ...] = (
    Algorithm.SHA512,
    Algorithm.SHA256,
    Algorithm.SHA3_512,
    Algorithm.SHA3_384,
    Algorithm.SHA3_256,
    Algorithm.BLAKE2B_512,
    Algorithm.BLAKE2B_384,
    Algorithm.BLAKE2B_256,
    Algorithm.SHA384,
    Algorithm.SHA512_256,
    Algorithm.SHA3_224,
    Algorithm.SHA224,
    Algorithm.BLAKE2B_160,
    Algorithm.SHA1,
    Algorithm.MD5,
)
"""Which algorithm a storage manifest shows when a bag has several: the first of these (SHA-512, SHA-256, … first)."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """A digest in lower-case hexadecimal, of the length its algorithm has."""

    algorithm: Algorithm
    value: str

    def __post_init__(self) -> None:
        expected = self.algorithm.hex_length
        if len(self.value) != expected or not all(c in "0123456789abcdef" for c in self.value):
            raise ValueError(
                f"a {self.algorithm.display} checksum has {expected} lower-case hex digits, was {self.value!r}"
            )


Checksums = Mapping[Algorithm, str]
"""Lower-case hex digests by algorithm."""


class MultiHasher:
    """Hashes one stream with several algorithms in one pass."""

    def __init__(self, algorithms: Iterable[Algorithm]) -> None:
        names = list(algorithms)
        if len(names) > 1:
            names.sort()
        self._hashers = {algorithm: _NEW[algorithm]() for algorithm in names}
        self.size = 0
        """Bytes seen so far."""

    def update(self, data: bytes | bytearray | memoryview) -> None:
        if self.size == 0 and len(data) >= LARGE and Algorithm.SHA256 in self._hashers:
            # Beside other large files where that is possible; for small ones it does not pay.
            self._hashers[Algorithm.SHA256] = sha256()
        for hasher in self._hashers.values():
            hasher.update(data)
        self.size += len(data)

    def digests(self) -> dict[Algorithm, str]:
        return {algorithm: hasher.hexdigest() for algorithm, hasher in self._hashers.items()}


def digests_of(data: bytes | bytearray | memoryview, algorithms: Iterable[Algorithm]) -> dict[Algorithm, str]:
    """Of all the bytes there are, for small files; :class:`MultiHasher` takes them piece by piece."""
    return {algorithm: _NEW[algorithm](data).hexdigest() for algorithm in algorithms}


def hashing() -> str:
    """How SHA-256 of large objects is computed in this process, in words; of two at a time it takes half the CPU."""
    reason = why_not()
    return f"one stream at a time: {reason}" if reason else "two streams at a time"


def mismatches(*, expected: Checksums, measured: Checksums) -> list[Algorithm]:
    """The algorithms for which `measured` lacks, or differs from, what is expected. Empty means: the same bytes."""
    if measured == expected:
        return []
    return [a for a, digest in sorted(expected.items()) if measured.get(a, "").lower() != digest.lower()]
