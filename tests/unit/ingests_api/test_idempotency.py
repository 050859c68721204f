"""The same key gets the same answer: at once fifty times, after a crash, and only from the same caller."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import httpx
import pytest
from fastapi import Request
from sqlalchemy import Engine, text

from common.domain.bag import BagVersion
from common.ledger import idempotency
from common.ledger.asking_tables import idempotency_keys
from common.ledger.engine import transaction
from common.ledger.tables import ingests
from common.web.auth import Caller, Guard, Permission
from unit.ingests_api.builders import a_bag, an_app, fail, hints, rows, serving, wish

KEY = {"Idempotency-Key": "order-66"}
_ASKERS = 50


def ask(client: httpx.Client, document: Any = None, **headers: str) -> httpx.Response:
    return client.post("/ingests", json=wish() if document is None else document, headers=KEY | headers)


def shown(answer: httpx.Response) -> tuple[int, str, bytes]:
    return answer.status_code, answer.headers["location"], answer.content


def test_fifty_requests_at_once_make_one_ingest_and_get_one_answer(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    barrier = Barrier(_ASKERS)

    def asked(_: int) -> httpx.Response:
        barrier.wait(20)
        return ask(client)

    with ThreadPoolExecutor(_ASKERS) as pool:
        answers = list(pool.map(asked, range(_ASKERS)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({shown(answer) for answer in answers}) == 1
    assert [len(rows(engine, ingests)), len(hints(engine))] == [1, 1]
    assert sorted(answer.headers.get("idempotent-replayed", "false") for answer in answers) == (
        ["false"] + ["true"] * (_ASKERS - 1)
    )


def test_the_answer_stays_although_the_ingest_goes_on(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    first = ask(client)
    fail(engine, first.json()["id"])
    second = ask(client, dict(reversed(wish().items())))
    assert shown(second) == shown(first)
    assert len(rows(engine, ingests)) == 1
    assert client.post("/ingests", json=wish()).json()["id"] != first.json()["id"]


def test_a_key_that_was_used_for_another_request_is_refused(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ask(client)
    answer = ask(client, wish(to="spare"))
    assert (answer.status_code, "used for another request" in answer.json()["description"]) == (422, True)
    assert len(rows(engine, ingests)) == 1


@pytest.mark.parametrize("bad", [wish("b2"), wish(to="nowhere"), {}, wish(options={"tier": "x"})])
def test_nothing_is_kept_of_a_request_that_is_refused(client: httpx.Client, engine: Engine, bad: Any) -> None:
    a_bag(engine)
    assert ask(client, bad).status_code in (400, 404)
    assert rows(engine, idempotency_keys) == []
    assert ask(client).status_code == 201


def test_the_answer_is_kept_exactly_if_the_work_is(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE outbox ADD CONSTRAINT down CHECK (queue = '')"))
    assert ask(client).status_code == 500
    assert (rows(engine, ingests), rows(engine, idempotency_keys)) == ([], [])
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE outbox DROP CONSTRAINT down"))
    assert ask(client).status_code == 201


def identify(request: Request) -> Caller:
    return Caller(id=request.headers["x-me"], name="", permissions=frozenset(Permission))


def test_a_key_belongs_to_its_caller(engine: Engine) -> None:
    with serving(an_app(engine, guard=Guard(identify))) as client:
        a_bag(engine)
        a_bag(engine, BagVersion.of("digitised", "b2", 1))
        mine = ask(client, **{"x-me": "ann"})
        theirs = ask(client, wish("b2"), **{"x-me": "bob"})
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tbed"])
def test_a_key_that_is_none_is_refused(client: httpx.Client, engine: Engine, key: str) -> None:
    a_bag(engine)
    answer = client.post("/ingests", json=wish(), headers={"Idempotency-Key": key})
    assert (answer.status_code, rows(engine, ingests)) == (400, [])


def test_old_keys_are_forgotten_and_young_ones_are_not(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    ask(client)
    with transaction(engine) as connection:
        young = idempotency.sweep(connection, older_than=timedelta(hours=24))
        connection.execute(text("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'"))
        old = idempotency.sweep(connection, older_than=timedelta(hours=24))
    assert (young, old) == (0, 1)


def test_a_dry_run_uses_no_key(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    told = client.post("/ingests", params={"dryRun": "true"}, json=wish(), headers=KEY)
    assert (told.status_code, rows(engine, idempotency_keys)) == (200, [])


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/ingests", wish()),
        ("/backfills", {"destination": {"id": "azure"}, "selection": {"missing": {}}}),
        ("/requirements", {"location": {"id": "azure"}}),
    ],
)
def test_a_dry_run_refuses_the_key_that_the_real_one_would(
    client: httpx.Client, engine: Engine, path: str, document: Any
) -> None:
    a_bag(engine)
    answers = [
        client.post(f"{path}?dryRun=true", json=document, headers={"Idempotency-Key": key}) for key in ("x" * 256, "x")
    ]

    assert [answer.status_code for answer in answers] == [400, 200]
