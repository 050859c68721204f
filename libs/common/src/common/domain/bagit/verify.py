"""Reads every file of a bag and holds it to the manifests: what an independent check does."""

from __future__ import annotations

from collections.abc import Iterator

from common.domain.bagit.joined import PlannedFile
from common.domain.bagit.reader import BagReading, BagSource
from common.domain.fixity import MultiHasher, mismatches
from common.domain.problem import Problem, bag_problem


def verify_files(source: BagSource, reading: BagReading) -> Iterator[Problem]:
    """The files, tag files included, whose bytes are not what the manifests say. Fetched files are not read."""
    for file in reading.inventory.files():
        if file.url is None:
            yield from _verify(source, file)


def _verify(source: BagSource, file: PlannedFile) -> Iterator[Problem]:
    hasher = MultiHasher(file.checksums)
    with source.open(file.key) as body:
        for block in body:
            hasher.update(block)
    if hasher.size != file.size:
        yield bag_problem("bag_file_size_changed", f"has {hasher.size} bytes, not {file.size}", path=file.path)
    measured = hasher.digests()
    for algorithm in mismatches(expected=file.checksums, measured=measured):
        what = f"its {algorithm.display} is {measured[algorithm]}, not {file.checksums[algorithm]}"
        yield bag_problem("bag_file_corrupt", what, path=file.path)
