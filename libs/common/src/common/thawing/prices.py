"""The price book: what the provider bills, by region and storage class. `prices.toml` beside this is the default.

Money is decimal and in the book's one currency.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from common.errors import ConfigurationError
from common.ports import Tier

GIGABYTE = 2**30
"""As S3 bills it."""
ANYWHERE = "*"
"""The region of rows for every region that has none of its own."""


def _no_binary_fraction(value: object) -> object:
    if isinstance(value, float):
        raise ValueError(f'is a binary fraction; write it in quotes: "{value}"')
    return value


Price = Annotated[Decimal, BeforeValidator(_no_binary_fraction), Field(ge=0)]


class Row(BaseModel):
    """What every row says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    region: str
    verified: bool = False
    """Somebody compared it with the provider's page."""
    checked: date | None = None
    """When."""


class RestorePrice(Row):
    storage_class: str = Field(alias="class")
    tier: Tier
    per_gb: Price
    per_1000_requests: Price


class ReadPrice(Row):
    storage_class: str = Field(alias="class")
    per_gb: Price
    per_1000_requests: Price


class OtherPrices(Row):
    copy_per_gb_month: Price
    per_1000_lists: Price


class Rate(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    up_to_gb: Annotated[int, Field(gt=0)] | None = None
    per_gb: Price


class EgressPrice(Row):
    rates: tuple[Rate, ...] = Field(min_length=1)


AnyRow = TypeVar("AnyRow", bound=Row)


class PriceBook(BaseModel):
    """All rows. A region's own row goes before that for every region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currency: str = Field(pattern="^[A-Z]{3}$")
    restores: tuple[RestorePrice, ...] = ()
    reads: tuple[ReadPrice, ...] = ()
    others: tuple[OtherPrices, ...] = ()
    egress: tuple[EgressPrice, ...] = ()

    def restore(self, region: str | None, storage_class: str, tier: Tier) -> RestorePrice | None:
        """None where the book has no such row: the class or the tier is not offered, or nobody has written it."""
        rows = (row for row in self.restores if row.storage_class == storage_class and row.tier is tier)
        return _nearest(rows, region)

    def read(self, region: str | None, storage_class: str) -> ReadPrice | None:
        return _nearest((row for row in self.reads if row.storage_class == storage_class), region)

    def other(self, region: str | None) -> OtherPrices | None:
        return _nearest(self.others, region)

    def leaving(self, region: str | None) -> EgressPrice | None:
        return _nearest(self.egress, region)


@cache
def read_prices(path: Path | None = None) -> PriceBook:
    """The book at `path`, or the one that is shipped. Raises ConfigurationError that lists every fault.

    Read once: who edits it starts the service anew.
    """
    name = str(path or "prices.toml")
    try:
        text = (path or files("common.thawing") / "prices.toml").read_text("utf-8")
        return PriceBook.model_validate(tomllib.loads(text))
    except ValidationError as invalid:
        faults = "\n".join(f"- {_place(fault['loc'])}: {fault['msg']}" for fault in invalid.errors())
        raise ConfigurationError(f"{name} is no price book:\n{faults}") from None
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"{name} cannot be read as a price book: {problem}") from None


def _nearest(rows: Iterable[AnyRow], region: str | None) -> AnyRow | None:
    found = {row.region: row for row in rows}
    return found.get(region or ANYWHERE) or found.get(ANYWHERE)


def _place(loc: tuple[int | str, ...]) -> str:
    """("restores", 3, "per_gb") as "[[restores]] row 4, per_gb"."""
    if len(loc) > 1 and isinstance(loc[1], int):
        rest = "".join(f", {part}" for part in loc[2:])
        return f"[[{loc[0]}]] row {loc[1] + 1}{rest}"
    return ".".join(map(str, loc))
