"""Tag files of imports are thawed within the budget, like everything else, and heard of like everything else."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, select, text

from bag_warmer.admissions import House, LedgerGate
from bag_warmer.billing import Billing
from bag_warmer.tag_files import ThawTagFiles
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.domain.restore import Happened, RestoreEvent
from common.ledger import restores
from common.ledger.engine import transaction
from common.ledger.tables import imports, outbox
from common.ledger.thaw_tables import restore_waits
from common.ledger.thawing.admitting import Terms
from common.ledger.thawing.asking import billed_to_import
from common.ledger.thawing.tables import thaw_admissions
from common.ports import ObjectInfo
from common.thawing.budget import Budget
from common.thawing.prices import read_prices
from common.topology import TAG_THAWING
from unit.bag_register.builders import PATIENCE, Register, a_bag

COLD = LocationId("cold")


def set_apart(register: Register, *names: str) -> list[int]:
    """Bags of which everything is frozen, each in an import of its own; the parts that have their tag files thawed."""
    parts = []
    for name in names:
        bag = BagVersion.of(name, "b1", 1)
        for path, body in a_bag({"a": b"a"}, identifier="b1").items():
            info = ObjectInfo(key=f"{bag.path}/{path}", size=0, etag="", storage_class="GLACIER")
            register.bucket("cold").put(info, body)
        import_id = register.start_import(prefix=f"{name}/")
        register.work(import_id)
        parts.append(max(row["id"] for row in register.rows(imports)))
    return parts


def with_budget(register: Register, **budget: Any) -> None:
    terms = Terms("cold", "Cold", Budget(**budget), UTC)
    gate = LedgerGate(register.engine, House(Billing(read_prices(), {COLD: "us-east-1"}), {COLD: terms}))
    warming = Warming(wish=Wish(days=30))
    register.steps[TAG_THAWING] = ThawTagFiles(stores=register.stores, warming=warming, gate=gate)


def asked_for(register: Register) -> set[str]:
    """Spaces whose tag files are on their way."""
    found = register.stores(COLD).list(prefix="")
    return {info.key.partition("/")[0] for info in found if info.restore}


def state(register: Register, part: int) -> tuple[str, bool]:
    """Its state, and whether it is due."""
    with transaction(register.engine) as connection:
        due = imports.c.due_at <= text("clock_timestamp()")
        row = connection.execute(select(imports.c.state, due.label("due")).where(imports.c.id == part)).one()
    return row.state, row.due


def roots(register: Register, *parts: int) -> list[int]:
    """What people asked for."""
    parents = {row["id"]: row["parent_id"] for row in register.rows(imports)}
    return [parents[part] for part in parts]


def hints(engine: Engine) -> int:
    with transaction(engine) as connection:
        bodies = connection.execute(select(outbox.c.body)).scalars()
        return sum("TagFilesFrozen" in str(body) for body in bodies)


def test_what_the_store_tells_of_the_last_tag_file_has_the_import_go_on_at_once(register: Register) -> None:
    (part,) = set_apart(register, "digitised")
    register.work(part, stage=TAG_THAWING)
    waiting, before = state(register, part), hints(register.engine)
    with transaction(register.engine) as connection:
        keys = connection.execute(select(restore_waits.c.bucket, restore_waits.c.key)).all()
    events = [RestoreEvent(Happened.COMPLETED, row.bucket, row.key) for row in keys]

    with transaction(register.engine) as connection:
        early = restores.hear(connection, events[:-1])
        ready = restores.hear(connection, events[-1:])
    with transaction(register.engine) as connection:
        woken = [restores.wake(connection, kind=kind, row_id=row, patience=PATIENCE) for kind, row in ready]

    assert (waiting, early, ready, woken) == (("warming", False), [], [("import", part)], [True])
    assert (state(register, part), hints(register.engine)) == (("warming", True), before + 1)
    assert len(keys) == 4, "bagit.txt, bag-info.txt, the manifest and its tag manifest: nothing of the payload"


def test_without_any_event_the_import_goes_on_when_it_is_looked_at(register: Register) -> None:
    (part,) = set_apart(register, "digitised")
    register.work(part, stage=TAG_THAWING)
    register.thawed("cold")
    register.work(part, stage=TAG_THAWING)

    assert state(register, part) == ("walking", True)
    assert register.rows(restore_waits) == []


def test_tag_files_of_imports_wait_for_the_budget_and_give_back_what_they_held(register: Register) -> None:
    first, second = set_apart(register, "archive", "digitised")
    with_budget(register, objects_in_flight=4, longest_days=30)
    register.work(first, stage=TAG_THAWING)
    register.work(second, stage=TAG_THAWING)
    at_first = asked_for(register)

    register.thawed("cold")
    register.work(first, stage=TAG_THAWING)
    with transaction(register.engine) as connection:
        connection.execute(text("UPDATE thaw_looks SET look_at = clock_timestamp()"))
    register.work(second, stage=TAG_THAWING)

    assert (at_first, asked_for(register)) == ({"archive"}, {"archive", "digitised"})
    with transaction(register.engine) as connection:
        rows = connection.execute(
            select(thaw_admissions.c.row_id, thaw_admissions.c.released_at.is_not(None)).order_by(
                thaw_admissions.c.row_id
            )
        ).all()
    assert [tuple(row) for row in rows] == [(first, True), (second, False)]


def test_what_an_import_asked_for_is_in_its_books_whichever_part_asked(register: Register) -> None:
    (part,) = set_apart(register, "digitised")
    with_budget(register, longest_days=2)
    register.work(part, stage=TAG_THAWING)

    with transaction(register.engine) as connection:
        root = connection.execute(select(imports.c.parent_id).where(imports.c.id == part)).scalar_one()
        (bill,) = billed_to_import(connection, import_id=root)
    assert (bill.storage_class, bill.tier, bill.days, bill.objects, bill.currency) == ("GLACIER", "Bulk", 2, 4, "USD")
    assert Decimal(0) < bill.cost < Decimal("0.001")


def test_an_import_shows_what_it_found_frozen_beside_what_it_has_spent(register: Register) -> None:
    first, second = set_apart(register, "archive", "digitised")
    with_budget(register, objects_in_flight=4, longest_days=2)
    register.work(first, stage=TAG_THAWING)
    register.work(second, stage=TAG_THAWING)

    with register.serving() as client:
        asked, waits = (client.get(f"/imports/{of}").json()["thawing"] for of in roots(register, first, second))

    assert (asked["estimate"]["objects"], asked["estimate"]["currency"]) == (4, "USD")
    assert asked["actual"]["costs"] == [{"currency": "USD", "total": asked["estimate"]["total"]}]
    assert waits["estimate"] | {"total": "", "bytes": 0} == asked["estimate"] | {"total": "", "bytes": 0}
    assert waits["actual"] == {"type": "Thawing", "costs": [], "complete": True, "restores": []}
