"""How a location's archived objects are brought back: its table `[locations.<id>.thaw]`.

[locations.cold.thaw]
tiers = { GLACIER = "Standard", DEEP_ARCHIVE = "Bulk" }
requests_per_second = 500
account = "123456789012"
events_queue = "https://sqs.eu-west-1.amazonaws.com/123456789012/restores"
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from common.ports import Tier

ArchiveClass = Literal["GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING"]


class BatchConfig(BaseModel):
    """`[locations.<id>.thaw.batch]`: S3 Batch Operations for restores of many objects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role_arn: str = Field(pattern="^arn:")
    """The role that S3 takes on for a job: it may restore the objects, read the manifest and write the report."""
    bucket: str = Field(min_length=1)
    """Where manifests and reports are kept, in the same region."""
    prefix: str = "backfill-batches/"
    """Of their keys."""
    threshold: int = Field(default=10_000, ge=1)
    """Fewer objects are asked for one by one."""
    gather: timedelta = Field(default=timedelta(minutes=10), gt=timedelta(0))
    """How long objects wait for others to be asked for together: an ISO 8601 duration, or seconds."""
    priority: int = Field(default=10, ge=0)
    """Of the job among the account's."""


class ThawConfig(BaseModel):
    """What may differ between archives. Everything has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tiers: dict[ArchiveClass, Tier] = Field(default_factory=dict)
    """Other tiers than `BACKFILL_THAW_TIER`, by storage class: `{ GLACIER = "Standard" }`. An ingest that names a tier
    itself has that one."""
    without_capacity: Literal["Standard", "Bulk", "wait"] = "Standard"
    """What is asked for where Expedited has no capacity; "wait": Expedited again at the next look."""
    requests_per_second: float = Field(default=500, gt=0, le=1000)
    """Restore requests of all processes together, to all locations of the same account and region. S3 takes 1,000.
    Halved whenever S3 asks for less; full again after ten minutes without that."""
    account: str | None = Field(default=None, pattern=r"^\d{12}$")
    """The AWS account's number. Locations of one region count as one account's where it is not given."""
    events_queue: str | None = Field(default=None, pattern=r"^https?://")
    """URL of the SQS queue that the bucket's restore events come to. Without one, objects are looked at every
    `BACKFILL_CHECK_THAW_EVERY`; with one, also as soon as they can be read."""

    batch: BatchConfig | None = None
    """Restores of many objects as one job of S3 Batch Operations; needs `account`. Off where it is not given."""

    @model_validator(mode="after")
    def _batches_have_an_account(self) -> Self:
        if self.batch is not None and self.account is None:
            raise ValueError("batch needs account; add the AWS account's number")
        return self

    @field_validator("tiers")
    @classmethod
    def _tiers_are_offered(cls, value: dict[ArchiveClass, Tier]) -> dict[ArchiveClass, Tier]:
        if value.get("DEEP_ARCHIVE") is Tier.EXPEDITED:
            raise ValueError('DEEP_ARCHIVE has no Expedited; write "Standard" or "Bulk"')
        return value

    @property
    def other_tier(self) -> Tier | None:
        """Asked for where Expedited has no capacity."""
        return None if self.without_capacity == "wait" else Tier(self.without_capacity)
