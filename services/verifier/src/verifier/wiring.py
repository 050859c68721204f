"""Puts the verifier together. The only place here that knows adapters."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from common.assembly import ConfiguredStores, courier_opener, open_stores
from common.checking import Duties
from common.checking import check as probe
from common.pools import Pools
from common.probing.stores import can_read, cannot_write
from common.runtime.process import prepare, run_worker
from common.runtime.settings import read_settings
from common.runtime.worker import Step
from common.topology import REREADING, VERIFYING, Stage
from verifier.records import LedgerRecords
from verifier.rereading import Reread
from verifier.settings import Settings
from verifier.step import Verify

SERVICE = "verifier"
DUTIES = Duties(at_destinations=(can_read, cannot_write))


def run() -> None:
    """Run the service until SIGTERM."""
    settings = read_settings(Settings)
    engine = prepare(SERVICE, settings, pool_size=settings.concurrency + 3)
    stores = open_stores(settings, engine)
    steps = make_steps(settings=settings, engine=engine, stores=stores)
    run_worker(SERVICE, settings, steps=steps, engine=engine, open_courier=courier_opener(settings))


def check(words: Sequence[str]) -> int:
    """Probe what the service needs; its exit status."""
    return probe(SERVICE, read_settings(Settings), DUTIES, words)


def make_steps(
    *, settings: Settings, engine: Engine, stores: ConfiguredStores, pools: Pools = ThreadPoolExecutor
) -> dict[Stage, Step]:
    """The steps of this service by stage."""
    at_once = settings.files_at_once
    reread = Reread(stores=stores, records=LedgerRecords(engine), names=stores.names, concurrency=at_once, pools=pools)
    return {VERIFYING: Verify(stores=stores, concurrency=at_once, pools=pools), REREADING: reread}
