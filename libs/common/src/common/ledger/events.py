"""An ingest's history: what users read. It only grows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from common.ledger.columns import storable
from common.ledger.tables import ingest_events

LONGEST = 250
"""Longer descriptions are cut to this many characters, the last three being dots: existing clients expect it."""
_ADD = insert(ingest_events).on_conflict_do_nothing(index_elements=["ingest_id", "once"])


def add(
    connection: Connection,
    ingest_id: UUID,
    description: str,
    *,
    once: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add a sentence to the history. With `once`, only if no event of this ingest carries that key yet."""
    facts = {"description": _sentence(description), "once": once, "detail": _storable(detail or {})}
    connection.execute(_ADD, {"ingest_id": ingest_id, **facts})


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(key): _storable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
    return value


def _sentence(description: str) -> str:
    """Fit for a terminal and a page: names in it may have been made to command these."""
    text = "".join(c if c.isprintable() else f"{c!r}"[1:-1] for c in description[:1].upper() + description[1:])
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
