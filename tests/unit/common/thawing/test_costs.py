"""What thawing costs, before it is spent."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from common.errors import ConfigurationError
from common.ports import Tier
from common.thawing.costs import Amount, Cost, egress_cost, reading_cost, restore_cost
from common.thawing.prices import PriceBook, read_prices

TIB, GIB = 2**40, 2**30
BOOK = read_prices()
MUCH = Amount(objects=15_000_000, bytes=100 * TIB)


def restored(
    storage_class: str, tier: Tier, amount: Amount = MUCH, *, region: str = "us-east-1", days: int = 0
) -> Cost:
    return restore_cost(BOOK, region=region, storage_class=storage_class, tier=tier, amount=amount, days=days)


def test_15_million_objects_of_100_tb_cost_what_others_have_been_billed() -> None:
    standard, expedited = restored("GLACIER", Tier.STANDARD), restored("GLACIER", Tier.EXPEDITED)

    assert (standard.total, expedited.requests) == (Decimal(1774), Decimal(150_000))


@pytest.mark.parametrize(
    ("storage_class", "tier", "retrieval", "requests"),
    [
        ("GLACIER", Tier.BULK, "0", "0"),
        ("DEEP_ARCHIVE", Tier.STANDARD, "2048", "1500"),
        ("DEEP_ARCHIVE", Tier.EXPEDITED, "2048", "1500"),
        ("DEEP_ARCHIVE", Tier.BULK, "256", "375"),
        ("ARCHIVE_ACCESS", Tier.STANDARD, "0", "0"),
        ("ARCHIVE_ACCESS", Tier.EXPEDITED, "3072", "150000"),
        ("DEEP_ARCHIVE_ACCESS", Tier.EXPEDITED, "0", "0"),
        ("STANDARD", Tier.EXPEDITED, "0", "0"),
        ("GLACIER_IR", Tier.BULK, "0", "0"),
    ],
)
def test_each_class_and_tier_has_its_price(storage_class: str, tier: Tier, retrieval: str, requests: str) -> None:
    assert restored(storage_class, tier) == Cost(retrieval=Decimal(retrieval), requests=Decimal(requests))


def test_readable_copies_cost_by_the_day_and_tiered_objects_which_move_cost_nothing_more() -> None:
    one = Amount(1, 300 * GIB)

    assert restored("GLACIER", Tier.BULK, one, days=2) == Cost(copies=Decimal("0.46"))
    assert restored("ARCHIVE_ACCESS", Tier.BULK, one, days=2) == Cost()


def test_reading_is_billed_by_object_and_by_list_and_by_gigabyte_where_the_class_says_so() -> None:
    some = Amount(1_000_000, 1000 * GIB)

    frozen = reading_cost(BOOK, region="us-east-1", storage_class="GLACIER", amount=some)
    instant = reading_cost(BOOK, region="us-east-1", storage_class="GLACIER_IR", amount=some)

    assert frozen == Cost(requests=Decimal("0.405"))
    assert instant == Cost(
        retrieval=Decimal(30), requests=Decimal("10.005"), unverified=frozenset({"reading GLACIER_IR"})
    )


@pytest.mark.parametrize(("terabytes", "cost"), [(1, "92.16"), (10, "921.60"), (60, "5120.00"), (200, "14131.20")])
def test_egress_gets_cheaper_by_the_month_s_amount(terabytes: int, cost: str) -> None:
    """The anchor: about 5,400 dollars were paid for 60 TB."""
    assert egress_cost(BOOK, region="us-east-1", octets=terabytes * TIB).egress == Decimal(cost)


def test_a_region_without_rows_of_its_own_is_estimated_by_others_and_said_to_be() -> None:
    assert restored("GLACIER", Tier.STANDARD, region="eu-west-1", days=1) == Cost(
        retrieval=Decimal(1024),
        requests=Decimal(750),
        copies=restored("GLACIER", Tier.STANDARD, days=1).copies,
        unverified=frozenset({"restores of GLACIER by Standard", "readable copies"}),
    )


def test_what_the_book_does_not_know_is_said_and_not_guessed() -> None:
    empty = PriceBook(currency="EUR")

    assert restore_cost(empty, region=None, storage_class="GLACIER", tier=Tier.BULK, amount=MUCH, days=1) == Cost(
        unknown=frozenset({"restores of GLACIER by Bulk"})
    )
    assert egress_cost(empty, region=None, octets=1) == Cost(unknown=frozenset({"egress"}))


def test_a_book_with_faults_is_refused_with_all_of_them(tmp_path: Path) -> None:
    book = tmp_path / "prices.toml"
    book.write_text(
        'currency = "dollars"\n[[restores]]\nregion = "eu-west-1"\nclass = "GLACIER"\ntier = "Fast"\n'
        'per_gb = 0.01\nper_1000_requests = "-1"\n'
    )

    with pytest.raises(ConfigurationError) as refused:
        read_prices(book)

    told = str(refused.value)
    assert str(book) in told
    assert "[[restores]] row 1, tier" in told
    assert '[[restores]] row 1, per_gb: Value error, is a binary fraction; write it in quotes: "0.01"' in told
    assert "currency" in told
    assert "per_1000_requests" in told


def test_a_book_of_one_s_own_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    book = tmp_path / "prices.toml"
    book.write_text('currency = "EUR"\n[[egress]]\nregion = "*"\nrates = [{ per_gb = "0.01" }]\nverified = true\n')

    assert egress_cost(read_prices(book), region="eu-west-1", octets=100 * GIB) == Cost(egress=Decimal(1))
