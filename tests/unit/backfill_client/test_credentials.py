"""The client and the command line against an API that asks who calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill_client import ApiRefused, ApiUnreachable, BackfillClient, Credentials
from backfill_client.credentials import ClientCredentials
from common.ledger import clients
from common.ledger.engine import transaction
from common.web.auth import Permission
from common.web.auth.configured import asking, own_issuer
from common.web.auth.directory import Directory
from common.web.auth.identifying import Identifier
from common.web.auth.secrets import Fresh
from unit.backfill_client.deployment import backfill
from unit.ingests_api.builders import a_bag, an_app, serving
from unit.ingests_api.test_authentication import someone

EVERYTHING = tuple(Permission)


@pytest.fixture
def api(engine: Engine, quiet: None) -> Iterator[str]:
    """The ingests API with authentication on."""
    with serving(an_app(engine, guard=asking(Identifier(Directory(engine), [own_issuer(engine)])))) as client:
        yield str(client.base_url)


@pytest.fixture
def operator(engine: Engine) -> Fresh:
    return someone(engine, *EVERYTHING, name="root")


def given(fresh: Fresh) -> Credentials:
    return Credentials(client_id=fresh.id, client_secret=fresh.secret)


def test_a_client_gets_its_own_token_and_one_is_enough(api: str, engine: Engine, operator: Fresh) -> None:
    a_bag(engine)
    auth = given(operator).auth(api)
    assert isinstance(auth, ClientCredentials)
    with BackfillClient(api, credentials=given(operator)) as client:
        created = client.create_backfill("digitised", "b1", destination="azure")
        assert client.get_ingest(created.id) == created


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_replaced_before_it_ends(api: str, operator: Fresh) -> None:
    clock = Clock()
    auth = ClientCredentials(f"{api}/oauth2/token", operator.id, operator.secret, clock=clock)
    first = auth.fetch()
    kept = []
    for clock.now in (3569.0, 3570.0):
        kept.append(auth._kept())

    assert kept == [first, None]


def test_a_token_that_the_api_no_longer_takes_is_replaced_once(api: str, engine: Engine, operator: Fresh) -> None:
    auth = ClientCredentials(f"{api}/oauth2/token", operator.id, operator.secret)
    auth.fetch()
    auth._token = "spoilt"
    with BackfillClient(api, credentials=given(operator)) as client:
        client._ingests._http.auth = auth
        assert [one.name for one in client.get_clients()] == ["root"]


@pytest.mark.parametrize("kind", ["key", "client"])
def test_keys_and_tokens_are_taken(api: str, engine: Engine, kind: str) -> None:
    fresh = someone(engine, Permission.OPERATE, kind=kind)
    credentials = (
        Credentials(api_key=fresh.secret)
        if kind == "key"
        else Credentials(token=ClientCredentials(f"{api}/oauth2/token", fresh.id, fresh.secret).fetch())
    )
    with BackfillClient(api, credentials=credentials) as client:
        assert [one.id for one in client.get_clients()] == [fresh.id]


def test_a_wrong_secret_is_refused_and_no_server_is_unreachable(api: str, operator: Fresh) -> None:
    with BackfillClient(api, credentials=given(Fresh(operator.id, "wrong"))) as client:
        with pytest.raises(ApiRefused, match="There is no such client") as refused:
            client.get_clients()
        assert refused.value.status == 401
    with pytest.raises(ApiUnreachable):
        ClientCredentials("http://127.0.0.1:1/oauth2/token", "a", "b").fetch()


def credentials_file(folder: Path, **kept: str) -> str:
    path = folder / "credentials.json"
    path.write_text(json.dumps(kept), "utf-8")
    return str(path)


def test_the_command_line_makes_lists_and_revokes(api: str, operator: Fresh, tmp_path: Path, engine: Engine) -> None:
    path = credentials_file(tmp_path, client_id=operator.id, client_secret=operator.secret)
    general = ("--api", api, "--credentials", path, "-o", "json")
    made = json.loads(backfill(*general, "clients", "create", "reader", "--scope", "bags:read", "--key").stdout)
    listed = json.loads(backfill(*general, "clients", "list").stdout)
    revoked = json.loads(backfill(*general, "clients", "revoke", made["id"], "--reason", "test").stdout)

    assert (made["kind"], made["scopes"], made["secret"].startswith(made["id"])) == ("key", ["bags:read"], True)
    assert [one["name"] for one in listed] == ["root", "reader"]
    assert "revokedDate" in revoked
    with transaction(engine) as connection:
        assert clients.find_usable(connection, made["id"]) is None


def test_a_printed_token_opens_the_api(api: str, operator: Fresh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILL_API", api)
    monkeypatch.setenv("BACKFILL_CLIENT_ID", operator.id)
    monkeypatch.setenv("BACKFILL_CLIENT_SECRET", operator.secret)
    printed = backfill("token").stdout.strip()
    monkeypatch.delenv("BACKFILL_CLIENT_ID")
    monkeypatch.delenv("BACKFILL_CLIENT_SECRET")
    monkeypatch.setenv("BACKFILL_TOKEN", printed)

    assert backfill("clients", "list").exit_code == 0


def test_without_credentials_the_remedy_is_told(api: str) -> None:
    refused = backfill("--api", api, "clients", "list")

    assert refused.exit_code == 4
    assert refused.stderr.splitlines() == [
        "Error: Unauthorized: Nothing says who you are. Send an access token as Authorization: Bearer <token>, "
        "or an API key as x-api-key: <key>.",
        "Say who you are: set BACKFILL_CREDENTIALS, BACKFILL_CLIENT_ID and BACKFILL_CLIENT_SECRET, "
        "or BACKFILL_API_KEY.",
    ]


@pytest.mark.parametrize("content", ["{}", "[]", "nonsense", '{"client_id": "a"}', '{"api_key": 7}'])
def test_a_file_that_holds_no_credentials_is_a_usage_error_that_does_not_quote_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(content)
    ended = backfill("--credentials", str(path), "locations")
    missing = backfill("--credentials", str(tmp_path / "none"), "locations")
    half = backfill("--client-id", "a", "locations")

    assert [one.exit_code for one in (ended, missing, half)] == [2, 2, 2]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Credentials()),
        ({"BACKFILL_TOKEN": "t", "BACKFILL_CLIENT_ID": "i"}, Credentials(token="t")),
        ({"BACKFILL_API_KEY": "k", "BACKFILL_CREDENTIALS": "none.json"}, Credentials(api_key="k")),
        (
            {"BACKFILL_CLIENT_ID": "i", "BACKFILL_CLIENT_SECRET": "s", "BACKFILL_CREDENTIALS": "none.json"},
            Credentials(client_id="i", client_secret="s"),
        ),
    ],
)
def test_the_environment_names_who_calls_as_for_the_command_line(
    environment: dict[str, str], expected: Credentials
) -> None:
    assert Credentials.from_environment(environment) == expected


def test_what_the_environment_lacks_is_named(tmp_path: Path) -> None:
    file = credentials_file(tmp_path, client_id="i", client_secret="s")
    assert Credentials.from_environment({"BACKFILL_CREDENTIALS": file}) == Credentials(client_id="i", client_secret="s")

    with pytest.raises(ValueError, match="BACKFILL_CLIENT_SECRET both"):
        Credentials.from_environment({"BACKFILL_CLIENT_ID": "i"})
    with pytest.raises(ValueError, match="cannot be read"):
        Credentials.from_environment({"BACKFILL_CREDENTIALS": str(tmp_path / "none")})
    with pytest.raises(ValueError, match="set BACKFILL_API"):
        BackfillClient.from_environment({"BACKFILL_TOKEN": "t"})


def test_a_client_from_the_environment_speaks_to_the_api_that_it_names(api: str, operator: Fresh) -> None:
    known = {"BACKFILL_API": api, "BACKFILL_CLIENT_ID": operator.id, "BACKFILL_CLIENT_SECRET": operator.secret}
    with BackfillClient.from_environment(known) as client:
        assert [one.name for one in client.get_clients()] == ["root"]


def test_secrets_do_not_print() -> None:
    assert "s3cr3t" not in repr(Credentials(token="s3cr3t", api_key="s3cr3t", client_id="a", client_secret="s3cr3t"))
