"""A hint exists exactly if its transaction committed, and leaves the outbox exactly if the broker confirmed it."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from common.errors import BrokerUnavailable
from common.ledger import outbox
from common.ledger.engine import transaction
from common.topology import COPYING, Lane, hint_for
from unit.common.ledger.builders import hints


def post(engine: Engine, number: int) -> None:
    with transaction(engine) as connection:
        for row in range(number):
            outbox.post(connection, stage=COPYING, lane=Lane.BACKFILL, hint=hint_for(COPYING, row))


def test_hints_are_published_in_order_and_then_gone(engine: Engine) -> None:
    post(engine, 3)
    published: list[bytes] = []

    with transaction(engine) as connection:
        number = outbox.relay(connection, publish=lambda *, queue, body, message_id: published.append(body))

    assert (number, hints(engine)) == (3, [])
    assert published == [b'{"segment_id":%d,"type":"SegmentThawed"}' % n for n in range(3)]


def test_a_hint_the_broker_did_not_confirm_stays(engine: Engine) -> None:
    post(engine, 3)
    calls: list[bytes] = []

    def publish(*, queue: str, body: bytes, message_id: str) -> None:
        calls.append(body)
        if len(calls) == 2:
            raise BrokerUnavailable

    with pytest.raises(BrokerUnavailable), transaction(engine) as connection:
        outbox.relay(connection, publish=publish)

    assert len(hints(engine)) == 3


def test_two_relays_share_the_outbox_and_neither_waits_for_the_other(engine: Engine) -> None:
    post(engine, 4)
    with transaction(engine) as first:
        outbox.relay(first, publish=lambda **_: None, at_most=2)
        with transaction(engine) as second:
            number = outbox.relay(second, publish=lambda **_: None)

    assert (number, hints(engine)) == (2, [])
