"""Where the conformance suite lies, and its bags."""

from __future__ import annotations

import os
from pathlib import Path

_DEFAULT = Path(__file__).resolve().parents[3].parent / "shared" / "data"
SUITE = Path(os.environ.get("BACKFILL_TEST_DATA", _DEFAULT)) / "bagit-conformance-suite"
MISSING = f"the BagIt conformance suite is not at {SUITE}; set BACKFILL_TEST_DATA to the directory that holds it"


def suite_bags() -> set[str]:
    """Version/category/bag of every bag directory."""
    return {bag.relative_to(SUITE).as_posix() for bag in SUITE.glob("v*/*/*") if bag.is_dir()}


def suite_files(bag: str) -> dict[str, bytes]:
    root = SUITE / bag
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
