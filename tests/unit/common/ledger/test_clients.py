"""Who may call, and what people did, as the ledger keeps them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from common.ledger import actions, clients
from common.ledger.clients import NewClient
from common.ledger.engine import transaction

READER = NewClient(
    id="bfc_reader", kind="client", name="reader", secret_sha256="a" * 64, permissions=("ingests:read", "bags:read")
)


def add(engine: Engine, new: NewClient = READER) -> clients.Client:
    with transaction(engine) as connection:
        return clients.add(connection, new, who="client:root", why="the library's catalogue")


def test_a_client_is_found_as_it_was_made(engine: Engine) -> None:
    made = add(engine)

    with transaction(engine) as connection:
        assert clients.find_usable(connection, "bfc_reader") == made
        assert clients.every(connection) == [made]
    assert (made.permissions, made.created_by, made.revoked_at) == (("bags:read", "ingests:read"), "client:root", None)


def test_making_and_revoking_are_written_down_with_who_and_why(engine: Engine) -> None:
    add(engine)
    with transaction(engine) as connection:
        clients.revoke(connection, "bfc_reader", who="client:root", why="lost laptop")
        clients.revoke(connection, "bfc_reader", who="client:other", why="again")
        told = actions.actions_on(connection, "client:bfc_reader")

    assert [(one.who, one.what, one.why) for one in told] == [
        ("client:root", "client created", "the library's catalogue"),
        ("client:root", "client revoked", "lost laptop"),
    ]


@pytest.mark.parametrize("client_id", ["bfc_revoked", "bfc_expired", "bfc_unknown"])
def test_who_is_revoked_expired_or_unknown_is_not_usable(engine: Engine, client_id: str) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    add(engine, NewClient("bfc_revoked", "client", "x", "a" * 64, ("operate",)))
    add(engine, NewClient("bfc_expired", "client", "x", "a" * 64, ("operate",), expires_at=past))

    with transaction(engine) as connection:
        clients.revoke(connection, "bfc_revoked", who="client:root")
        assert clients.find_usable(connection, client_id) is None


def test_a_use_is_noted_once_a_minute(engine: Engine) -> None:
    add(engine)
    with transaction(engine) as connection:
        clients.note_use(connection, ["bfc_reader"])
        first = clients.find(connection, "bfc_reader")
    with transaction(engine) as connection:
        clients.note_use(connection, ["bfc_reader"])
        assert clients.find(connection, "bfc_reader") == first
    assert first is not None
    assert first.last_used_at is not None


def test_revoking_nobody_is_told(engine: Engine) -> None:
    with transaction(engine) as connection:
        assert clients.revoke(connection, "bfc_nobody", who="client:root") is None


@pytest.mark.parametrize(
    "statement",
    [
        """UPDATE clients SET permissions = '["operate"]'""",
        "UPDATE clients SET secret_sha256 = 'b'",
        "UPDATE clients SET revoked_at = NULL",
        "DELETE FROM clients",
        "UPDATE actions SET who = 'nobody'",
        "DELETE FROM actions",
    ],
)
def test_what_was_granted_and_done_cannot_be_changed(engine: Engine, statement: str) -> None:
    add(engine)
    with transaction(engine) as connection:
        clients.revoke(connection, "bfc_reader", who="client:root")

    with pytest.raises(DBAPIError, match=r"keeps what it is|stays so|is refused"), transaction(engine) as connection:
        connection.execute(text(statement))
