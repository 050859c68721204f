"""Equal answers to equal requests: what was answered to a caller's key is kept in the transaction that did the work.

So there is no moment at which the work is done and the answer is not kept, or the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from common.errors import LedgerUnavailable
from common.ledger.asking_tables import idempotency_keys
from common.ledger.claims import interval
from common.ledger.columns import NOW

_TRIES = 5


class OtherRequest(ValueError):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered."""

    status: int
    location: str | None
    body: str


def begin(connection: Connection, *, caller: str, key: str, request_sha256: str) -> Kept | None:
    """None: the key is new, and this transaction's. Else what was answered to it, waiting for one that works on it.

    Raises OtherRequest where it was used for something else.
    """
    for _ in range(_TRIES):
        new = connection.execute(
            insert(idempotency_keys)
            .values(caller=caller, key=key, request_sha256=request_sha256)
            .on_conflict_do_nothing(index_elements=["caller", "key"])
            .returning(idempotency_keys.c.key)
        ).one_or_none()
        if new is not None:
            return None
        row = connection.execute(
            select(idempotency_keys).where(idempotency_keys.c.caller == caller, idempotency_keys.c.key == key)
        ).one_or_none()
        if row is not None:
            if row.request_sha256 != request_sha256:
                raise OtherRequest(key)
            return Kept(row.status, row.location, row.body)
    raise LedgerUnavailable("the idempotency key is swept as fast as it is used")


def keep(connection: Connection, *, caller: str, key: str, answer: Kept) -> None:
    """What is answered to the key from now on."""
    connection.execute(
        update(idempotency_keys)
        .where(idempotency_keys.c.caller == caller, idempotency_keys.c.key == key)
        .values(status=answer.status, location=answer.location, body=answer.body)
    )


def sweep(connection: Connection, *, older_than: timedelta) -> int:
    """Forget old keys; how many there were."""
    return connection.execute(
        delete(idempotency_keys).where(idempotency_keys.c.created_at < NOW - interval(older_than))
    ).rowcount
