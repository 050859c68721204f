"""An independent check: Azure's own SDK, hashlib and the recipes. None of Backfill's code is used here.

It re-reads every blob of every bag that should have arrived, compares it with the manifests as they were made, and
looks for blobs that nobody asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from azure.storage.blob import ContainerClient

from local_stack.demo.making import Recipe, make


@dataclass(slots=True)
class Finding:
    """What was found of one bag version."""

    recipe: Recipe
    files: int = 0
    bytes: int = 0
    faults: list[str] = field(default_factory=list)


def check(container: ContainerClient, recipes: Iterable[Recipe]) -> tuple[list[Finding], list[str]]:
    """One finding for each bag that should be there whole, and the blobs that belong to none of them."""
    there = {blob.name for blob in container.list_blobs()}
    findings = [_bag(container, recipe, there) for recipe in recipes]
    expected = {item.key for finding in findings for item in make(finding.recipe)}
    return findings, sorted(there - expected)


def _bag(container: ContainerClient, recipe: Recipe, there: set[str]) -> Finding:
    finding = Finding(recipe)
    for item in make(recipe):
        if item.key not in there:
            finding.faults.append(f"{item.key} is missing")
            continue
        digest, size = hashlib.sha512(), 0
        for block in container.download_blob(item.key).chunks():
            digest.update(block)
            size += len(block)
        finding.files += 1
        finding.bytes += size
        if digest.digest() != hashlib.sha512(item.data).digest():
            finding.faults.append(f"{item.key} has other bytes than the bag was made of")
    return finding
