"""The outbox: a hint exists exactly if the transaction that made it true has committed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from operator import attrgetter

from sqlalchemy import Connection, Interval, bindparam, delete, func, insert, literal, select

from common.ledger.tables import outbox
from common.messages import Hint, encode
from common.topology import Lane, Stage

AT_MOST = 100
"""Hints that are published in one transaction."""
Publish = Callable[..., None]
"""Called as publish(queue=…, body=…, message_id=…); raises BrokerUnavailable unless the broker confirmed."""

_POST = insert(outbox)


def post(connection: Connection, *, stage: Stage, lane: Lane, hint: Hint) -> None:
    """Put a hint into the outbox."""
    connection.execute(_POST, {"queue": stage.queue(lane), "body": encode(hint).decode()})


def relay(connection: Connection, *, publish: Publish, at_most: int = AT_MOST) -> int:
    """Publish waiting hints, oldest first, and delete those that the broker confirmed; returns how many.

    Any number of relays may run at once. A crash between publishing and committing repeats hints, which is harmless.
    """
    # They are deleted first, which counts only where the transaction commits.
    waiting = connection.execute(_TAKE, {"at_most": at_most}).all()
    for row in sorted(waiting, key=attrgetter("id")):
        publish(queue=row.queue, body=row.body.encode(), message_id=str(row.message_id))
    return len(waiting)


_waiting = (
    select(outbox.c.id).order_by(outbox.c.id).limit(bindparam("at_most")).with_for_update(skip_locked=True)
).cte("waiting")
_TAKE = (
    delete(outbox)
    .where(outbox.c.id.in_(select(_waiting.c.id)))
    .returning(outbox.c.id, outbox.c.message_id, outbox.c.queue, outbox.c.body)
)


def stuck(connection: Connection, *, longer_than: timedelta) -> bool:
    """Whether the oldest hint has waited for longer: nobody can publish now."""
    oldest = connection.execute(
        select(outbox.c.created_at < func.clock_timestamp() - literal(longer_than, Interval()))
        .order_by(outbox.c.id)
        .limit(1)
    ).scalar_one_or_none()
    return bool(oldest)


def waiting(connection: Connection) -> int:
    """How many hints wait to be published."""
    return connection.execute(select(func.count()).select_from(outbox)).scalar_one()
