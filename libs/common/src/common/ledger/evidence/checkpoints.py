"""Checkpoints: where the chain stood when, for a second place that who writes to the ledger cannot change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from common.ledger.claims import interval
from common.ledger.evidence.sealing import head
from common.ledger.evidence.tables import evidence_checkpoints

Sign = Callable[[bytes], tuple[str, str]]
"""Takes a document's bytes; gives the key's id and the signature, both as hex digits."""

_LOCK = 0x636865636B
"""Advisory lock: "check" in ASCII."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The chain at one moment."""

    seq: int
    hash: str
    """Hex digits of the link with this number."""
    document: str
    """As it is written to the second place."""
    created_at: datetime
    written_at: datetime | None

    @property
    def name(self) -> str:
        """Of its object: sorted by name they are sorted by number."""
        return f"{self.seq:020d}.json"


def make(connection: Connection, *, sign: Sign | None = None) -> Checkpoint | None:
    """The checkpoint of the chain's head; None where the last one says the same."""
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    last, now_at = latest(connection), head(connection)
    if now_at.seq == (last.seq if last else 0):
        return None
    at = connection.execute(select(func.clock_timestamp())).scalar_one()
    before = {"seq": last.seq, "hash": last.hash} if last else None
    document = _document(now_at.seq, now_at.hash.hex(), at, before, sign)
    connection.execute(
        insert(evidence_checkpoints).values(seq=now_at.seq, hash=now_at.hash.hex(), document=document, created_at=at)
    )
    return Checkpoint(now_at.seq, now_at.hash.hex(), document, at, None)


def _document(seq: int, digest: str, at: datetime, before: dict[str, Any] | None, sign: Sign | None) -> str:
    """One line of JSON; the signature covers the same document without it, with sorted keys and no white space."""
    facts: dict[str, Any] = {
        "type": "EvidenceCheckpoint",
        "form": 1,
        "seq": seq,
        "hash": digest,
        "time": at.isoformat(),
        "before": before,
    }
    if sign:
        key_id, signature = sign(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode())
        facts |= {"signature": {"algorithm": "Ed25519", "key": key_id, "value": signature}}
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def due(connection: Connection, *, every: timedelta) -> bool:
    """Whether the last checkpoint is so old, or there is none."""
    since = func.clock_timestamp() - interval(every)
    young = select(evidence_checkpoints.c.seq).where(evidence_checkpoints.c.created_at > since).limit(1)
    return connection.execute(young).first() is None


def latest(connection: Connection) -> Checkpoint | None:
    found = connection.execute(select(evidence_checkpoints).order_by(evidence_checkpoints.c.seq.desc()).limit(1))
    row = found.one_or_none()
    return Checkpoint(**row._mapping) if row else None


def unwritten(connection: Connection) -> list[Checkpoint]:
    """Those that the second place does not have yet, oldest first."""
    wanted = select(evidence_checkpoints).where(evidence_checkpoints.c.written_at.is_(None))
    return [Checkpoint(**row._mapping) for row in connection.execute(wanted.order_by(evidence_checkpoints.c.seq))]


def written(connection: Connection, seq: int) -> None:
    """The second place has it."""
    connection.execute(
        evidence_checkpoints.update().where(evidence_checkpoints.c.seq == seq).values(written_at=func.clock_timestamp())
    )
