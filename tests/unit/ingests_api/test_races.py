"""However many ask for the same copy at once, one ingest is made, and all are told of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
from sqlalchemy import Engine

from common.ledger.tables import ingests, replicas
from unit.ingests_api.builders import a_bag, fail, hints, rows, wish

_ASKERS = 16


def ask_at_once(client: httpx.Client) -> list[httpx.Response]:
    barrier = Barrier(_ASKERS)

    def ask(_: int) -> httpx.Response:
        barrier.wait(10)
        return client.post("/ingests", json=wish())

    with ThreadPoolExecutor(_ASKERS) as pool:
        return list(pool.map(ask, range(_ASKERS)))


def test_sixteen_requests_at_once_make_one_ingest(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    answers = ask_at_once(client)
    assert sorted(answer.status_code for answer in answers) == [200] * (_ASKERS - 1) + [201]
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert [len(rows(engine, ingests)), len(rows(engine, replicas)), len(hints(engine))] == [1, 1, 1]


def test_sixteen_requests_after_a_failure_make_one_more(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    fail(engine, client.post("/ingests", json=wish()).json()["id"])
    answers = ask_at_once(client)
    assert sorted(answer.status_code for answer in answers) == [200] * (_ASKERS - 1) + [201]
    assert sorted(row["status"] for row in rows(engine, ingests)) == ["accepted", "failed"]
    assert [row["state"] for row in rows(engine, replicas)] == ["planning"]
