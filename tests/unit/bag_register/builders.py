"""A register over stores in memory, and small real bags to put there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Engine, select

from backfill_client.trust import trusted
from bag_register.api import make_app
from bag_register.file_lists import FileLists
from bag_register.importing import Pace
from bag_register.previewing import Previewing
from bag_register.sealing import Sealer
from bag_register.surroundings import Surroundings
from bag_register.tag_files import Bounds
from bag_register.wiring import make_steps
from bag_warmer.tag_files import ThawTagFiles
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.memory import MemoryBucket, open_store
from common.assembly import ConfiguredStores
from common.domain.bag import BagVersion
from common.domain.location import LocationId, Provider
from common.ledger import importing
from common.ledger.beginning import begin
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.importing import ImportProblem, ImportRecord, ImportWish
from common.ledger.locations import announce
from common.ledger.settling import settle
from common.ports import ObjectInfo
from common.thawing.prices import read_prices
from common.thawing.pricing import Pricing
from common.topology import IMPORTING, TAG_THAWING, Stage
from common.web.auth import Guard, everyone
from common.web.serving import HttpServer

PATIENCE = Patience()
ALONE = Pace(bags=4, batch=2, parts=1)
"""One worker walks everything, and registers two bags at a time."""


class FreeHold:
    """A hold that nobody takes away; `steps` checkpoints pass before `interrupt` is raised."""

    def __init__(self, *, steps: int | None = None, interrupt: BaseException | None = None) -> None:
        self._left = steps
        self._interrupt = interrupt

    def checkpoint(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0 and self._interrupt:
                raise self._interrupt

    def remember(self, **notes: Any) -> None:
        """Nothing is noted outside of the bags' own transactions."""


class Register:
    """Everything of one register: ledger, stores, records, steps."""

    def __init__(self, engine: Engine, configs: list[LocationConfig] | None = None) -> None:
        self.engine = engine
        given = configs or [in_memory("cold"), in_memory("azure", prefix="bags/")]
        self.stores = ConfiguredStores({config.id: config for config in given})
        store = open_store(in_memory("records"))
        self.records = store.bucket
        self.lists = FileLists(store=store, prefix="register/")
        steps = make_steps(engine=engine, stores=self.stores, lists=self.lists, pace=ALONE)
        thawing = ThawTagFiles(stores=self.stores, warming=Warming(wish=Wish(days=30)))
        self.steps: dict[Stage, Any] = {**steps, TAG_THAWING: thawing}
        with transaction(engine) as connection:
            for config in given:
                announce(connection, config.location)

    def previewing(self, bags: int = 100) -> Previewing:
        """What dry runs look and price with, as if every location were in us-east-1."""
        places = {location: config.location for location, config in self.stores.configs.items()}
        pricing = Pricing(book=read_prices(), regions=dict.fromkeys(places, "us-east-1"))
        return Previewing(self.stores, places, pricing, Bounds(bags=bags))

    def bucket(self, location: str) -> MemoryBucket:
        """What lies at a location in memory."""
        return open_store(self.stores.configs[LocationId(location)]).bucket

    def put(self, bag: BagVersion, files: Mapping[str, bytes], *, at: str = "cold", cold: bool = False) -> None:
        """Lay the files of a bag into a location in memory; `cold`: the payload is frozen."""
        root = self.stores.configs[LocationId(at)].location.root(bag)
        for path, body in files.items():
            frozen = cold and path.startswith("data/")
            info = ObjectInfo(key=root + path, size=0, etag="", storage_class="DEEP_ARCHIVE" if frozen else None)
            self.bucket(at).put(info, body)

    def start_import(self, location: str = "cold", prefix: str = "", **wish: Any) -> int:
        with transaction(self.engine) as connection:
            record, _ = importing.request_import(connection, ImportWish(location, prefix, **wish))
        return record.id

    def thawed(self, location: str) -> None:
        """Let a week pass at the store."""
        later = datetime.now(UTC) + timedelta(days=7)
        self.bucket(location).clock = lambda: later

    def work(self, import_id: int, hold: FreeHold | None = None, *, stage: Stage = IMPORTING) -> None:
        """One attempt at an import, as the worker makes it."""
        with transaction(self.engine) as connection:
            begun = begin(connection, stage=stage, row_id=import_id, worker="w", patience=PATIENCE)
        assert begun is not None
        outcome = self.steps[stage](begun.job(hold=hold or FreeHold(), build="test"))
        with transaction(self.engine) as connection:
            settle(connection, begun.claim, outcome, patience=PATIENCE, build="test")

    def adopt(self, location: str = "cold", prefix: str = "", **wish: Any) -> tuple[ImportRecord, list[ImportProblem]]:
        """Import to the end."""
        import_id = self.start_import(location, prefix, **wish)
        self.work(import_id)
        return self.imported(import_id)

    def imported(self, import_id: int) -> tuple[ImportRecord, list[ImportProblem]]:
        with transaction(self.engine) as connection:
            record = importing.find_import(connection, import_id)
            problems = importing.problems_of(connection, import_id, after=0, limit=1000)
        assert record is not None
        return record, [problem for _, problem in problems]

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with transaction(self.engine) as connection:
            return [dict(row._mapping) for row in connection.execute(select(table).order_by(*table.primary_key))]

    @contextmanager
    def serving(self, guard: Guard | None = None, **more: Any) -> Iterator[httpx.Client]:
        """The HTTP API behind a real server; nobody is asked who they are unless a guard is given."""
        importable = frozenset(self.stores.configs)
        around = Surroundings(
            engine=self.engine,
            lists=self.lists,
            importable=importable,
            previewing=self.previewing(),
            guard=guard or everyone(),
            sealer=Sealer(engine=self.engine, store=open_store(in_memory("checkpoints"))),
            **more,
        )
        with (
            HttpServer(make_app(around), host="127.0.0.1", port=0) as server,
            httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30, verify=trusted()) as client,
        ):
            yield client


def in_memory(name: str, prefix: str = "") -> LocationConfig:
    """A location in memory that no other test knows."""
    bucket = f"{name}-{uuid4().hex[:8]}"
    return LocationConfig(id=LocationId(name), provider=Provider.MEMORY, bucket=bucket, prefix=prefix)


def counts(record: ImportRecord) -> tuple[int, int, int]:
    return record.registered, record.known, record.refused


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def a_bag(
    payload: Mapping[str, bytes],
    *,
    fetch: Mapping[str, tuple[str, bytes]] | None = None,
    info: str | None = None,
    identifier: str = "b1",
    lengths: bool = True,
) -> dict[str, bytes]:
    """A valid bag. `payload` by path below data/; `fetch` by path below data/: URL and bytes that lie there."""
    elsewhere = fetch or {}
    files = {f"data/{path}": body for path, body in payload.items()}
    whole = files | {f"data/{path}": body for path, (_, body) in elsewhere.items()}
    octets = sum(map(len, whole.values()))
    fields = f"External-Identifier: {identifier}\nPayload-Oxum: {octets}.{len(whole)}\nBagging-Date: 2019-08-15\n"
    tags = {
        "bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        "bag-info.txt": (fields if info is None else info).encode(),
        "manifest-sha256.txt": "".join(f"{sha(body)}  {path}\n" for path, body in sorted(whole.items())).encode(),
    }
    if elsewhere:
        lines = (f"{url} {len(body) if lengths else '-'} data/{path}\n" for path, (url, body) in elsewhere.items())
        tags["fetch.txt"] = "".join(lines).encode()
    listed = "".join(f"{sha(body)}  {path}\n" for path, body in sorted(tags.items()))
    return files | tags | {"tagmanifest-sha256.txt": listed.encode()}
