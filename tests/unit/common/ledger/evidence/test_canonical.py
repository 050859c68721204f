"""The bytes that a link covers: a promise to whoever verifies a chain of years ago."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from common.ledger.access_tables import actions
from common.ledger.evidence.canonical import COLUMNS, START, canonical, link
from common.ledger.evidence.tables import evidence

ACTION = {
    "id": 7,
    "who": "operator",
    "what": "check requested",
    "subject": "check:1",
    "why": 'because "ä"',
    "detail": {"b": [1, None, 2.5], "a": True},
    "created_at": datetime(2026, 1, 31, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=1))),
}


def test_form_1_is_what_it_was_when_the_first_row_was_sealed() -> None:
    assert canonical("actions", ACTION | {"later": "another column"}) == (
        b'{"row":{"created_at":"2026-01-31T09:00:00.000005Z","detail":{"a":true,"b":[1,null,2.5]},"id":7,'
        b'"subject":"check:1","what":"check requested","who":"operator",'
        b'"why":"because \\"\\u00e4\\""},"table":"actions"}'
    )


def test_a_link_covers_the_one_before_it() -> None:
    first = link(START, b"a")

    assert first == hashlib.sha256(bytes(32) + b"a").digest()
    assert link(first, b"b") == hashlib.sha256(first + b"b").digest()


@pytest.mark.parametrize("table", [actions, evidence])
def test_form_1_covers_every_column(table: object) -> None:
    assert set(COLUMNS[table.name]) == {column.name for column in table.columns}  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [b"bytes", {1, 2}])
def test_what_has_no_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="form 1 does not know"):
        canonical("actions", ACTION | {"detail": {"x": value}})


def test_a_uuid_is_text() -> None:
    row = dict.fromkeys(COLUMNS["evidence"]) | {
        "ingest_id": UUID(int=7),
        "recorded_at": datetime(2026, 1, 1, tzinfo=UTC),
    }

    assert b'"ingest_id":"00000000-0000-0000-0000-000000000007"' in canonical("evidence", row)
