"""Reading a growing table past an id without skipping rows whose transactions commit late.

Ids are given out when a row is inserted and rows appear when their transaction commits: a reader who takes the highest
id it saw for the place where it stands would never see the lower ones that appear later. Gaps say where that may
happen. A gap stays one for good once none of the transactions that were writing to the table after it was seen is left.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, text

_WRITERS = text("""
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted AND relation = to_regclass(:name)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")


def writers(connection: Connection, table: Table) -> frozenset[str]:
    """The transactions that have written to the table, or have begun to, and have not ended.

    A transaction takes this lock before it takes an id, and keeps it to its end.
    """
    return frozenset(connection.execute(_WRITERS, {"name": table.name}).scalars())


class Frontier:
    """The id of a table below which no row will appear any more. It only grows."""

    def __init__(self, *, seen: int) -> None:
        """`seen`: the highest id that is visible now. The frontier is there once what was being written has ended."""
        self.at: int | None = None
        self._seen: int | None = seen
        """There may be gaps below this id that are still to be filled."""
        self._suspects: frozenset[str] | None = None
        """Those who may fill them; None: nobody has looked since."""

    @property
    def doubtful(self) -> bool:
        """Whether the next step needs to know who writes."""
        return self._seen is not None

    def advance(self, *, writing: frozenset[str], ids: Sequence[int]) -> None:
        """One step. `ids`: those beyond `at` that are visible, in order; `writing`: who wrote just before they were
        read, needed only where `doubtful`.
        """
        closed = self._closed(writing)
        if self.at is None:
            self.at = closed
            return
        for id in ids:
            if id != self.at + 1 and (closed is None or id > closed + 1):
                self._seen = ids[-1] if self._seen is None else self._seen
                return
            self.at = id
        self._seen = self._suspects = None

    def _closed(self, writing: frozenset[str]) -> int | None:
        """The id below which gaps stay gaps, if that has become known."""
        if self._seen is None:
            return None
        self._suspects = writing if self._suspects is None else self._suspects & writing
        if self._suspects:
            return None
        closed, self._seen, self._suspects = self._seen, None, None
        return closed
