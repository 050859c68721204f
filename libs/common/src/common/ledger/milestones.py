"""How far a large bag is, told in its history at every tenth of each stage."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from common.domain.replica import SegmentState
from common.ledger import events
from common.ledger.context import Context
from common.ledger.tables import segments
from common.topology import COPYING, VERIFYING, Stage
from common.wording import size

LARGE = 20
"""Segments; smaller bags are done before anybody asks."""

_BEHIND = {
    COPYING: (SegmentState.VERIFYING, SegmentState.VERIFIED),
    VERIFYING: (SegmentState.VERIFIED,),
}
"""The states of segments that have the stage behind them. Warming goes back and forth: it is told by its waits."""


def tell(connection: Connection, *, stage: Stage, around: Context) -> None:
    """Add "… 400 of 1,000 segments, 3.1 GB" when a further tenth is done; each tenth once, whatever comes again.

    The caller has locked the replica's row: segments settle one after another, so the numbers only grow.
    """
    behind = [state.value for state in _BEHIND.get(stage, ())]
    if not behind:
        return
    done = segments.c.state.in_(behind)
    row = connection.execute(
        select(
            func.count().label("planned"),
            func.count().filter(done).label("done"),
            func.coalesce(func.sum(segments.c.bytes).filter(done), 0).label("bytes"),
        ).where(segments.c.ingest_id == around.ingest_id)
    ).one()
    tenth = row.done * 10 // row.planned
    # Compared with the segment before, so that only one in many settlements costs an insert.
    if row.planned < LARGE or tenth in (0, 10) or (row.done - 1) * 10 // row.planned == tenth:
        return
    told = f"{around.title(stage)}: {row.done:,} of {row.planned:,} segments, {size(int(row.bytes))}"
    events.add(connection, around.ingest_id, told, once=f"{stage.name}:{tenth}0%")
