"""From a location's configuration to its store: one line per provider.

An SDK is imported only when a location of its provider is opened, so that an image holds only what it uses.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from common.adapters.objects.wrappers.pace import Pace
from common.adapters.objects.wrappers.pacing import PacedColdStore, SharedRate
from common.adapters.objects.wrappers.retrying import RetryingColdStore, RetryingCopier, RetryingStore
from common.adapters.objects.wrappers.throttled import ThrottledStore
from common.adapters.objects.wrappers.turns import Turns
from common.adapters.objects.wrappers.unlabelled import UnlabelledStore
from common.domain.location import Provider
from common.errors import ConfigurationError
from common.ports import BatchRestores, ColdStore, ObjectStore, PartCopier, RestoreQueue

if TYPE_CHECKING:
    from common.adapters.objects.configuration import LocationConfig
    from common.adapters.objects.s3.subscription import BucketSubscriptions
    from common.sharing import Share

ROOMS = {
    Provider.AMAZON_S3: ("common.adapters.objects.s3", "s3"),
    Provider.AZURE_BLOB: ("common.adapters.objects.azure", "azure"),
    Provider.LOCAL: ("common.adapters.objects.local", ""),
    Provider.MEMORY: ("common.adapters.objects.memory", ""),
}
"""Provider → (module with `open_store` and, where objects can be archived, `open_cold_store`; the extra it needs)."""


def open_store(config: LocationConfig, *, retry: bool = True, share: Share | None = None) -> ObjectStore:
    """The location's store within its limits; sends nothing yet. Raises ConfigurationError.

    Retries are outside, limits inside: who tries again waits for a turn again. With `share`, the limits that the
    configuration names are those of all processes together.
    """
    opener = cast("Callable[[LocationConfig], ObjectStore]", _opener(config, "open_store"))
    bare = opener(config) if config.record_sha256 else UnlabelledStore(opener(config))
    # Nobody chose the default, which only keeps a process from drowning: it is not divided.
    turns = Turns(
        ceiling=config.max_concurrency,
        name=config.id.value,
        share=share if "max_concurrency" in config.model_fields_set else None,
    )
    limited = ThrottledStore(bare, turns=turns, pace=_pace(config, share))
    return RetryingStore(limited) if retry else limited


def _pace(config: LocationConfig, share: Share | None) -> Pace | None:
    bandwidth = config.bandwidth
    if bandwidth is None:
        return None

    def rate() -> float:
        whole = bandwidth.at(config.local_time().time())
        return whole if share is None else share.rate(whole)

    return Pace(rate)


def open_cold_store(config: LocationConfig, *, retry: bool = True, rate: SharedRate | None = None) -> ColdStore | None:
    """What brings the location's archived objects back; None where the provider has no such thing.

    With `rate` it keeps to what all processes together may ask of the account.
    """
    opener = cast("Callable[[LocationConfig], ColdStore] | None", _opener(config, "open_cold_store"))
    if opener is None:
        return None
    bare = opener(config)
    store = bare if rate is None else PacedColdStore(bare, rate)
    return RetryingColdStore(store) if retry else store


def open_restore_queue(config: LocationConfig) -> RestoreQueue | None:
    """What the location's bucket tells of restores; None where it tells nothing here."""
    opener = cast("Callable[[LocationConfig], RestoreQueue | None] | None", _opener(config, "open_restore_queue"))
    return None if opener is None else opener(config)


def open_batches(config: LocationConfig) -> BatchRestores | None:
    """What takes many restore requests of the location at once; None where it is not set up."""
    opener = cast("Callable[[LocationConfig], BatchRestores | None] | None", _opener(config, "open_batches"))
    return None if opener is None else opener(config)


def open_subscriptions(config: LocationConfig) -> BucketSubscriptions:
    """What the location's bucket tells to whom. Raises ConfigurationError where its provider has no such thing."""
    opener = cast("Callable[[LocationConfig], BucketSubscriptions] | None", _opener(config, "open_subscriptions"))
    if opener is None:
        raise ConfigurationError(f"location {config.id}: {config.provider.value} tells of no restores")
    return opener(config)


def open_links(config: LocationConfig) -> Callable[[str], str] | None:
    """Makes URLs that read one object for an hour; None where the location's store, or its credentials, cannot."""
    opener = cast("Callable[[LocationConfig], Callable[[str], str] | None] | None", _opener(config, "open_links"))
    return None if opener is None else opener(config)


def open_copier(source: LocationConfig, destination: LocationConfig) -> PartCopier | None:
    """What has the destination fetch from the source by itself; None where it is not asked to, or the two cannot."""
    # Imported here: who opens a store need not know how its settings are read.
    from common.adapters.objects.configuration import Copying

    if destination.copying is not Copying.SERVER_SIDE:
        return None
    signer = cast("Callable[[LocationConfig], Callable[[str, str | None], str]] | None", _opener(source, "open_signer"))
    opener = cast("Callable[..., PartCopier | None] | None", _opener(destination, "open_copier"))
    if signer is None or opener is None:
        return None
    copier = opener(source, destination, signer(source))
    return None if copier is None else RetryingCopier(copier)


def _opener(config: LocationConfig, name: str) -> object:
    module, extra = ROOMS[config.provider]
    try:
        return getattr(import_module(module), name, None)
    except ImportError as missing:
        raise ConfigurationError(
            f"location {config.id}: provider {config.provider.value} needs the Python package {missing.name!r};"
            f" install backfill-common[{extra}]"
        ) from missing
