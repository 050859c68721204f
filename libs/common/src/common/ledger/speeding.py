"""Having what an ingest thaws come faster, while it thaws."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, literal, update
from sqlalchemy.dialects.postgresql import JSONB

from common.errors import NotFaster
from common.ledger import actions, events, operating
from common.ledger.claims import Patience
from common.ledger.hurrying import hurry
from common.ledger.operating import Decision
from common.ledger.tables import ingests
from common.ports import Tier


@dataclass(frozen=True, slots=True)
class SpedUp:
    """What was changed."""

    before: str | None
    """The tier the ingest named; None: the archive's."""
    hurried: int
    """Rows that waited and are due at once."""


def speed_up(
    connection: Connection, *, ingest_id: UUID, tier: Tier, decision: Decision, patience: Patience
) -> SpedUp | None:
    """Have the ingest wish for a faster tier from now on. None: no such ingest.

    Its rows are due at once, and ask again for what is on its way: a store makes a restore faster, and bills it anew.
    Raises NotFaster, and AlreadyFinished.
    """
    ingest = operating.locked(connection, ingest_id)
    if ingest is None:
        return None
    operating.must_run(ingest)
    before = ingest.options.get("tier")
    if not tier.faster_than(Tier(before) if before else Tier.BULK):
        raise NotFaster(
            f"Ingest {ingest_id} thaws as {before or 'the archive does, Bulk or faster'}: {tier} is no faster."
        )
    connection.execute(
        update(ingests)
        .where(ingests.c.id == ingest_id)
        .values(options=ingests.c.options.op("||")(literal({"tier": tier.value}, JSONB)))
    )
    around = operating.around(connection, ingest)
    hurried = 0 if around is None else hurry(connection, around, patience=patience)
    told = f"Thawed as {tier} from now on, by {decision.who} - {decision.why}"
    events.add(connection, ingest_id, told, detail={"tier": tier.value, "before": before, "who": decision.who})
    detail = {"tier": tier.value, "before": before}
    actions.record(
        connection,
        who=decision.who,
        what="ingest sped up",
        subject=f"ingest:{ingest_id}",
        why=decision.why,
        detail=detail,
    )
    return SpedUp(before, hurried)
