"""The checker is silent about a good copy, and finds each single thing that can be wrong with one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from invariants import Request, Watch, install, violations

ROOT = "digitised/b1/v1/"
PAYLOAD = {"data/a": b"first", "data/100%": b"second", "data/dot.": b"third"}
COPIER = "backfill_replicator@here:1"
INGEST = UUID(int=1)


@dataclass
class Kept:
    """A store in a dict."""

    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def keys(self, prefix: str) -> Iterable[str]:
        return [key for key in self.objects if key.startswith(prefix)]

    def read(self, key: str) -> bytes:
        return self.objects[key]

    def history(self) -> Sequence[Request]:
        return self.requests

    def etag(self, key: str) -> str:
        return sha256(self.objects[key])

    def asked(self, what: str, key: str, by: str = COPIER, *, needless: bool = False) -> None:
        self.requests.append(Request(len(self.requests), what, key, by, needless=needless))


@dataclass
class Scene:
    """A ledger with one bag version whose copy at "azure" is registered, and the two stores."""

    ledger: psycopg.Connection
    cold: Kept
    azure: Kept

    def sql(self, statement: str, *parameters: object) -> None:
        self.ledger.execute(statement, parameters)

    def unguarded(self, statement: str, *parameters: object) -> None:
        """As if the database's own guards were not there."""
        self.sql("SET LOCAL session_replication_role = replica")
        self.sql(statement, *parameters)
        self.sql("SET LOCAL session_replication_role = DEFAULT")

    def as_worker(self, name: str) -> None:
        self.sql("SELECT set_config('application_name', %s, true)", name)

    @property
    def found(self) -> list[str]:
        faults = violations(self.ledger, {"cold": self.cold, "azure": self.azure}, at_rest=True)
        return [fault.invariant for fault in faults]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def bag() -> dict[str, bytes]:
    tags = {"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"}
    tags["manifest-sha256.txt"] = manifest(PAYLOAD)
    return PAYLOAD | tags | {"tagmanifest-sha256.txt": manifest(tags)}


def manifest(files: dict[str, bytes]) -> bytes:
    return "".join(f"{sha256(data)}  {path.replace('%', '%25')}\n" for path, data in files.items()).encode()


@pytest.fixture
def scene(database: str) -> Iterator[Scene]:
    with psycopg.connect(database) as ledger:
        install(ledger)
        scene = Scene(ledger, Kept(), Kept())
        _registered(scene)
        yield scene
        ledger.rollback()


def _registered(scene: Scene) -> None:
    files = bag()
    pins = Jsonb({path: sha256(data) for path, data in files.items() if not path.startswith("data/")})
    for place, store in (("cold", scene.cold), ("azure", scene.azure)):
        scene.sql("INSERT INTO locations (id, provider, bucket) VALUES (%s, 'memory', %s)", place, place)
        stored = {path.replace("dot.", "dot^2E") if place == "azure" else path: data for path, data in files.items()}
        store.objects = {ROOT + path: data for path, data in stored.items()}
    scene.sql(
        "INSERT INTO bag_versions (space, external_identifier, version, created_date, info, checksum_algorithm,"
        " file_count, bytes, pins, files_key, files_sha256) VALUES ('digitised', 'b1', 1, now(), '{}', 'SHA-256', 6,"
        " 1, %s, 'k', 's')",
        pins,
    )
    scene.sql(
        "INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role)"
        " VALUES (1, 'cold', 'E1', 'primary')"
    )
    scene.sql(
        "INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id,"
        " destination_id, status) VALUES (%s, 'backfill', 'digitised', 'b1', 1, 1, 'cold', 'azure', 'accepted')",
        INGEST,
    )
    scene.sql(
        "INSERT INTO replicas (bag_version_id, location_id, source_id, ingest_id, lane, state, file_count, pins)"
        " VALUES (1, 'azure', 'cold', %s, 'backfill', 'registering', 6, %s)",
        INGEST,
        pins,
    )
    scene.sql(
        "INSERT INTO segments (replica_id, ingest_id, number, state, files, file_count, bytes)"
        " VALUES (1, %s, 1, 'copying', '[]', 6, 1)",
        INGEST,
    )
    _step(scene, "segments", COPIER, "verifying")
    for path in files:
        scene.azure.asked("create", ROOT + path)
        _proof(scene, path, sha256(files[path]))
    _step(scene, "segments", "verifier@here:1", "verified")
    scene.sql(
        "INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role, ingest_id)"
        " VALUES (1, 'azure', 'E3', 'replica', %s)",
        INGEST,
    )
    _step(scene, "replicas", "bag_register@here:1", "registered")
    scene.sql("UPDATE ingests SET status = 'succeeded', finished_at = now()")


def _step(scene: Scene, table: str, worker: str, state: str) -> None:
    scene.as_worker(worker)
    scene.sql(f"UPDATE {table} SET claimed_by = %s, fence = fence + 1, lease_until = now() + interval '1 min'", worker)
    scene.sql(f"UPDATE {table} SET claimed_by = NULL, lease_until = NULL, state = %s", state)


def _proof(scene: Scene, path: str, digest: str, *, outcome: str = "match", measured: str | None = None) -> None:
    scene.sql(
        "INSERT INTO evidence (bag_version_id, location_id, ingest_id, segment_id, path, key, outcome, evidence_class,"
        " expected, measured, bytes, etag, started_at, microseconds, worker, build, attempt)"
        " VALUES (1, 'azure', %s, 1, %s, %s, %s, 'E3', %s, %s, 1, %s, now(), 1, 'w', 'b', 1)",
        INGEST,
        path,
        ROOT + path,
        outcome,
        Jsonb({"sha256": digest}),
        Jsonb({"sha256": measured or digest}),
        digest,
    )


def test_nothing_is_said_about_a_good_copy(scene: Scene) -> None:
    assert scene.found == []


def _flip(scene: Scene) -> None:
    scene.azure.objects[ROOT + "data/a"] = b"firsT"


def _other_bag(scene: Scene) -> None:
    """Another valid bag, proven and all, in the place of the one that was registered."""
    tags = {"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"}
    tags["manifest-sha256.txt"] = manifest({"data/a": b"firsT"} | {p: d for p, d in PAYLOAD.items() if p != "data/a"})
    _flip(scene)
    for path, data in (tags | {"tagmanifest-sha256.txt": manifest(tags)}).items():
        scene.azure.objects[ROOT + path] = data
    for path in bag():
        stored = path.replace("dot.", "dot^2E")
        _proof(scene, path, sha256(scene.azure.objects[ROOT + stored]))


def _written(what: str, by: str) -> Callable[[Scene], None]:
    return lambda scene: scene.azure.asked(what, ROOT + "data/new", by)


BROKEN: list[tuple[str, Callable[[Scene], object], set[str]]] = [
    ("a byte is wrong", _flip, {"S1"}),
    ("a file is missing", lambda s: s.azure.objects.pop(ROOT + "data/a"), {"S2"}),
    ("a file too much", lambda s: s.azure.objects.update({ROOT + "data/more": b""}), {"S2"}),
    ("another bag", _other_bag, {"S3"}),
    ("a file was never read back", lambda s: s.unguarded("DELETE FROM evidence WHERE path = 'data/a'"), {"S1", "S4"}),
    ("evidence contradicts itself", lambda s: _proof(s, "data/a", sha256(b"first"), measured="0"), {"S1"}),
    ("a mismatch is passed over", lambda s: _proof(s, "data/a", "0", outcome="mismatch"), {"S14"}),
    ("a segment is not verified", lambda s: s.unguarded("UPDATE segments SET state = 'verifying'"), {"S4", "L4"}),
    ("success without a record", lambda s: s.unguarded("DELETE FROM bag_locations WHERE role = 'replica'"), {"S4"}),
    (
        "a record without success",
        lambda s: s.unguarded("UPDATE ingests SET status = 'failed', finished_at = now()"),
        {"S4"},
    ),
    (
        "an ingest rises again",
        lambda s: (
            s.sql("ALTER TABLE ingests DISABLE TRIGGER ingests_are_final"),
            s.sql("UPDATE ingests SET status = 'failed'"),
            s.sql("UPDATE ingests SET status = 'succeeded'"),
        ),
        {"S6"},
    ),
    (
        "history is rewritten",
        lambda s: (
            s.sql("ALTER TABLE evidence DISABLE TRIGGER evidence_only_grows"),
            s.sql("UPDATE evidence SET reason = 'x' WHERE path = 'data/a'"),
        ),
        {"S6"},
    ),
    ("an object is replaced", _written("replace", COPIER), {"S5"}),
    ("an object is deleted", _written("delete", COPIER), {"S5"}),
    ("an object is created twice", lambda s: s.azure.asked("create", ROOT + "data/a"), {"S5"}),
    ("the verifier writes", _written("create", "verifier@here:1"), {"S11"}),
    ("a stranger writes", _written("create", "backfill_replicator@here:9"), {"S9"}),
    ("the source is written", lambda s: s.cold.asked("create", ROOT + "data/new"), {"S15"}),
    ("a needless restore", lambda s: s.cold.asked("restore", ROOT + "data/a", needless=True), {"E2"}),
    (
        "an import hangs",
        lambda s: s.sql("INSERT INTO imports (location_id, state) VALUES ('cold', 'walking')"),
        {"L1"},
    ),
    ("a hint is not sent", lambda s: s.sql("INSERT INTO outbox (queue, body) VALUES ('q', '{}')"), {"L2"}),
    (
        "hints breed",
        lambda s: s.sql("INSERT INTO outbox (queue, body) SELECT 'q', '{}' FROM generate_series(1, 4)"),
        {"L2", "L3"},
    ),
    (
        "a callback is forgotten",
        lambda s: s.sql("INSERT INTO callbacks (ingest_id, url, state) VALUES (%s, 'https://a', 'waiting')", INGEST),
        {"L2"},
    ),
]


@pytest.mark.parametrize(("broken", "expected"), [pytest.param(b, e, id=name) for name, b, e in BROKEN])
def test_each_fault_is_found(scene: Scene, broken: Callable[[Scene], object], expected: set[str]) -> None:
    broken(scene)

    assert set(scene.found) == expected


def test_a_change_by_one_who_does_not_hold_the_row_is_found(scene: Scene) -> None:
    _another_segment(scene, "copying")
    scene.sql(
        "UPDATE segments SET claimed_by = %s, fence = 2, lease_until = now() + interval '1 min' WHERE id = 2", COPIER
    )
    scene.as_worker("backfill_replicator@here:2")
    scene.sql("UPDATE segments SET state = 'verifying' WHERE id = 2")

    assert "S8" in scene.found


def test_a_row_taken_from_its_holder_is_found(scene: Scene) -> None:
    _another_segment(scene, "copying")
    for worker in (COPIER, "backfill_replicator@here:2"):
        scene.sql(
            "UPDATE segments SET claimed_by = %s, fence = fence + 1, lease_until = now() + interval '1 min'"
            " WHERE id = 2",
            worker,
        )

    assert "S8" in scene.found


def test_a_watch_looks_only_at_what_is_new(scene: Scene) -> None:
    watch = Watch(scene.ledger, {"cold": scene.cold, "azure": scene.azure})
    assert watch.look() == []
    scene.azure.asked("delete", ROOT + "data/a")

    first, second = watch.look(), watch.look()

    assert [fault.invariant for fault in first] == ["S5"]
    assert second == []


def _another_segment(scene: Scene, state: str) -> None:
    scene.sql(
        "INSERT INTO segments (replica_id, ingest_id, number, state, files, file_count, bytes)"
        " VALUES (1, %s, 2, %s, '[]', 1, 1)",
        INGEST,
        state,
    )
