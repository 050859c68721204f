"""Puts the verifier together. The only place here that knows adapters."""

from __future__ import annotations

from common.assembly import courier_opener, open_stores
from common.runtime.process import prepare, run_worker
from common.runtime.settings import read_settings
from common.topology import VERIFYING
from verifier.settings import Settings
from verifier.step import Verify

SERVICE = "verifier"


def run() -> None:
    """Run the service until SIGTERM."""
    settings = read_settings(Settings)
    engine = prepare(SERVICE, settings, pool_size=settings.concurrency + 3)
    stores = open_stores(settings, engine)
    steps = {VERIFYING: Verify(stores=stores, concurrency=settings.files_at_once)}
    run_worker(SERVICE, settings, steps=steps, engine=engine, open_courier=courier_opener(settings))
