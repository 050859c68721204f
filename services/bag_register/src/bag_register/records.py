"""What an import reads from and writes to the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, Engine

from bag_register.adoption import Verdict
from bag_register.walking import Found
from common.domain.bag import BagVersion
from common.domain.location import Location
from common.domain.replica import EvidenceClass
from common.domain.storage_class import Classes
from common.ledger import adopting, import_parts, importing
from common.ledger.adopting import Entry
from common.ledger.cold.recording import record
from common.ledger.context import import_location
from common.ledger.engine import transaction
from common.ledger.importing import Adoption
from common.ledger.locations import every_location

Conflict = Callable[[Verdict, Entry], Verdict]
"""The verdict on a bag that somebody registered meanwhile, from what the register has now."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A bag, and what is to become of it."""

    found: Found
    verdict: Verdict
    frozen: bool = False
    """Its tag files have to be thawed first."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What is left of an import beside the row that asks."""

    walking: int
    thawing: int
    failed: int


class Records(Protocol):
    """The port; :class:`LedgerRecords` is its adapter."""

    def locations(self) -> list[Location]:
        """Every location there is."""
        ...

    def entries(self, bags: Sequence[BagVersion]) -> Mapping[BagVersion, Entry]:
        """What is registered of these bag versions."""
        ...

    def settle(
        self, *, import_id: int, root_id: int, looked: Sequence[Looked], registers: bool, times: int, if_taken: Conflict
    ) -> Mapping[str, str]:
        """Register, refuse or set apart bags that follow each other, count them and move the import's place behind the
        last, all or nothing.

        Twice the same, or bags that are not the row's any more: nothing happens with them. `times`: how often bags of
        this row were found frozen, this one counted. Returns what became of them, by path.
        """
        ...

    def split(self, *, import_id: int, at: str, most: int) -> bool:
        """Give what follows the key `at` to another part; False where that is not possible or not wanted."""
        ...

    def parts(self, root_id: int) -> Parts:
        """The other parts of the import."""
        ...


class LedgerRecords:
    """One transaction for each call."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def locations(self) -> list[Location]:
        with transaction(self._engine) as connection:
            return every_location(connection)

    def entries(self, bags: Sequence[BagVersion]) -> Mapping[BagVersion, Entry]:
        with transaction(self._engine) as connection:
            return adopting.entries(connection, bags)

    def settle(
        self,
        *,
        import_id: int,
        root_id: int,
        looked: Sequence[Looked],
        registers: bool,
        times: int,
        if_taken: Conflict,
    ) -> Mapping[str, str]:
        with transaction(self._engine) as connection:
            ground = import_parts.ground(connection, import_id)
            mine = [one for one in looked if ground and ground.has(one.found.end)]
            if not mine:
                return {}
            if frozen := [one.found.path for one in mine if one.frozen]:
                import_parts.freeze(connection, import_id=import_id, paths=frozen, times=times)
            final = [_final(one, taken, if_taken) for one, taken in _entered(connection, mine, registers=registers)]
            copies = {one.found.bag: verdict.copy for one, verdict in zip(mine, final, strict=True) if verdict.copy}
            if registers:
                _list_copies(connection, import_id, {bag: seen for bag, seen in copies.items() if bag})
                _note_classes(connection, import_id, zip(mine, final, strict=True))
            problems = [problem for verdict in final for problem in verdict.problems]
            importing.report(connection, import_id=root_id, problems=problems)
            adoptions = Counter(verdict.adoption for verdict in final if verdict.adoption)
            import_parts.note(connection, import_id=import_id, after=mine[-1].found.end, adoptions=adoptions)
        return {one.found.path: _told(one, verdict) for one, verdict in zip(mine, final, strict=True)}

    def split(self, *, import_id: int, at: str, most: int) -> bool:
        with transaction(self._engine) as connection:
            return import_parts.split(connection, import_id=import_id, at=at, most=most)

    def parts(self, root_id: int) -> Parts:
        with transaction(self._engine) as connection:
            found = import_parts.open_parts(connection, root_id)
        return Parts(found.get("walking", 0), found.get("warming", 0), found.get("failed", 0))


def _list_copies(connection: Connection, import_id: int, copies: Mapping[BagVersion, EvidenceClass]) -> None:
    if copies:
        location_id = import_location(connection, import_id)
        adopting.add_copies(connection, location_id=location_id, copies=copies)


def _note_classes(connection: Connection, import_id: int, looked: Iterable[tuple[Looked, Verdict]]) -> None:
    """Of what is registered here by now, before or just now; and of further copies that were listed elsewhere."""
    seen: dict[tuple[str, datetime | None], dict[BagVersion, Classes]] = defaultdict(dict)
    here = import_location(connection, import_id)
    for one, verdict in looked:
        bag = verdict.new.bag if verdict.new else one.found.bag
        if bag is None:
            continue
        if verdict.adoption in (Adoption.REGISTERED, Adoption.KNOWN) and verdict.classes:
            seen[here, verdict.listed_at][bag] = verdict.classes
        for copy in verdict.new.replicas if verdict.new else ():
            if copy.classes:
                seen[copy.location_id, None][bag] = copy.classes
    for (location, listed_at), classes in seen.items():
        record(connection, location_id=location, seen=classes, seen_at=listed_at)


def _entered(connection: Connection, looked: Sequence[Looked], *, registers: bool) -> list[tuple[Looked, Entry | None]]:
    """Each with what took its name, where something did."""
    new = [one.verdict.new for one in looked if one.verdict.new]
    if not registers:
        return [(one, None) for one in looked]
    added = adopting.enter(connection, new)
    late = adopting.entries(connection, [each.bag for each in new if each.bag not in added])
    return [(one, late.get(one.verdict.new.bag) if one.verdict.new else None) for one in looked]


def _final(one: Looked, taken: Entry | None, if_taken: Conflict) -> Verdict:
    return one.verdict if taken is None else if_taken(one.verdict, taken)


def _told(one: Looked, verdict: Verdict) -> str:
    if one.frozen:
        return "frozen"
    return verdict.adoption.value if verdict.adoption else "stray"
