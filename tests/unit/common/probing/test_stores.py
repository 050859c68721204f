"""What no honest server does."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.memory import open_store
from common.adapters.objects.wrappers.forwarding import ForwardingStore
from common.domain.location import LocationId, Provider
from common.errors import AlreadyExists
from common.ports import ObjectInfo
from common.probing.findings import Finding, Verdict, clocks
from common.probing.stores import Place, can_create

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Overwriting(ForwardingStore):
    """A look-alike that takes If-None-Match for a decoration."""

    def create(self, *, key: str, **facts: Any) -> ObjectInfo:
        with suppress(AlreadyExists):
            return self.store.create(key=key, **facts)
        return self.store.head(key=key)


def test_a_store_that_overwrites_must_not_be_used() -> None:
    config = LocationConfig(id=LocationId("fake"), provider=Provider.MEMORY, bucket="overwriting")
    found = can_create(Place(location=config.location, store=Overwriting(open_store(config))))
    assert (found.probe, found.verdict) == ("fake: create", Verdict.FAILED)
    assert found.remedy.startswith("Do not use this store")


def test_a_clock_may_be_off_by_seconds_not_by_minutes() -> None:
    told = [
        clocks("clock", whose="PostgreSQL", theirs=NOON + timedelta(seconds=off), ours=NOON) for off in (-2, 90, -600)
    ]
    assert told[0] == Finding("clock", Verdict.OK, "the clocks differ by 2 s")
    assert [one.verdict for one in told] == [Verdict.OK, Verdict.WARNING, Verdict.FAILED]
    assert "NTP" in told[1].remedy
