"""Seals rows into the chain, in batches and after they were written: what writes evidence waits for nobody.

One transaction at a time seals (an advisory lock). Rows are sealed in the order of their ids as they become visible;
ids are given before rows are committed, so that a row may come after a later one: each look begins at a mark that is an
hour behind, and takes whatever is not in the chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from common.ledger.access_tables import actions
from common.ledger.claims import interval
from common.ledger.evidence.canonical import COLUMNS, FORM, START, canonical, link
from common.ledger.evidence.tables import chain_marks, evidence, evidence_chain

BATCH = 5000
_AT_ONCE = 250
"""Rows in memory: each is some KiB while it is sealed."""
SETTLED = timedelta(hours=1)
"""No transaction takes longer to commit a row after it was given its id."""

_LOCK = 0x7365616C73
"""Advisory lock: "seals" in ASCII."""
_SOURCES: Mapping[str, tuple[Table, Any]] = {
    "actions": (actions, actions.c.created_at),
    "evidence": (evidence, evidence.c.recorded_at),
}
_ADD = text(
    "INSERT INTO evidence_chain (seq, form, source, source_id, hash) SELECT seq, :form, :source, source_id, hash"
    " FROM unnest(CAST(:seqs AS bigint[]), CAST(:ids AS bigint[]), CAST(:hashes AS bytea[]))"
    " AS t (seq, source_id, hash)"
)


@dataclass(frozen=True, slots=True)
class Head:
    """The last link."""

    seq: int
    """How many rows are sealed: links are numbered from 1, without a gap."""
    hash: bytes


def head(connection: Connection) -> Head:
    """The chain as it is; number 0 where nothing is sealed yet."""
    row = connection.execute(
        select(evidence_chain.c.seq, evidence_chain.c.hash).order_by(evidence_chain.c.seq.desc()).limit(1)
    ).one_or_none()
    return Head(row.seq, bytes(row.hash)) if row else Head(0, START)


def seal(connection: Connection, *, at_most: int = BATCH, places: dict[str, int] | None = None) -> int:
    """Seal up to `at_most` rows of each table; how many there were. 0 also where another process seals now.

    `places` has, and gets, the last row of each table that this look came to: given again for the next batch, rows that
    are sealed are not passed over once more. The next look begins without, and finds what was committed late.
    """
    if not connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one():
        return 0
    reached = {} if places is None else places
    return sum(_seal(connection, source, at_most, reached) for source in sorted(_SOURCES))


def _seal(connection: Connection, source: str, at_most: int, places: dict[str, int]) -> int:
    last = head(connection)
    ids, hashes, before = list[int](), list[bytes](), last.hash
    for row in _unsealed(connection, source, at_most, after=places.get(source, 0)):
        before = link(before, canonical(source, row))
        ids.append(row["id"])
        hashes.append(before)
    if ids:
        places[source] = ids[-1]
        _add(connection, source, ids, hashes, behind=last.seq)
        _move_mark(connection, source, ids[-1])
    return len(ids)


def _unsealed(connection: Connection, source: str, at_most: int, *, after: int) -> Iterator[Mapping[str, Any]]:
    table, _ = _SOURCES[source]
    mark = select(chain_marks.c.sealed_to).where(chain_marks.c.source == source).scalar_subquery()
    of_row = (evidence_chain.c.source == source) & (evidence_chain.c.source_id == table.c.id)
    found = connection.execute(
        select(*(table.c[name] for name in COLUMNS[source]))
        .where(table.c.id > func.greatest(mark, after), ~select(literal(1)).where(of_row).exists())
        .order_by(table.c.id)
        .limit(at_most)
        .execution_options(yield_per=_AT_ONCE)
    )
    return (dict(row) for row in found.mappings())


def _add(connection: Connection, source: str, ids: Sequence[int], hashes: Sequence[bytes], *, behind: int) -> None:
    seqs = list(range(behind + 1, behind + 1 + len(ids)))
    connection.execute(_ADD, {"form": FORM, "source": source, "seqs": seqs, "ids": ids, "hashes": hashes})


def _move_mark(connection: Connection, source: str, last_id: int) -> None:
    """Behind everything that is settled for sure: what comes late is looked for in front of the mark only."""
    table, written_at = _SOURCES[source]
    settled = written_at < func.clock_timestamp() - interval(SETTLED)
    connection.execute(upsert(chain_marks).values(source=source, sealed_to=0).on_conflict_do_nothing())
    behind = select(func.max(table.c.id)).where(table.c.id <= last_id, table.c.id > chain_marks.c.sealed_to, settled)
    connection.execute(
        update(chain_marks)
        .where(chain_marks.c.source == source)
        .values(sealed_to=func.greatest(chain_marks.c.sealed_to, behind.scalar_subquery()))
    )
