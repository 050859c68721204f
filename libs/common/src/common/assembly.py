"""What the wiring of every service shares: from settings to opened stores and couriers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import Engine

from common.adapters.objects.configuration import LocationConfig, read_locations
from common.adapters.objects.registry import open_cold_store, open_copier, open_store
from common.adapters.objects.wrappers.pacing import SharedRate
from common.adapters.queues.registry import as_dsn, open_courier
from common.domain.location import LocationId
from common.domain.naming import Names
from common.errors import ConfigurationError
from common.ledger import restore_rates, shares
from common.ledger.engine import transaction
from common.ledger.locations import announce
from common.ports import ColdStore, Courier, ObjectStore, PartCopier
from common.runtime.settings import WorkerSettings, process_name
from common.sharing import Share, Users

_IN_POSTGRESQL = frozenset({"pgmq", "postgresql", "postgres", "postgresql+psycopg"})


class ConfiguredStores:
    """The stores of the locations file, each opened when it is first asked for; safe to share between threads."""

    def __init__(
        self,
        configs: dict[LocationId, LocationConfig],
        *,
        share: Callable[[LocationId], Share] | None = None,
        rate: Callable[[LocationConfig], SharedRate] | None = None,
    ) -> None:
        self._configs = configs
        self._rate = rate
        """Gives the rate of restore requests that all processes share; None: nobody is asked."""
        self._share = share
        """Gives this process's part of a location's limits; None: it has them alone."""
        self._open: dict[LocationId, ObjectStore] = {}
        self._cold: dict[LocationId, ColdStore | None] = {}
        self._copiers: dict[tuple[LocationId, LocationId], PartCopier | None] = {}
        self._lock = threading.RLock()

    def __call__(self, location: LocationId) -> ObjectStore:
        with self._lock:
            if location not in self._open:
                share = self._share(location) if self._share else None
                self._open[location] = open_store(self._config(location), share=share)
            return self._open[location]

    def cold(self, location: LocationId) -> ColdStore | None:
        with self._lock:
            if location not in self._cold:
                config = self._config(location)
                self._cold[location] = open_cold_store(config, rate=self._rate(config) if self._rate else None)
            return self._cold[location]

    def copier(self, source: LocationId, destination: LocationId) -> PartCopier | None:
        """What has the destination fetch from the source by itself; None where the worker moves the bytes."""
        with self._lock:
            if (source, destination) not in self._copiers:
                self._copiers[source, destination] = open_copier(self._config(source), self._config(destination))
            return self._copiers[source, destination]

    def names(self, location: LocationId) -> Names:
        """What the location does with names that its provider cannot hold. Raises ConfigurationError."""
        return self._config(location).names

    @property
    def configs(self) -> dict[LocationId, LocationConfig]:
        return self._configs

    def _config(self, location: LocationId) -> LocationConfig:
        if location not in self._configs:
            known = ", ".join(sorted(map(str, self._configs))) or "none"
            raise ConfigurationError(f"location {location} is not in this service's locations file (known: {known})")
        return self._configs[location]


def open_stores(settings: WorkerSettings, engine: Engine) -> ConfiguredStores:
    """Read the locations file and make its public facts known to the ledger. Raises ConfigurationError."""
    configs = read_locations(settings.locations)
    with transaction(engine) as connection:
        for config in configs.values():
            announce(connection, config.location)
    holder = process_name()
    return ConfiguredStores(
        configs,
        share=lambda location: _share(engine, location, holder),
        rate=lambda config: _LedgerRate(engine, config.thaw_account, config.thawing.requests_per_second),
    )


@dataclass(frozen=True, slots=True)
class _LedgerRate:
    """The rate of restore requests of one account, in the ledger."""

    engine: Engine
    account: str
    ceiling: float

    def take(self, turns: int) -> restore_rates.Turns:
        with transaction(self.engine) as connection:
            return restore_rates.take(connection, account=self.account, ceiling=self.ceiling, turns=turns)

    def slow_down(self) -> None:
        with transaction(self.engine) as connection:
            restore_rates.slow_down(connection, account=self.account, ceiling=self.ceiling)


def _share(engine: Engine, location: LocationId, holder: str) -> Share:
    def tell(moving: bool) -> Users:
        with transaction(engine) as connection:
            return shares.renew(connection, location_id=location.value, holder=holder, moving=moving)

    return Share(tell, name=location.value)


def courier_opener(settings: WorkerSettings) -> Callable[[], Courier]:
    """A function that connects to the configured broker, once for each thread that needs it.

    Where the broker is PostgreSQL itself, its queue functions are installed first, if they are not there.
    """
    _install_queues(settings.broker)
    return lambda: open_courier(settings.broker)


def _install_queues(broker: str) -> None:
    if urlsplit(broker).scheme not in _IN_POSTGRESQL:
        return
    # Imported here: an image whose broker is another one need not hold it.
    from common.adapters.queues.pgmq_schema import install

    install(as_dsn(broker))
