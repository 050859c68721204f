"""The locations file: which stores there are and how to reach them. Secrets stay out of it.

[locations.azure]
provider = "azure-blob-storage"
bucket = "replicas"
account_name = "archive"
account_key = { env = "AZURE_KEY" }        # or { file = "/run/secrets/azure_key" }
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from common.adapters.objects.bandwidth import Bandwidth, read_bandwidth
from common.adapters.objects.cold_configuration import ArchiveClass, ThawConfig
from common.domain.layout import DEFAULT_LAYOUT, Layout
from common.domain.location import Location, LocationId, Provider
from common.domain.naming import Names
from common.errors import ConfigurationError
from common.thawing.configured import ThawBudget

_KEYS = ("access_key_id", "secret_access_key", "session_token")
S3_ONLY = (*_KEYS, "region", "storage_class", "archive_class", "thaw", "thaw_budget")
AZURE_ONLY = ("account_name", "account_key", "sas_token", "access_tier")
SECRETS = ("access_key_id", "secret_access_key", "session_token", "account_key", "sas_token")
READABLE_TIERS = ("Hot", "Cool", "Cold", "Smart")

_TABLES = ("thaw", "thaw_budget")
"""Settings that are tables themselves."""

_UNREADABLE = (
    "a copy there cannot be read back, and is registered only after it was; write {instead}, and let a lifecycle rule"
    " of the bucket move copies to {later} after some days"
)


class Copying(StrEnum):
    """Who moves the bytes of large files."""

    STREAM = "stream"
    SERVER_SIDE = "server-side"


class LocationConfig(BaseModel):
    """One store and how to reach it. Without credentials the provider's own chain is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)

    id: LocationId
    provider: Provider
    bucket: str = Field(min_length=1)
    """Bucket, container, or (for `local`) directory."""
    prefix: str = ""
    title: str = ""
    layout: str = DEFAULT_LAYOUT
    """Where bags lie below the prefix; {space} and {externalIdentifier} once each, /v{n} at the end."""
    endpoint: str | None = None
    """Base URL; None means the provider's public one. Azure: with the account's path, where it has one."""
    region: str | None = None
    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    account_name: str | None = None
    account_key: SecretStr | None = None
    sas_token: SecretStr | None = None
    storage_class: str | None = None
    """S3 storage class of new objects; None leaves it to the bucket."""
    archive_class: ArchiveClass | None = None
    """S3: the class that bags there are archived in, if they are. Tells requests for what it does not offer, and dry
    runs; what objects are in is looked up when it matters."""
    thaw: ThawConfig | None = None
    """S3: how objects are brought back; a table `[locations.<id>.thaw]`, all of it optional."""
    thaw_budget: ThawBudget | None = None
    """S3: what thawing there may take at once, by the day and by the month, as a table `[locations.<id>.thaw_budget]`;
    see [thawing](../explanations/thawing.md#budgets). None: no limit, and copies are asked for BACKFILL_THAW_DAYS."""
    access_tier: str | None = None
    """Azure access tier of new blobs; None leaves it to the account."""
    names: Names = Names.REFUSE
    """Names the provider cannot hold: "refuse" the bag, or "map" them reversibly, with the mapping in the record."""
    copying: Copying = Copying.STREAM
    """How large files come here: "stream" through the worker, hashed on their way, or "server-side": the store fetches
    them by itself where it can (from the same S3; to Azure from S3), and only the read-back proves them."""
    record_sha256: bool = True
    """Write a file's SHA-256 beside its copy as metadata `sha256`, for people and tools; it is never trusted."""
    concurrency: int = Field(default=16, ge=1, le=256)
    """Threads that use the store at once: the size of its connection pools."""
    max_concurrency: int = Field(default=256, ge=1, le=1024)
    """Requests in flight at once, of all processes together, never more; fewer while the store asks for less. The
    default is of each process."""
    bandwidth: Annotated[Bandwidth, BeforeValidator(read_bandwidth)] | None = None
    """Bytes per second of all processes together, read and written: "8 MB/s", or a list of hours with their rates."""
    timezone: str = "UTC"
    """Whose hours `bandwidth` and `thaw_budget` mean, such as "Europe/London"."""
    connect_timeout: float = Field(default=10, gt=0)
    """Seconds."""
    read_timeout: float = Field(default=60, gt=0)
    """Seconds without a byte."""
    checksums: bool = False
    """S3: also send and check CRC checksums. Off by default: many S3 look-alikes refuse them."""

    @field_validator("id", mode="before")
    @classmethod
    def _read_id(cls, value: object) -> object:
        return LocationId(value) if isinstance(value, str) else value

    @field_validator("prefix")
    @classmethod
    def _prefix_ends_with_slash(cls, value: str) -> str:
        if value and not value.endswith("/"):
            raise ValueError(f'must be empty or end with /; write "{value}/"')
        return value

    @field_validator("layout")
    @classmethod
    def _layout_is_one(cls, value: str) -> str:
        return Layout(value).pattern

    @field_validator("endpoint")
    @classmethod
    def _endpoint_is_bare_url(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not value.startswith(("http://", "https://")):
            raise ValueError('must begin with "http://" or "https://"')
        if "?" in value or "@" in value:
            raise ValueError("must not carry credentials or a query; use the fields for credentials")
        return value.rstrip("/")

    @field_validator("storage_class")
    @classmethod
    def _class_can_be_read(cls, value: str | None) -> str | None:
        if value in ("GLACIER", "DEEP_ARCHIVE"):
            raise ValueError(_UNREADABLE.format(instead="STANDARD_IA or GLACIER_IR", later=value))
        return value

    @field_validator("access_tier")
    @classmethod
    def _tier_can_be_read(cls, value: str | None) -> str | None:
        if value == "Archive":
            raise ValueError(_UNREADABLE.format(instead="Cool or Cold", later=value))
        if value is not None and value not in READABLE_TIERS:
            raise ValueError(f"must be one of {', '.join(READABLE_TIERS)}")
        return value

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, value: str) -> str:
        try:
            _zone(value)
        except (KeyError, OSError, ValueError):
            raise ValueError('is no time zone; write one of the tz database, such as "Europe/London"') from None
        return value

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        if faults := list(_misfits(self)):
            raise ValueError("\n".join(faults))
        return self

    @property
    def location(self) -> Location:
        """The public facts, nothing secret."""
        return Location(self.id, self.provider, self.bucket, self.prefix, self.title, Layout(self.layout))

    @property
    def thawing(self) -> ThawConfig:
        """How its archived objects are brought back, said or not."""
        return self.thaw or ThawConfig()

    @property
    def thaw_account(self) -> str:
        """What locations that share a limit on restore requests have in common: endpoint, region and account."""
        return "/".join((self.endpoint or "aws", self.region or "", self.thawing.account or ""))

    @property
    def zone(self) -> tzinfo:
        return _zone(self.timezone)

    def local_time(self) -> datetime:
        """Now, where the location is."""
        return datetime.now(self.zone)


def _zone(name: str) -> tzinfo:
    """Raises KeyError, ValueError or OSError where there is none. UTC needs no database."""
    return UTC if name == "UTC" else ZoneInfo(name)


def _misfits(config: LocationConfig) -> list[str]:
    """What is wrong between fields that are right by themselves."""
    foreign = {Provider.AMAZON_S3: AZURE_ONLY, Provider.AZURE_BLOB: S3_ONLY}.get(config.provider, S3_ONLY + AZURE_ONLY)
    faults = [
        f"{name} means nothing to provider {config.provider.value}; remove it"
        for name in foreign
        if getattr(config, name) is not None
    ]
    if (config.access_key_id is None) != (config.secret_access_key is None):
        faults.append("access_key_id and secret_access_key go together; give both or neither")
    if config.provider is Provider.AZURE_BLOB and config.account_name is None:
        faults.append("account_name is missing; add the storage account's name")
    if config.account_key is not None and config.sas_token is not None:
        faults.append("account_key and sas_token exclude each other; remove one")
    return faults


def read_locations(path: Path) -> dict[LocationId, LocationConfig]:
    """The locations of a TOML file. Raises ConfigurationError that lists every problem of the file."""
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("locations", {})
    except (OSError, ValueError, RecursionError) as problem:
        raise ConfigurationError(f"{path} cannot be read as TOML: {problem}") from None
    if not isinstance(tables, dict) or not tables:
        raise ConfigurationError(f"{path} has no [locations.<id>] table; add one for each store")
    problems: list[str] = []
    found = [_location(name, table, problems) for name, table in tables.items()]
    if problems:
        lines = "\n".join(f"- {problem}" for problem in problems)
        raise ConfigurationError(f"{path} has {len(problems)} problem(s):\n{lines}")
    return {config.id: config for config in found if config is not None}


def _location(name: str, table: object, problems: list[str]) -> LocationConfig | None:
    where = f"[locations.{name}]"
    if not isinstance(table, dict):
        problems.append(f"[locations] {name} is in no location's table; write it below [locations.<id>]")
        return None
    if "id" in table:
        problems.append(f"{where} id: the table's name is the id; remove the line")
    before = len(problems)
    values = {key: _resolved(where, key, value, problems) for key, value in table.items() if key != "id"}
    try:
        # Unresolved secrets are left out, so that they are not reported a second time.
        return LocationConfig(**{"id": name, **{k: v for k, v in values.items() if v is not None}})
    except ValidationError as invalid:
        problems.extend(_sentences(where, table, invalid, already_reported=len(problems) > before))
        return None


def _resolved(where: str, key: str, value: object, problems: list[str]) -> object:
    """`value`, or what `{ env = … }` or `{ file = … }` stands for; None where that cannot be had (reported)."""
    if not isinstance(value, dict) or key in _TABLES:
        return value
    if set(value) == {"env"}:
        text = os.environ.get(str(value["env"]))
        if not text:
            problems.append(f"{where} {key}: environment variable {value['env']} is not set; set it")
        return text or None
    if set(value) == {"file"}:
        try:
            return Path(str(value["file"])).read_text("utf-8").strip()
        except (OSError, ValueError) as problem:
            reason = getattr(problem, "strerror", None) or type(problem).__name__
            problems.append(f"{where} {key}: file {value['file']} cannot be read ({reason}); create it or fix the path")
            return None
    problems.append(f'{where} {key}: must be a value, {{ env = "NAME" }} or {{ file = "path" }}')
    return None


def _sentences(where: str, table: Mapping[str, Any], invalid: ValidationError, *, already_reported: bool) -> list[str]:
    sentences = []
    for fault in invalid.errors():
        key = ".".join(str(part) for part in fault["loc"])
        text = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "missing":
            if key not in table or not already_reported:
                sentences.append(f"{where} {key} is missing; add it")
        elif fault["type"] == "extra_forbidden":
            sentences.append(f"{where} {key}: no such setting; remove it or fix its spelling")
        elif not key:
            sentences += [] if already_reported else [f"{where} {part}" for part in text.split("\n")]
        else:
            sentences.append(f"{where} {key}{_shown(key, fault['input'])}: {text}")
    return sentences


def _shown(key: str, value: object) -> str:
    """A wrong value as its sentence shows it, and never a secret, wherever it was put."""
    if key in SECRETS or (key == "endpoint" and not {"@", "?"}.isdisjoint(str(value))):
        return " = a secret"
    return "" if isinstance(value, list | dict) else f" = {value!r}"
