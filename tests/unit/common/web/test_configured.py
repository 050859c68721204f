"""What settings make of the guard, and which are refused with a remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.errors import ConfigurationError
from common.ledger.engine import open_engine
from common.web.auth.configured import guard_for
from common.web.auth.issuers import read_issuers
from common.web.settings import HttpSettings


def settings(**given: Any) -> HttpSettings:
    return HttpSettings.model_validate({"database_url": "postgresql://localhost:1/none"} | given)


def test_authentication_is_on_unless_it_is_switched_off() -> None:
    assert settings().auth == "on"


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "::", "backfill.example.org"])
def test_nobody_else_may_reach_a_service_that_asks_nobody(host: str) -> None:
    engine = open_engine("postgresql://localhost:1/none", name="test")

    with pytest.raises(ConfigurationError, match="BACKFILL_AUTH=off is for development on one machine"):
        guard_for(settings(auth="off", http_host=host), engine)
    for local in ("127.0.0.1", "::1", "localhost"):
        guard_for(settings(auth="off", http_host=local), engine)


def issuers(folder: Path, text: str) -> Path:
    path = folder / "issuers.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_issuers_of_the_how_to_can_be_read(tmp_path: Path) -> None:
    page = Path(__file__).parents[4].joinpath("docs/how-to/authenticate.md").read_text("utf-8")
    found = read_issuers(issuers(tmp_path, page.split("```toml\n")[1].split("```")[0]))

    assert [(one.audience, sorted(one.clients), sorted(one.scopes)) for one in found] == [
        (
            None,
            ["4mbkexample"],
            ["https://api.example.org/storage/v1/bags", "https://api.example.org/storage/v1/ingests"],
        ),
        ("backfill", [], []),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[issuers.a]\nissuer = 'https://a'", "audience or clients"),
        ("[issuers.a]\nissuer = 'http://a'\naudience = 'x'", "must begin with https://"),
        ("[issuers.a]\nissuer = 'backfill'\naudience = 'x'\njwks_url = 'https://a'", "the built-in issuer's name"),
        ("[issuers.a]\nissuer = 'https://a'\naudience = 'x'\nscopes = { a = ['all'] }", "issuers.a.scopes"),
        (
            "[issuers.a]\nissuer = 'https://a'\naudience = 'x'\n[issuers.b]\nissuer = 'https://a'\naudience = 'y'",
            "once",
        ),
        ("issuers", "is not TOML"),
    ],
)
def test_an_issuers_file_that_would_let_too_many_in_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read_issuers(issuers(tmp_path, text))


def test_an_issuers_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_issuers(tmp_path / "none.toml")
