"""The thaw budget of a location, as people write it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from common.adapters.objects.configuration import read_locations
from common.domain.location import LocationId
from common.errors import ConfigurationError
from common.thawing.budget import Budget, Hours

GLACIER = '[locations.glacier]\nprovider = "amazon-s3"\nbucket = "b"\n'


def budget_of(tmp_path: Path, text: str) -> Budget:
    file = tmp_path / "locations.toml"
    file.write_text(f"{GLACIER}[locations.glacier.thaw_budget]\n{text}")
    found = read_locations(file)[LocationId("glacier")].thaw_budget
    assert found is not None
    return found.budget


def test_sizes_rates_money_and_hours_are_written_as_people_say_them(tmp_path: Path) -> None:
    text = (
        'bytes_in_flight = "2 TB"\nobjects_in_flight = 2_000_000\n'
        'bytes_per_day = "1.5 TiB"\nrequests_per_day = 500_000\n'
        'cost_per_month = "399.99"\nhours = ["20:00-06:00", "12:00-13:30"]\ncopy_rate = "80 MB/s"\nlongest_days = 5\n'
        "longest_wait_days = 2\nmost_extensions = 1\n"
    )

    assert budget_of(tmp_path, text) == Budget(
        bytes_in_flight=2 * 10**12,
        objects_in_flight=2_000_000,
        bytes_per_day=3 * 2**39,
        requests_per_day=500_000,
        cost_per_month=Decimal("399.99"),
        hours=(Hours(20 * 60, 6 * 60), Hours(12 * 60, 13 * 60 + 30)),
        copy_rate=80e6,
        longest_days=5,
        longest_wait=timedelta(days=2),
        most_extensions=1,
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('bytes_in_flight = "2 terabytes"', "thaw_budget.bytes_in_flight = '2 terabytes': write a number of bytes"),
        ("bytes_per_day = 0", "thaw_budget.bytes_per_day = 0"),
        ("cost_per_month = 4.5", 'thaw_budget.cost_per_month = 4.5: is a binary fraction; write it in quotes: "4.5"'),
        ('hours = ["20-6"]', "thaw_budget.hours.0 = '20-6': write hours as \"20:00-06:00\""),
        ('copy_rate = "fast"', "thaw_budget.copy_rate = 'fast'"),
        ("objects_at_once = 3", "thaw_budget.objects_at_once: no such setting"),
    ],
)
def test_what_cannot_be_read_is_told_with_what_to_write(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        budget_of(tmp_path, line)

    assert told in str(refused.value)


def test_a_location_without_a_table_has_no_budget_and_azure_can_have_none(tmp_path: Path) -> None:
    file = tmp_path / "locations.toml"
    file.write_text(GLACIER)
    assert read_locations(file)[LocationId("glacier")].thaw_budget is None

    file.write_text(
        '[locations.azure]\nprovider = "azure-blob-storage"\nbucket = "b"\naccount_name = "a"\n'
        "[locations.azure.thaw_budget]\nlongest_days = 1\n"
    )
    with pytest.raises(ConfigurationError, match="thaw_budget means nothing to provider azure-blob-storage"):
        read_locations(file)
