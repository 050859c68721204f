"""Compares a directory with a manifest of SHA-256 (`tree.py MANIFEST DIRECTORY`), two files at a time."""

from __future__ import annotations

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def main() -> None:
    """Ends with status 1 at the first difference."""
    manifest, directory = Path(sys.argv[1]), Path(sys.argv[2])
    lines = manifest.read_text("utf-8").splitlines()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda line: _compare(directory, *line.split("  ", 1)), lines))


def _compare(directory: Path, expected: str, path: str) -> None:
    with (directory / path).open("rb") as file:
        measured = hashlib.file_digest(file, "sha256").hexdigest()
    if measured != expected:
        raise ValueError(f"{path}: SHA-256 {measured}, expected {expected}")


if __name__ == "__main__":
    main()
