"""Registered copies in memory, and a worker that reads them again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select

from common.domain.bag import BagVersion
from common.domain.naming import Names
from common.ledger.asking_tables import announcements
from common.ledger.beginning import begin
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.fixity.checking import CheckRecord, find_check, request_check
from common.ledger.settling import settle
from common.ledger.tables import bag_versions
from common.outcome import Outcome
from common.topology import REREADING
from unit.bag_register.builders import FreeHold, Register, a_bag
from verifier.records import LedgerRecords
from verifier.rereading import Reread, Turn

BAG = BagVersion.of("space", "b1", 1)
FILES = {"a.txt": b"aaa", "b.txt": b"bbbb", "empty": b""}


class Copies:
    """One bag, adopted where it lies, in a register of its own."""

    def __init__(self, engine: Engine, files: dict[str, bytes] | None = None, *, turn: Turn | None = None) -> None:
        self.engine = engine
        self.register = Register(engine)
        self.turn = turn
        self.files = a_bag(files or FILES)
        self.register.put(BAG, self.files)
        record, problems = self.register.adopt()
        assert record.registered == 1, problems

    @property
    def objects(self) -> dict[str, Any]:
        """What lies at the location, by key; to be spoiled."""
        return self.register.bucket("cold").objects

    def overwrite(self, path: str, data: bytes) -> None:
        self.register.put(BAG, {path: data})

    def remove(self, path: str) -> None:
        del self.objects[self.key(path)]

    def key(self, path: str) -> str:
        return f"{BAG.path}/{path}"

    def freeze(self) -> None:
        """The payload goes to an archive tier, as a lifecycle rule does it."""
        payload = {path: body for path, body in self.files.items() if path.startswith("data/")}
        self.register.put(BAG, payload, cold=True)

    def request(self) -> int:
        with transaction(self.engine) as connection:
            bag_id = connection.execute(select(bag_versions.c.id)).scalar_one()
            asked = request_check(connection, bag_version_id=bag_id, location_id="cold", asked_by="somebody")
        assert asked is not None
        return asked[0]

    def turn_of(self, check_id: int, hold: FreeHold | None = None) -> Outcome:
        """One turn of a worker, settled as the worker does it."""
        with transaction(self.engine) as connection:
            begun = begin(connection, stage=REREADING, row_id=check_id, worker="w", patience=Patience())
        assert begun is not None
        outcome = self.step()(begun.job(hold=hold or FreeHold(), build="verifier test"))
        with transaction(self.engine) as connection:
            settle(connection, begun.claim, outcome, patience=Patience(), build="verifier test")
        return outcome

    def step(self) -> Reread:
        return Reread(
            stores=self.register.stores,
            records=LedgerRecords(self.engine),
            names=lambda _: Names.REFUSE,
            concurrency=1,
            turn=self.turn,
        )

    def checked(self) -> CheckRecord:
        """Asked for and read in one turn."""
        check_id = self.request()
        self.turn_of(check_id)
        return self.found(check_id)

    def found(self, check_id: int) -> CheckRecord:
        with transaction(self.engine) as connection:
            record = find_check(connection, check_id)
        assert record is not None
        return record

    def rows(self, table: Any) -> list[dict[str, Any]]:
        return self.register.rows(table)

    def news(self) -> list[tuple[str, dict[str, Any]]]:
        return [(row["type"], row["detail"]) for row in self.rows(announcements) if row["type"].startswith("copy.")]
