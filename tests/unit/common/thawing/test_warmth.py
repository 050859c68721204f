"""How warm an object is, by the provider's own table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from common.adapters.objects.answers import Answer
from common.adapters.objects.s3.cold import meaning
from common.errors import BackfillError
from common.ports import ObjectInfo, Restore, RestoreStatus, Tier
from common.thawing.warmth import Request, Warmth, answered, longest, readable_as_listed, request_for, warmth

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
MARGIN = timedelta(hours=12)
ONGOING = RestoreStatus(ongoing=True)
MOVED = RestoreStatus(ongoing=False)


def copy_until(**later: float) -> RestoreStatus:
    return RestoreStatus(ongoing=False, expires_at=NOW + timedelta(**later))


def an_object(
    storage_class: str | None, restore: RestoreStatus | None = None, archive_status: str | None = None
) -> ObjectInfo:
    return ObjectInfo("k", 1, "e", storage_class=storage_class, restore=restore, archive_status=archive_status)


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        *((an_object(name), Warmth.WARM) for name in (None, "STANDARD", "STANDARD_IA", "ONEZONE_IA")),
        (an_object("REDUCED_REDUNDANCY"), Warmth.WARM),
        (an_object("GLACIER_IR"), Warmth.WARM),
        (an_object("SOMETHING_NEW"), Warmth.WARM),
        *((an_object(name), Warmth.COLD) for name in ("GLACIER", "DEEP_ARCHIVE")),
        *((an_object(name, ONGOING), Warmth.WARMING) for name in ("GLACIER", "DEEP_ARCHIVE")),
        *((an_object(name, copy_until(days=2)), Warmth.WARM) for name in ("GLACIER", "DEEP_ARCHIVE")),
        (an_object("GLACIER", copy_until(hours=12)), Warmth.WARM),
        (an_object("GLACIER", copy_until(hours=11.99)), Warmth.LUKEWARM),
        (an_object("GLACIER", copy_until(hours=0)), Warmth.COLD),
        (an_object("GLACIER", copy_until(hours=-1)), Warmth.COLD),
        (an_object("GLACIER", MOVED), Warmth.COLD),
        (an_object("INTELLIGENT_TIERING"), Warmth.WARM),
        *(
            (an_object("INTELLIGENT_TIERING", restore, tier), expected)
            for tier in ("ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS")
            for restore, expected in ((None, Warmth.COLD), (ONGOING, Warmth.WARMING), (MOVED, Warmth.WARM))
        ),
        (an_object("INTELLIGENT_TIERING", MOVED), Warmth.WARM),
        # Look-alikes: GCS names, Azure tiers.
        *((an_object(name), Warmth.WARM) for name in ("NEARLINE", "COLDLINE", "ARCHIVE", "Hot", "Cool", "Cold")),
        (an_object("Archive"), Warmth.NOT_RESTORABLE),
        (an_object("Archive", ONGOING), Warmth.WARMING),
    ],
)
def test_an_object_is_as_warm_as_the_provider_s_table_says(info: ObjectInfo, expected: Warmth) -> None:
    assert warmth(info, now=NOW, margin=MARGIN) is expected


def test_a_list_s_class_is_believed_only_where_it_leaves_nothing_open() -> None:
    readable = (
        None,
        "STANDARD",
        "STANDARD_IA",
        "ONEZONE_IA",
        "REDUCED_REDUNDANCY",
        "GLACIER_IR",
        "SOMETHING_NEW",
        "Cool",
    )
    open_or_cold = ("GLACIER", "DEEP_ARCHIVE", "INTELLIGENT_TIERING", "Archive")

    assert [readable_as_listed(name) for name in readable] == [True] * len(readable)
    assert [readable_as_listed(name) for name in open_or_cold] == [False] * len(open_or_cold)
    for restore in (None, ONGOING, MOVED):
        assert {warmth(an_object(n, restore), now=NOW, margin=MARGIN) for n in readable} == {Warmth.WARM}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (202, None, Warmth.WARMING),
        (200, None, Warmth.WARM),
        (409, "RestoreAlreadyInProgress", Warmth.WARMING),
        (403, "RestoreAlreadyInProgress", Warmth.WARMING),
        (403, "InvalidObjectState", Warmth.WARM),
        (403, "ObjectAlreadyInActiveTierError", Warmth.WARM),
        (503, "GlacierExpeditedRetrievalNotAvailable", Warmth.COLD),
        (400, "InvalidArgument", Warmth.ERROR),
        (503, "SlowDown", Warmth.COLD),
        (400, "ThrottlingException", Warmth.COLD),
        (404, "NoSuchKey", Warmth.VANISHED),
        (404, "NoSuchVersion", Warmth.VANISHED),
        (403, "AccessDenied", Warmth.ACCESS_DENIED),
        (403, None, Warmth.ACCESS_DENIED),
        (501, "NotImplemented", Warmth.NOT_RESTORABLE),
        (405, "MethodNotAllowed", Warmth.NOT_RESTORABLE),
        (500, "InternalError", Warmth.ERROR),
        (None, None, Warmth.ERROR),
    ],
)
def test_an_answer_to_a_restore_request_is_told_by_its_code(
    status: int | None, code: str | None, expected: Warmth
) -> None:
    try:
        answer: Restore | Exception = meaning(Answer(status, code), what="restoring k")
    except BackfillError as error:
        answer = error

    assert answered(answer) is expected


@pytest.mark.parametrize(
    ("info", "tier", "expected"),
    [
        *((an_object("GLACIER"), tier, Request(tier, 3)) for tier in Tier),
        (an_object("DEEP_ARCHIVE"), Tier.EXPEDITED, Request(Tier.STANDARD, 3)),
        (an_object("DEEP_ARCHIVE"), Tier.STANDARD, Request(Tier.STANDARD, 3)),
        (an_object("DEEP_ARCHIVE"), Tier.BULK, Request(Tier.BULK, 3)),
        *((an_object("INTELLIGENT_TIERING", None, "ARCHIVE_ACCESS"), tier, Request(tier, None)) for tier in Tier),
        (
            an_object("INTELLIGENT_TIERING", None, "DEEP_ARCHIVE_ACCESS"),
            Tier.EXPEDITED,
            Request(Tier.STANDARD, None),
        ),
        (an_object("INTELLIGENT_TIERING", None, "DEEP_ARCHIVE_ACCESS"), Tier.BULK, Request(Tier.BULK, None)),
    ],
)
def test_pitfall_10_a_request_is_one_that_the_object_s_class_allows(
    info: ObjectInfo, tier: Tier, expected: Request
) -> None:
    assert request_for(info, tier=tier, days=3) == expected


def test_a_copy_lasts_a_day_at_least() -> None:
    assert request_for(an_object("GLACIER"), tier=Tier.BULK, days=0) == Request(Tier.BULK, 1)


@pytest.mark.parametrize(
    ("storage_class", "tier", "hours"),
    [
        ("GLACIER", Tier.EXPEDITED, 5 / 60),
        ("GLACIER", Tier.STANDARD, 5),
        ("GLACIER", Tier.BULK, 12),
        ("ARCHIVE_ACCESS", Tier.BULK, 12),
        *((deep, Tier.EXPEDITED, 12) for deep in ("DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS")),
        *((deep, Tier.STANDARD, 12) for deep in ("DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS")),
        *((deep, Tier.BULK, 48) for deep in ("DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS")),
    ],
)
def test_people_are_told_the_longest_time_the_provider_names(storage_class: str, tier: Tier, hours: float) -> None:
    assert longest(storage_class, tier) == timedelta(hours=hours)
