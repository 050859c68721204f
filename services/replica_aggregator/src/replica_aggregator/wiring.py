"""Puts the replica aggregator together. The only place here that knows adapters."""

from __future__ import annotations

from common.assembly import courier_opener, open_stores
from common.runtime.process import prepare, run_worker
from common.runtime.settings import read_settings
from common.topology import AGGREGATING
from replica_aggregator.records import LedgerRecords
from replica_aggregator.settings import Settings
from replica_aggregator.step import Aggregate

SERVICE = "replica_aggregator"


def run() -> None:
    """Run the service until SIGTERM."""
    settings = read_settings(Settings)
    engine = prepare(SERVICE, settings, pool_size=settings.concurrency + 3)
    stores = open_stores(settings, engine)
    steps = {AGGREGATING: Aggregate(stores=stores, records=LedgerRecords(engine))}
    run_worker(SERVICE, settings, steps=steps, engine=engine, open_courier=courier_opener(settings))
