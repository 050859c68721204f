"""A replica with bad files is read to its end, so that all of them are told at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select

from common.domain.fixity import Algorithm
from common.domain.replica import EvidenceClass
from common.ledger import proofs
from common.ledger.beginning import begin
from common.ledger.claims import Claim, Patience
from common.ledger.engine import transaction
from common.ledger.ingests import find_ingest
from common.ledger.proofs import Tally, Which
from common.ledger.reaper import reap
from common.ledger.settling import settle
from common.ledger.tables import evidence, ingests, replicas, segments
from common.outcome import Done, Evidence, Outcome, Rejected, Verified
from common.topology import COPYING, VERIFYING, Stage
from unit.common.ledger.builders import Backfill, a_backfill, age, history, some_segments, state_of

PATIENCE = Patience()
DIGEST = {Algorithm.SHA256: "0" * 64}
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def proof(name: str, outcome: str = "match", **facts: object) -> Evidence:
    item = Evidence(
        f"data/{name}", f"digitised/b/v1/data/{name}", outcome, EvidenceClass.READ_BACK, DIGEST, DIGEST, 3, "e", "v",
        BEGAN, 0.25, "" if outcome == "match" else "2 bytes, expected 3",
    )  # fmt: skip
    return replace(item, **facts)  # type: ignore[arg-type]


def good(*names: str) -> Done:
    return Done("", writes=(Verified([proof(name) for name in names]),))


def bad(*names: str) -> Rejected:
    found = Verified([proof(name, "mismatch") for name in names])
    told = f"unable to verify {', '.join(names)}"
    return Rejected("replica_digest_mismatch", "because", told, writes=(found,), after_the_rest=True)


def claimed(engine: Engine, row_id: int, stage: Stage = VERIFYING) -> Claim:
    with transaction(engine) as connection:
        found = begin(connection, stage=stage, row_id=row_id, worker="w", patience=PATIENCE)
    assert found is not None
    return found.claim


def ends(engine: Engine, claim: Claim, outcome: Outcome) -> None:
    with transaction(engine) as connection:
        settle(connection, claim, outcome, patience=PATIENCE, build="verifier 1")


def states(engine: Engine, backfill: Backfill, rows: list[int]) -> list[str]:
    return [
        state_of(engine, ingests, backfill.ingest_id),
        state_of(engine, replicas, backfill.replica_id),
        *(state_of(engine, segments, row) for row in rows),
    ]


def under_way(engine: Engine, *names: str) -> tuple[Backfill, list[int]]:
    backfill = a_backfill(engine, state="transferring", status="processing")
    return backfill, some_segments(engine, backfill, states=list(names))


def test_what_is_copied_is_verified_to_the_end_and_what_is_not_is_called_off(engine: Engine) -> None:
    backfill, rows = under_way(engine, "verifying", "verifying", "copying", "thawing", "verifying")

    ends(engine, claimed(engine, rows[0]), bad("a"))
    meanwhile = states(engine, backfill, rows)
    ends(engine, claimed(engine, rows[1]), good("b"))
    ends(engine, claimed(engine, rows[4]), bad("c", "d"))

    assert meanwhile == ["processing", "transferring", "failed", "verifying", "cancelled", "cancelled", "verifying"]
    assert states(engine, backfill, rows) == [
        "failed", "failed", "failed", "verified", "cancelled", "cancelled", "failed",
    ]  # fmt: skip
    assert history(engine, backfill.ingest_id)[-1] == (
        "Verification (Azure) failed - unable to verify 3 files at the destination: data/a, data/c, data/d"
    )
    assert not any("succeeded" in sentence for sentence in history(engine, backfill.ingest_id))


def test_a_good_segment_that_comes_last_ends_the_replica_too(engine: Engine) -> None:
    backfill, rows = under_way(engine, "verifying", "verifying")

    ends(engine, claimed(engine, rows[0]), bad("a"))
    ends(engine, claimed(engine, rows[1]), good("b"))

    assert states(engine, backfill, rows) == ["failed", "failed", "failed", "verified"]


def test_a_segment_that_is_being_copied_meanwhile_commits_nothing(engine: Engine) -> None:
    backfill, rows = under_way(engine, "verifying", "copying")
    copying = claimed(engine, rows[1], COPYING)

    ends(engine, claimed(engine, rows[0]), bad("a"))

    with transaction(engine) as connection:
        fence = connection.execute(select(segments.c.fence).where(segments.c.id == rows[1])).scalar_one()
    assert fence > copying.fence
    assert states(engine, backfill, rows) == ["failed", "failed", "failed", "cancelled"]


def test_a_replica_that_nobody_ended_is_ended_by_the_reaper(engine: Engine) -> None:
    backfill, rows = under_way(engine, "failed", "cancelled")
    with transaction(engine) as connection:
        connection.execute(segments.update().where(segments.c.id == rows[0]).values(error_code="x"))
    age(engine, replicas, due_at="- interval '1 second'")

    with transaction(engine) as connection:
        reap(connection, patience=PATIENCE)

    assert states(engine, backfill, rows) == ["failed", "failed", "failed", "cancelled"]


def test_evidence_is_told_in_pages_and_by_what_was_found(engine: Engine) -> None:
    backfill, rows = under_way(engine, "verifying")
    found = Verified(
        [
            proof("a", "mismatch", reads=3, doubts=("1 byte, expected 3", "2 bytes, expected 3")),
            proof("b"),
            proof("c", reads=2, doubts=("SHA-256 1, expected 0",)),
        ]
    )
    ends(engine, claimed(engine, rows[0]), Rejected("c", "w", "u", writes=(found,), after_the_rest=True))

    with transaction(engine) as connection:
        first = proofs.proofs(connection, ingest_id=backfill.ingest_id, limit=2)
        second = proofs.proofs(connection, ingest_id=backfill.ingest_id, after=first[-1].key, limit=2)
        by_kind = {
            which: [p.path for p in proofs.proofs(connection, ingest_id=backfill.ingest_id, which=which, limit=9)]
            for which in Which
        }
        totals = proofs.tally(connection, ingest_id=backfill.ingest_id)
        record = find_ingest(connection, backfill.ingest_id)

    assert [p.path for p in first + second] == ["data/a", "data/b", "data/c"]
    assert by_kind == {
        Which.ALL: ["data/a", "data/b", "data/c"], Which.BAD: ["data/a"], Which.DOUBTED: ["data/c"],
    }  # fmt: skip
    assert totals == Tally(match=2, bad=1, doubted=1)
    assert second[0] == proofs.Proof(
        path="data/c",
        key="digitised/b/v1/data/c",
        outcome="match",
        evidence_class="E3",
        expected={"sha256": "0" * 64},
        measured={"sha256": "0" * 64},
        bytes=3,
        etag="e",
        version_id="v",
        reason="",
        reads=2,
        doubts=("SHA-256 1, expected 0",),
        started_at=BEGAN,
        ended_at=BEGAN + timedelta(milliseconds=250),
        worker="w",
        build="verifier 1",
        attempt=1,
    )
    assert record is not None
    assert (record.bad_files, record.doubted_files, [p.path for p in record.worst]) == (1, 1, ["data/a"])


def test_thousands_of_bad_files_are_counted_and_the_first_hundred_named(engine: Engine) -> None:
    backfill, rows = under_way(engine, "verifying")

    ends(engine, claimed(engine, rows[0]), bad(*(f"{n:04}" for n in range(1500))))

    with transaction(engine) as connection:
        why = connection.execute(select(replicas.c.last_error)).scalar_one()
        kept = len(connection.execute(select(evidence.c.id)).all())
    assert (why.count("data/"), why.endswith("; and 1,400 more"), kept) == (100, True, 1500)
    assert "unable to verify 1,500 files" in history(engine, backfill.ingest_id)[-1]
