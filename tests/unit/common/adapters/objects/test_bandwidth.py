"""Rates and hours as operators write them."""

from __future__ import annotations

from datetime import time
from math import inf

import pytest

from common.adapters.objects.bandwidth import Bandwidth, Hours, read_bandwidth, read_rate

OFFICE = [{"from": "08:00", "to": "18:00", "rate": "8 MB/s"}, {"rate": "unlimited"}]
NIGHT = [{"from": "22:30", "to": "06:00", "rate": "1 GiB/s"}, {"from": time(6), "to": "24:00", "rate": "64 KB/s"}]


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("8 MB/s", 8e6),
        ("8MB/s", 8e6),
        ("1.5 MiB/s", 1.5 * 2**20),
        ("64 KB/s", 64_000),
        ("100000 B/s", 100_000),
        ("64 KiB/s", 65_536),
        ("2 GB/s", 2e9),
        ("1 TiB/s", 2**40),
        ("unlimited", inf),
    ],
)
def test_a_rate_is_bytes_per_second(text: str, rate: float) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("8 MB/s", {"00:00": 8e6, "12:00": 8e6, "23:59": 8e6}),
        (OFFICE, {"07:59": inf, "08:00": 8e6, "17:59": 8e6, "18:00": inf}),
        (
            NIGHT,
            {"22:29": 64e3, "22:30": 2**30, "23:59": 2**30, "00:00": 2**30, "05:59": 2**30, "06:00": 64e3},
        ),
        ([{"from": "1:00", "to": "2:00", "rate": "1 MB/s"}], {"00:59": inf, "01:00": 1e6, "02:00": inf}),
        ([{"rate": "1 MB/s"}, {"rate": "2 MB/s"}], {"12:00": 1e6}),
    ],
)
def test_the_first_entry_that_covers_the_hour_decides(schedule: object, expected: dict[str, float]) -> None:
    bandwidth = read_bandwidth(schedule)

    assert {hour: bandwidth.at(time.fromisoformat(hour)) for hour in expected} == expected


def test_a_bandwidth_that_was_read_already_stays_as_it_is() -> None:
    bandwidth = Bandwidth((Hours(0, 60, 1e6),))

    assert read_bandwidth(bandwidth) is bandwidth


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("8 MB", "'8 MB' is no rate; write a rate such as \"8 MB/s\""),
        ("8 mb/s", "units B, KB, MB"),
        ("-1 MB/s", "is no rate"),
        (8, "8 is no rate"),
        ("0 MB/s", "too slow for a connection to stay open; write at least"),
        ("1 KB/s", "too slow"),
        ([], "an empty list says nothing"),
        (["8 MB/s"], "entry 1: '8 MB/s' is no entry; write { from ="),
        ([{"rate": "8 MB/s", "until": "9"}], "entry 1: until: no such field"),
        ([{"from": "08:00", "to": "09:00"}], "entry 1: rate is missing"),
        ([{"from": "08:00", "rate": "8 MB/s"}], "entry 1: from and to go together"),
        ([{"from": "8", "to": "09:00", "rate": "8 MB/s"}], "entry 1: from = '8' is no time of day; write it as"),
        ([{"from": "24:00", "to": "09:00", "rate": "8 MB/s"}], "from = '24:00' is no time of day"),
        ([{"from": "09:00", "to": "09:00", "rate": "8 MB/s"}], "from and to are both 09:00"),
        ([{"rate": "fast"}, {"rate": "8 MB/s"}, {"rate": "slow"}], "entry 1: 'fast' is no rate"),
        ([{"rate": "fast"}, {"rate": "8 MB/s"}, {"rate": "slow"}], "entry 3: 'slow' is no rate"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_remedy(value: object, said: str) -> None:
    with pytest.raises(ValueError) as raised:
        read_bandwidth(value)

    assert said in str(raised.value)
