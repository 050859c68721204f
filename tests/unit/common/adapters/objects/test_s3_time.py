"""The time by which a bucket's restored copies end."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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


ASKING = """
import sys
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_cold_store
from common.domain.location import Provider
import bag_warmer.wiring
given = {"endpoint": sys.argv[1], "region": "us-east-1", "access_key_id": "k", "secret_access_key": "s"}
config = LocationConfig(id="a", provider=Provider.AMAZON_S3, bucket="b", **given)
print(open_cold_store(config).now().isoformat(), "botocore" in sys.modules)
"""


def test_a_bag_warmer_that_asks_for_it_does_without_boto3() -> None:
    """Where region and keys are given: others are looked for where AWS's tools do."""

    class Bucket(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Bucket) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [sys.executable, "-c", ASKING, f"http://127.0.0.1:{server.server_port}"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        server.shutdown()

    assert said.split() == ["2026-01-01T00:00:00+00:00", "False"]
