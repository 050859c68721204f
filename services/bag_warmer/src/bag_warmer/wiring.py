"""Puts the bag warmer together. The only place here that knows adapters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sqlalchemy import Engine

from bag_warmer import subscribing
from bag_warmer.admissions import House, LedgerGate, Prolonging
from bag_warmer.batches import LedgerRequests, Send
from bag_warmer.billing import Billing
from bag_warmer.listening import Forget, Listener
from bag_warmer.records import LedgerRecords
from bag_warmer.settings import Settings
from bag_warmer.step import Plan
from bag_warmer.tag_files import ThawTagFiles
from bag_warmer.thawing import ThawSegment
from bag_warmer.wishes import Wish
from common.adapters.objects.configuration import LocationConfig, read_locations
from common.adapters.objects.registry import open_batches, open_restore_queue, open_subscriptions
from common.assembly import ConfiguredStores, courier_opener, open_stores
from common.checking import Duties
from common.checking import check as probe
from common.domain.location import LocationId
from common.errors import ConfigurationError, StoreError, TransientError
from common.ledger.thawing.admitting import Terms
from common.pools import Pools
from common.probing.stores import can_list, can_read, can_thaw
from common.runtime.process import prepare, run_worker
from common.runtime.settings import read_settings
from common.runtime.worker import Step
from common.thawing.prices import read_prices
from common.topology import PLANNING, TAG_THAWING, THAWING, Stage

SERVICE = "bag_warmer"
DUTIES = Duties(at_sources=(can_list, can_read, can_thaw), at_destinations=(can_list,))


def run() -> None:
    """Run the service until SIGTERM."""
    settings = read_settings(Settings)
    engine = prepare(SERVICE, settings, pool_size=settings.concurrency + 4)
    stores = open_stores(settings, engine)
    steps = make_steps(settings=settings, engine=engine, stores=stores)
    for listener in make_listeners(settings=settings, engine=engine, configs=stores.configs):
        # It ends with the process: what it has not finished with then comes again.
        threading.Thread(target=listener.listen, args=[threading.Event()], name=listener.name, daemon=True).start()
    run_worker(
        SERVICE,
        settings,
        steps=steps,
        engine=engine,
        open_courier=courier_opener(settings),
        chores={
            "restores": Forget(engine),
            **make_batch_chores(settings=settings, engine=engine, stores=stores),
            "extensions": make_prolonging(settings=settings, engine=engine, stores=stores),
        },
    )


def check(words: Sequence[str]) -> int:
    """Probe what the service needs; its exit status."""
    return probe(SERVICE, read_settings(Settings), DUTIES, words)


def change_subscription(command: str, words: Sequence[str]) -> int:
    """Have a location's bucket tell of restores, or stop telling; the exit status."""
    told = subscribing.parser(command).parse_args(words)
    configs, location = read_locations(told.locations), LocationId(told.location)
    if location not in configs:
        known = ", ".join(map(str, configs))
        raise ConfigurationError(f"location {location} is not in {told.locations}. Choose from: {known}.")
    try:
        return subscribing.carry_out(command, told, open_subscriptions(configs[location]))
    except (StoreError, TransientError) as error:
        raise ConfigurationError(f"{location}: {error}. {error.remedy}") from None


def make_listeners(
    *, settings: Settings, engine: Engine, configs: Mapping[LocationId, LocationConfig]
) -> list[Listener]:
    """One for each queue that locations name; several may share one."""
    buckets = frozenset(config.bucket for config in configs.values())
    queues = {config.thawing.events_queue: open_restore_queue(config) for config in configs.values()}
    return [
        Listener(engine=engine, queue=queue, name=url, buckets=buckets, patience=settings.patience)
        for url, queue in queues.items()
        if url and queue
    ]


def make_batch_chores(*, settings: Settings, engine: Engine, stores: ConfiguredStores) -> dict[str, Callable[[], None]]:
    """By name: one for each location whose restores may go in batches. Raises ConfigurationError for bad prices."""
    billing = _billing(settings, stores)
    return {
        f"batches of {location}": Send(
            engine, location.value, store, own.threshold, own.gather, billing, settings.patience
        )
        for location, config in stores.configs.items()
        if (own := config.thawing.batch) and (store := open_batches(config))
    }


def make_steps(
    *, settings: Settings, engine: Engine, stores: ConfiguredStores, pools: Pools = ThreadPoolExecutor
) -> dict[Stage, Step]:
    """The steps of this service by stage. Raises ConfigurationError for a price book that is none."""
    gate = LedgerGate(engine, make_house(settings=settings, stores=stores))
    batched = frozenset(one for one, config in stores.configs.items() if config.thawing.batch)
    warming = settings.warming({one: wish_of(config, settings.wish) for one, config in stores.configs.items()}, batched)
    return {
        TAG_THAWING: ThawTagFiles(stores=stores, warming=warming, gate=gate, pools=pools),
        PLANNING: Plan(
            stores=stores, records=LedgerRecords(engine), warming=warming, names=stores.names, gate=gate, pools=pools
        ),
        THAWING: ThawSegment(stores=stores, warming=warming, gate=gate, pools=pools, requests=LedgerRequests(engine)),
    }


def make_house(*, settings: Settings, stores: ConfiguredStores) -> House:
    """Budgets, regions and prices. Raises ConfigurationError."""
    return House(billing=_billing(settings, stores), terms=_terms(settings, stores))


def _billing(settings: Settings, stores: ConfiguredStores) -> Billing:
    regions = {location: config.region for location, config in stores.configs.items()}
    return Billing(read_prices(settings.prices), regions)


def make_prolonging(*, settings: Settings, engine: Engine, stores: ConfiguredStores) -> Prolonging:
    """The look at copies that expire before they are copied."""
    return Prolonging(engine, _terms(settings, stores), margin=settings.thaw_margin, patience=settings.patience)


def _terms(settings: Settings, stores: ConfiguredStores) -> dict[LocationId, Terms]:
    return {
        location: Terms(
            location.value, config.location.name, config.thaw_budget.budget, config.zone, settings.check_thaw_every
        )
        for location, config in stores.configs.items()
        if config.thaw_budget
    }


def wish_of(config: LocationConfig, wish: Wish) -> Wish:
    """The archive's wish as the location's own settings change it."""
    own = config.thawing
    return replace(wish, tiers={str(name): tier for name, tier in own.tiers.items()}, without_capacity=own.other_tier)
