"""Small files in rounds: what becomes of them is what becomes of files that are copied one by one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from backfill_replicator.step import Replicate
from common.domain.segment import PlannedFile
from common.errors import BackfillError, ClaimLost, NameNotAllowed, StoreUnavailable
from common.jobs import Interrupted
from common.outcome import Done, Outcome, Rejected
from common.ports import Limits
from common.rounds import LIGHT
from unit.common.runtime.archives import AZURE, BAG, COLD, Archive, Hold, segment_job, some_files

CONTENTS = {f"data/{number:02}": bytes([number]) * 1000 for number in range(40)}
Spoiled = Callable[[Archive], None]
OTHERS = "data/21"
"""A file of the last round, whatever is done at once."""


def copied(archive: Archive, files: list[PlannedFile], hold: Hold | None = None, *, at_once: int = 4) -> Outcome:
    return Replicate(stores=archive, concurrency=at_once)(segment_job(files, hold))


def there(path: str) -> str:
    return AZURE.root(BAG) + path


def good(_: Archive) -> None: ...


def corrupt(archive: Archive) -> None:
    archive.source.spoil = lambda key, block: b"!" * len(block) if key.endswith(("/07", "/30")) else block


def cut(archive: Archive) -> None:
    archive.put("data/07", b"shorter")
    archive.source.spoil = lambda key, block: block[:-1] if key.endswith("/30") else block


def vanished(archive: Archive) -> None:
    del archive.buckets[COLD.id].objects[COLD.root(BAG) + "data/09"]


def changed(archive: Archive) -> None:
    archive.put(OTHERS, b"another")


def rewritten(archive: Archive) -> None:
    archive.put(OTHERS, CONTENTS[OTHERS])


def frozen(archive: Archive) -> None:
    version = archive.buckets[COLD.id].objects[COLD.root(BAG) + "data/39"][-1]
    version.info = replace(version.info, storage_class="GLACIER")


def met(archive: Archive) -> None:
    for number in (3, 20, 39):
        archive.put(f"data/{number:02}", CONTENTS[f"data/{number:02}"], at=AZURE)


def another(archive: Archive) -> None:
    met(archive)
    archive.put(OTHERS, b"another", at=AZURE)


def in_parts(archive: Archive) -> None:
    archive.destination.own_limits = Limits(
        max_single_put=999, min_part=1, max_part=500, max_parts=10, max_object=10_000
    )


def refused(archive: Archive) -> None:
    archive.destination.before = fails(OTHERS, NameNotAllowed("no such name"))


def fails(path: str, *errors: BackfillError, operation: str = "create") -> Callable[[str, str], None]:
    left = list(errors)

    def before(called: str, key: str) -> None:
        if called == operation and key.endswith(path) and left:
            raise left.pop(0) if len(left) > 1 else left[0]

    return before


def ended(spoiled: Spoiled, *, at_once: int, takes_several: bool) -> object:
    archive = Archive()
    archive.source.takes_several = archive.destination.takes_several = takes_several
    files = some_files(archive, CONTENTS)
    spoiled(archive)
    try:
        outcome: object = copied(archive, files, at_once=at_once)
    except BackfillError as error:
        outcome = repr(error)
    # Where the segment is not done, how far it came says nothing. Etags and versions are made up.
    return re.sub(r"\b[0-9a-f]{32}\b", "an etag", repr(outcome)), archive.at(AZURE) if isinstance(
        outcome, Done
    ) else None


@pytest.mark.parametrize("at_once", [1, 4, 64])
@pytest.mark.parametrize(
    "spoiled",
    [good, corrupt, cut, vanished, changed, rewritten, frozen, met, another, in_parts, refused],
    ids=lambda it: it.__name__,
)
def test_rounds_end_as_copying_one_by_one_does(spoiled: Spoiled, at_once: int) -> None:
    together = ended(spoiled, at_once=at_once, takes_several=True)

    assert together == ended(spoiled, at_once=at_once, takes_several=False)


def test_what_goes_as_it_should_takes_one_request_at_each_end() -> None:
    archive = Archive()

    copied(archive, some_files(archive, {**CONTENTS, "data/large": bytes(LIGHT + 1)}))

    assert (archive.source.calls, archive.destination.calls) == ({"read": 41}, {"create": 41})


def test_what_the_destination_takes_in_parts_only_is_sent_in_parts() -> None:
    archive = Archive()
    in_parts(archive)

    assert isinstance(copied(archive, some_files(archive, CONTENTS)), Done)
    assert archive.destination.calls["create"] == 0


def test_bytes_of_an_earlier_read_are_not_taken_for_what_is_missing_of_a_later_one() -> None:
    archive = Archive()
    files = some_files(archive, {"data/00": CONTENTS["data/01"]})
    replicate = Replicate(stores=archive, concurrency=1)
    archive.destination.before = fails("data/00", StoreUnavailable("503"))
    with pytest.raises(StoreUnavailable):
        replicate(segment_job(files))
    archive.destination.before = lambda *_: None
    version = archive.buckets[COLD.id].objects[COLD.root(BAG) + "data/00"][-1]
    version.info, version.data = replace(version.info, size=999), version.data[:999]

    outcome = replicate(segment_job(files))

    assert isinstance(outcome, Rejected)
    assert archive.at(AZURE) == {}


@pytest.mark.parametrize("at_once", [1, 8])
def test_an_object_that_is_there_is_compared_without_reading_the_source_once_more(at_once: int) -> None:
    archive = Archive()
    files = some_files(archive, CONTENTS)
    archive.put("data/00", CONTENTS["data/00"], at=AZURE)

    outcome = copied(archive, files, at_once=at_once)

    assert outcome == Done("39 files, 39.0 KB, 1 already there")
    assert archive.source.calls["read"] == 40
    assert archive.destination.calls["read"] == 1


@pytest.mark.parametrize("at_once", [1, 8])
def test_what_was_read_before_an_interruption_is_created(at_once: int) -> None:
    archive = Archive()
    files = some_files(archive, CONTENTS)

    with pytest.raises(Interrupted):
        copied(archive, files, Hold(stop_after=at_once + 3), at_once=at_once)

    assert len(archive.at(AZURE)) == archive.source.calls["read"] == at_once + 3


def test_nothing_is_created_any_more_by_who_lost_the_claim() -> None:
    class Lost(Hold):
        def checkpoint(self) -> None:
            super().checkpoint()
            if self.checkpoints == 30:
                raise ClaimLost("another worker has it")

    archive = Archive()
    with pytest.raises(ClaimLost):
        copied(archive, some_files(archive, CONTENTS), Lost(), at_once=4)

    assert len(archive.at(AZURE)) == 4


def test_a_store_that_fails_in_between_fails_the_attempt_as_ever() -> None:
    archive = Archive()
    files = some_files(archive, CONTENTS)
    archive.destination.before = fails(OTHERS, StoreUnavailable("503"))

    with pytest.raises(StoreUnavailable):
        copied(archive, files)

    archive.destination.before = lambda *_: None
    assert isinstance(Replicate(stores=archive, concurrency=4)(segment_job(files, attempt=2)), Done)
    assert archive.at(AZURE) == {there(path): data for path, data in CONTENTS.items()}


def test_a_second_attempt_looks_before_it_reads() -> None:
    archive = Archive()
    files = some_files(archive, CONTENTS)
    copied(archive, files)
    archive.source.calls.clear()

    outcome = Replicate(stores=archive, concurrency=4)(segment_job(files, attempt=2))

    assert outcome == Done("0 files, 0 bytes, 40 already there")
    assert archive.source.calls == {}
