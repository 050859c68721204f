"""What a link covers, written from the published format and not from the code that seals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

TABLES: Mapping[str, str] = {
    "evidence": "id bag_version_id location_id ingest_id segment_id check_id path key outcome evidence_class expected"
    " measured bytes etag version_id reason reads doubts started_at microseconds worker build attempt recorded_at",
    "actions": "id who what subject why detail created_at",
}
"""The columns that form 1 covers."""
FIRST = b"\0" * 32


def following(before: bytes, table: str, row: Mapping[str, Any]) -> bytes:
    """The link behind `before` that covers this row."""
    facts = {"table": table, "row": {column: _plain(row[column]) for column in TABLES[table].split()}}
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    digest = hashlib.sha256(before)
    digest.update(text.encode("ascii"))
    return digest.digest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None)
        return moment.isoformat(timespec="microseconds") + "Z"
    return str(value) if isinstance(value, UUID) else value
