"""The whole pipeline inside the test's process: real ledger, broker and stores, every service's real steps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import Engine

import backfill_replicator.settings
import backfill_replicator.wiring
import bag_register.api
import bag_register.surroundings
import bag_register.wiring
import bag_warmer.settings
import bag_warmer.wiring
import replica_aggregator.wiring
import verifier.settings
import verifier.wiring
from common.assembly import ConfiguredStores, courier_opener, open_stores
from common.domain.location import LocationId
from common.ledger.engine import open_engine
from common.runtime.housekeeping import Relay, reap_once
from common.runtime.leases import Leases, every
from common.runtime.settings import WorkerSettings
from common.runtime.worker import Identity, Step, Worker
from common.topology import Stage, queues_of
from common.web.auth import everyone
from common.web.serving import HttpServer
from ingests_api.api import make_app
from ingests_api.choosing import Offer
from ingests_api.surroundings import Surroundings


@dataclass(frozen=True)
class Pipeline:
    """A running pipeline."""

    engine: Engine
    ingests: httpx.Client
    register: httpx.Client

    def import_bags(self, location: str) -> dict[str, Any]:
        started = self.register.post("/imports", json={"location": {"id": location}}).raise_for_status()
        return self._until(self.register, started.headers["Location"], lambda found: found["state"] != "walking")

    def backfill(self, space: str, name: str, version: int, *, to: str) -> str:
        body = {
            "ingestType": {"id": "backfill"},
            "space": {"id": space},
            "bag": {"info": {"externalIdentifier": name, "version": f"v{version}"}},
            "destination": {"id": to},
        }
        return str(self.ingests.post("/ingests", json=body).raise_for_status().json()["id"])

    def until(self, ingest_id: str, done: Callable[[dict[str, Any]], bool], *, seconds: float = 60) -> dict[str, Any]:
        """The ingest as it is when `done` holds for it first."""
        return self._until(self.ingests, f"/ingests/{ingest_id}", done, seconds=seconds)

    def ended(self, ingest_id: str, *, seconds: float = 60) -> dict[str, Any]:
        return self.until(ingest_id, lambda found: found["status"]["id"] in ("succeeded", "failed"), seconds=seconds)

    def _until(self, client: httpx.Client, url: str, done: Any, *, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = client.get(url).raise_for_status().json()
            if done(found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)


@contextmanager
def pipeline(
    *,
    database: str,
    broker: str,
    locations: Path,
    records: Path,
    check_thaw_every: timedelta = timedelta(milliseconds=200),
) -> Iterator[Pipeline]:
    """Every service but its process: workers in threads, both APIs on real sockets."""
    common: dict[str, Any] = {
        "database_url": database,
        "broker_url": broker,
        "locations": locations,
        "back_off": timedelta(milliseconds=200),
        "hint_again": timedelta(seconds=5),
    }
    settings = WorkerSettings(**common)
    engine = open_engine(database, name="pipeline", pool_size=30)
    stores = open_stores(settings, engine)
    lists = bag_register.wiring.open_file_lists(str(records), stores)
    warmer = bag_warmer.settings.Settings(**common, check_thaw_every=check_thaw_every, thaw_days=14, segment_files=5)
    steps: dict[str, dict[Stage, Step]] = {
        "bag_warmer": bag_warmer.wiring.make_steps(settings=warmer, engine=engine, stores=stores),
        "backfill_replicator": backfill_replicator.wiring.make_steps(
            settings=backfill_replicator.settings.Settings(**common), stores=stores, copier=stores.copier
        ),
        "verifier": verifier.wiring.make_steps(
            settings=verifier.settings.Settings(**common), engine=engine, stores=stores
        ),
        "replica_aggregator": replica_aggregator.wiring.make_steps(engine=engine, stores=stores),
        "bag_register": bag_register.wiring.make_steps(engine=engine, stores=stores, lists=lists),
    }
    stopping, ended = threading.Event(), threading.Event()
    relay = Relay(engine=engine, open_courier=courier_opener(settings), random=Random(1), idle=0.2)
    relay.start()
    leases = Leases(engine=engine, lease=settings.lease, stopping=stopping)
    every(0.3, lambda: reap_once(engine=engine, patience=settings.patience, relay=relay), until=ended, name="reaper")
    threads = [
        threading.Thread(
            target=_worker(name, step, engine, settings, relay, leases, stopping).run,
            kwargs={"stop_within": timedelta(seconds=5)},
            daemon=True,
        )
        for name, step in steps.items()
    ]
    for listener in bag_warmer.wiring.make_listeners(settings=warmer, engine=engine, configs=stores.configs):
        # Not waited for at the end: it may have just begun to wait for a message.
        threading.Thread(target=listener.listen, args=[stopping], daemon=True).start()
    for thread in threads:
        thread.start()
    try:
        with _apis(engine, stores, lists) as (ingests, register):
            yield Pipeline(engine, ingests, register)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(10)
        ended.set()
        relay.stop(timeout=5)
        engine.dispose()


def _worker(
    name: str,
    steps: dict[Stage, Step],
    engine: Engine,
    settings: WorkerSettings,
    relay: Relay,
    leases: Leases,
    stopping: threading.Event,
) -> Worker:
    return Worker(
        engine=engine,
        open_courier=courier_opener(settings),
        queues=queues_of(name),
        steps=steps,
        identity=Identity(worker=f"{name}@test:1", build=f"{name} test"),
        patience=settings.patience,
        relay=relay,
        leases=leases,
        stopping=stopping,
        concurrency=2,
        random=Random(2),
    )


@contextmanager
def _apis(engine: Engine, stores: ConfiguredStores, lists: Any) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    known = {location: config.location for location, config in stores.configs.items()}
    ingests = make_app(
        Surroundings(
            engine=engine,
            offer=Offer(locations=known, writable=frozenset({LocationId("replica")})),
            new_id=uuid4,
            guard=everyone(),
            wake_relay=lambda: None,
        )
    )
    register = bag_register.api.make_app(
        bag_register.surroundings.Surroundings(
            engine=engine, lists=lists, importable=frozenset(known), guard=everyone()
        )
    )
    with (
        HttpServer(ingests, host="127.0.0.1", port=0) as first,
        HttpServer(register, host="127.0.0.1", port=0) as second,
        httpx.Client(base_url=f"http://127.0.0.1:{first.port}", timeout=30) as to_ingests,
        httpx.Client(base_url=f"http://127.0.0.1:{second.port}", timeout=30) as to_register,
    ):
        yield to_ingests, to_register
