"""Dead letters: what was given up, until a person has decided about it. None is ever deleted."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, update

from common.ledger.tables import NOW, dead_letters

REDRIVEN, DISCARDED = "redriven", "discarded"


def redriven(connection: Connection, *, ingest_id: UUID, redriven_as: UUID) -> None:
    """The open dead letters of an ingest are dealt with: another ingest does its work again."""
    connection.execute(
        update(dead_letters)
        .where(dead_letters.c.ingest_id == ingest_id, dead_letters.c.resolution.is_(None))
        .values(resolution=REDRIVEN, resolved_at=NOW, redriven_as=redriven_as)
    )
