"""Nothing is asked for before the gate says so, and the gate's books hold what was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bag_warmer.asking import Sent
from bag_warmer.gate import Errand, Permit
from bag_warmer.thawing import ThawSegment
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.domain.segment import PlannedFile
from common.outcome import Done, Outcome, Wait
from common.ports import ObjectInfo, Tier
from unit.common.runtime.archives import BAG, COLD, Archive, Hold, segment_job, some_files

NOT_YET = Wait(timedelta(minutes=30), "Waiting for the thaw budget of Cold: 1.0 TB of 1.0 TB in flight", about="budget")


@dataclass
class Books:
    """A gate that answers as it is told and keeps what it hears."""

    permit: Permit = field(default_factory=Permit)
    wanted: list[list[str]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    until: list[datetime] = field(default_factory=list)

    def admit(self, errand: Errand, frozen: Sequence[ObjectInfo], wish: Wish) -> Permit:
        self.wanted.append([info.key[-1] for info in frozen])
        return self.permit

    def asked(self, errand: Errand, accepted: Sequence[Sent]) -> None:
        self.taken += [one.info.key[-1] for one in accepted]

    def readable(self, errand: Errand, until: datetime) -> None:
        self.until.append(until)


def thawed(archive: Archive, files: list[PlannedFile], gate: Books, hold: Hold) -> Outcome:
    return ThawSegment(stores=archive, warming=Warming(wish=Wish(tier=Tier.STANDARD)), gate=gate)(
        segment_job(files, hold)
    )


def test_what_is_held_back_is_not_asked_for_and_the_history_says_why() -> None:
    archive, gate = Archive(), Books(Permit(held=NOT_YET))
    files = some_files(archive, {"data/a": b"a", "data/b": b"b"}, storage_class="GLACIER")

    assert thawed(archive, files, gate, Hold()) == NOT_YET
    assert (archive.thawing.asked, gate.wanted) == ([], [["a", "b"]])


def test_what_is_admitted_is_asked_for_once_with_the_days_that_the_gate_gives() -> None:
    archive, gate, hold = Archive(), Books(Permit(days=1)), Hold()
    files = some_files(archive, {"data/a": b"a", "data/b": b"b"}, storage_class="GLACIER")

    for _ in range(3):
        thawed(archive, files, gate, hold)
        archive.clock.advance(hours=1)

    assert [(key[-1], days) for key, days, _ in sorted(archive.thawing.asked)] == [("a", 1), ("b", 1)]
    assert (gate.taken, gate.wanted) == (["a", "b"], [["a", "b"], [], []])


def test_what_is_warm_needs_no_leave() -> None:
    archive, gate = Archive(), Books(Permit(held=NOT_YET))
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER_IR")

    assert thawed(archive, files, gate, Hold()) == Done(said="1 object can be read")


def test_the_gate_hears_when_the_first_copy_expires_as_the_store_says_it() -> None:
    archive, gate, hold = Archive(), Books(Permit(days=2)), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    thawed(archive, files, gate, hold)
    archive.clock.advance(hours=6)

    thawed(archive, files, gate, hold)

    copy = archive.source.head(key=COLD.root(BAG) + "data/a").restore
    assert copy is not None
    assert gate.until == [copy.expires_at]


def test_a_copy_that_may_not_be_prolonged_any_more_is_read_as_long_as_it_lasts() -> None:
    archive, hold = Archive(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    thawed(archive, files, Books(Permit(days=1)), hold)
    archive.clock.advance(hours=20)
    spent = Books(Permit(may_extend=False))

    assert thawed(archive, files, spent, hold) == Done(said="1 object can be read")
    assert spent.taken == []
