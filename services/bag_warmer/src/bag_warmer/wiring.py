"""Puts the bag warmer together. The only place here that knows adapters."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import Engine

from bag_warmer.records import LedgerRecords
from bag_warmer.settings import Settings
from bag_warmer.step import Plan
from bag_warmer.tag_files import ThawTagFiles
from bag_warmer.thawing import ThawSegment
from bag_warmer.wishes import Wish
from common.adapters.objects.configuration import LocationConfig
from common.assembly import ConfiguredStores, courier_opener, open_stores
from common.checking import Duties
from common.checking import check as probe
from common.pools import Pools
from common.probing.stores import can_list, can_read, can_thaw
from common.runtime.process import prepare, run_worker
from common.runtime.settings import read_settings
from common.runtime.worker import Step
from common.topology import PLANNING, TAG_THAWING, THAWING, Stage

SERVICE = "bag_warmer"
DUTIES = Duties(at_sources=(can_list, can_read, can_thaw), at_destinations=(can_list,))


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
    warming = settings.warming({one: wish_of(config, settings.wish) for one, config in stores.configs.items()})
    return {
        PLANNING: Plan(stores=stores, records=LedgerRecords(engine), warming=warming, names=stores.names, pools=pools),
        THAWING: ThawSegment(stores=stores, warming=warming, pools=pools),
        TAG_THAWING: ThawTagFiles(stores=stores, warming=warming, pools=pools),
    }


def wish_of(config: LocationConfig, wish: Wish) -> Wish:
    """The archive's wish as the location's own settings change it."""
    own = config.thawing
    return replace(wish, tiers={str(name): tier for name, tier in own.tiers.items()}, without_capacity=own.other_tier)
