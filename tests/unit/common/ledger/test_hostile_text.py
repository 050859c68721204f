"""Names that strangers chose are quoted. No name keeps a message from being written, or commands who reads it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from common.ledger import claims, failing
from common.ledger.claims import Patience
from common.ledger.engine import transaction
from common.ledger.settling import settle
from common.ledger.tables import dead_letters, replicas
from common.outcome import Rejected
from common.topology import PLANNING
from unit.common.ledger.builders import a_backfill, history

NAMES = ["data/a\x00b", "data/\ud800", "data/\udcff.tif", "data/\x1b[2J", "data/\u202egpj.exe", "a\nb", "\x9b31m"]


def refused(engine: Engine, why: str) -> tuple[str, str]:
    """A replica's last error and its history's last line, after its plan was refused for this reason."""
    backfill = a_backfill(engine)
    with transaction(engine) as connection:
        claim = claims.take(connection, stage=PLANNING, row_id=backfill.replica_id, worker="w", patience=Patience())
        assert claim is not None
        outcome = Rejected(code="bag_file_unlisted", why=why, for_user=why)
        settle(connection, claim, outcome, patience=Patience(), build="b")
    with transaction(engine) as connection:
        error = connection.execute(select(replicas.c.last_error).where(replicas.c.id == backfill.replica_id)).scalar()
    return str(error), history(engine, backfill.ingest_id)[-1]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_bag_is_refused_for_a_name_whatever_the_name(engine: Engine, name: str) -> None:
    error, told = refused(engine, f"{name} is in no manifest")

    assert error.endswith(" is in no manifest")
    assert told.isprintable()
    assert told.startswith("Planning failed - ")


@given(st.text(st.characters(codec=None), max_size=30))
@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
def test_a_bag_is_refused_for_any_reason(engine: Engine, why: str) -> None:
    assert refused(engine, why)[1].isprintable()


def test_names_with_accents_are_told_as_they_are(engine: Engine) -> None:
    assert refused(engine, "data/Núñez 日本 is in no manifest")[1].endswith("data/Núñez 日本 is in no manifest")


def test_a_dead_letter_is_kept_whatever_its_body(engine: Engine) -> None:
    with transaction(engine) as connection:
        failing.dead_letter(connection, queue="q", body=b"\x00\xff\xed\xa0\x80", code="not_a_hint", reason="\x00\ud800")

    with transaction(engine) as connection:
        kept = connection.execute(select(dead_letters)).one()
    assert (kept.body, kept.reason) == ("\\x00\\xff\\xed\\xa0\\x80", "\\x00\\ud800")
