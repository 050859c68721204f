"""What readers of the how-tos have before them: a register with bags; ingests, campaigns and clients of their own."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from urllib.parse import quote_plus

import httpx
from sqlalchemy import Engine, insert, literal, select, update

from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.ledger.asking_tables import callbacks
from common.ledger.dead_letter_tables import dead_letters
from common.ledger.engine import transaction
from common.ledger.tables import NOW, bag_locations, bag_versions, imports
from common.ports import ObjectInfo
from unit.bag_register.builders import Register, a_bag
from unit.common.ledger.campaigns.builders import end, prepared
from unit.ingests_api.builders import fail, wish

NAMED = ("b10000001", "b10000004", "b12345")
"""Bags that pages speak of; the last one has a copy."""
_OWN = ("running", "failed", "stuck", "called", "ended")
_INVENTORY = "archive/daily/2026-06-01T01-00Z"
_HOOK = {"callback": {"type": "Callback", "url": "https://repository.example.org/hooks/called"}}


def a_register(register: Register, readers: list[str], http: httpx.Client) -> None:
    """Bags for all readers, an inventory of them, and another register's manifest of one."""
    own = [f"{reader}-{name}" for reader in readers for name in _OWN]
    for name in (*NAMED, *own):
        register.put(BagVersion.of("digitised", name, 1), a_bag({"a.txt": b"hello"}, identifier=name))
    register.adopt()
    _inventory(register)
    document = http.get("/bags/digitised/b10000001").raise_for_status().content
    register.bucket("exports").put(ObjectInfo(key="manifests/b10000001.json", size=0, etag=""), document)
    copied = select(bag_versions.c.id, literal("azure"), literal("E3"), literal("replica")).where(
        bag_versions.c.external_identifier == "b12345"
    )
    columns = ["bag_version_id", "location_id", "evidence_class", "role"]
    with transaction(register.engine) as connection:
        connection.execute(insert(bag_locations).from_select(columns, copied))


def _inventory(register: Register) -> None:
    """Of everything that lies at "cold"."""
    bucket = register.stores.configs[LocationId("cold")].bucket
    lines = [
        f'"{bucket}","{quote_plus(info.key)}","{info.size}","{info.etag}"'
        for info in register.stores(LocationId("cold")).list(prefix="")
    ]
    data = gzip.compress("\n".join(lines).encode())
    file = {"key": f"{_INVENTORY}/1.csv.gz", "size": len(data), "MD5checksum": hashlib.md5(data).hexdigest()}
    manifest = {"sourceBucket": bucket, "fileFormat": "CSV", "fileSchema": "Bucket, Key, Size, ETag", "files": [file]}
    for key, content in ((file["key"], data), (f"{_INVENTORY}/manifest.json", json.dumps(manifest).encode())):
        register.bucket("inventories").put(ObjectInfo(key=str(key), size=0, etag=""), content)


def a_reader(name: str, *, register: Register, http: httpx.Client, folder: Path) -> dict[str, str]:
    """The variables that stand for a reader's own things in the pages; every campaign there is comes to its end."""
    engine = register.engine

    def made(path: str, document: object) -> str:
        return str(http.post(path, json=document).raise_for_status().json()["id"])

    ended = made("/backfills", {"destination": {"id": "azure"}, "selection": {"bags": [f"digitised/{name}-ended"]}})
    prepared(engine)
    end(engine, f"{name}-ended", "failed")
    prepared(engine)
    failed, called = made("/ingests", wish(f"{name}-failed")), made("/ingests", wish(f"{name}-called", **_HOOK))
    for one in (failed, called):
        fail(engine, one)
    _told_in_vain(engine)
    letters = _letters(engine)
    (imported, *_) = register.rows(imports)
    client = {"name": name, "scopes": ["bags:read"]}
    reader = http.post("/clients", json=client).raise_for_status().json()
    key = http.post("/clients", json=client | {"kind": "key"}).raise_for_status().json()
    return {
        "INGEST": made("/ingests", wish(f"{name}-running")),
        "STUCK": made("/ingests", wish(f"{name}-stuck")),
        "FAILED": failed,
        "CALLED": called,
        "ENDED": ended,
        "IMPORT": str(imported["id"]),
        "LETTER": letters[0],
        "OTHER_LETTER": letters[1],
        "CLIENT_ID": reader["id"],
        "CLIENT_SECRET": reader["secret"],
        "KEY": key["secret"],
        "LOST_ID": made("/clients", client),
        "FOLDER": str(folder),
    }


def a_campaign(http: httpx.Client) -> str:
    """One that has not begun."""
    wanted = {"destination": {"id": "azure"}, "selection": {"bags": ["digitised/b12345"]}}
    return str(http.post("/backfills", json=wanted).raise_for_status().json()["id"])


def _told_in_vain(engine: Engine) -> None:
    """As the sender leaves callbacks that nobody took."""
    with transaction(engine) as connection:
        connection.execute(update(callbacks).values(state="failed", ended_at=NOW, due_at=None))


def _letters(engine: Engine) -> list[str]:
    letter = {
        "queue": "bag_warmer_planning_backfill",
        "code": "not_a_hint",
        "reason": "sent by a newer release",
        "attempts": 1,
        "body": '{"replica_id":1,"type":"ReplicaRequested"}',
    }
    with transaction(engine) as connection:
        ids = connection.execute(insert(dead_letters).returning(dead_letters.c.id), [letter, letter]).scalars()
        return [str(one) for one in ids]
