"""Puts the ingests API together. The only place here that knows adapters."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from random import Random, SystemRandom
from uuid import uuid4

import structlog
from sqlalchemy import Engine

from common.adapters.objects.configuration import LocationConfig
from common.assembly import courier_opener, open_stores
from common.checking import Duties
from common.checking import check as probe
from common.domain.location import LocationId
from common.ledger import idempotency
from common.ledger.engine import transaction
from common.runtime.housekeeping import Relay
from common.runtime.leases import every
from common.runtime.process import prepare, start_housekeeping, stop_on_signal
from common.runtime.settings import build, read_settings, worker_name
from common.thawing.prices import read_prices
from common.thawing.pricing import Pricing
from common.web.auth.configured import guard_for
from common.web.serving import HttpServer
from ingests_api.api import make_app
from ingests_api.callback_addresses import Allowed, allowed_hosts
from ingests_api.campaigns.keeper import keep_auditing, keep_campaigns
from ingests_api.choosing import Offer
from ingests_api.cloud_events import pass_on
from ingests_api.notifier import Notifier, Sender
from ingests_api.reading import reader_of
from ingests_api.sending import post
from ingests_api.settings import Settings
from ingests_api.signing import read_secrets
from ingests_api.surroundings import Surroundings

log = structlog.get_logger()

SERVICE = "ingests_api"
DUTIES = Duties()
_CONNECTIONS = 20
"""Kept open; as many more for a moment. To open one costs more than to answer ten requests."""


def run() -> None:
    """Run the service until SIGTERM."""
    settings = read_settings(Settings)
    engine = prepare(SERVICE, settings, pool_size=_CONNECTIONS)
    stores = open_stores(settings, engine)
    configs = stores.configs
    offer = Offer(
        locations={location: config.location for location, config in configs.items()},
        writable=settings.writable(set(configs)),
        warm=settings.warm(set(configs)),
        frozen={location: config.archive_class for location, config in configs.items() if config.archive_class},
        pricing=_pricing(settings, configs),
    )
    stopping, ended = stop_on_signal(), threading.Event()
    allowed = allowed_hosts(settings.callback_hosts)
    notifier = _notifier(settings, engine=engine, allowed=allowed)
    random = Random(SystemRandom().getrandbits(64))
    relay = Relay(engine=engine, open_courier=courier_opener(settings), random=random)
    start_housekeeping(settings, engine=engine, relay=relay, until=ended, random=random)
    keep_campaigns(
        engine=engine,
        pipeline=settings.pipeline(set(configs)),
        patience=settings.patience,
        wake_relay=relay.wake,
        until=ended,
    )
    keep_auditing(engine=engine, period=settings.audit_period, new_id=uuid4, until=ended)
    around = Surroundings(
        engine=engine,
        offer=offer,
        new_id=uuid4,
        wake_relay=relay.wake,
        guard=guard_for(settings, engine),
        token_life=settings.token_life,
        patience=settings.patience,
        public_url=settings.public_url,
        read_object=reader_of(stores),
        callbacks=allowed,
        listeners=settings.listeners,
        version=build(SERVICE).split()[-1],
    )
    every(1.0, lambda: _pass_on(settings, engine=engine, relay=relay), until=ended, name="events")
    every(600.0, lambda: _sweep(settings, engine), until=ended, name="idempotency keys")
    delivering = threading.Thread(target=notifier.run, args=[ended], name="callbacks")
    if settings.deliver_callbacks:
        delivering.start()
    with HttpServer(make_app(around), host=settings.http_host, port=settings.http_port):
        stopping.wait()
    ended.set()
    relay.stop(timeout=5)


def check(words: Sequence[str]) -> int:
    """Probe what the service needs; its exit status."""
    return probe(SERVICE, read_settings(Settings), DUTIES, words)


def _pricing(settings: Settings, configs: Mapping[LocationId, LocationConfig]) -> Pricing:
    """Raises ConfigurationError for a price book that is none."""
    return Pricing(
        book=read_prices(settings.prices),
        regions={location: config.region for location, config in configs.items()},
        budgets={one: config.thaw_budget.budget for one, config in configs.items() if config.thaw_budget},
        archived={one: config.archive_class for one, config in configs.items() if config.archive_class},
        tier=settings.thaw_tier,
        days=settings.thaw_days,
    )


def _pass_on(settings: Settings, *, engine: Engine, relay: Relay) -> None:
    if pass_on(engine, source=settings.events_source if settings.events == "queues" else None):
        relay.wake()


def _sweep(settings: Settings, engine: Engine) -> None:
    with transaction(engine) as connection:
        idempotency.sweep(connection, older_than=settings.idempotency_keep)


def _notifier(settings: Settings, *, engine: Engine, allowed: Allowed) -> Notifier:
    """Raises ConfigurationError for secrets that are none."""
    given = settings.callback_secrets
    secrets = read_secrets(given.get_secret_value() if given else "")
    if settings.deliver_callbacks and not secrets:
        log.warning("callbacks are not signed", remedy="set BACKFILL_CALLBACK_SECRETS")
    ca_file = None if settings.callback_ca_file is None else str(settings.callback_ca_file)
    sender = Sender(
        post=partial(post, allowed=allowed, ca_file=ca_file),
        secrets=secrets,
        clock=lambda: datetime.now(UTC),
        worker=worker_name(SERVICE),
        agent=build(SERVICE).replace(" ", "/"),
    )
    return Notifier(engine=engine, sender=sender, at_once=settings.callbacks_at_once)
