"""Checks of registered copies, and the chain of evidence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from backfill_client.models import Answer, Wrapped
from backfill_client.transport import Transport


class CheckCounts(Answer):
    """How far a check is."""

    files: int
    bytes: int
    bad: int
    unread: int


class Check(Answer):
    """A registered copy that is read again."""

    id: str
    location: Wrapped
    state: str
    """rereading, finished or failed."""
    verdict: str | None = None
    """good, bad or unread, once it has finished."""
    why: str | None = None
    counts: CheckCounts
    error: str | None = None
    last_error: str | None = None
    asked_by: str
    created_date: datetime
    finished_date: datetime | None = None


class CopyCounts(Answer):
    """The copies of one policy; the overdue ones are among those that are due."""

    all: int
    due: int
    overdue: int
    running: int
    oldest_due_date: datetime | None = None


class FixityPolicy(Answer):
    """The copies at a location are read again, every so many days."""

    id: int
    location: Wrapped
    space: Wrapped | None = None
    every_days: int
    at_once: int
    bytes_per_second: int | None = None
    created_by: str
    created_date: datetime
    copies: CopyCounts | None = None
    """In the report only."""


class FixityCopy(Answer):
    """How a registered copy stands."""

    space: Wrapped
    external_identifier: str
    version: str
    location: Wrapped
    evidence_class: str
    verdict: str | None = None
    read_date: datetime | None = None
    """When a check last read every file."""
    checked_date: datetime | None = None
    checked_evidence_class: str | None = None
    """What that last check showed: E3 every byte, E2 the provider's digests, E1 sizes and ETags, E0 names."""
    check: str | None = None
    due_date: datetime | None = None
    overdue: bool


class Checkpoint(Answer):
    """Where the chain stood when."""

    sealed: int
    hash: str
    created_date: datetime
    written_date: datetime | None = None
    """None: the second place does not have it yet."""


class Chain(Answer):
    """The chain of evidence."""

    sealed: int
    """Rows of evidence and human actions that it covers."""
    hash: str
    last_checkpoint: Checkpoint | None = None


class FileEvidence(Answer):
    """What reading one file back from the destination found."""

    name: str
    """As the manifests write it: "data/a.tif"."""
    path: str
    """The object's key."""
    outcome: str
    """match, mismatch or missing."""
    evidence_class: str
    expected: dict[str, str]
    """Digests of the manifests, by algorithm."""
    measured: dict[str, str]
    size: int | None = None
    etag: str | None = None
    version_id: str | None = None
    reason: str | None = None
    reads: int
    started_date: datetime
    ended_date: datetime
    worker: str
    build: str
    attempt: int


class Fixity:
    """`client.fixity`. All methods raise ApiUnreachable and ApiRefused."""

    def __init__(self, transport: Transport, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._http = transport
        self._sleep = sleep

    def check(self, space: str, external_identifier: str, *, location: str, version: str | None = None) -> Check:
        """Have the copy at a location read again, or get the check that runs. `version` None: the latest."""
        info: dict[str, Any] = {"externalIdentifier": external_identifier}
        if version is not None:
            info["version"] = version
        document = {"space": {"id": space}, "bag": {"info": info}, "location": {"id": location}}
        return Check.model_validate(self._http.create("/checks", document))

    def get_check(self, check_id: str) -> Check:
        return Check.model_validate(self._http.get(f"/checks/{quote(check_id, safe='')}"))

    def watch(self, check_id: str, *, every: float = 2) -> Iterator[Check]:
        """The check again and again, until it is not rereading any more."""
        while True:
            found = self.get_check(check_id)
            yield found
            if found.state != "rereading":
                return
            self._sleep(every)

    def policies(self) -> list[FixityPolicy]:
        """With their copies counted."""
        return [FixityPolicy.model_validate(one) for one in self._http.get("/reports/fixity")["results"]]

    def state_policy(
        self,
        location: str,
        *,
        every_days: int,
        space: str | None = None,
        at_once: int = 10,
        bytes_per_second: int | None = None,
    ) -> FixityPolicy:
        """Have the copies at the location read again; stating it again changes it."""
        document: dict[str, Any] = {"location": {"id": location}, "everyDays": every_days, "atOnce": at_once}
        if space is not None:
            document["space"] = {"id": space}
        if bytes_per_second is not None:
            document["bytesPerSecond"] = bytes_per_second
        return FixityPolicy.model_validate(self._http.create("/fixity/policies", document))

    def take_back_policy(self, policy_id: int) -> None:
        self._http.delete(f"/fixity/policies/{policy_id}")

    def copies(self, *, standing: str = "overdue", location: str | None = None) -> Iterator[FixityCopy]:
        """Copies that are overdue, due, bad, unread; or all. Asks for page after page."""
        wanted: dict[str, str | int | None] = {"standing": standing, "limit": 1000, "location": location}
        while True:
            page = self._http.get("/reports/fixity/copies", wanted)
            yield from (FixityCopy.model_validate(one) for one in page["results"])
            if "next" not in page:
                return
            wanted["after"] = page["next"]


class Evidence:
    """`client.evidence`. All methods raise ApiUnreachable and ApiRefused."""

    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def chain(self) -> Chain:
        return Chain.model_validate(self._http.get("/evidence/chain"))

    def export(
        self,
        space: str,
        external_identifier: str | None = None,
        *,
        version: str | None = None,
        location: str | None = None,
        form: str = "json",
    ) -> Iterator[bytes]:
        """The report of a bag's copies, or a space's, as it comes. `form`: json, csv or html."""
        wanted = {"space": space, "identifier": external_identifier, "version": version, "location": location}
        return self._http.download("/reports/evidence", wanted | {"format": form})

    def checkpoint(self) -> Chain:
        """Seal everything now, and take a checkpoint to the second place."""
        return Chain.model_validate(self._http.post("/evidence/checkpoints", {}))
