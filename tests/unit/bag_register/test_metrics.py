"""GET /metrics: what it tells, whom, and how often it asks the ledger."""

from __future__ import annotations

import dataclasses

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, text

from bag_register.api import make_app
from bag_register.metrics.api import Scrapes
from bag_register.settings import Metrics
from bag_register.surroundings import Surroundings
from common.ledger.engine import transaction
from common.ledger.tables import dead_letters, outbox
from common.web.answers import Refused
from common.web.auth import Guard
from common.web.serving import HttpServer
from unit.bag_register.builders import Register
from unit.bag_register.test_reports import a_register_with_every_state

Labels = frozenset[tuple[str, str]]


def read(page: str) -> dict[tuple[str, Labels], float]:
    samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return {
        (sample.name.removeprefix("backfill_"), frozenset(sample.labels.items())): sample.value for sample in samples
    }


def at(name: str, **labels: str) -> tuple[str, Labels]:
    return name, frozenset(labels.items())


def test_an_empty_register_tells_zeros_so_that_alerts_have_a_series(client: httpx.Client) -> None:
    answer = client.get("/metrics")
    told = read(answer.text)

    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert told.pop(at("ledger_read_seconds")) > 0
    assert set(told.values()) == {0.0}
    assert {name for name, _ in told} == {
        "ingests", "ingests_ended_last_day", "replicas_stalled", "dead_letters", "outbox_messages",
        "outbox_oldest_seconds", "copies_damaged", "bag_versions_at_risk", "spaces",
    }  # fmt: skip
    assert told.keys() >= {at("copies_damaged", location="cold"), at("ingests", status="processing")}


def test_figures_are_those_of_the_reports(register: Register, client: httpx.Client) -> None:
    a_register_with_every_state(register)
    with transaction(register.engine) as connection:
        connection.execute(
            insert(dead_letters).values(queue="q", body="{}", code="not_restorable", reason="it is gone", attempts=3)
        )
        connection.execute(text("TRUNCATE outbox"))
        connection.execute(insert(outbox).values(queue="q", body="{}"))
        connection.execute(text("UPDATE outbox SET created_at = created_at - interval '1 hour'"))
    told = read(client.get("/metrics").text)
    digest = client.get("/reports/digest").json()

    assert told[at("dead_letters")] == digest["deadLetters"] == 1
    assert told[at("replicas_stalled")] == digest["stalled"]
    assert told[at("outbox_messages")] == 1
    assert 3600 <= told[at("outbox_oldest_seconds")] < 3700
    under_way = told[at("ingests", status="accepted")] + told[at("ingests", status="processing")]
    assert under_way == digest["ingests"]["running"] > 0
    assert told[at("ingests_ended_last_day", status="failed")] == sum(digest["ingests"]["failed"].values())
    assert told[at("bag_versions_at_risk")] == digest["coverage"]["atRisk"]
    for place in digest["coverage"]["locations"]:
        counts = {state: amount["bagVersions"] for state, amount in place["states"].items()}
        known = {
            dict(labels)["state"]: value
            for (name, labels), value in told.items()
            if name == "bag_versions" and dict(labels)["location"] == place["id"]
        }
        assert {state: value for state, value in known.items() if value} == counts
        assert len(known) == 9
    assert sum(value for (name, _), value in told.items() if name == "spaces") == len(digest["coverage"]["spaces"])


def test_the_ledger_is_asked_once_in_a_while(register: Register) -> None:
    now = 100.0
    scrapes = Scrapes(register.engine, fresh=10, clock=lambda: now)
    first = scrapes.page()
    with transaction(register.engine) as connection:
        connection.execute(insert(outbox).values(queue="q", body="{}"))
    now = 109.9
    assert scrapes.page() == first
    now = 110.0
    assert read(scrapes.page().decode())[at("outbox_messages")] == 1


@pytest.mark.parametrize(
    ("metrics", "expected"), [(Metrics.SCOPE, 401), (Metrics.OPEN, 200), (Metrics.OFF, 404)], ids=str
)
def test_strangers_read_them_only_where_the_operator_says_so(
    register: Register, metrics: Metrics, expected: int
) -> None:
    def identify(request: object) -> object:
        if expected == 404:
            return everyone
        raise Refused(401, "Who are you?")

    from common.web.auth.caller import EVERYONE as everyone

    around = Surroundings(
        engine=register.engine,
        lists=register.lists,
        importable=frozenset(),
        guard=Guard(identify),  # type: ignore[arg-type]
    )
    app = make_app(dataclasses.replace(around, metrics=metrics))
    with HttpServer(app, host="127.0.0.1", port=0) as server:
        assert httpx.get(f"http://127.0.0.1:{server.port}/metrics").status_code == expected
