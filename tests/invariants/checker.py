"""The checker: everything at once, or what is new since the last look."""

from __future__ import annotations

from collections.abc import Mapping

from invariants.history import check_changes
from invariants.ledger import check_rows
from invariants.ports import Connection, Store, Violation, Watched
from invariants.register import check_copy, copies
from invariants.requests import Requests
from invariants.trail import Change, changes


def violations(connection: Connection, stores: Mapping[str, Store], *, at_rest: bool = False) -> list[Violation]:
    """Every promise that does not hold now. With `at_rest` also those that hold only once faults have ended.

    Reads every byte of every registered copy.
    """
    return Watch(connection, stores).everything(at_rest=at_rest)


class Watch:
    """Looks again and again, each time only at what is new; a simulation does it after every commit."""

    def __init__(
        self,
        connection: Connection,
        stores: Mapping[str, Store],
        *,
        trail_from: int = 0,
        only: set[int] | None = None,
    ) -> None:
        """`only`: of all bag versions in the register, these ids' copies lie in `stores`; None: all do."""
        self._connection = connection
        self._stores = stores
        self._seen = trail_from
        self._only = only
        self._requested: dict[str, int] = {}
        self._requests = Requests(sources=_sources(connection))

    def look(self, new: list[Change] | None = None) -> list[Violation]:
        """What is wrong with the changes and requests since the last look, and with copies registered since; with all
        rows, where an ingest came further.

        `new` is the trail since then, where the caller has read it already.
        """
        new = changes(self._connection, after=self._seen) if new is None else new
        self._seen = new[-1].id if new else self._seen
        self._requests.claimed(new)
        found = [*check_changes(new), *self._asked()]
        registered = {int(change.row_id) for change in new if change.kind == "bag_locations"}
        if any(change.kind in ("ingests", "bag_locations") for change in new):
            found += check_rows(self._connection, at_rest=False)
        return found + (self._registered(registered) if registered else [])

    def everything(self, *, at_rest: bool) -> list[Violation]:
        """All that `look` finds, all rows, and every registered copy read once more."""
        return [*self.look(), *check_rows(self._connection, at_rest=at_rest), *self._registered(self._only)]

    def _registered(self, only: set[int] | None) -> list[Violation]:
        found = copies(self._connection, only=only)
        return [fault for copy in found for fault in check_copy(self._connection, self._stores[copy.location], copy)]

    def _asked(self) -> list[Violation]:
        found: list[Violation] = []
        for location, store in self._stores.items():
            if isinstance(store, Watched):
                history = store.history()
                found += self._requests.check(location, history[self._requested.get(location, 0) :])
                self._requested[location] = len(history)
        return found


def _sources(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Where the primary copies lie, by location: nobody of ours writes there."""
    rows = connection.execute(
        "SELECT bl.location_id, l.prefix || b.space || '/' || b.external_identifier || '/v' || b.version || '/'"
        " FROM bag_locations bl JOIN locations l ON l.id = bl.location_id JOIN bag_versions b"
        " ON b.id = bl.bag_version_id WHERE bl.role = 'primary'"
    ).fetchall()
    found: dict[str, list[str]] = {}
    for location, root in rows:
        found.setdefault(location, []).append(root)
    return {location: tuple(roots) for location, roots in found.items()}
