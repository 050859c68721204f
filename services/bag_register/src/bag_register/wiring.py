"""Puts the bag register together. The only place here that knows adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from bag_register.api import make_app
from bag_register.digest.delivering import Deliverer
from bag_register.digest.webhook import post_to
from bag_register.document_copies import DocumentCopies
from bag_register.file_lists import FileLists
from bag_register.fixity import keep_fixity
from bag_register.importing import Import, Pace
from bag_register.previewing import Previewing
from bag_register.records import LedgerRecords
from bag_register.sealing import Sealer, signing
from bag_register.settings import Settings
from bag_register.step import register
from bag_register.surroundings import Surroundings
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_links, open_store
from common.assembly import ConfiguredStores, courier_opener, open_stores
from common.checking import Configs, Duties, at_store
from common.checking import check as probe
from common.domain.location import LocationId, Provider
from common.errors import ConfigurationError
from common.ports import ObjectStore
from common.probing.findings import Finding
from common.probing.stores import can_create, can_list, can_read, can_upload
from common.runtime.process import prepare, run_worker
from common.runtime.settings import build, read_settings
from common.runtime.worker import Step
from common.thawing.prices import read_prices
from common.thawing.pricing import Pricing
from common.topology import IMPORTING, REGISTERING, Stage
from common.web.auth.configured import guard_for
from common.web.serving import HttpServer

SERVICE = "bag_register"
_CONNECTIONS_FOR_HTTP = 8


def run() -> None:
    """Run the worker and the HTTP API until SIGTERM."""
    settings = read_settings(Settings)
    engine = prepare(SERVICE, settings, pool_size=settings.concurrency + 3 + _CONNECTIONS_FOR_HTTP)
    stores = open_stores(settings, engine)
    lists = open_file_lists(settings.records, stores)
    sealer = open_sealer(settings, engine, stores)
    around = Surroundings(
        engine=engine,
        lists=lists,
        sealer=sealer,
        places={location.value: _public(config) for location, config in stores.configs.items()},
        importable=frozenset(stores.configs),
        previewing=make_previewing(settings, stores),
        guard=guard_for(settings, engine),
        metrics=settings.metrics,
        copies=open_copies(settings, stores, lists),
        public_url=settings.public_url,
        version=build(SERVICE).split()[-1],
    )
    with HttpServer(make_app(around), host=settings.http_host, port=settings.http_port):
        steps = make_steps(engine=engine, stores=stores, lists=lists)
        chores: dict[str, Callable[[], None]] = {
            "evidence": sealer.chore,
            "fixity": partial(keep_fixity, engine),
            "digest": open_deliverer(settings, engine, stores).chore,
        }
        run_worker(SERVICE, settings, steps=steps, engine=engine, open_courier=courier_opener(settings), chores=chores)


def check(words: Sequence[str]) -> int:
    """Probe what the service needs; its exit status."""
    settings = read_settings(Settings)
    duties = Duties(at_sources=(can_list, can_read), elsewhere=partial(_record_store, settings.records))
    return probe(SERVICE, settings, duties, words)


def _record_store(records: str, configs: Configs) -> Iterator[Finding]:
    """Where the file lists are kept has to take new ones, small and large, and give them back."""
    named = next((config for location, config in configs.items() if location.value == records), None)
    return at_store(named or _directory("BACKFILL_RECORDS", records, configs), (can_create, can_upload, can_read))


def make_steps(
    *, engine: Engine, stores: ConfiguredStores, lists: FileLists, pace: Pace | None = None
) -> dict[Stage, Step]:
    """The steps of this service by stage."""
    records = LedgerRecords(engine)
    return {REGISTERING: register, IMPORTING: Import(stores=stores, records=records, lists=lists, pace=pace)}


def make_previewing(settings: Settings, stores: ConfiguredStores) -> Previewing:
    """What dry runs of imports look and price with. Raises ConfigurationError for a price book that is none."""
    configs = stores.configs
    pricing = Pricing(
        book=read_prices(settings.prices),
        regions={location: config.region for location, config in configs.items()},
        budgets={one: config.thaw_budget.budget for one, config in configs.items() if config.thaw_budget},
        tier=settings.thaw_tier,
        days=settings.thaw_days,
    )
    places = {location: config.location for location, config in configs.items()}
    return Previewing(stores=stores, locations=places, pricing=pricing)


def open_file_lists(records: str, stores: ConfiguredStores) -> FileLists:
    """The record store: of a configured location, or a directory. Raises ConfigurationError."""
    store, prefix = _place("BACKFILL_RECORDS", records, stores)
    named = any(location.value == records for location in stores.configs)
    return FileLists(store=store, prefix=prefix, labels=named)


def open_copies(settings: Settings, stores: ConfiguredStores, lists: FileLists) -> DocumentCopies | None:
    """Where large documents can be read by URL; None where the record store makes none."""
    config = next((config for location, config in stores.configs.items() if location.value == settings.records), None)
    link = None if config is None else open_links(config)
    if link is None:
        return None
    return DocumentCopies(store=lists.store, prefix=lists.prefix, link=link, above=settings.redirect_above)


def open_sealer(settings: Settings, engine: Engine, stores: ConfiguredStores) -> Sealer:
    """What keeps the chain of evidence. Raises ConfigurationError."""
    store, prefix = _place("BACKFILL_EVIDENCE_CHECKPOINTS", settings.evidence_checkpoints, stores)
    sign, every = signing(settings.evidence_key), settings.checkpoint_every
    return Sealer(engine=engine, store=store, prefix=prefix, sign=sign, every=every)


def open_deliverer(settings: Settings, engine: Engine, stores: ConfiguredStores) -> Deliverer:
    """What writes the daily digest. Raises ConfigurationError."""
    store, prefix = _place("BACKFILL_DIGESTS", settings.digests, stores)
    url = settings.digest_webhook
    post = partial(post_to, url) if url else None
    return Deliverer(engine=engine, store=store, prefix=prefix, hour=settings.digest_hour, post=post)


def _public(config: LocationConfig) -> dict[str, str]:
    """What reports say of a location beyond what the ledger knows."""
    facts = {"account": config.account_name, "storageClass": config.storage_class or config.access_tier}
    return {name: value for name, value in facts.items() if value}


def _place(setting: str, named: str, stores: ConfiguredStores) -> tuple[ObjectStore, str]:
    """The store and prefix that a setting names: a configured location's, or a directory's."""
    for location, config in stores.configs.items():
        if location.value == named:
            return stores(location), config.prefix
    return open_store(_directory(setting, named, stores.configs)), ""


def _directory(setting: str, named: str, configs: Configs) -> LocationConfig:
    """The directory of that name as a location, made if it is not there. Raises ConfigurationError."""
    directory = Path(named).absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        known = ", ".join(sorted(location.value for location in configs))
        raise ConfigurationError(
            f"{setting}: {named!r} is no location ({known}), and no directory can be made there "
            f"({error.strerror}). Name one of these locations, or a directory that this service may write to."
        ) from error
    return LocationConfig(id=LocationId("records"), provider=Provider.LOCAL, bucket=str(directory))
