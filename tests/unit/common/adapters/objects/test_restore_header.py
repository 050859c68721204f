"""x-amz-restore as S3 and its look-alikes write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from common.adapters.objects.s3.info import parse_restore
from common.errors import RefusedByStore
from common.ports import RestoreStatus

DAY = datetime(2012, 12, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, None),
        ('ongoing-request="true"', RestoreStatus(True)),
        ('ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"', RestoreStatus(False, DAY)),
        ('expiry-date="Fri, 21 Dec 2012 01:00:00 +0100", ONGOING-REQUEST=false', RestoreStatus(False, DAY)),
        ('ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 -0000"', RestoreStatus(False, DAY)),
    ],
)
def test_the_header_is_read_whatever_its_order_and_case_and_its_time_has_a_zone(
    header: str | None, status: RestoreStatus | None
) -> None:
    found = parse_restore(header)

    assert found == status
    assert not found or not found.expires_at or found.expires_at > datetime(2000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "yes",
        'ongoing-request="maybe"',
        'ongoing-request="false", expiry-date="soon"',
        'ongoing-request="false", expiry-date="Fri, 21 Dec 99999 00:00:00 GMT"',
        'ongoing-request="false", expiry-date="Fri, 31 Feb 2012 25:61:00 +9999"',
    ],
)
def test_anything_else_is_the_store_s_fault(header: str) -> None:
    with pytest.raises(RefusedByStore, match="x-amz-restore was"):
        parse_restore(header)
