"""What people and their programs did through the API: who, what, to what, why and when. It only grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from common.ledger.access_tables import actions

LONGEST_REASON = 1000
"""Characters of `why`; the rest is cut."""
_RECORD = insert(actions)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that somebody did."""

    id: int
    who: str
    what: str
    subject: str
    why: str
    detail: Mapping[str, Any]
    created_at: datetime


def record(
    connection: Connection, *, who: str, what: str, subject: str, why: str = "", detail: Mapping[str, Any] | None = None
) -> None:
    """Write an action down, in the transaction that does it.

    `who` is a caller's id, `what` a verb in the past with its noun ("ingest requested"), `subject` kind and id
    ("ingest:1f0c…"). No secrets.
    """
    facts = {"who": who, "what": what, "subject": subject, "why": why[:LONGEST_REASON], "detail": dict(detail or {})}
    connection.execute(_RECORD, facts)


def actions_on(connection: Connection, subject: str) -> list[Action]:
    """Everything that was done to it, oldest first."""
    found = connection.execute(select(actions).where(actions.c.subject == subject).order_by(actions.c.id))
    return [Action(**row._mapping) for row in found]
