"""Dead letters: what was given up, until a person has decided about it. None is ever deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, update

from common.ledger.tables import NOW, dead_letters
from common.topology import STAGES, Lane

REDRIVEN, DISCARDED = "redriven", "discarded"

_STAGE_OF = {stage.queue(lane): stage.name for stage in STAGES for lane in Lane}


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Work that was given up, or a message that nobody could act on."""

    id: int
    queue: str
    body: str
    """The message that would have the work done; at most 4 KiB, with escapes, where it was none of ours."""
    kind: str | None
    """"replica", "segment" or "import"; None: a message that is none of ours."""
    row_id: int | None
    ingest_id: UUID | None
    code: str
    reason: str
    attempts: int
    created_at: datetime
    resolution: str | None
    """None while it is open, else "redriven" or "discarded"."""
    resolved_at: datetime | None
    redriven_as: UUID | None
    """The ingest that does its work again."""

    @property
    def stage(self) -> str | None:
        """The stage whose queue it is about; None for a queue that this release does not know."""
        return _STAGE_OF.get(self.queue)


def find(connection: Connection, letter_id: int, *, lock: bool = False) -> DeadLetter | None:
    query = select(dead_letters).where(dead_letters.c.id == letter_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else DeadLetter(**row._mapping)


def page(
    connection: Connection,
    *,
    before: int | None = None,
    limit: int,
    stage: str | None = None,
    code: str | None = None,
    ingest_id: UUID | None = None,
    is_open: bool | None = None,
) -> list[DeadLetter]:
    """At most `limit`, the newest first, beginning behind the id `before`. Of a stage that does not exist: none."""
    query = select(dead_letters).order_by(dead_letters.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(dead_letters.c.id < before)
    if stage is not None:
        query = query.where(dead_letters.c.queue.in_([queue for queue, name in _STAGE_OF.items() if name == stage]))
    if code is not None:
        query = query.where(dead_letters.c.code == code)
    if ingest_id is not None:
        query = query.where(dead_letters.c.ingest_id == ingest_id)
    if is_open is not None:
        resolved = dead_letters.c.resolution
        query = query.where(resolved.is_(None) if is_open else resolved.is_not(None))
    return [DeadLetter(**row._mapping) for row in connection.execute(query)]


def redriven(connection: Connection, *, ingest_id: UUID, redriven_as: UUID) -> None:
    """The open dead letters of an ingest are dealt with: another ingest does its work again."""
    connection.execute(
        update(dead_letters)
        .where(dead_letters.c.ingest_id == ingest_id, dead_letters.c.resolution.is_(None))
        .values(resolution=REDRIVEN, resolved_at=NOW, redriven_as=redriven_as)
    )


def resolve(connection: Connection, letter_id: int, *, resolution: str) -> None:
    """Close an open dead letter that is locked."""
    connection.execute(
        update(dead_letters).where(dead_letters.c.id == letter_id).values(resolution=resolution, resolved_at=NOW)
    )
