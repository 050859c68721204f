"""What people decide about dead letters: have the work done again, or let it be."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from common import messages
from common.errors import AlreadyResolved, NotRedrivable
from common.ledger import actions, dead_letters, events, operating
from common.ledger.claims import Patience
from common.ledger.dead_letters import DeadLetter
from common.ledger.fixity.checking import request_check
from common.ledger.importing import ImportWish, request_import
from common.ledger.operating import Decision
from common.ledger.tables import fixity_checks, imports, outbox
from common.topology import QUEUES


@dataclass(frozen=True, slots=True)
class Redriven:
    """What does the work of a dead letter now."""

    ingest_id: UUID | None = None
    import_id: int | None = None
    check_id: int | None = None
    """All None: the message itself was put into its queue again."""


def redrive(
    connection: Connection, *, letter_id: int, new_id: UUID, decision: Decision, patience: Patience
) -> Redriven | None:
    """Have the work done again: a new ingest or import for what failed, the same message for a hint that was refused.

    None: no such dead letter. Raises AlreadyResolved, NotRedrivable (the message is none of ours).
    """
    letter = dead_letters.find(connection, letter_id)
    if letter is None:
        return None
    _must_be_open(letter)
    if letter.ingest_id is not None:
        answer = _ingest(connection, letter.ingest_id, new_id, decision, patience)
    elif letter.kind == "import":
        answer = _import(connection, letter)
    elif letter.kind == "check":
        answer = _check(connection, letter, decision)
    else:
        answer = _message(connection, letter)
    _close(connection, letter_id, dead_letters.REDRIVEN, decision, answer)
    return answer


def discard(connection: Connection, *, letter_id: int, decision: Decision) -> DeadLetter | None:
    """Let the work be; the dead letter stays, closed. None: no such dead letter. Raises AlreadyResolved."""
    letter = dead_letters.find(connection, letter_id, lock=True)
    if letter is None:
        return None
    _must_be_open(letter)
    _close(connection, letter_id, dead_letters.DISCARDED, decision, Redriven())
    if letter.ingest_id:
        told = f"Dead letter {letter_id} discarded by {decision.who} - {decision.why}"
        events.add(connection, letter.ingest_id, told)
    return dead_letters.find(connection, letter_id)


def _must_be_open(letter: DeadLetter) -> None:
    if letter.resolution is not None:
        raise AlreadyResolved(f"Dead letter {letter.id} is {letter.resolution} already.")


def _ingest(connection: Connection, ingest_id: UUID, new_id: UUID, decision: Decision, patience: Patience) -> Redriven:
    """The retry closes every dead letter of the ingest. Locked is afterwards: who retries locks in that order too."""
    answer = operating.retry(connection, ingest_id=ingest_id, new_id=new_id, decision=decision, patience=patience)
    assert answer is not None, "ingests are never deleted"
    return Redriven(ingest_id=answer.ingest_id)


def _import(connection: Connection, letter: DeadLetter) -> Redriven:
    """Of a part the whole import: what its other parts registered is known by now."""
    root = func.coalesce(imports.c.parent_id, imports.c.id)
    of_letter = select(root).where(imports.c.id == letter.row_id).scalar_subquery()
    failed = connection.execute(select(imports).where(imports.c.id == of_letter)).one()
    wish = ImportWish(failed.location_id, failed.prefix, failed.registers, failed.source)
    found, _ = request_import(connection, wish)
    return Redriven(import_id=found.id)


def _check(connection: Connection, letter: DeadLetter, decision: Decision) -> Redriven:
    copy = connection.execute(
        select(fixity_checks.c.bag_version_id, fixity_checks.c.location_id).where(fixity_checks.c.id == letter.row_id)
    ).one()
    asked = request_check(connection, **copy._mapping, asked_by=decision.who)
    assert asked is not None, "no location ever leaves a bag's record"
    return Redriven(check_id=asked[0])


def _message(connection: Connection, letter: DeadLetter) -> Redriven:
    """A release that did not know the hint refused it, and this one does."""
    try:
        hint = messages.decode(letter.body.encode())
    except messages.NotAHint as error:
        raise NotRedrivable(f"Dead letter {letter.id} is none of our messages ({error}): discard it.") from None
    if QUEUES.get(letter.queue) is not type(hint):
        raise NotRedrivable(
            f"Dead letter {letter.id}: {type(hint).__name__} does not belong on the queue {letter.queue}: discard it."
        )
    connection.execute(insert(outbox).values(queue=letter.queue, body=letter.body))
    return Redriven()


def _close(connection: Connection, letter_id: int, resolution: str, decision: Decision, answer: Redriven) -> None:
    letter = dead_letters.find(connection, letter_id, lock=True)
    assert letter is not None, "dead letters are never deleted"
    if letter.resolution is None:
        dead_letters.resolve(connection, letter_id, resolution=resolution)
    elif answer.ingest_id is None:
        _must_be_open(letter)
    started = {
        "ingest": answer.ingest_id and str(answer.ingest_id),
        "import": answer.import_id,
        "check": answer.check_id,
    }
    actions.record(
        connection,
        who=decision.who,
        what=f"dead letter {resolution}",
        subject=f"dead_letter:{letter_id}",
        why=decision.why,
        detail={name: value for name, value in started.items() if value},
    )
