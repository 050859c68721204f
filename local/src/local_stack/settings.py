"""What each service of the local stack is told: its environment and its own locations file, with its own credentials.

The least each needs: the verifier cannot write anywhere, nobody can delete.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

SERVICES = (
    "ingests_api",
    "bag_warmer",
    "backfill_replicator",
    "verifier",
    "replica_aggregator",
    "bag_register",
)

WITH_HTTP = ("ingests_api", "bag_register")
"""Those that the gateway passes requests on to."""

SOURCE = "cold"
DESTINATION = "azure"


@dataclass(frozen=True, slots=True)
class S3Place:
    """A bucket and how to reach it."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str
    bucket: str
    read_timeout: float = 60
    """Seconds without a byte."""
    events_queue: str | None = None
    """URL of the queue that the bucket's restore events come to."""


@dataclass(frozen=True, slots=True)
class AzurePlace:
    """A container, and for each service the shared access signature that lets it do its work and no more."""

    endpoint: str
    account_name: str
    container: str
    signatures: dict[str, str] = field(default_factory=dict)
    read_timeout: float = 60
    """Seconds without a byte."""


PERMISSIONS = {
    "backfill_replicator": "rcwl",
    "verifier": "rl",
    "replica_aggregator": "rl",
    "bag_warmer": "l",
    "bag_register": "l",
    "ingests_api": "l",
}
"""What a service may do at the destination: r read, c create, w write, l list; nobody may delete.

Azure asks for w for every staged block, so this signature alone could overwrite. What forbids it is the conditional
create of every request, and in production an immutability policy on the container (SECURITY.md).
"""


def locations_file(*, source: S3Place, destination: AzurePlace | S3Place, service: str) -> str:
    """The locations file of one service, as TOML."""
    return (
        f'[locations.{SOURCE}]\ntitle = "S3 archive"\n'
        + _s3(source)
        + f'\n[locations.{DESTINATION}]\ntitle = "Azure"\n'
        + (_azure(destination, service) if isinstance(destination, AzurePlace) else _s3(destination))
    )


def _s3(place: S3Place) -> str:
    return _toml(
        provider="amazon-s3",
        bucket=place.bucket,
        endpoint=place.endpoint,
        region=place.region,
        access_key_id=place.access_key_id,
        secret_access_key=place.secret_access_key,
        read_timeout=place.read_timeout,
        **({"thaw.events_queue": place.events_queue} if place.events_queue else {}),
    )


def _azure(place: AzurePlace, service: str) -> str:
    return _toml(
        provider="azure-blob-storage",
        bucket=place.container,
        endpoint=place.endpoint,
        account_name=place.account_name,
        sas_token=place.signatures[service],
        read_timeout=place.read_timeout,
    )


def _toml(**values: str | float) -> str:
    return "".join(f"{name} = {_written(value)}\n" for name, value in values.items())


def _written(value: str | float) -> str:
    return str(value) if isinstance(value, int | float) else json.dumps(value, ensure_ascii=False)


def common_environment(*, dsn: str, broker: str | None, locations: Path, health_port: int) -> dict[str, str]:
    """What every service is told. Impatient on purpose: a stack that one watches should not wait for minutes."""
    settings = {
        "BACKFILL_DATABASE_URL": dsn,
        "BACKFILL_LOCATIONS": str(locations),
        "BACKFILL_HEALTH_PORT": str(health_port),
        "BACKFILL_LOG_FORMAT": "json",
        "BACKFILL_LEASE": "PT10S",
        "BACKFILL_HINT_AGAIN": "PT10S",
        "BACKFILL_HOUSEKEEPING_PERIOD": "PT1S",
        "BACKFILL_BACK_OFF": "PT1S",
        "BACKFILL_CHECK_THAW_EVERY": "PT1S",
        "BACKFILL_DESTINATIONS": DESTINATION,
    }
    return settings | ({"BACKFILL_BROKER_URL": broker} if broker else {})
