"""The register is rebuilt from what lies at the locations: the ledger and the record store are both lost."""

from __future__ import annotations

from typing import Any

import pytest

from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.ledger.tables import bag_locations, bag_versions
from unit.bag_register.builders import Register, a_bag, counts
from unit.bag_register.ledgers import emptied

V1, V2 = BagVersion.of("digitised", "b1", 1), BagVersion.of("digitised", "b1", 2)
OWN = ("id", "created_date")
"""What a ledger gives of its own."""


def an_archive(register: Register) -> None:
    """Two versions at both locations; the second has files of the first."""
    cold = register.stores.configs[LocationId("cold")].bucket
    url = f"memory://{cold}/digitised/b1/v1/data/a"
    first, second = a_bag({"a": b"a"}), a_bag({"c": b"new"}, fetch={"a": (url, b"a")})
    for location in ("cold", "azure"):
        register.put(V1, first, at=location)
        register.put(V2, second, at=location)


def records(register: Register) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in OWN} for row in register.rows(bag_versions)]


def copies(register: Register) -> list[tuple[str, str, str]]:
    rows = register.rows(bag_locations)
    return sorted((row["location_id"], row["role"], row["evidence_class"]) for row in rows)


def file_lists(register: Register) -> dict[str, bytes]:
    store = register.lists.store
    found = {}
    for info in store.list(prefix=""):
        with store.read(key=info.key) as body:
            found[info.key] = b"".join(bytes(block) for block in body)
    return found


def rebuild(register: Register) -> None:
    register.adopt("cold")
    register.adopt("azure", source={"copies": True})


def lose_everything(register: Register) -> Register:
    """An empty ledger and an empty record store beside the same stores."""
    return Register(emptied(register.engine), list(register.stores.configs.values()))


def test_the_register_is_the_same_after_both_ledger_and_record_store_were_lost(register: Register) -> None:
    an_archive(register)
    rebuild(register)
    before = records(register), copies(register), file_lists(register)

    anew = lose_everything(register)
    assert (records(anew), file_lists(anew)) == ([], {})
    rebuild(anew)

    assert (records(anew), copies(anew), file_lists(anew)) == before
    assert copies(anew) == [("azure", "replica", "E1")] * 2 + [("cold", "primary", "E1")] * 2
    assert [(record["depends_on"], record["revision"]) for record in records(anew)] == [([], 2), ([1], 2)]


def test_a_record_store_alone_is_rebuilt_under_the_same_digests(register: Register) -> None:
    an_archive(register)
    rebuild(register)
    before = file_lists(register)
    anew = lose_everything(register)
    rebuild(anew)
    for record in records(anew):
        with anew.lists.read(key=record["files_key"], sha256=record["files_sha256"]) as files:
            assert len(list(files)) == record["file_count"]
    assert file_lists(anew) == before


def test_rebuilding_twice_changes_nothing(register: Register) -> None:
    an_archive(register)
    rebuild(register)
    before = records(register), copies(register)
    rebuild(register)
    assert (records(register), copies(register)) == before


@pytest.mark.parametrize("lost", ["data/a", "manifest-sha256.txt"])
def test_a_copy_that_is_not_whole_is_not_listed(register: Register, lost: str) -> None:
    register.put(V1, a_bag({"a": b"a"}))
    register.put(V1, {path: body for path, body in a_bag({"a": b"a"}).items() if path != lost}, at="azure")
    register.adopt("cold")
    record, _ = register.adopt("azure", source={"copies": True})
    assert (counts(record), copies(register)) == ((0, 0, 1), [("cold", "primary", "E1")])
