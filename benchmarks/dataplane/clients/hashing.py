"""The limit: `hashing.py BYTES` hashes so many bytes twice with hashlib, on every core, and does nothing else."""

from __future__ import annotations

import hashlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor

_BLOCK = bytes(1 << 20)


def main() -> None:
    """Splits the bytes evenly among the cores that this process may use."""
    cores = len(os.sched_getaffinity(0))
    blocks = 2 * int(sys.argv[1]) // len(_BLOCK)
    shares = [blocks // cores + (number < blocks % cores) for number in range(cores)]
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(_hash, shares))


def _hash(blocks: int) -> str:
    sha256 = hashlib.sha256()
    for _ in range(blocks):
        sha256.update(_BLOCK)
    return sha256.hexdigest()


if __name__ == "__main__":
    main()
