"""An ingest's history: what users read. It only grows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from common.ledger.tables import ingest_events

LONGEST = 250
"""Longer descriptions are cut to this many characters, the last three being dots: existing clients expect it."""


def add(
    connection: Connection,
    ingest_id: UUID,
    description: str,
    *,
    once: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a sentence to the history. With `once`, only if no event of this ingest carries that key yet."""
    connection.execute(
        insert(ingest_events)
        .values(ingest_id=ingest_id, description=_sentence(description), once=once, detail=detail or {})
        .on_conflict_do_nothing(index_elements=["ingest_id", "once"])
    )


def _sentence(description: str) -> str:
    text = description[:1].upper() + description[1:]
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
