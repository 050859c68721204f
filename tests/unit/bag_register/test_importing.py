"""Adopting the bags that lie at a location."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bag_register.importing import Pace
from bag_register.wiring import make_steps
from common.assembly import ConfiguredStores
from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.errors import StoreUnavailable
from common.jobs import Interrupted
from common.ledger.beginning import begin
from common.ledger.engine import transaction
from common.ledger.importing import ImportProblem
from common.ledger.tables import bag_locations, bag_versions, imports, outbox
from common.ports import ObjectInfo, ObjectStore
from common.topology import IMPORTING, TAG_THAWING
from unit.bag_register.builders import PATIENCE, FreeHold, Register, a_bag, counts, sha
from unit.common.runtime.archives import Watched

B1 = BagVersion.of("digitised", "b1", 1)
B1_V2 = BagVersion.of("digitised", "b1", 2)


def summary(register: Register) -> list[tuple[str, str, str, str]]:
    """Of every location of every bag: bag, location, role, evidence."""
    bags = {
        row["id"]: f"{row['space']}/{row['external_identifier']}/v{row['version']}"
        for row in register.rows(bag_versions)
    }
    return [
        (bags[row["bag_version_id"]], row["location_id"], row["role"], row["evidence_class"])
        for row in register.rows(bag_locations)
    ]


def cold_bucket(register: Register) -> str:
    return register.stores.configs[LocationId("cold")].bucket


def codes(problems: list[ImportProblem]) -> list[tuple[str, str]]:
    return [(problem.bag_path, problem.code) for problem in problems]


def test_a_bag_is_registered_as_it_lies(register: Register) -> None:
    files = a_bag({"a.xml": b"hello", "ä/日本.txt": b"x" * 100})
    register.put(B1, files)
    record, problems = register.adopt()
    assert (record.state, counts(record), problems) == ("finished", (1, 0, 0), [])
    assert summary(register) == [("digitised/b1/v1", "cold", "primary", "E1")]
    (row,) = register.rows(bag_versions)
    kept = {name: row[name] for name in ("info", "checksum_algorithm", "file_count", "bytes", "depends_on", "revision")}
    assert kept == {
        "info": {"externalIdentifier": "b1", "payloadOxum": "105.2", "baggingDate": "2019-08-15"},
        "checksum_algorithm": "sha256",
        "file_count": 6,
        "bytes": sum(map(len, files.values())),
        "depends_on": [],
        "revision": 1,
    }
    assert row["pins"] == {path: sha(body) for path, body in files.items() if not path.startswith("data/")}


def test_the_list_of_files_is_kept_under_its_own_digest(register: Register) -> None:
    files = a_bag({"b": b"bb", "a": b"a"})
    register.put(B1, files)
    register.adopt()
    (row,) = register.rows(bag_versions)
    assert row["files_key"] == f"register/file-lists/{row['files_sha256'][:2]}/{row['files_sha256']}.ndjson.gz"
    with register.lists.read(key=row["files_key"], sha256=row["files_sha256"]) as listed:
        found = [(file.name, file.path, file.size, file.tag, list(file.checksums.values())) for file in listed]
    order = ["data/a", "data/b", "bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"]
    assert found == [
        (name, f"v1/{name}", len(files[name]), not name.startswith("data/"), [sha(files[name])]) for name in order
    ]


def test_frozen_payloads_do_not_matter(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}), cold=True)
    assert counts(register.adopt()[0]) == (1, 0, 0)


def freeze(register: Register, bag: BagVersion) -> None:
    """Lay a bag down of which everything is frozen."""
    for path, body in a_bag({"a": b"a"}, identifier=bag.external_identifier.value).items():
        info = ObjectInfo(key=f"{bag.path}/{path}", size=0, etag="", storage_class="GLACIER")
        register.bucket("cold").put(info, body)


def test_bags_with_frozen_tag_files_are_set_apart_and_registered_when_these_can_be_read(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    freeze(register, BagVersion.of("digitised", "b0", 1))
    import_id = register.start_import()
    register.work(import_id)
    record, problems = register.imported(import_id)
    assert (record.state, counts(record), record.thawing, problems) == ("walking", (1, 0, 0), 1, [])

    part = register.rows(imports)[1]["id"]
    register.work(part, stage=TAG_THAWING)
    assert register.rows(imports)[1]["state"] == "warming"
    register.thawed("cold")
    register.work(part, stage=TAG_THAWING)
    register.work(part)
    register.work(import_id)

    record, problems = register.imported(import_id)
    assert (record.state, counts(record), record.parts, problems) == ("finished", (2, 0, 0), 0, [])


def test_a_look_has_nothing_thawed_and_tells_what_is_frozen(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    freeze(register, BagVersion.of("digitised", "b0", 1))
    record, problems = register.adopt(registers=False)
    assert (record.state, counts(record), summary(register)) == ("finished", (1, 0, 1), [])
    assert codes(problems) == [("digitised/b0/v1", "not_restored"), ("digitised/b1/v1", "would_register")]
    assert problems[1].message == "5 files, 436 bytes, evidence E1"


def test_a_bag_without_payload_oxum_is_only_listed(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}, info="External-Identifier: b1\n"))
    register.adopt()
    assert summary(register) == [("digitised/b1/v1", "cold", "primary", "E0")]


@pytest.mark.parametrize("identifier", ["PP/MIA/1", "b 1", "A-b_c.d"])
def test_identifiers_with_slashes_and_spaces_are_understood(register: Register, identifier: str) -> None:
    register.put(BagVersion.of("digitised", identifier, 12), a_bag({"a": b"a"}, identifier=identifier))
    register.adopt()
    assert summary(register) == [(f"digitised/{identifier}/v12", "cold", "primary", "E1")]


@pytest.mark.parametrize("lengths", [True, False])
def test_files_of_earlier_versions_are_found_there(register: Register, lengths: bool) -> None:
    bucket = cold_bucket(register)
    register.put(B1, a_bag({"a b.txt": b"old", "b": b"bb"}))
    url = f"memory://{bucket}/digitised/b1/v1/data/a%20b.txt"
    register.put(B1_V2, a_bag({"c": b"new"}, fetch={"a b.txt": (url, b"old")}, lengths=lengths))
    record, problems = register.adopt()
    assert (counts(record), problems) == ((2, 0, 0), [])
    row = register.rows(bag_versions)[1]
    assert (row["version"], row["depends_on"], row["info"]["payloadOxum"]) == (2, [1], "6.2")
    with register.lists.read(key=row["files_key"], sha256=row["files_sha256"]) as listed:
        paths = {file.name: (file.path, file.size) for file in listed if not file.tag}
    assert paths == {"data/a b.txt": ("v1/data/a b.txt", 3), "data/c": ("v2/data/c", 3)}


def test_a_replica_keeps_the_primary_addresses_in_its_fetch_txt(register: Register) -> None:
    primary = cold_bucket(register)
    url = f"memory://{primary}/digitised/b1/v1/data/a"
    register.put(B1, a_bag({"a": b"a"}), at="azure")
    register.put(B1_V2, a_bag({}, fetch={"a": (url, b"a")}), at="azure")
    assert counts(register.adopt("azure")[0]) == (2, 0, 0)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://evil.example/data/a", "fetch_outside_bag"),
        ("memory://{bucket}/digitised/b2/v1/data/a", "fetch_outside_bag"),
        ("memory://{bucket}/digitised/b1/v2/data/a", "fetch_outside_bag"),
        ("memory://{bucket}/digitised/b1/v1/data/../../../b2/v1/data/a", "fetch_outside_bag"),
        ("memory://{bucket}/digitised/b1/v1/data/gone", "fetch_target_missing"),
        ("memory://{bucket}/digitised/b1/v1/data/long", "fetch_target_size"),
    ],
)
def test_addresses_that_lead_elsewhere_refuse_the_bag(register: Register, url: str, code: str) -> None:
    bucket = cold_bucket(register)
    register.put(B1, a_bag({"a": b"a", "long": b"too long"}))
    register.put(B1_V2, a_bag({}, fetch={"a": (url.format(bucket=bucket), b"a")}))
    record, problems = register.adopt()
    assert (counts(record), codes(problems)) == ((1, 0, 1), [("digitised/b1/v2", code)])


def test_an_invalid_bag_is_refused_with_its_problems(register: Register) -> None:
    files = a_bag({"a": b"a", "b": b"b"})
    del files["data/b"]
    register.put(B1, files)
    record, problems = register.adopt()
    assert (counts(record), summary(register)) == ((0, 0, 1), [])
    assert codes(problems) == [("digitised/b1/v1", "bag_file_absent"), ("digitised/b1/v1", "bag_oxum_mismatch")]


class SpoiltStores(ConfiguredStores):
    """The first reads of the files with this name have other bytes than the store holds."""

    def __init__(self, stores: ConfiguredStores, name: str, *, times: int, spoil: Callable[[bytes], bytes]) -> None:
        super().__init__(stores.configs)
        self._left = iter(range(times))
        self._name, self._spoil = name, spoil

    def __call__(self, location: LocationId) -> ObjectStore:
        return Watched(super().__call__(location), spoil=self._read)

    def _read(self, key: str, block: bytes) -> bytes:
        spoilt = key.endswith(f"/{self._name}") and next(self._left, None) is not None
        return self._spoil(bytes(block)) if spoilt else block


def spoilt_reads(register: Register, name: str, *, times: int, spoil: Callable[[bytes], bytes]) -> None:
    stores = SpoiltStores(register.stores, name, times=times, spoil=spoil)
    register.steps = dict(make_steps(engine=register.engine, stores=stores, lists=register.lists))


@pytest.mark.parametrize(("times", "expected"), [(1, (1, 0, 0)), (2, (0, 0, 1))])
def test_a_bag_is_refused_only_when_two_readings_say_so(
    register: Register, times: int, expected: tuple[int, int, int]
) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    spoilt_reads(register, "manifest-sha256.txt", times=times, spoil=lambda block: b"0" + block[1:])

    assert counts(register.adopt()[0]) == expected


def test_what_no_tag_manifest_vouches_for_is_registered_only_when_two_readings_agree(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    spoilt_reads(register, "tagmanifest-sha256.txt", times=1, spoil=lambda block: block[:64].upper() + block[64:])

    with pytest.raises(StoreUnavailable, match=r"two readings of tagmanifest-sha256\.txt have different bytes"):
        register.adopt()

    assert register.rows(bag_versions) == []


def test_a_bag_at_the_wrong_place_is_refused(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}, identifier="b2"))
    bucket = register.bucket("cold")
    for key in ("digitised/bagit.txt", "digitised/b1/w1/bagit.txt", "digitised/-b/v1/bagit.txt"):
        bucket.put(ObjectInfo(key=key, size=0, etag=""), b"x")
    record, problems = register.adopt()
    assert counts(record) == (0, 0, 4)
    assert codes(problems) == [
        ("digitised/-b/v1", "path_not_understood"),
        ("digitised/b1/v1", "identifier_differs"),
        ("digitised/b1/w1", "path_not_understood"),
        ("digitised", "path_not_understood"),
    ]


def test_a_bag_inside_a_payload_belongs_to_the_payload(register: Register) -> None:
    inner = {f"digitised/b2/v1/{path}": body for path, body in a_bag({"x": b"x"}, identifier="b2").items()}
    register.put(B1, a_bag(inner))
    register.put(BagVersion.of("digitised", "b10", 1), a_bag({"a": b"a"}, identifier="b10"))
    register.adopt()
    assert [bag for bag, *_ in summary(register)] == ["digitised/b1/v1", "digitised/b10/v1"]


def test_importing_again_knows_everything(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    register.adopt()
    before = register.rows(bag_versions)
    assert counts(register.adopt()[0]) == (0, 1, 0)
    assert register.rows(bag_versions) == before


def test_another_bag_of_the_same_name_changes_nothing(register: Register) -> None:
    register.put(B1, a_bag({"a": b"a"}))
    register.put(B1, a_bag({"a": b"other"}), at="azure")
    register.adopt()
    before = register.rows(bag_versions)
    record, problems = register.adopt("azure")
    assert (counts(record), codes(problems)) == ((0, 0, 1), [("digitised/b1/v1", "conflict")])
    assert (register.rows(bag_versions), summary(register)) == (before, [("digitised/b1/v1", "cold", "primary", "E1")])


def test_the_same_bag_elsewhere_is_known_and_not_claimed_there(register: Register) -> None:
    for location in ("cold", "azure"):
        register.put(B1, a_bag({"a": b"a"}), at=location)
    register.adopt()
    assert counts(register.adopt("azure")[0]) == (0, 1, 0)
    assert summary(register) == [("digitised/b1/v1", "cold", "primary", "E1")]


def test_an_import_goes_on_where_it_stopped_and_counts_each_bag_once(register: Register) -> None:
    for number in range(40):
        register.put(BagVersion.of("digitised", f"b{number}", 1), a_bag({"a": b"a"}, identifier=f"b{number}"))
    import_id = register.start_import()
    with pytest.raises(Interrupted):
        register.work(import_id, FreeHold(steps=300, interrupt=Interrupted()))
    (row,) = register.rows(imports)
    assert 0 < row["registered"] < 40
    with register.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE imports SET lease_until = now() - interval '1 second'")
    register.work(import_id)
    record, problems = register.imported(import_id)
    assert (record.state, counts(record), problems) == ("finished", (40, 0, 0), [])


def test_two_walkers_at_once_count_each_bag_once(register: Register) -> None:
    for number in range(4):
        register.put(BagVersion.of("digitised", f"b{number}", 1), a_bag({"a": b"a"}, identifier=f"b{number}"))
    import_id = register.start_import()
    late = _late_walker(register, import_id)
    register.work(import_id)
    late()
    record, _ = register.imported(import_id)
    assert counts(record) == (4, 0, 0)


def test_a_walker_that_lost_its_lease_counts_nothing_again_while_its_successor_walks(register: Register) -> None:
    for number in range(40):
        register.put(BagVersion.of("digitised", f"b{number}", 1), a_bag({"a": b"a"}, identifier=f"b{number}"))
    import_id = register.start_import()
    late = _late_walker(register, import_id)
    pace = Pace(bags=4, batch=3, parts=1)
    register.steps |= make_steps(engine=register.engine, stores=register.stores, lists=register.lists, pace=pace)
    with pytest.raises(Interrupted):
        register.work(import_id, FreeHold(steps=300, interrupt=Interrupted()))
    late()
    assert counts(register.imported(import_id)[0]) == (40, 0, 0)


def _late_walker(register: Register, import_id: int) -> Callable[[], object]:
    """A worker whose lease ran out before it did anything, and that does not know."""
    with transaction(register.engine) as connection:
        begun = begin(connection, stage=IMPORTING, row_id=import_id, worker="late", patience=PATIENCE)
    assert begun is not None
    with register.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE imports SET lease_until = now() - interval '1 second'")
    step = register.steps[IMPORTING]
    return lambda: step(begun.job(hold=FreeHold(), build="test"))


def test_only_what_lies_below_the_prefix_is_looked_at(register: Register) -> None:
    for space in ("digitised", "born-digital"):
        register.put(BagVersion.of(space, "b1", 1), a_bag({"a": b"a"}), at="azure")
    record, _ = register.adopt("azure", prefix="born-")
    assert (counts(record), [bag for bag, *_ in summary(register)]) == ((1, 0, 0), ["born-digital/b1/v1"])


def test_asking_twice_for_an_import_that_walks_starts_one(register: Register) -> None:
    assert register.start_import() == register.start_import()
    assert register.start_import(prefix="digitised/") != register.start_import()
    assert [row["queue"] for row in register.rows(outbox)] == ["bag_register_walking_daily"] * 2


def test_a_large_payload_is_passed_over(register: Register) -> None:
    register.put(B1, a_bag({f"{n:05}": b"" for n in range(2500)}))
    register.put(B1_V2, a_bag({"a": b"a"}))
    record, _ = register.adopt()
    assert (counts(record), register.rows(bag_versions)[0]["file_count"]) == ((2, 0, 0), 2504)
