"""What a check comes to: the copy's health, stronger evidence in the register, and news where something is wrong.

A location never leaves a bag's record for what a check found: people decide what becomes of a bad copy.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, distinct, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from common.domain.replica import CheckState, EvidenceClass, Verdict
from common.ledger import news
from common.ledger.claims import Claim, afresh, release
from common.ledger.cold.recording import record_copy
from common.ledger.fixity import recorded, scheduling
from common.ledger.fixity.tables import copy_health, fixity_checks
from common.ledger.tables import NOW, bag_locations, bag_versions, evidence
from common.outcome import Checked, Done, SeenClasses

BAD = "copy.bad"
RECOVERED = "copy.recovered"


def conclude(connection: Connection, claim: Claim, done: Done) -> None:
    """End a check that the claim holds. Raises RuntimeError where it calls good what is not proven to be."""
    (checked,) = (fact for fact in done.writes if isinstance(fact, Checked))
    check = connection.execute(select(fixity_checks).where(fixity_checks.c.id == claim.row_id)).one()
    release(
        connection,
        claim,
        state=CheckState.FINISHED.value,
        verdict=checked.verdict.value,
        why=checked.why,
        finished_at=NOW,
        last_error=None,
        **afresh(claim),
    )
    if checked.verdict is Verdict.GOOD:
        _must_be_proven(connection, check)
        _strengthen(connection, check)
    for fact in done.writes:
        if isinstance(fact, SeenClasses):
            copy = {"bag_version_id": check.bag_version_id, "location_id": check.location_id}
            record_copy(connection, **copy, classes=fact.classes)
    _tell(connection, check, checked, before=_verdict_before(connection, check))
    shown = recorded.weakest(connection, check.id)
    _note(connection, check, checked, shown)
    if checked.verdict is Verdict.UNREAD and shown < EvidenceClass.PROVIDER_DIGEST:
        scheduling.ask_again(connection, check)
    else:
        scheduling.read_again(connection, check)


def _must_be_proven(connection: Connection, check: Any) -> None:
    """The last guard before anything is called good: as many proven files as the bag has, counted as rows."""
    expected = connection.execute(
        select(bag_versions.c.file_count).where(bag_versions.c.id == check.bag_version_id)
    ).scalar_one()
    proven = connection.execute(
        select(func.count(distinct(evidence.c.path))).where(
            evidence.c.check_id == check.id,
            evidence.c.outcome == "match",
            evidence.c.evidence_class >= EvidenceClass.READ_BACK.value,
        )
    ).scalar_one()
    if proven != expected:
        raise RuntimeError(f"check {check.id} is no proof: {proven} of {expected} files agreed")


def _strengthen(connection: Connection, check: Any) -> None:
    """A copy that was only listed is verified from now on; the bag's revision grows, as with every change to it."""
    stronger = connection.execute(
        update(bag_locations)
        .where(
            bag_locations.c.bag_version_id == check.bag_version_id,
            bag_locations.c.location_id == check.location_id,
            bag_locations.c.evidence_class < EvidenceClass.READ_BACK.value,
        )
        .values(evidence_class=EvidenceClass.READ_BACK.value)
    ).rowcount
    if stronger:
        connection.execute(
            update(bag_versions)
            .where(bag_versions.c.id == check.bag_version_id)
            .values(revision=bag_versions.c.revision + 1)
        )


def _verdict_before(connection: Connection, check: Any) -> str | None:
    return connection.execute(select(copy_health.c.verdict).where(*_copy(check))).scalar()


def _tell(connection: Connection, check: Any, checked: Checked, *, before: str | None) -> None:
    """Whoever listens hears of every check that found a bad copy, and of a bad copy that is good again."""
    detail = {"location": check.location_id, "check": check.id, "files": check.files, "bad": check.bad}
    subject = str(check.bag_version_id)
    if checked.verdict is Verdict.BAD:
        news.announce(connection, type=BAD, subject=subject, detail={**detail, "why": checked.why})
    elif checked.verdict is Verdict.GOOD and before == Verdict.BAD.value:
        news.announce(connection, type=RECOVERED, subject=subject, detail=detail)


def _note(connection: Connection, check: Any, checked: Checked, shown: EvidenceClass) -> None:
    """A copy that was found bad stays so until every byte of it was read and agreed: frozen files prove nothing."""
    row = {
        "bag_version_id": check.bag_version_id,
        "location_id": check.location_id,
        "verdict": checked.verdict.value,
        "evidence_class": shown.value,
        "check_id": check.id,
        "checked_at": func.clock_timestamp(),
        "read_at": None if checked.verdict is Verdict.UNREAD or check.unread else func.clock_timestamp(),
    }
    noted = upsert(copy_health).values(row)
    says = noted.excluded
    clears = (copy_health.c.verdict != Verdict.BAD.value) | (says.verdict != Verdict.UNREAD.value)
    columns = ("verdict", "evidence_class", "check_id", "checked_at")
    kept = {"read_at": func.coalesce(says.read_at, copy_health.c.read_at)}
    connection.execute(
        noted.on_conflict_do_update(
            index_elements=["bag_version_id", "location_id"],
            set_={name: says[name] for name in columns} | kept,
            where=clears,
        )
    )


def _copy(check: Any) -> tuple[Any, ...]:
    return copy_health.c.bag_version_id == check.bag_version_id, copy_health.c.location_id == check.location_id
