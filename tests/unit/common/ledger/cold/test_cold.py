"""What lies in which storage class: the sums against a comparison by hand."""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select, text, update

from common.domain.bag import BagVersion
from common.domain.storage_class import Classes
from common.ledger.cold.counting import ClassAmount, fold, lying
from common.ledger.cold.recording import record, record_copy
from common.ledger.cold.tables import cold_changes, copy_classes
from common.ledger.engine import snapshot, transaction
from common.ledger.tables import bag_locations, bag_versions, segments
from unit.common.ledger.builders import a_backfill, some_segments
from unit.common.ledger.coverage.builders import add_bag, add_location, hold

CLASSES = ("STANDARD", "GLACIER", "DEEP_ARCHIVE")


def something_is_seen(connection: Connection, random: Random, number: int) -> None:
    """A bag is deposited with a copy or two, or some copies are listed, once more or for the first time."""
    if random.random() < 0.4:
        bag = add_bag(connection, random.choice(("digitised", "maps")), number, files=random.randint(1, 9))
        for location in random.sample(("cold", "azure"), random.randint(1, 2)):
            hold(connection, bag, location, random.choice(("E0", "E1", "E3")))
        return
    bags = connection.execute(select(bag_versions)).all()
    some = random.sample(bags, min(len(bags), 3))
    names = [BagVersion.of(bag.space, bag.external_identifier, bag.version) for bag in some]
    record(connection, location_id=random.choice(("cold", "azure")), seen={name: classes(random) for name in names})
    if random.random() < 0.5:
        back = "UPDATE copy_classes SET seen_at = seen_at - interval '1 day' * :days WHERE bag_version_id % 3 = :rest"
        connection.execute(text(back), {"days": random.randint(1, 3), "rest": random.randint(0, 2)})


def classes(random: Random) -> Classes:
    found = Classes()
    for _ in range(random.randint(1, 5)):
        found.add(random.choice(CLASSES), random.randint(0, 99))
    return found


def by_hand(connection: Connection) -> dict[tuple[str, str, str], list[Any]]:
    """Bags, files, bytes, first and last day, by location, space and class: from the copies themselves."""
    sums: dict[tuple[str, str, str], list[Any]] = defaultdict(lambda: [0, 0, 0, None, None])
    seen = {(row.bag_version_id, row.location_id): row for row in connection.execute(select(copy_classes))}
    copies = select(bag_locations.c.location_id, bag_versions).join(bag_versions)
    for copy in connection.execute(copies):
        told = seen.get((copy.id, copy.location_id))
        amounts = told.classes if told else {"unknown": [copy.file_count, copy.bytes]}
        for name, (files, size) in amounts.items():
            sum_ = sums[copy.location_id, copy.space, name]
            sum_[0], sum_[1], sum_[2] = sum_[0] + 1, sum_[1] + files, sum_[2] + size
            if told:
                day = told.seen_at.date()
                sum_[3], sum_[4] = min(sum_[3] or day, day), max(sum_[4] or day, day)
    return dict(sums)


@pytest.mark.parametrize("seed", range(3))
def test_the_sums_are_what_the_copies_say_whatever_was_seen_in_which_order(engine: Engine, seed: int) -> None:
    random = Random(seed)
    with transaction(engine) as connection:
        for name in ("cold", "azure"):
            add_location(connection, name)
    for number in range(40):
        with transaction(engine) as connection:
            something_is_seen(connection, random, number)
        if random.random() < 0.3:
            with transaction(engine) as connection:
                fold(connection)
    with snapshot(engine) as connection:
        connection.execute(text("SET LOCAL TIME ZONE 'UTC'"))
        wanted = by_hand(connection)
        found = lying(connection, by_space=True)
        whole = lying(connection, location="cold")

    assert {
        (one.location, one.space, one.storage_class): [one.bags, one.files, one.bytes, one.seen_from, one.seen_to]
        for one in found
    } == wanted
    assert {one.storage_class: one.files for one in whole} == {
        name: sum(amount[1] for (place, _, called), amount in wanted.items() if (place, called) == ("cold", name))
        for name in {called for place, _, called in wanted if place == "cold"}
    }


def test_a_copy_that_is_not_registered_is_passed_over(engine: Engine) -> None:
    backfill = a_backfill(engine)
    with transaction(engine) as connection:
        record_copy(
            connection, bag_version_id=backfill.bag_version_id, location_id="azure", classes=Classes({"Cool": [1, 1]})
        )
        found = lying(connection)

    assert [(one.location, one.storage_class, one.bags) for one in found] == [("cold", "unknown", 1)]


def test_seen_the_same_twice_on_one_day_changes_nothing(engine: Engine) -> None:
    backfill = a_backfill(engine)
    seen = {"bag_version_id": backfill.bag_version_id, "location_id": "cold", "classes": Classes({"GLACIER": [2, 9]})}
    for _ in range(2):
        with transaction(engine) as connection:
            record_copy(connection, **seen)
            fold(connection)
            changes = connection.execute(select(cold_changes)).all()

    assert changes == []


def restores(engine: Engine) -> dict[str, tuple[int, int, int, int]]:
    with transaction(engine) as connection:
        return {one.storage_class: _restores(one) for one in lying(connection) if any(_restores(one))}


def _restores(one: ClassAmount) -> tuple[int, int, int, int]:
    return one.restoring_files, one.restoring_bytes, one.restored_files, one.restored_bytes


def test_what_is_being_restored_counts_until_it_is_copied(engine: Engine) -> None:
    backfill = a_backfill(engine, state="transferring")
    first, second = some_segments(engine, backfill, states=["thawing", "thawing"])

    def now(segment: int, state: str, cold: dict[str, Any]) -> dict[str, tuple[int, int, int, int]]:
        with transaction(engine) as connection:
            changed = update(segments).where(segments.c.id == segment)
            connection.execute(changed.values(state=state, progress={"cold": cold} if cold else {}))
        return restores(engine)

    asked = {"restoring": {"GLACIER": [2, 20]}}
    assert now(first, "thawing", asked) == {"GLACIER": (2, 20, 0, 0)}
    assert now(second, "thawing", {"restoring": {"DEEP_ARCHIVE": [1, 5]}, "restored": {"GLACIER": [1, 7]}}) == {
        "GLACIER": (2, 20, 1, 7),
        "DEEP_ARCHIVE": (1, 5, 0, 0),
    }
    assert now(first, "copying", {"restored": {"GLACIER": [2, 20]}})["GLACIER"] == (0, 0, 3, 27)
    assert now(first, "verifying", {"restored": {"GLACIER": [2, 20]}})["GLACIER"] == (0, 0, 1, 7)
    assert now(second, "cancelled", {"restored": {"GLACIER": [1, 7]}}) == {}
