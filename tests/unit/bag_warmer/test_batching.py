"""What of a segment is left to batches, and what becomes of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bag_warmer.batching import Gathered
from bag_warmer.gate import Errand, Gate, OpenGate, Permit
from bag_warmer.thawing import ThawSegment
from bag_warmer.warming import Warming
from bag_warmer.wishes import Wish
from common.domain.segment import PlannedFile
from common.errors import NotFound, StoreUnavailable
from common.outcome import Done, Outcome, Rejected, Wait
from common.ports import Family, ObjectInfo, Restore, Tier
from unit.common.runtime.archives import BAG, COLD, Archive, Hold, segment_job, some_files


@dataclass
class Requests:
    """Requests in memory."""

    gathered: dict[Family, Gathered] = field(default_factory=dict)
    told: list[tuple[Any, ...]] = field(default_factory=list)

    def of(self, segment_id: int) -> dict[Family, Gathered]:
        return self.gathered

    def gather(
        self,
        segment_id: int,
        *,
        family: Family,
        objects: list[ObjectInfo],
        tier: Tier,
        days: int | None,
        tag: str | None,
    ) -> None:
        keys = frozenset(info.key for info in objects)
        self.told.append((segment_id, family, sorted(keys), tier, days, tag))
        self.gathered[family] = Gathered(keys, over=False, failures={})


def key(path: str) -> str:
    return COLD.root(BAG) + path


def thawed(
    archive: Archive, files: list[PlannedFile], requests: Requests, hold: Hold | None = None, **options: Any
) -> Outcome:
    return step_with(archive, requests)(segment_job(files, hold, options=options))


def step_with(archive: Archive, requests: Requests, gate: Gate | None = None) -> ThawSegment:
    warming = Warming(wish=Wish(days=4), batched=frozenset({COLD.id}))
    return ThawSegment(stores=archive, warming=warming, requests=requests, gate=gate)


def mixed(archive: Archive) -> list[PlannedFile]:
    return [
        *some_files(archive, {"data/copy": b"c"}, storage_class="GLACIER"),
        *some_files(archive, {"data/deep": b"d"}, storage_class="DEEP_ARCHIVE"),
        *some_files(
            archive, {"data/moved": b"m"}, storage_class="INTELLIGENT_TIERING", archive_status="ARCHIVE_ACCESS"
        ),
        *some_files(archive, {"data/warm": b"w"}),
    ]


def test_pitfall_10_a_mixed_bag_is_gathered_by_family_and_days_are_for_copies_only() -> None:
    archive, requests = Archive(), Requests()
    files = mixed(archive)

    first = thawed(archive, files, requests, clientTag="project 12")
    thawed(archive, files, requests)

    assert requests.told == [
        (1, Family.COPY, [key("data/copy"), key("data/deep")], Tier.BULK, 4, "project 12"),
        (1, Family.MOVE, [key("data/moved")], Tier.BULK, None, "project 12"),
    ]
    assert isinstance(first, Wait)
    assert archive.thawing.asked == []


class Strict(OpenGate):
    """Lets no copy last longer than two days, and at last nothing pass."""

    held: Wait | None = None

    def admit(self, errand: Errand, frozen: Sequence[ObjectInfo], wish: Wish) -> Permit:
        return Permit(days=2, held=self.held)


def test_a_batch_asks_for_as_many_days_as_the_budget_computes() -> None:
    archive, requests = Archive(), Requests()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    step_with(archive, requests, Strict())(segment_job(files))

    assert requests.told == [(1, Family.COPY, [key("data/a")], Tier.BULK, 2, None)]


def test_what_the_budget_holds_back_is_gathered_for_no_batch() -> None:
    archive, requests, gate = Archive(), Requests(), Strict()
    gate.held = Wait(timedelta(minutes=15), "2.0 TB of 2.0 TB in flight")
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    assert step_with(archive, requests, gate)(segment_job(files)) == gate.held
    assert requests.told == []


def test_what_is_wished_for_at_once_is_asked_for_at_once() -> None:
    archive, requests = Archive(), Requests()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")

    thawed(archive, files, requests, tier="Expedited")

    assert requests.told == []
    assert archive.thawing.asked == [(key("data/a"), 4, Tier.EXPEDITED)]


def test_what_no_batch_came_of_is_asked_for_by_itself() -> None:
    archive, requests = Archive(), Requests()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    requests.gathered[Family.COPY] = Gathered(frozenset({key("data/a")}), over=True, failures={})

    thawed(archive, files, requests)

    assert archive.thawing.keys == [key("data/a")]


def test_pitfall_14_failed_tasks_of_a_batch_become_outcomes_of_their_objects() -> None:
    archive, requests = Archive(), Requests()
    files = some_files(archive, {f"data/{n}": b"x" for n in range(4)}, storage_class="GLACIER")
    failures = {
        key("data/0"): NotFound("NoSuchKey"),
        key("data/1"): StoreUnavailable("InternalError"),
        key("data/2"): Restore.IN_PROGRESS,
    }
    requests.gathered[Family.COPY] = Gathered(frozenset(map(key, (f"data/{n}" for n in range(4)))), False, failures)

    outcome = thawed(archive, files, requests)

    assert archive.thawing.keys == [key("data/1")], "what may go better is asked for by itself"
    told = f"1 object vanished from the source: {key('data/0')}"
    assert outcome == Rejected(code="source_vanished", why=f"{told}; NoSuchKey", for_user=told)


def test_objects_that_a_batch_restored_are_ready_without_a_request_of_ours() -> None:
    archive, requests, hold = Archive(), Requests(), Hold()
    files = some_files(archive, {"data/a": b"a"}, storage_class="GLACIER")
    thawed(archive, files, requests, hold)
    archive.thawing.inner.restore(key=key("data/a"), version_id=None, days=4, tier=Tier.BULK)
    waiting = thawed(archive, files, requests, hold)
    archive.clock.advance(hours=12)

    assert waiting == Wait(
        timedelta(minutes=15), "waiting for 1 object to thaw (Bulk, within 12 hours)", timedelta(hours=12)
    )
    assert thawed(archive, files, requests, hold) == Done(said="1 object can be read")
    assert archive.thawing.asked == []
