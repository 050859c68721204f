"""The time by which a bucket's restored copies end."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from common.adapters.objects.s3.cold import S3ColdStore
from common.errors import StoreUnavailable


def store(**headers: str) -> S3ColdStore:
    return S3ColdStore(SimpleNamespace(bucket="b", direct=SimpleNamespace(head_bucket=lambda _: headers)))


def test_it_is_the_buckets_own() -> None:
    assert store(date="Thu, 01 Jan 2026 00:00:00 GMT").now() == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("headers", "told"), [({}, "no date"), ({"date": "soon"}, "the date 'soon'")])
def test_without_it_nothing_is_known(headers: dict[str, str], told: str) -> None:
    with pytest.raises(StoreUnavailable, match=f"b answered with {told}"):
        store(**headers).now()


def test_who_asks_for_it_does_without_boto3() -> None:
    code = "import sys; import common.adapters.objects.s3.cold; sys.exit('botocore' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
