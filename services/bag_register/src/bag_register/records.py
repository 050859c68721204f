"""What an import reads from and writes to the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection, Engine

from bag_register.adoption import Verdict
from common.domain.bag import BagVersion
from common.domain.location import Location
from common.ledger import importing
from common.ledger.engine import transaction
from common.ledger.importing import Adoption
from common.ledger.locations import every_location

Conflict = Callable[[dict[str, str]], Verdict]
"""The verdict on a bag whose name another bag took meanwhile, from that bag's pins."""


class Records(Protocol):
    """The port; :class:`LedgerRecords` is its adapter."""

    def locations(self) -> list[Location]:
        """Every location there is."""
        ...

    def pins(self, bag: BagVersion) -> dict[str, str] | None:
        """SHA-256 by path of the registered manifest set; None for a bag version that is not registered."""
        ...

    def settle(self, *, import_id: int, end: str, verdict: Verdict, if_taken: Conflict) -> Adoption:
        """Register or refuse one bag, count it and move the import's place to `end`, all or nothing.

        Twice with the same `end`: the second changes no count. Returns what became of the bag.
        """
        ...


class LedgerRecords:
    """One transaction for each bag."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def locations(self) -> list[Location]:
        with transaction(self._engine) as connection:
            return every_location(connection)

    def pins(self, bag: BagVersion) -> dict[str, str] | None:
        with transaction(self._engine) as connection:
            return importing.registered_pins(connection, bag)

    def settle(self, *, import_id: int, end: str, verdict: Verdict, if_taken: Conflict) -> Adoption:
        with transaction(self._engine) as connection:
            final = _registered(connection, verdict, if_taken)
            importing.report(connection, import_id=import_id, problems=final.problems)
            importing.note(connection, import_id=import_id, after=end, adoption=final.adoption)
        return final.adoption


def _registered(connection: Connection, verdict: Verdict, if_taken: Conflict) -> Verdict:
    if verdict.new is None or importing.register_bag(connection, verdict.new) is Adoption.REGISTERED:
        return verdict
    return if_taken(importing.registered_pins(connection, verdict.new.bag) or {})
