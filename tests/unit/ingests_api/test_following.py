"""Following one ingest: ETags, and requests that wait for news."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Engine

from common.domain.bag import BagVersion
from common.ledger import events
from common.ledger.engine import reading, transaction
from common.ledger.ingests import find_ingest, find_ingests
from unit.ingests_api.builders import a_bag, fail, wish


@pytest.fixture
def ingest_id(client: httpx.Client, engine: Engine) -> str:
    a_bag(engine)
    return str(client.post("/ingests", json=wish()).raise_for_status().json()["id"])


def happens(engine: Engine, ingest_id: str, what: str = "Planning started") -> None:
    with transaction(engine) as connection:
        events.add(connection, UUID(ingest_id), what)


def test_an_etag_stands_for_the_document(client: httpx.Client, engine: Engine, ingest_id: str) -> None:
    first = client.get(f"/ingests/{ingest_id}")
    same = client.get(f"/ingests/{ingest_id}", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})
    anything = client.get(f"/ingests/{ingest_id}", headers={"If-None-Match": "*"})
    happens(engine, ingest_id)
    changed = client.get(f"/ingests/{ingest_id}", headers={"If-None-Match": first.headers["etag"]})

    assert [answer.status_code for answer in (first, same, anything, changed)] == [200, 304, 304, 200]
    assert (same.content, same.headers["etag"]) == (b"", first.headers["etag"])
    assert changed.headers["etag"] != first.headers["etag"]
    assert len(changed.json()["events"]) == 1


@pytest.mark.parametrize("unknown", [0, 1, 30])
def test_several_are_read_as_each_of_them_alone(client: httpx.Client, engine: Engine, unknown: int) -> None:
    for name in ("b1", "b2"):
        a_bag(engine, BagVersion.of("digitised", name, 1))
    made = [UUID(client.post("/ingests", json=wish(name)).json()["id"]) for name in ("b1", "b2")]
    happens(engine, str(made[0]))
    fail(engine, str(made[1]))
    with reading(engine) as connection:
        alone = {one: find_ingest(connection, one) for one in made}
        together = find_ingests(connection, [*made, *(UUID(int=number) for number in range(unknown))])

    assert together == alone
    assert [len(one.events) for one in together.values()] == [1, 1]


def test_a_request_that_waits_is_answered_when_something_happens(
    client: httpx.Client, engine: Engine, ingest_id: str
) -> None:
    etag = client.get(f"/ingests/{ingest_id}").headers["etag"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.get, f"/ingests/{ingest_id}?wait=30", headers={"If-None-Match": etag})
        with pytest.raises(TimeoutError):
            waiting.result(0.7)
        happens(engine, ingest_id)
        answer = waiting.result(5)

    assert [event["description"] for event in answer.json()["events"]] == ["Planning started"]


def test_nobody_waits_for_what_is_known_already(client: httpx.Client, engine: Engine, ingest_id: str) -> None:
    etag = client.get(f"/ingests/{ingest_id}").headers["etag"]
    happens(engine, ingest_id)
    news = client.get(f"/ingests/{ingest_id}?wait=30", headers={"If-None-Match": etag}, timeout=5)
    fail(engine, ingest_id)
    finished = client.get(f"/ingests/{ingest_id}?wait=30", timeout=5)

    assert (news.status_code, finished.json()["status"]["id"]) == (200, "failed")


def test_a_wait_without_news_ends_when_it_was_to_end(client: httpx.Client, ingest_id: str) -> None:
    etag = client.get(f"/ingests/{ingest_id}").headers["etag"]
    started = time.monotonic()
    unchanged = client.get(f"/ingests/{ingest_id}?wait=1", headers={"If-None-Match": etag})

    assert unchanged.status_code == 304
    assert 0.9 < time.monotonic() - started < 5


def test_many_who_wait_keep_nobody_else_from_being_answered(
    client: httpx.Client, engine: Engine, ingest_id: str
) -> None:
    """More of them than the server has threads and connections."""
    number, begun = 80, threading.Barrier(81)
    etag = client.get(f"/ingests/{ingest_id}").headers["etag"]

    def wait() -> int:
        with httpx.Client(base_url=client.base_url, timeout=30) as own:
            begun.wait(20)
            answer = own.get(f"/ingests/{ingest_id}?wait=30", headers={"If-None-Match": etag})
            return len(answer.json()["events"])

    with ThreadPoolExecutor(number) as pool:
        waiting = [pool.submit(wait) for _ in range(number)]
        begun.wait(20)
        other = client.get(f"/ingests/{ingest_id}", timeout=5)
        happens(engine, ingest_id)
        told = {one.result(20) for one in waiting}

    assert (other.status_code, told) == (200, {1})


@pytest.mark.parametrize("wait", ["-1", "31", "x"])
def test_nobody_waits_for_ever(client: httpx.Client, ingest_id: str, wait: str) -> None:
    assert client.get(f"/ingests/{ingest_id}?wait={wait}").status_code == 400
