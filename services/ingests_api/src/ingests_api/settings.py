"""The ingests API's settings."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, PositiveInt, SecretStr

from common.domain.location import LocationId
from common.errors import ConfigurationError
from common.ledger.campaigns.advancing import Pipeline
from common.ports import Tier
from common.web.auth.signing import LONGEST_LIFE
from common.web.settings import HttpSettings


class Settings(HttpSettings):
    """What the API offers. It opens a store only to read a list for a campaign from it."""

    http_port: int = Field(default=9001, ge=0, le=65535, description="port to listen on; 0: any free one, logged")
    destinations: str = Field(
        default="",
        description="ids of the locations that backfills may write to, with commas between; every location if empty",
    )
    warm_sources: str = Field(
        default="",
        description="ids of the locations whose copies every worker may read without thawing, the cheapest first, with"
        " commas between: they are copied from where a request names no source; the primary location if empty",
    )
    idempotency_keep: timedelta = Field(
        default=timedelta(hours=24),
        ge=timedelta(hours=24),
        description="how long answers to an Idempotency-Key are kept",
    )
    campaign_bags: int = Field(
        default=2_000, ge=1, description="bag versions of all campaigns together that may be under way at once"
    )
    campaign_segments: int = Field(
        default=20_000, ge=1, description="campaigns let nothing in while so many segments wait or are worked on"
    )
    token_life: timedelta = Field(
        default=timedelta(hours=1),
        ge=timedelta(minutes=1),
        le=LONGEST_LIFE,
        description="how long an access token is good for; from a minute to a day",
    )

    campaign_bytes: int | None = Field(
        default=None, ge=1, description="campaigns let nothing in while so many bytes of theirs are under way"
    )
    prices: Path | None = Field(
        default=None, description="price book (TOML) that estimates go by; the shipped one if absent"
    )
    thaw_tier: Tier = Field(default=Tier.BULK, description="the bag warmers' tier, for estimates")
    thaw_days: PositiveInt = Field(default=3, description="the bag warmers' days of restored copies, for estimates")
    audit_period: timedelta = Field(
        default=timedelta(hours=1), gt=timedelta(), description="how often each requirement is audited"
    )

    def pipeline(self, configured: set[LocationId]) -> Pipeline:
        """Raises ConfigurationError for a warm source that is not in the locations file."""
        return Pipeline(
            segments=self.campaign_segments,
            bags=self.campaign_bags,
            bytes=self.campaign_bytes,
            warm=tuple(location.value for location in self.warm(configured)),
        )

    deliver_callbacks: bool = Field(
        default=True, description="deliver callbacks; off where another ingests_api does it, with less network to reach"
    )
    callback_secrets: SecretStr | None = Field(
        default=None,
        description="whsec_… to sign callbacks with; several, with commas between, while receivers change theirs",
    )
    callback_hosts: str = Field(
        default="",
        description="hosts that callbacks may go to although they are private, use plain HTTP or another port than 443"
        ' and 8443, with commas between: "https://repository.lan:9443"',
    )
    callback_ca_file: Path | None = Field(
        default=None,
        description="certificates of a private authority, in PEM, to be trusted instead of the public ones",
    )
    events: str = Field(
        default="off",
        pattern="^(off|queues)$",
        description="queues: what happens, as CloudEvents on the broker's queues events_daily and events_backfill",
    )
    events_source: str = Field(
        default="/backfill", min_length=1, description="the `source` of CloudEvents: a URI that names this deployment"
    )
    listeners: int = Field(
        default=200, ge=0, description="streams of events that this process keeps open at once; each may take 300 KiB"
    )
    callbacks_at_once: PositiveInt = Field(
        default=4, description="callbacks sent at the same time, at most half of them to one host"
    )

    def writable(self, configured: set[LocationId]) -> frozenset[LocationId]:
        """The destinations on offer. Raises ConfigurationError for one that is not in the locations file."""
        return frozenset(_named("BACKFILL_DESTINATIONS", self.destinations, configured)) or frozenset(configured)

    def warm(self, configured: set[LocationId]) -> tuple[LocationId, ...]:
        """The preferred sources. Raises ConfigurationError for one that is not in the locations file."""
        return tuple(_named("BACKFILL_WARM_SOURCES", self.warm_sources, configured))


def _named(setting: str, text: str, configured: set[LocationId]) -> list[LocationId]:
    named = [name.strip() for name in text.split(",") if name.strip()]
    unknown = sorted(set(named) - {location.value for location in configured})
    if unknown:
        known = ", ".join(sorted(location.value for location in configured))
        raise ConfigurationError(f"{setting}: {', '.join(unknown)} is not in the locations file. Choose from: {known}.")
    return [LocationId(name) for name in named]
