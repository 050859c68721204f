"""What a campaign request may say."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from common.domain.bag import ExternalIdentifier, Space, Version
from common.domain.campaign import Limits, Order
from common.ports import Tier

_NAME = re.compile(r"(?P<space>[^/]+)/(?P<identifier>.+?)(?:/v(?P<version>[1-9][0-9]{0,8}))?")
_LARGEST = 2**63 - 1


class Part(BaseModel):
    """Fields are camelCase on the wire; unknown ones are refused, so that a misspelt limit is no missing limit."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)

    @field_validator("*")
    @classmethod
    def _text_can_be_kept(cls, value: Any) -> Any:
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("must not contain the character NUL")
        return value


class Place(Part):
    """A location, by its id."""

    id: Annotated[str, Field(min_length=1)]
    type: Literal["Location"] = "Location"


class Missing(Part):
    """Every bag version that the destination lacks and that meets all conditions given."""

    space: str | None = None
    deposited_after: AwareDatetime | None = None
    deposited_before: AwareDatetime | None = None
    largest_bytes: Annotated[int, Field(strict=True, ge=0, le=_LARGEST)] | None = None
    most: Annotated[int, Field(strict=True, ge=1, le=_LARGEST)] | None = Field(
        default=None, description="at most so many, the first ones in the campaign's order"
    )


class Listing(Part):
    """A CSV file in a store, with the columns space, external_identifier and, if wanted, version."""

    location: Annotated[str, Field(min_length=1)]
    key: Annotated[str, Field(min_length=1)]


class Choice(Part):
    """Which bag versions: exactly one of the four ways to say it."""

    missing: Missing | None = None
    bags: Annotated[list[str], Field(min_length=1, max_length=50_000)] | None = Field(
        default=None, description='"space/identifier/v2", or "space/identifier" for every version of the bag'
    )
    csv: Listing | None = None
    failed_of: UUID | None = Field(default=None, description="those whose ingests failed in this earlier campaign")

    @model_validator(mode="after")
    def _one(self) -> Choice:
        given = [name for name in ("missing", "bags", "csv", "failed_of") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of missing, bags, csv and failedOf (got {', '.join(given) or 'none'})")
        return self


class Bounds(Part):
    """How much may be under way at once."""

    bags_in_flight: Annotated[int, Field(strict=True, ge=1, le=100_000)] = Limits().bags_in_flight
    bytes_in_flight: Annotated[int, Field(strict=True, ge=1, le=_LARGEST)] | None = None
    bytes_per_day: Annotated[int, Field(strict=True, ge=1, le=_LARGEST)] | None = None

    def limits(self) -> Limits:
        return Limits(self.bags_in_flight, self.bytes_in_flight, self.bytes_per_day)


class Options(Part):
    """How the ingests thaw what is frozen."""

    tier: Tier | None = None
    restored_days: Annotated[int, Field(strict=True, ge=1, le=365)] | None = None


class CampaignRequest(Part):
    """POST /backfills."""

    type: Literal["Backfill"] = "Backfill"
    name: Annotated[str, Field(max_length=200)] = ""
    destination: Place
    selection: Choice
    order: Order = Order.OLDEST
    priority: Annotated[int, Field(strict=True, ge=-100, le=100)] = 0
    limits: Bounds = Bounds()
    expected_count: Annotated[int, Field(strict=True, ge=0)] | None = Field(
        default=None, description="refuse the campaign if the selection comes to any other number of bag versions"
    )
    options: Options = Options()

    def wire_options(self) -> dict[str, Any]:
        """As every ingest of the campaign has them."""
        return self.options.model_dump(mode="json", by_alias=True, exclude_none=True)


class Change(Part):
    """PATCH /backfills/{id}: what is left out stays as it is; null takes a limit away."""

    priority: Annotated[int, Field(strict=True, ge=-100, le=100)] | None = None
    limits: Bounds | None = None


class Reason(Part):
    """Why somebody pauses, resumes, cancels or retries; it goes into the campaign's history."""

    reason: Annotated[str, Field(max_length=1000)] = ""


def bag_name(text: str) -> tuple[str, str, int | None]:
    """ "digitised/b1/v2" → space, identifier and version; None: every version. Raises ValueError."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f'{text!r} must be "space/identifier" or "space/identifier/v2"')
    return checked_name(match["space"], match["identifier"], match["version"])


def checked_name(space: str, identifier: str, version: str | None) -> tuple[str, str, int | None]:
    """Raises ValueError, which names what is wrong."""
    number = Version.parse(version if version.startswith("v") else f"v{version}").number if version else None
    return Space(space).value, ExternalIdentifier(identifier).value, number
