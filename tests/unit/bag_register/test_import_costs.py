"""What a dry run of an import says of its thaws: which tag files are frozen, and what bringing them back costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx

from bag_register.previewing import Previewing
from bag_register.tag_files import Bounds, look
from common.assembly import ConfiguredStores
from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.errors import StoreUnavailable
from common.ledger.importing import ImportWish
from common.ports import ObjectInfo, ObjectStore
from unit.bag_register.builders import Register, a_bag

COLD = LocationId("cold")
TAG_FILES = 4
"""bagit.txt, bag-info.txt, the manifest and its tag manifest."""


def lay(register: Register, name: str, storage_class: str | None = "GLACIER", *, payload: int = 1, **facts: Any) -> int:
    """A bag of which everything lies in the class; the bytes of its tag files."""
    files = a_bag({f"{number:04}": b"a" for number in range(payload)}, identifier=name)
    for path, body in files.items():
        key = f"{BagVersion.of('digitised', name, 1).path}/{path}"
        register.bucket("cold").put(ObjectInfo(key=key, size=0, etag="", storage_class=storage_class, **facts), body)
    return sum(len(body) for path, body in files.items() if not path.startswith("data/"))


def asked(register: Register, previewing: Previewing | None = None, prefix: str = "", **wish: Any) -> dict[str, Any]:
    return (previewing or register.previewing()).costs(ImportWish("cold", prefix, **wish))


def test_frozen_tag_files_are_counted_by_class_and_priced_by_tier(register: Register) -> None:
    glacier = lay(register, "b1")
    deep = lay(register, "b2", "DEEP_ARCHIVE")
    lay(register, "b3", None)

    told = asked(register)

    assert told["tagFiles"] == {
        "type": "FrozenTagFiles",
        "lookedAt": {"bags": 3, "complete": True},
        "estimated": True,
        "objects": 2 * TAG_FILES,
        "bytes": glacier + deep,
        "classes": {
            "DEEP_ARCHIVE": {"objects": TAG_FILES, "bytes": deep},
            "GLACIER": {"objects": TAG_FILES, "bytes": glacier},
        },
        "said": "All 3 bags there were looked at.",
    }
    cost = told["cost"]
    assert (cost["requests"], cost["region"]) == (2 * TAG_FILES, "us-east-1")
    assert [(one["tier"], one["withinSeconds"]) for one in cost["thawing"]] == [
        ("Bulk", 48 * 3600),
        ("Standard", 12 * 3600),
    ]
    assert cost["thawing"][0]["total"] > "0.0000"


def test_only_so_many_bags_are_looked_at_and_the_answer_says_so(register: Register) -> None:
    for number in range(3):
        lay(register, f"b{number}")

    told = asked(register, register.previewing(bags=2))["tagFiles"]

    assert (told["lookedAt"], told["objects"]) == ({"bags": 2, "complete": False}, 2 * TAG_FILES)
    assert told["said"] == (
        "Only the first 2 bags by key were looked at (at most 2, for at most 10 seconds); there is more."
        " n bags like these take n/2 of it."
    )


def test_the_look_ends_with_its_time_and_counts_no_half_bag(register: Register) -> None:
    for number in range(3):
        lay(register, f"b{number}", payload=5)
    ticks = iter(range(1000))
    location = register.stores.configs[COLD].location
    store, cold = register.stores(COLD), register.stores.cold(COLD)
    assert cold is not None

    seen = look(
        store,
        location=location,
        prefix="",
        now=cold.now(),
        bounds=Bounds(bags=100, seconds=20),
        clock=lambda: next(ticks),
    )

    assert (seen.bags, seen.complete, seen.frozen["GLACIER"].objects) == (1, False, TAG_FILES)


def test_the_payload_of_a_large_bag_is_not_counted(register: Register) -> None:
    octets = lay(register, "b1", payload=300)

    told = asked(register)["tagFiles"]

    assert told["classes"] == {"GLACIER": {"objects": TAG_FILES, "bytes": octets}}


def test_an_archive_tier_that_no_list_tells_is_asked_for(register: Register) -> None:
    lay(register, "b1", "INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS")

    assert list(asked(register)["tagFiles"]["classes"]) == ["ARCHIVE_ACCESS"]


def test_what_was_restored_is_not_asked_for_again(register: Register) -> None:
    lay(register, "b1")
    store, cold = register.stores(COLD), register.stores.cold(COLD)
    assert cold is not None
    for info in list(store.list(prefix="")):
        cold.restore(key=info.key, version_id=None, days=30, tier=register.previewing().pricing.tier)

    told = asked(register)

    assert (told["tagFiles"]["objects"], told["cost"]["requests"], told["cost"]["total"]) == (0, 0, "0.00")


def test_what_thaws_nothing_costs_nothing_and_says_why(register: Register) -> None:
    lay(register, "b1")

    only_looked, named = asked(register, registers=False), asked(register, source={"manifests": {}})

    for told in (only_looked, named):
        assert (told["tagFiles"], told["cost"]["total"]) == (None, "0.00")
    assert only_looked["costReason"] == (
        'With "register": false no tag file is thawed: frozen ones are told as not_restored.'
    )


class Down(ConfiguredStores):
    """Stores that answer nothing."""

    def __call__(self, location: LocationId) -> ObjectStore:
        raise StoreUnavailable(f"{location} answered 503")


def test_a_store_that_cannot_be_listed_is_a_reason(register: Register) -> None:
    previewing = replace(register.previewing(), stores=Down(register.stores.configs))

    told = asked(register, previewing)

    assert (told["tagFiles"], told["cost"]) == (None, None)
    assert told["costReason"].endswith("cannot be looked at now (store_unavailable): cold answered 503")


def test_the_dry_run_of_the_api_tells_it(register: Register, client: httpx.Client) -> None:
    lay(register, "b1")

    told = client.post("/imports", params={"dryRun": "true"}, json={"location": {"id": "cold"}}).json()

    assert (told["would"], told["tagFiles"]["objects"], told["cost"]["requests"]) == ("create", TAG_FILES, TAG_FILES)
