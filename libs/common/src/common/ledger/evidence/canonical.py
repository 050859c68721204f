"""The bytes of a row that its link in the chain covers. The format is a promise: docs/explanations/evidence.md.

Form 1: the UTF-8 of one JSON object {"row": {column: value, …}, "table": name}: keys sorted, no white space, everything
beyond ASCII as \\uXXXX; points in time in UTC as 2026-01-31T09:00:00.000000Z, UUIDs as text, absent values as null.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

FORM = 1
START = bytes(32)
"""What the first link covers in the place of a link before it."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "evidence": (
        "id",
        "bag_version_id",
        "location_id",
        "ingest_id",
        "segment_id",
        "check_id",
        "path",
        "key",
        "outcome",
        "evidence_class",
        "expected",
        "measured",
        "bytes",
        "etag",
        "version_id",
        "reason",
        "reads",
        "doubts",
        "started_at",
        "microseconds",
        "worker",
        "build",
        "attempt",
        "recorded_at",
    ),
    "actions": ("id", "who", "what", "subject", "why", "detail", "created_at"),
}
"""Which columns of which tables form 1 covers: all that they have. A further column is another form."""

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=lambda value: _text(value))


def canonical(table: str, row: Mapping[str, Any]) -> bytes:
    """The bytes of one row of `table`, with the columns of :data:`COLUMNS`."""
    return _ENCODER.encode({"row": {name: row[name] for name in COLUMNS[table]}, "table": table}).encode()


def link(before: bytes, content: bytes) -> bytes:
    """The next link: the SHA-256 of the link before it, followed by the row's bytes."""
    return hashlib.sha256(before + content).digest()


def _text(value: Any) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        case UUID():
            return str(value)
    raise TypeError(f"a column holds {type(value).__name__}, which form {FORM} does not know")
