"""News reach whoever listens on the broker, once they are committed, as CloudEvents on a queue of their kind."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, text

from common.adapters.queues.registry import open_courier
from common.domain.bag import BagVersion
from common.ledger.asking_tables import announcements
from common.ledger.engine import open_engine, transaction
from common.ledger.tables import outbox
from common.runtime.housekeeping import Relay
from contracts.queues.conftest import Broker
from ingests_api.cloud_events import pass_on
from unit.ingests_api.builders import AZURE, a_bag, an_app, fail, registered_at, rows, serving, wish

QUEUES = ["events_daily", "events_backfill"]


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    engine = open_engine(database, name="test")
    yield engine
    engine.dispose()


def relayed(engine: Engine, broker: Broker) -> None:
    """Everything in the outbox, by a relay that was never told of these queues."""
    relay = Relay(
        engine=engine,
        open_courier=lambda: open_courier(broker.url, prefix=broker.prefix),
        random=Random(1),
    )
    assert relay.publish_all()


def received(broker: Broker) -> dict[str, list[dict[str, Any]]]:
    courier, found = broker.courier(*QUEUES), {queue: [] for queue in QUEUES}  # type: ignore[var-annotated]
    for queue in QUEUES:
        while delivery := courier.receive([queue], wait=1):
            event = json.loads(delivery.body)
            assert delivery.message_id == event["id"]
            found[queue].append(event)
            courier.ack(delivery)
    return found


@pytest.mark.parametrize("name", ["pgmq", "rabbitmq", "sqs"])
def test_deposits_and_backfills_are_told_apart(name: str, engine: Engine, request: pytest.FixtureRequest) -> None:
    broker: Broker = request.getfixturevalue(f"{name}_broker")
    with serving(an_app(engine)) as client:
        bag_id = a_bag(engine, BagVersion.of("digitised", "PP/MIA 1", 2))
        ingest_id = client.post("/ingests", json=wish("PP/MIA 1")).json()["id"]
    fail(engine, ingest_id)
    registered_at(engine, bag_id, AZURE)

    number = pass_on(engine, source="https://archive.example/backfill")
    relayed(engine, broker)

    found = received(broker)
    names = {"space": "digitised", "externalIdentifier": "PP/MIA 1", "version": "v2"}
    (daily,), (finished, registered) = found["events_daily"], found["events_backfill"]
    assert number == 3
    assert daily.pop("id") != registered.pop("id")
    assert UUID(finished.pop("id"))
    times = [event.pop("time") for event in (daily, finished, registered)]
    assert sorted(times) == times
    common = {
        "specversion": "1.0",
        "source": "https://archive.example/backfill",
        "datacontenttype": "application/json",
    }
    assert daily == common | {
        "type": "backfill.bag.registered",
        "subject": "digitised/PP/MIA 1/v2",
        "lane": "daily",
        "data": names | {"location": "cold", "role": "primary"},
    }
    assert finished == common | {
        "type": "backfill.ingest.finished",
        "subject": ingest_id,
        "lane": "backfill",
        "data": {"ingestId": ingest_id, "ingestType": "backfill", "status": "failed", "destination": "azure"}
        | names
        | {"error": "source_vanished"},
    }
    assert registered == common | {
        "type": "backfill.bag.registered",
        "subject": "digitised/PP/MIA 1/v2",
        "lane": "backfill",
        "data": names | {"location": "azure", "role": "replica"},
    }


def test_a_campaign_tells_of_its_state_and_of_each_tenth(engine: Engine) -> None:
    with serving(an_app(engine)) as client:
        for number in range(20):
            a_bag(engine, BagVersion.of("digitised", f"b{number}", 1))
        pass_on(engine, source=None)
        body = {"name": "all", "destination": {"id": "azure"}, "selection": {"missing": {}}}
        campaign_id = client.post("/backfills", json=body).json()["id"]
    with transaction(engine) as connection:
        connection.execute(text("UPDATE campaigns SET bags = 20"))
        pass_on(engine, source=None)
        for done in range(1, 21):
            connection.execute(text("UPDATE campaigns SET succeeded_bags = :done"), {"done": done})
        connection.execute(text("UPDATE campaigns SET priority = 1"))

    pass_on(engine, source="/backfill")
    events = [json.loads(row["body"]) for row in rows(engine, outbox) if row["queue"].startswith("events_")]

    assert [event["data"]["succeeded"] for event in events] == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]
    assert {event["type"] for event in events} == {"backfill.campaign.progressed"}
    assert {event["subject"] for event in events} == {campaign_id}


def test_where_nobody_listens_news_are_forgotten(engine: Engine) -> None:
    an_app(engine)
    a_bag(engine)

    assert pass_on(engine, source=None) == 1
    assert (rows(engine, announcements), rows(engine, outbox)) == ([], [])


def test_what_is_not_committed_is_not_told(engine: Engine) -> None:
    with serving(an_app(engine)) as client:
        a_bag(engine)
        pass_on(engine, source=None)
        ingest_id = client.post("/ingests", json=wish()).json()["id"]
    with pytest.raises(ZeroDivisionError), transaction(engine) as connection:
        connection.execute(
            text("UPDATE ingests SET status = 'failed', finished_at = now() WHERE id = :id"), {"id": ingest_id}
        )
        _ = 1 / 0

    assert pass_on(engine, source="/backfill") == 0


def test_the_query_of_the_how_to_reads_events_without_kombu(engine: Engine, pgmq_broker: Broker) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "listen-to-events.md").read_text("utf-8")
    (query,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    an_app(engine)
    a_bag(engine)
    pass_on(engine, source="/backfill")
    relayed(engine, pgmq_broker)

    with psycopg.connect(pgmq_broker.url) as connection:
        found = connection.execute(query.replace("events_daily", f"{pgmq_broker.prefix}events_daily")).fetchall()

    assert [event["subject"] for (event,) in found] == ["digitised/b1/v1"]
