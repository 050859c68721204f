"""What is written beside an object's bytes, for people and tools that look at the store. Nobody here ever trusts it."""

from __future__ import annotations

from common.domain.fixity import Algorithm
from common.domain.segment import PlannedFile


def labels(file: PlannedFile) -> dict[str, str] | None:
    """The SHA-256 of the manifests as metadata; None where they give none."""
    digest = file.checksums.get(Algorithm.SHA256)
    return {"sha256": digest} if digest else None
