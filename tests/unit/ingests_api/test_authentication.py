"""Tokens, keys and clients over HTTP and a real ledger."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from common.ledger import actions, clients
from common.ledger.access_tables import clients as clients_table
from common.ledger.access_tables import signing_keys
from common.ledger.clients import NewClient
from common.ledger.engine import transaction
from common.web.auth import Permission
from common.web.auth.configured import asking, own_issuer
from common.web.auth.directory import Directory
from common.web.auth.identifying import Identifier
from common.web.auth.limits import Limits
from common.web.auth.secrets import Fresh, new_client, new_key
from common.web.auth.signing import Signer
from unit.ingests_api.builders import a_bag, an_app, rows, serving, wish

READ, WRITE, OPERATE = Permission.INGESTS_READ, Permission.INGESTS_WRITE, Permission.OPERATE
NOBODY = "/ingests/00000000-0000-4000-8000-000000000000"


class Clock:
    """Time of the directory, which remembers clients for ten seconds."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(engine: Engine, clock: Clock) -> FastAPI:
    """With authentication on."""
    return an_app(engine, guard=asking(Identifier(Directory(engine, clock=clock), [own_issuer(engine)])))


def someone(engine: Engine, *permissions: Permission, kind: str = "client", **facts: Any) -> Fresh:
    """A client or key of the ledger."""
    fresh = new_client() if kind == "client" else new_key()
    new = NewClient(fresh.id, kind, facts.pop("name", "somebody"), fresh.sha256, tuple(permissions), **facts)
    with transaction(engine) as connection:
        clients.add(connection, new, who="shell:test")
    return fresh


def ask_for_token(client: httpx.Client, fresh: Fresh, **form: str) -> httpx.Response:
    data = {"grant_type": "client_credentials"} | form
    return client.post("/oauth2/token", data=data, auth=(fresh.id, fresh.secret))


def bearer(client: httpx.Client, fresh: Fresh, **form: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {ask_for_token(client, fresh, **form).json()['access_token']}"}


def test_a_client_gets_a_token_with_all_its_scopes(client: httpx.Client, engine: Engine) -> None:
    answer = ask_for_token(client, someone(engine, WRITE, READ))
    document = answer.json()

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert isinstance(document.pop("access_token"), str)
    assert document == {"expires_in": 3600, "token_type": "Bearer", "scope": "ingests:read ingests:write"}


def test_the_secret_may_also_come_in_the_form(client: httpx.Client, engine: Engine) -> None:
    fresh = someone(engine, READ)
    form = {"grant_type": "client_credentials", "client_id": fresh.id, "client_secret": fresh.secret}

    assert client.post("/oauth2/token", data=form).status_code == 200


@pytest.mark.parametrize("before", ["Bearer ", "bearer ", "Bearer  ", ""])
def test_a_token_is_taken_with_and_without_the_word_bearer(client: httpx.Client, engine: Engine, before: str) -> None:
    token = ask_for_token(client, someone(engine, READ)).json()["access_token"]

    assert client.get(NOBODY, headers={"Authorization": before + token}).status_code == 404


@pytest.mark.parametrize("header", ["x-api-key", "Authorization"])
def test_an_api_key_is_taken(client: httpx.Client, engine: Engine, header: str) -> None:
    key = someone(engine, READ, kind="key")

    assert client.get(NOBODY, headers={header: key.secret}).status_code == 404


def test_a_token_opens_only_what_it_was_asked_for(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    headers = bearer(client, someone(engine, READ, WRITE), scope="ingests:read")

    assert client.get(NOBODY, headers=headers).status_code == 404
    assert client.post("/ingests", json=wish(), headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "Nothing says who you are"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "The scheme 'Basic' is not one that is taken here"),
        ({"Authorization": "Bearer"}, "The access token is not accepted"),
        ({"Authorization": ""}, "The access token is not accepted"),
        ({"Authorization": "Bearer a.b.c"}, "The access token is not accepted"),
        ({"x-api-key": "bfk_00000000_nonsense"}, "The API key is not known"),
        ({"x-api-key": "a.b.c"}, "The API key is not known"),
        ({"x-api-key": "a", "Authorization": "b"}, "There is more than one Authorization or x-api-key header"),
    ],
)
def test_whoever_proves_nothing_is_told_what_to_send(client: httpx.Client, headers: dict[str, str], why: str) -> None:
    answer = client.get(NOBODY, headers=headers)
    body = answer.json()

    assert (answer.status_code, body["label"], body["description"].startswith(why)) == (401, "Unauthorized", True)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_secret_of_another_key_opens_nothing(client: httpx.Client, engine: Engine) -> None:
    mine, other = someone(engine, READ, kind="key"), someone(engine, OPERATE, kind="key")
    mixed = other.secret[:12] + mine.secret[12:]

    assert client.get(NOBODY, headers={"x-api-key": mixed}).status_code == 401


def test_a_clients_secret_is_no_api_key_and_a_key_gets_no_token(client: httpx.Client, engine: Engine) -> None:
    key = someone(engine, READ, kind="key")
    secret = someone(engine, READ).secret

    assert client.get(NOBODY, headers={"x-api-key": secret}).status_code == 401
    assert ask_for_token(client, key).status_code == 401


def test_who_is_revoked_is_out_within_ten_seconds_even_with_a_token(
    client: httpx.Client, engine: Engine, clock: Clock
) -> None:
    fresh = someone(engine, READ)
    headers = bearer(client, fresh)
    before = client.get(NOBODY, headers=headers).status_code
    with transaction(engine) as connection:
        clients.revoke(connection, fresh.id, who="shell:test")
    clock.now += 10

    assert (before, client.get(NOBODY, headers=headers).status_code) == (404, 401)
    assert ask_for_token(client, fresh).json()["error"] == "invalid_client"


def test_an_expired_token_says_so(client: httpx.Client, engine: Engine) -> None:
    fresh = someone(engine, READ)
    signer = Signer(engine, life=timedelta(hours=1), now=lambda: time.time() - 3700)
    answer = client.get(NOBODY, headers={"Authorization": signer.token(fresh.id, [READ])})

    assert (answer.status_code, "it has expired: ask for a new one" in answer.json()["description"]) == (401, True)


def test_a_key_that_signed_is_kept_by_the_ledger_and_shared(client: httpx.Client, engine: Engine) -> None:
    fresh = someone(engine, READ)
    headers = bearer(client, fresh)
    another = Signer(engine, life=timedelta(hours=1)).token(fresh.id, [READ])

    assert len(rows(engine, signing_keys)) == 1
    for authorization in (headers["Authorization"], another):
        assert client.get(NOBODY, headers={"Authorization": authorization}).status_code == 404


REFUSED = [
    ({"data": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
    ({"data": {}}, 400, "invalid_request"),
    ({"json": {"grant_type": "client_credentials"}}, 400, "invalid_request"),
    ({"data": {"grant_type": "client_credentials"}}, 401, "invalid_client"),
    ({"data": {"grant_type": "client_credentials", "client_id": "a\x00", "client_secret": "x"}}, 401, "invalid_client"),
    ({"data": {"grant_type": "client_credentials"}, "headers": {"Authorization": "Basic é"}}, 401, "invalid_client"),
    ({"content": "grant_type=client_credentials&grant_type=x"}, 400, "invalid_request"),
    ({"content": "x" * 17000}, 413, "invalid_request"),
]


@pytest.mark.parametrize(("request_", "status", "code"), REFUSED)
def test_a_token_is_refused_as_oauth_has_it_and_as_all_our_refusals_are(
    client: httpx.Client, request_: dict[str, Any], status: int, code: str
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if "content" in request_ else {}
    given = request_ | {"headers": headers | request_.get("headers", {})}
    given["headers"] = {name: value.encode() for name, value in given["headers"].items()}
    answer = client.post("/oauth2/token", **given)
    body = answer.json()

    assert (answer.status_code, body["error"]) == (status, code)
    assert body["description"] == body["error_description"]
    assert body["label"]


def test_a_wrong_secret_and_an_unknown_client_are_told_alike(client: httpx.Client, engine: Engine) -> None:
    fresh = someone(engine, READ)
    wrong = ask_for_token(client, Fresh(fresh.id, fresh.secret + "x"))
    unknown = ask_for_token(client, Fresh("bfc_nobody00", fresh.secret))

    assert wrong.status_code == 401
    assert wrong.headers["www-authenticate"] == 'Basic realm="backfill"'
    assert (wrong.json(), wrong.status_code) == (unknown.json(), unknown.status_code)


def test_a_scope_that_the_client_has_not_is_refused(client: httpx.Client, engine: Engine) -> None:
    answer = ask_for_token(client, someone(engine, READ), scope="ingests:read operate")

    assert (answer.status_code, answer.json()["error"], answer.json()["description"]) == (
        400,
        "invalid_scope",
        "This client has not: operate. It has: ingests:read.",
    )


def test_an_operator_makes_a_client_that_works_and_shuts_it_out(client: httpx.Client, engine: Engine) -> None:
    operator = {"x-api-key": someone(engine, OPERATE, kind="key", name="root").secret}
    asked = {"name": "workflow", "scopes": ["ingests:read"], "expiresInDays": 30, "reason": "new system"}
    made = client.post("/clients", json=asked, headers=operator).json()
    worked = ask_for_token(client, Fresh(made["id"], made["secret"])).status_code
    address = f"/clients/{made['id']}/revoke"
    revoked = client.post(address, json={"reason": "retired"}, headers=operator).json()
    listed = client.get("/clients", headers=operator).json()["results"]

    assert worked == 200
    assert {name: made[name] for name in ("kind", "name", "scopes")} == {
        "kind": "client",
        "name": "workflow",
        "scopes": ["ingests:read"],
    }
    assert ("revokedDate" in made, "revokedDate" in revoked, "expiresDate" in made) == (False, True, True)
    assert [(one["name"], "secret" in one) for one in listed] == [("root", False), ("workflow", False)]
    with transaction(engine) as connection:
        told = [(one.what, one.why, one.who[:4]) for one in actions.actions_on(connection, f"client:{made['id']}")]
    assert told == [("client created", "new system", "key:"), ("client revoked", "retired", "key:")]


def test_no_secret_is_in_the_ledger(client: httpx.Client, engine: Engine) -> None:
    operator = someone(engine, OPERATE, kind="key")
    made = client.post("/clients", json={"name": "x", "scopes": ["operate"], "kind": "key"},
                       headers={"x-api-key": operator.secret}).json()  # fmt: skip

    kept = json.dumps([rows(engine, clients_table), _actions(engine, made["id"])], default=str)
    assert made["id"] in kept
    assert made["secret"][13:] not in kept
    assert operator.secret[13:] not in kept


def _actions(engine: Engine, client_id: str) -> list[str]:
    with transaction(engine) as connection:
        return [str(one) for one in actions.actions_on(connection, f"key:{client_id}")]


def test_every_fault_of_a_request_for_a_client_is_told_at_once(client: httpx.Client, engine: Engine) -> None:
    operator = {"x-api-key": someone(engine, OPERATE, kind="key").secret}
    answer = client.post("/clients", json={"kind": "person", "scopes": ["all"], "expiresInDays": 0}, headers=operator)

    assert (answer.status_code, answer.json()["description"].splitlines()) == (
        400,
        [
            'Invalid value at .kind: got "person", valid values are: client, key.',
            "Invalid value at .name: Missing required field",
            "Invalid value at .scopes: must be a list with some of: ingests:read, ingests:write, bags:read, operate.",
            "Invalid value at .expiresInDays: got 0, must be from 1 to 3650.",
        ],
    )


def test_an_ingest_is_written_down_with_who_asked_for_it(client: httpx.Client, engine: Engine) -> None:
    a_bag(engine)
    key = someone(engine, WRITE, kind="key")
    first = client.post("/ingests", json=wish(), headers={"x-api-key": key.secret}).json()["id"]
    client.post("/ingests", json=wish(), headers={"x-api-key": key.secret})

    with transaction(engine) as connection:
        told = [(one.who, one.what) for one in actions.actions_on(connection, f"ingest:{first}")]
    assert told == [(f"key:{key.id}", "ingest requested")]


@pytest.fixture
def hurried(engine: Engine) -> Iterator[httpx.Client]:
    """Three requests a minute for each caller, and three for each address of strangers."""
    guard = asking(Identifier(Directory(engine), [own_issuer(engine)]), limits=Limits(3))
    with serving(an_app(engine, guard=guard)) as client:
        yield client


def test_who_calls_too_often_is_told_when_to_come_back(hurried: httpx.Client, engine: Engine) -> None:
    one, two = ({"x-api-key": someone(engine, READ, kind="key").secret} for _ in range(2))
    answers = [hurried.get(NOBODY, headers=one) for _ in range(4)]
    other = hurried.get(NOBODY, headers=two)

    assert [answer.status_code for answer in (*answers, other)] == [404, 404, 404, 429, 404]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=3;w=60'
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    assert answers[3].json()["label"] == "Too Many Requests"
    assert answers[3].json()["description"].startswith("More than 3 requests in a minute: wait ")


def test_strangers_share_what_their_address_may_do_and_probes_are_free(hurried: httpx.Client) -> None:
    guesses = [hurried.get(NOBODY, headers={"x-api-key": f"bfk_{n}"}).status_code for n in range(3)]
    token = hurried.post("/oauth2/token").status_code
    probes = [hurried.get("/livez").status_code for _ in range(5)]

    assert (guesses, token, probes) == ([401, 401, 401], 429, [200] * 5)


def test_a_body_that_declares_too_much_is_not_waited_for(client: httpx.Client) -> None:
    address = client.base_url.host, client.base_url.port or 0
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(f"POST /ingests HTTP/1.1\r\nHost: x\r\nContent-Length: {(1 << 20) + 1}\r\n\r\n".encode())
        status, *_ = connection.makefile("rb").readline().split(b" ", 1)[1].split(b" ")

    assert status == b"413"


def test_too_many_headers_are_told(client: httpx.Client) -> None:
    answer = client.get(NOBODY, headers={"x-api-key": "k" * 20_000})

    assert (answer.status_code, answer.json()["description"]) == (431, "The headers are larger than 16384 bytes.")
