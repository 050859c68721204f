"""Puts the backfill replicator together. The only place here that knows adapters."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from backfill_replicator.settings import Settings
from backfill_replicator.step import Copiers, Replicate, no_copier
from backfill_replicator.sweeping import Sweep
from common.assembly import courier_opener, open_stores
from common.checking import Duties
from common.checking import check as probe
from common.pools import Pools
from common.ports import Stores
from common.probing.stores import can_create, can_read, can_see_unfinished, can_upload
from common.runtime.process import prepare, run_worker
from common.runtime.settings import read_settings
from common.runtime.worker import Step
from common.topology import COPYING, Stage

SERVICE = "backfill_replicator"
DUTIES = Duties(at_sources=(can_read,), at_destinations=(can_create, can_upload, can_see_unfinished, can_read))


def run() -> None:
    """Run the service until SIGTERM."""
    settings = read_settings(Settings)
    engine = prepare(SERVICE, settings, pool_size=settings.concurrency + 3)
    stores = open_stores(settings, engine)
    steps = make_steps(settings=settings, stores=stores, copier=stores.copier)
    run_worker(
        SERVICE,
        settings,
        steps=steps,
        engine=engine,
        open_courier=courier_opener(settings),
        chores={"uploads": make_sweep(settings=settings, stores=stores, engine=engine)},
    )


def check(words: Sequence[str]) -> int:
    """Probe what the service needs; its exit status."""
    return probe(SERVICE, read_settings(Settings), DUTIES, words)


def make_sweep(*, settings: Settings, stores: Stores, engine: Engine) -> Sweep:
    """The look at unfinished uploads."""
    return Sweep(
        engine=engine,
        stores=stores,
        every=settings.look_for_uploads_every,
        abort_after=settings.abort_uploads_after,
    )


def make_steps(
    *, settings: Settings, stores: Stores, pools: Pools = ThreadPoolExecutor, copier: Copiers = no_copier
) -> dict[Stage, Step]:
    """The steps of this service by stage."""
    step = Replicate(stores=stores, concurrency=settings.files_at_once, pools=pools, copier=copier)
    return {COPYING: step}
