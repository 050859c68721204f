"""A copy that is frozen: the store is asked about it, and its word never passes for a reading."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from common.domain.fixity import Algorithm
from common.domain.replica import Verdict
from common.domain.segment import SegmentLimits
from common.ledger.engine import transaction
from common.ledger.fixity.schedule_tables import copy_schedule
from common.ledger.tables import bag_locations, copy_health, evidence
from unit.verifier.copies import Copies
from unit.verifier.test_schedule import begun, due_copy, look, stated
from verifier.rereading import Turn


def freeze(copies: Copies, *, digests: bool, below: str = "") -> None:
    """A lifecycle rule moves the objects to an archive tier: they stay the objects they are."""
    for key, versions in copies.objects.items():
        if key.startswith(copies.key(below)):
            told = {Algorithm.SHA256: hashlib.sha256(versions[-1].data).hexdigest()} if digests else None
            versions[-1].info = replace(versions[-1].info, storage_class="DEEP_ARCHIVE", digests=told)


def last_classes(copies: Copies, check_id: int) -> set[str]:
    return {row["evidence_class"] for row in copies.rows(evidence) if row["check_id"] == check_id}


@pytest.mark.parametrize("below", ["data/", ""], ids=["the payload", "the manifests too"])
@pytest.mark.parametrize(("digests", "shown"), [(True, "E2"), (False, "E1")])
def test_a_frozen_copy_is_shown_by_what_the_store_tells(engine: Engine, below: str, digests: bool, shown: str) -> None:
    copies = Copies(engine, turn=Turn(slices=SegmentLimits(files=2)))
    copies.checked()
    before = copies.rows(copy_health)[0]
    freeze(copies, digests=digests, below=below)

    check = copies.checked()

    (health,) = copies.rows(copy_health)
    assert (check.verdict, check.unread) == (Verdict.UNREAD, 3 if below else 7)
    assert (health["evidence_class"], health["read_at"]) == (shown, before["read_at"])
    assert health["checked_at"] > before["checked_at"]
    assert last_classes(copies, check.id) == ({shown, "E3"} if below else {shown})
    assert copies.rows(bag_locations)[0]["evidence_class"] == "E3"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda copies: copies.objects.pop(copies.key("data/a.txt")), "missing"),
        (lambda copies: copies.overwrite("data/a.txt", b"aab"), "mismatch"),
    ],
    ids=["missing", "another object"],
)
def test_a_frozen_file_that_is_another_or_none_makes_the_copy_bad(engine: Engine, spoil: Any, why: str) -> None:
    copies = Copies(engine)
    copies.checked()
    read_at = copies.rows(copy_health)[0]["read_at"]
    spoil(copies)
    freeze(copies, digests=False)

    check = copies.checked()

    assert (check.verdict, check.why) == (Verdict.BAD, "1 bad file")
    assert [type_ for type_, _ in copies.news()] == ["copy.bad"]
    assert [row["outcome"] for row in copies.rows(evidence) if row["outcome"] != "match"] == [why]
    assert [(row["verdict"], row["read_at"]) for row in copies.rows(copy_health)] == [("bad", read_at)]


def made_by_an_ingest(copies: Copies) -> None:
    """The copy was read back by the ingest that made it, and by no check since."""
    with transaction(copies.engine) as connection:
        for change in (
            "ALTER TABLE evidence DISABLE TRIGGER ALL",
            "ALTER TABLE bag_locations DISABLE TRIGGER ALL",
            "INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id,"
            " destination_id, status, finished_at) SELECT gen_random_uuid(), 'backfill', space, external_identifier,"
            " version, id, 'cold', 'cold', 'succeeded', now() FROM bag_versions",
            "UPDATE bag_locations SET ingest_id = (SELECT id FROM ingests)",
            "UPDATE evidence SET check_id = NULL, ingest_id = (SELECT id FROM ingests)",
            "UPDATE fixity_checks SET verdict = 'unread'",
        ):
            connection.execute(text(change))


@pytest.mark.parametrize("below", ["data/", ""], ids=["the payload", "the manifests too"])
def test_what_the_ingest_read_back_is_known_too(engine: Engine, below: str) -> None:
    copies = Copies(engine)
    copies.checked()
    made_by_an_ingest(copies)
    freeze(copies, digests=False, below=below)

    copies.checked()

    assert [row["evidence_class"] for row in copies.rows(copy_health)] == ["E1"]


def test_a_frozen_copy_of_which_nothing_was_ever_read_is_only_listed(engine: Engine) -> None:
    copies = Copies(engine)
    freeze(copies, digests=True)

    check = copies.checked()

    assert (check.verdict, check.files) == (Verdict.UNREAD, 0)
    assert [row["evidence_class"] for row in copies.rows(copy_health)] == ["E0"]


def test_digests_of_some_files_are_no_word_on_the_copy(engine: Engine) -> None:
    copies = Copies(engine)
    copies.checked()
    with transaction(engine) as connection:
        connection.execute(text("ALTER TABLE evidence DISABLE TRIGGER ALL"))
        connection.execute(text("DELETE FROM evidence WHERE path = 'data/a.txt'"))
    freeze(copies, digests=True)

    check = copies.checked()

    assert last_classes(copies, check.id) == {"E2"}
    assert [row["evidence_class"] for row in copies.rows(copy_health)] == ["E0"]


@pytest.mark.parametrize(("digests", "overdue"), [(True, False), (False, True)])
def test_only_digests_keep_a_frozen_copy_from_being_overdue(engine: Engine, digests: bool, overdue: bool) -> None:
    copies = due_copy(engine)
    freeze(copies, digests=digests, below="data/")

    copies.turn_of(begun(copies))

    with transaction(engine) as connection:
        due = connection.execute(text("SELECT due_at + interval '1 day' < now() FROM copy_schedule")).scalar_one()
    assert due is overdue
    assert look(engine) == (0, 0)


def test_a_shorter_period_has_frozen_copies_asked_about_sooner(engine: Engine) -> None:
    copies = due_copy(engine)
    stated(engine, days=1000)
    look(engine)
    freeze(copies, digests=False, below="data/")
    with transaction(engine) as connection:
        connection.execute(text("UPDATE copy_schedule SET due_at = now() - interval '2 days'"))
    copies.turn_of(begun(copies))
    patient = copies.rows(copy_schedule)[0]["not_before"]

    stated(engine, days=10)
    look(engine)

    now = datetime.now(UTC)
    assert copies.rows(copy_schedule)[0]["not_before"] <= now + timedelta(days=10) < patient
