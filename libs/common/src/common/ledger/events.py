"""An ingest's history: what users read. It only grows, at its end.

Transactions that tell something of one ingest do so in turn: were they to write at the same time, the one that wrote
first might be seen last, and its sentence would appear before others that somebody has read already.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, bindparam, exists, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from common.ledger.columns import storable
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
    """Add a sentence to the history. With `once`, only if no event of this ingest carries that key yet.

    Waits for transactions that have added to this history, and has others wait until this one ends. So rows are locked
    before, never after, and who tells several ingests does so in the order of their ids.
    """
    facts = {"description": _sentence(description), "once": once, "detail": _storable(detail or {})}
    turn = int.from_bytes(ingest_id.bytes[8:], signed=True)
    connection.execute(_ADD, {"ingest_id": ingest_id, "turn": turn, **facts})


def _adding() -> Insert:
    """One statement: what has been told already waits for nobody, and id and date are given when it is our turn."""
    columns = [ingest_events.c[name] for name in ("ingest_id", "description", "once", "detail")]
    facts = {column.name: bindparam(column.name, type_=column.type) for column in columns}
    # Without the offset the planner may take the lock where it likes.
    turn = select(func.pg_advisory_xact_lock(bindparam("turn", type_=BigInteger())).label("taken")).offset(0).subquery()
    told = exists().where(*(ingest_events.c[name] == facts[name] for name in ("ingest_id", "once")))
    sentence = select(*(fact.label(name) for name, fact in facts.items())).select_from(turn).where(~told)
    adding = insert(ingest_events).from_select(list(facts), sentence)
    return adding.on_conflict_do_nothing(index_elements=["ingest_id", "once"])


_ADD = _adding()


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
