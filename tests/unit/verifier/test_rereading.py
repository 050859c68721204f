"""Reading a registered copy again: what is proven, what is told, and what never happens."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from common.domain.replica import CheckState, Verdict
from common.domain.segment import SegmentLimits
from common.errors import ClaimLost
from common.jobs import Attempt, Interrupted
from common.ledger.engine import transaction
from common.ledger.fixity import checking
from common.ledger.tables import bag_locations, bag_versions, copy_health, evidence
from common.outcome import Wait
from unit.bag_register.builders import FreeHold
from unit.verifier.copies import FILES, Copies
from verifier.rereading import Turn

TAGS = 4
"""bagit.txt, bag-info.txt and two manifests."""


def test_every_byte_is_read_and_a_listed_copy_becomes_a_verified_one(engine: Engine) -> None:
    copies = Copies(engine)
    before = copies.rows(bag_locations)[0]

    check = copies.checked()

    assert (check.state, check.verdict, check.why) == (CheckState.FINISHED, Verdict.GOOD, "")
    assert (check.files, check.bytes, check.bad, check.unread) == (
        len(FILES) + TAGS,
        sum(map(len, copies.files.values())),
        0,
        0,
    )
    assert copies.rows(bag_locations) == [before | {"evidence_class": "E3"}]
    assert before["evidence_class"] < "E3"
    assert copies.rows(bag_versions)[0]["revision"] == 2
    proven = {(row["path"], row["outcome"], row["evidence_class"], row["check_id"]) for row in copies.rows(evidence)}
    assert proven == {(path, "match", "E3", check.id) for path in copies.files}
    assert [(row["verdict"], row["evidence_class"]) for row in copies.rows(copy_health)] == [("good", "E3")]
    assert copies.news() == []


def test_the_second_good_check_changes_nothing_of_the_record(engine: Engine) -> None:
    copies = Copies(engine)
    copies.checked()
    record = copies.rows(bag_versions), copies.rows(bag_locations)

    second = copies.checked()

    assert second.verdict is Verdict.GOOD
    assert (copies.rows(bag_versions), copies.rows(bag_locations)) == record


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda copies: copies.overwrite("data/a.txt", b"aab"), "1 bad file"),
        (lambda copies: copies.overwrite("data/a.txt", b"aa"), "1 bad file; 'bag-info.txt': Payload-Oxum"),
        (lambda copies: copies.remove("data/a.txt"), "1 bad file"),
        (lambda copies: copies.overwrite("data/too.txt", b""), "1 object too many: data/too.txt"),
        (lambda copies: copies.overwrite("bag-info.txt", b"Other: 1\n"), "not the manifests the bag was registered"),
        (lambda copies: copies.remove("manifest-sha256.txt"), "not the manifests the bag was registered with: mani"),
        (lambda copies: copies.objects.clear(), "not the manifests the bag was registered with: bag-info.txt: miss"),
    ],
    ids=["other bytes", "shorter", "missing", "too many", "other tag file", "no manifest", "nothing there"],
)
def test_a_bad_copy_is_told_and_stays_in_the_record(engine: Engine, spoil: object, why: str) -> None:
    copies = Copies(engine)
    assert copies.checked().verdict is Verdict.GOOD
    record = copies.rows(bag_versions), copies.rows(bag_locations)
    spoil(copies)  # type: ignore[operator]

    check = copies.checked()

    assert check.verdict is Verdict.BAD
    assert why in check.why
    assert (copies.rows(bag_versions), copies.rows(bag_locations)) == record
    assert [row["verdict"] for row in copies.rows(copy_health)] == ["bad"]
    ((type_, detail),) = copies.news()
    assert (type_, detail["location"], detail["check"], detail["why"]) == ("copy.bad", "cold", check.id, check.why)


def test_a_bad_copy_that_is_good_again_is_told_too(engine: Engine) -> None:
    copies = Copies(engine)
    copies.overwrite("data/a.txt", b"aab")
    copies.checked()
    copies.overwrite("data/a.txt", b"aaa")

    copies.checked()

    assert [type_ for type_, _ in copies.news()] == ["copy.bad", "copy.recovered"]
    assert [row["verdict"] for row in copies.rows(copy_health)] == ["good"]


def test_frozen_files_are_listed_and_prove_nothing(engine: Engine) -> None:
    copies = Copies(engine)
    copies.freeze()

    check = copies.checked()

    assert check.verdict is Verdict.UNREAD
    assert check.why == "3 files of 7 are frozen: only names and sizes were looked at"
    assert copies.rows(bag_locations)[0]["evidence_class"] < "E3"
    assert {row["evidence_class"] for row in copies.rows(evidence) if row["path"].startswith("data/")} == {"E0"}
    assert [(row["verdict"], row["evidence_class"]) for row in copies.rows(copy_health)] == [("unread", "E0")]


def test_a_copy_that_was_bad_is_not_cleared_by_files_that_nobody_could_read(engine: Engine) -> None:
    copies = Copies(engine)
    copies.overwrite("data/a.txt", b"aab")
    copies.checked()
    copies.freeze()

    copies.checked()

    assert [row["verdict"] for row in copies.rows(copy_health)] == ["bad"]


def test_a_long_bag_is_read_in_turns_and_no_file_twice(engine: Engine) -> None:
    files = {f"{number}.txt": b"x" * number for number in range(1, 6)}
    copies = Copies(engine, files, turn=Turn(files=2, slices=SegmentLimits(files=2)))
    check_id = copies.request()

    turns = 1
    while isinstance(copies.turn_of(check_id), Wait):
        turns += 1

    assert turns == 5
    assert copies.found(check_id).verdict is Verdict.GOOD
    assert sorted(row["path"] for row in copies.rows(evidence)) == sorted(copies.files)


def test_a_worker_that_is_stopped_leaves_the_rest_to_the_next(engine: Engine) -> None:
    copies = Copies(engine, turn=Turn(slices=SegmentLimits(files=1)))
    check_id = copies.request()
    with pytest.raises(Interrupted):
        copies.turn_of(check_id, FreeHold(steps=20, interrupt=Interrupted()))
    part = copies.found(check_id).files
    with transaction(engine) as connection:
        connection.execute(text("UPDATE fixity_checks SET lease_until = now() - interval '1 s'"))

    copies.turn_of(check_id)

    assert 0 < part < len(copies.files)
    assert (copies.found(check_id).verdict, len(copies.rows(evidence))) == (Verdict.GOOD, len(copies.files))


def test_a_slice_that_another_worker_has_read_counts_once(engine: Engine) -> None:
    copies = Copies(engine)
    check_id = copies.request()
    who = Attempt(1, "w", "b")
    with transaction(engine) as connection:
        checking.note(connection, check_id=check_id, before=None, after="", found=[], attempt=who)

    with pytest.raises(ClaimLost, match="another worker"), transaction(engine) as connection:
        checking.note(connection, check_id=check_id, before=None, after="", found=[], attempt=who)


def test_asked_for_twice_a_copy_is_read_once(engine: Engine) -> None:
    copies = Copies(engine)

    assert copies.request() == copies.request()


def test_nothing_is_good_that_is_not_proven_file_by_file(engine: Engine) -> None:
    copies = Copies(engine)
    check_id = copies.request()
    with transaction(engine) as connection:
        connection.execute(
            text("""UPDATE fixity_checks SET files = 7, progress = '{"after": "tagmanifest-sha256.txt"}'""")
        )

    with pytest.raises(RuntimeError, match="is no proof: 0 of 7 files agreed"):
        copies.turn_of(check_id)

    assert copies.found(check_id).verdict is None
