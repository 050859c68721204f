"""What thawing and moving so many bytes costs, item by item. Pure; decimal money of the price book's currency."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from common.ports import Tier
from common.thawing.prices import GIGABYTE, PriceBook, Row
from common.thawing.tiers import FROZEN, allowed

_MONTH = 30
_THOUSAND = Decimal(1000)
ZERO = Decimal(0)
KEYS_A_LIST = 1000


@dataclass(frozen=True, slots=True)
class Amount:
    """Objects of one storage class (of Intelligent-Tiering: of one archive tier), and their bytes."""

    objects: int
    bytes: int

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.objects + other.objects, self.bytes + other.bytes)


@dataclass(frozen=True, slots=True)
class Cost:
    """Money by what it is for. `unverified` and `unknown` say what it rests on, in words."""

    retrieval: Decimal = ZERO
    requests: Decimal = ZERO
    """Restore, read and list requests."""
    copies: Decimal = ZERO
    """The readable copies, for as long as they last."""
    egress: Decimal = ZERO
    unverified: frozenset[str] = field(default_factory=frozenset)
    """Rows of the price book that nobody has compared with the provider's page."""
    unknown: frozenset[str] = field(default_factory=frozenset)
    """What the price book has no row for: the sum leaves it out."""

    @property
    def total(self) -> Decimal:
        return self.retrieval + self.requests + self.copies + self.egress

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            retrieval=self.retrieval + other.retrieval,
            requests=self.requests + other.requests,
            copies=self.copies + other.copies,
            egress=self.egress + other.egress,
            unverified=self.unverified | other.unverified,
            unknown=self.unknown | other.unknown,
        )


def restore_cost(
    book: PriceBook, *, region: str | None, storage_class: str, tier: Tier, amount: Amount, days: int
) -> Cost:
    """Of bringing back so much with one request for each object, readable for `days`.

    Nothing for what is not frozen. Intelligent-Tiering moves its objects: they have no copy that is paid for.
    """
    if storage_class not in FROZEN or not amount.objects:
        return Cost()
    asked = allowed(storage_class, tier)
    row = book.restore(region, storage_class, asked)
    if row is None:
        return Cost(unknown=frozenset({f"restores of {storage_class} by {asked}"}))
    cost = Cost(
        retrieval=_gigabytes(amount.bytes) * row.per_gb,
        requests=amount.objects / _THOUSAND * row.per_1000_requests,
        unverified=_doubt(row, f"restores of {storage_class} by {asked}"),
    )
    return (
        cost if storage_class.endswith("_ACCESS") else cost + copy_cost(book, region=region, amount=amount, days=days)
    )


def copy_cost(book: PriceBook, *, region: str | None, amount: Amount, days: int) -> Cost:
    """Of readable copies that last for `days`."""
    row = book.other(region)
    if row is None:
        return Cost(unknown=frozenset({"readable copies"}))
    kept = _gigabytes(amount.bytes) * row.copy_per_gb_month * days / _MONTH
    return Cost(copies=kept, unverified=_doubt(row, "readable copies"))


def reading_cost(book: PriceBook, *, region: str | None, storage_class: str, amount: Amount) -> Cost:
    """Of reading every object once and listing it once. What was restored is read as STANDARD."""
    read_as = "STANDARD" if storage_class in FROZEN else storage_class
    row, other = book.read(region, read_as), book.other(region)
    if row is None or other is None:
        return Cost(unknown=frozenset({f"reading {read_as}"}))
    lists = -(-amount.objects // KEYS_A_LIST)
    return Cost(
        retrieval=_gigabytes(amount.bytes) * row.per_gb,
        requests=amount.objects / _THOUSAND * row.per_1000_requests + lists / _THOUSAND * other.per_1000_lists,
        unverified=_doubt(row, f"reading {read_as}") | _doubt(other, "lists"),
    )


def egress_cost(book: PriceBook, *, region: str | None, octets: int) -> Cost:
    """Of sending so much out of the provider's network, as if nothing else left it that month."""
    row = book.leaving(region)
    if row is None:
        return Cost(unknown=frozenset({"egress"}))
    left, before, sum_ = _gigabytes(octets), ZERO, ZERO
    for rate in row.rates:
        part = left if rate.up_to_gb is None else min(left, rate.up_to_gb - before)
        sum_, left, before = sum_ + part * rate.per_gb, left - part, Decimal(rate.up_to_gb or 0)
    return Cost(egress=sum_, unverified=_doubt(row, "egress"))


def _gigabytes(octets: int) -> Decimal:
    return Decimal(octets) / GIGABYTE


def _doubt(row: Row, what: str) -> frozenset[str]:
    return frozenset() if row.verified else frozenset({what})
