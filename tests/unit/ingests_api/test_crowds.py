"""Who asks at the same time shares a transaction: each is answered as if they had asked alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, event

from common.domain.bag import BagVersion
from common.ledger.access_tables import actions
from common.ledger.tables import ingests, replicas
from unit.ingests_api.builders import AZURE, a_bag, fail, hints, registered_at, rows, wish


def at_once(client: httpx.Client, asked: Sequence[dict[str, Any]]) -> list[httpx.Response]:
    barrier = Barrier(len(asked))

    def ask(body: dict[str, Any]) -> httpx.Response:
        barrier.wait(10)
        return client.post("/ingests", json=body)

    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(ask, asked))


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The first words of the statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(" ".join(statement.split()[:2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def names(count: int) -> list[str]:
    return [f"b{number}" for number in range(1, count + 1)]


async def in_one_moment(app: FastAPI, asked: Sequence[dict[str, Any]]) -> list[int]:
    """The statuses of requests that all are there before the first is looked at."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        answers = await asyncio.gather(*(client.post("/ingests", json=one) for one in asked))
    return [answer.status_code for answer in answers]


def test_an_ingest_takes_two_statements(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    with statements(engine) as sent:
        assert client.post("/ingests", json=wish()).status_code == 201
    assert sent == ["SELECT asked.place,", "WITH asked"]


def test_a_crowd_takes_no_more(app: FastAPI, engine: Engine) -> None:
    for name in names(12):
        a_bag(engine, BagVersion.of("digitised", name, 1))
    with statements(engine) as sent:
        assert asyncio.run(in_one_moment(app, [wish(name) for name in names(12)])) == [201] * 12
    assert sent == ["SELECT asked.place,", "WITH asked"]


def test_each_of_a_crowd_gets_an_ingest_a_replica_a_hint_and_a_note_of_its_own(
    client: httpx.Client, engine: Engine
) -> None:
    ids = {name: a_bag(engine, BagVersion.of("digitised", name, 1)) for name in names(12)}

    answers = at_once(client, [wish(name) for name in names(12)])

    told = {one.json()["bag"]["info"]["externalIdentifier"]: one.json()["id"] for one in answers}
    assert [one.status_code for one in answers] == [201] * 12
    assert {row["external_identifier"]: str(row["id"]) for row in rows(engine, ingests)} == told
    opened = rows(engine, replicas)
    assert {row["bag_version_id"]: str(row["ingest_id"]) for row in opened} == {
        ids[name]: told[name] for name in names(12)
    }
    queue = "bag_warmer_planning_backfill"
    wanted = [(queue, f'{{"replica_id":{row["id"]},"type":"ReplicaRequested"}}') for row in opened]
    assert sorted(hints(engine)) == sorted(wanted)
    noted = [(row["who"], row["what"], row["subject"]) for row in rows(engine, actions)]
    assert sorted(noted) == sorted(("everyone", "ingest requested", f"ingest:{one}") for one in told.values())


def test_each_of_a_crowd_is_told_what_is_wrong_with_their_own_request(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine, BagVersion.of("digitised", "good", 1))
    there = a_bag(engine, BagVersion.of("digitised", "there", 1))
    registered_at(engine, there, AZURE)
    a_bag(engine, BagVersion.of("digitised", "failed", 1))
    fail(engine, client.post("/ingests", json=wish("failed")).json()["id"])
    a_bag(engine, BagVersion.of("digitised", "running", 1))
    running = client.post("/ingests", json=wish("running")).json()["id"]
    asked = [wish("good"), wish("nowhere"), wish("good", to="moon"), wish("there"), wish("failed"), wish("running")]

    answers = at_once(client, asked)

    assert [one.status_code for one in answers] == [201, 404, 400, 201, 201, 200]
    states = [one.json().get("status", {}).get("id") for one in answers]
    assert states == ["accepted", None, None, "succeeded", "accepted", "accepted"]
    assert answers[1].json()["description"].startswith("Bag digitised/nowhere is not registered.")
    assert answers[2].json()["description"].startswith('Invalid value at .destination.id: got "moon"')
    assert answers[5].json()["id"] == running
    assert sorted(row["state"] for row in rows(engine, replicas)) == ["planning"] * 3
