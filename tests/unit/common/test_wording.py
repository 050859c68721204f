"""Numbers as people read them."""

from __future__ import annotations

import pytest

from common.wording import count, size


@pytest.mark.parametrize(("number", "text"), [(0, "0 files"), (1, "1 file"), (1204, "1,204 files")])
def test_counts(number: int, text: str) -> None:
    assert count(number, "file") == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (0, "0 bytes"),
        (1, "1 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (3_100_000_000, "3.1 GB"),
        (999_949, "999.9 KB"),
        (999_950, "1.0 MB"),
        (999_999_999_999, "1.0 TB"),
        (1_234_000_000_000_000, "1234.0 TB"),
    ],
)
def test_sizes(octets: int, text: str) -> None:
    assert size(octets) == text
