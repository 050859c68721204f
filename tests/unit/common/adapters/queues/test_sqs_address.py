"""Where an sqs:// URL points."""

from __future__ import annotations

import pytest

from common.adapters.queues.sqs import Address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("sqs://", Address(key=None, secret=None, endpoint=None, region=None)),
        ("sqs:///?region=eu-west-1", Address(key=None, secret=None, endpoint=None, region="eu-west-1")),
        (
            "sqs://AKIA:a%2Fb%40c@/?region=eu-west-1",
            Address(key="AKIA", secret="a/b@c", endpoint=None, region="eu-west-1"),
        ),
        (
            "sqs://k:s@127.0.0.1:5000/?region=us-east-1",
            Address(key="k", secret="s", endpoint="http://127.0.0.1:5000", region="us-east-1"),
        ),
        (
            "sqs://sqs.example.org:8443/?secure=true",
            Address(key=None, secret=None, endpoint="https://sqs.example.org:8443", region=None),
        ),
        (
            "sqs://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/",
            Address(key=None, secret=None, endpoint="https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com", region=None),
        ),
    ],
)
def test_an_sqs_url_says_who_asks_whom(url: str, address: Address) -> None:
    assert Address.of(url) == address
