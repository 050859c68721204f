"""The client: one method for each thing that the APIs do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import quote

from backfill_client.asking import Asking, Wish
from backfill_client.campaigns import Campaigns
from backfill_client.credentials import Credentials
from backfill_client.errors import BackfillClientError
from backfill_client.imports import ImportPreview, import_wish
from backfill_client.models import (
    ApiClient,
    Bag,
    BagLine,
    BagVersionSummary,
    Import,
    ImportProblem,
    Ingest,
    Location,
)
from backfill_client.operations import Operations
from backfill_client.proof import Evidence, FileEvidence, Fixity
from backfill_client.reports import Reports
from backfill_client.requirements import Requirements
from backfill_client.streams import Streams
from backfill_client.thaws import Thaws
from backfill_client.transport import Transport

_LONGEST_WAIT = 25
"""Seconds that a request waits for news."""


class BackfillClient:
    """Speaks to the ingests API at `api` and the bag register at `register` (the same address where None).

    `credentials`: how it proves who it is. `timeout`: seconds for each request. All methods raise ApiUnreachable and
    ApiRefused.
    """

    def __init__(
        self,
        api: str,
        *,
        register: str | None = None,
        credentials: Credentials | None = None,
        timeout: float = 30,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        auth = credentials.auth(api) if credentials else None
        self._ingests = Transport(api, auth=auth, timeout=timeout, sleep=sleep)
        self._register = Transport(register or api, auth=auth, timeout=timeout, sleep=sleep)
        self._sleep = sleep
        self.asking = Asking(self._ingests)
        self.streams = Streams(self._ingests, sleep=sleep)
        self.campaigns = Campaigns(self._ingests, streams=self.streams, sleep=sleep)
        self.operations = Operations(self._ingests)
        self.requirements = Requirements(self._ingests)
        self.thaws = Thaws(self._ingests)
        self.reports = Reports(self._register)
        self.fixity = Fixity(self._register, sleep=sleep)
        self.evidence = Evidence(self._register)
        # Less than the time for a request, so that one that waits for news is answered and not given up.
        self._wait = max(0, min(_LONGEST_WAIT, int(timeout) - 5))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """As the command line: BACKFILL_API, BACKFILL_REGISTER_API, and `Credentials.from_environment`.

        Raises ValueError, which names the variable.
        """
        known = os.environ if environment is None else environment
        if not (api := known.get("BACKFILL_API")):
            raise ValueError("set BACKFILL_API to the API's address, such as http://127.0.0.1:8000")
        register = known.get("BACKFILL_REGISTER_API") or None
        return cls(api, register=register, credentials=Credentials.from_environment(known))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._ingests.close()
        self._register.close()

    def create_backfill(
        self,
        space: str,
        external_identifier: str,
        *,
        version: str | None = None,
        destination: str | None = None,
        source: str | None = None,
        tier: str | None = None,
        restored_days: int | None = None,
        callback_url: str | None = None,
    ) -> Ingest:
        """Ask for a copy of a bag version (the latest where None) at a location; or get the one under way.

        `asking` can say more.
        """
        wish = Wish(
            space=space,
            external_identifier=external_identifier,
            version=version,
            destinations=(destination,) if destination else (),
            source=source,
            tier=tier,
            restored_days=restored_days,
            callback_url=callback_url,
        )
        return self.asking.create(wish)[0]

    def get_ingest(self, ingest_id: str) -> Ingest:
        return Ingest.model_validate(self._ingests.get(f"/ingests/{quote(ingest_id, safe='')}"))

    def ingest_evidence(
        self, ingest_id: str, *, which: str = "all", limit: int | None = None
    ) -> Iterator[FileEvidence]:
        """What was expected of every file, and what was read back; `which`: all, bad or doubted. Page after page."""
        path = f"/ingests/{quote(ingest_id, safe='')}/evidence"
        return (FileEvidence.model_validate(one) for one in self._ingests.pages(path, {"which": which}, limit))

    def watch_ingest(self, ingest_id: str, *, every: float = 2) -> Iterator[Ingest]:
        """The ingest whenever it has changed, until it has finished; the last one is finished.

        It is asked for as soon as something happens to it, where the API can tell that; else every few seconds.
        """
        etag: str | None = None
        seen = self._looks(f"/ingests/{quote(ingest_id, safe='')}", every=every)
        for wait in seen:
            asked = {"wait": self._wait} if etag and wait else {}
            document, etag = self._ingests.news(f"/ingests/{quote(ingest_id, safe='')}", asked, etag=etag)
            if document is not None:
                ingest = Ingest.model_validate(document)
                yield ingest
                if ingest.finished:
                    return

    def _looks(self, path: str, *, every: float) -> Iterator[bool]:
        """When to look at an ingest, and whether to wait for news then: not where news are heard anyway."""
        yield False
        try:
            for _ in self.streams.pulse(f"{path}/events"):
                yield False
            yield False
        except BackfillClientError:
            pass
        while True:
            asked = time.monotonic()
            yield bool(self._wait)
            self._sleep(max(0.0, every - (time.monotonic() - asked)))

    def get_bag(self, space: str, external_identifier: str, *, version: str | None = None) -> Bag:
        """A bag version's storage manifest; the latest version's where None."""
        return Bag.model_validate(self._register.get(_bag(space, external_identifier), {"version": version}))

    def bags(
        self, *, space: str | None = None, location: str | None = None, limit: int | None = None
    ) -> Iterator[BagLine]:
        """Bag versions by name, page after page, `limit` at most: of a space, of a location, or all."""
        wanted = {"space": space, "location": location}
        yield from map(BagLine.model_validate, self._register.pages("/bags", wanted, limit))

    def get_versions(
        self, space: str, external_identifier: str, *, before: str | None = None
    ) -> list[BagVersionSummary]:
        """A bag's versions, newest first."""
        document = self._register.get(f"{_bag(space, external_identifier)}/versions", {"before": before})
        return [BagVersionSummary.model_validate(one) for one in document["results"]]

    def get_locations(self) -> list[Location]:
        return [Location.model_validate(one) for one in self._register.get("/locations")["results"]]

    def start_import(
        self,
        location: str,
        *,
        prefix: str = "",
        register: bool = True,
        inventory: tuple[str, str] | None = None,
        manifests: tuple[str, str] | None = None,
        copies: bool = False,
    ) -> Import:
        """Adopt the bags of a location; or get the import that does the very same already.

        `register`: False to have the bags looked at only; what would be registered is told with the problems.
        `inventory`: location and key of an S3 Inventory's manifest.json, which is read in place of listing the store.
        `copies`: bags that are registered with another primary location enter their records here too, as listed.
        `manifests`: location and prefix of another register's storage manifests, which name the bags.
        """
        wish = import_wish(location, prefix=prefix, inventory=inventory, manifests=manifests)
        document = wish | {"register": register, "copies": copies}
        return Import.model_validate(self._register.create("/imports", document))

    def preview_import(
        self,
        location: str,
        *,
        prefix: str = "",
        inventory: tuple[str, str] | None = None,
        manifests: tuple[str, str] | None = None,
    ) -> ImportPreview:
        """What its thaws would cost, by a look at the bags that come first; nothing is begun."""
        wish = import_wish(location, prefix=prefix, inventory=inventory, manifests=manifests)
        return ImportPreview.model_validate(self._register.post("/imports?dryRun=true", wish))

    def get_import(self, import_id: str, *, after: str | None = None) -> Import:
        """The import with the page of its problems behind `after`."""
        return Import.model_validate(self._register.get(f"/imports/{quote(import_id, safe='')}", {"after": after}))

    def watch_import(self, import_id: str, *, every: float = 2) -> Iterator[Import]:
        """The import, again every few seconds, until it has finished; the last one is finished."""
        while True:
            found = self.get_import(import_id)
            yield found
            if found.finished:
                return
            self._sleep(every)

    def import_problems(self, import_id: str) -> Iterator[ImportProblem]:
        """All of them, page after page."""
        after: str | None = None
        while True:
            page = self.get_import(import_id, after=after)
            yield from page.problems
            if page.next is None:
                return
            after = page.next

    def create_client(
        self,
        name: str,
        *,
        scopes: Sequence[str],
        kind: str = "client",
        expires_in_days: int | None = None,
        reason: str = "",
    ) -> ApiClient:
        """Make an OAuth client, or an API key with the kind "key"; its secret is in this answer only."""
        document = {"kind": kind, "name": name, "scopes": list(scopes), "reason": reason}
        days = {"expiresInDays": expires_in_days} if expires_in_days is not None else {}
        return ApiClient.model_validate(self._ingests.post("/clients", document | days))

    def get_clients(self) -> list[ApiClient]:
        """Revoked ones too."""
        return [ApiClient.model_validate(one) for one in self._ingests.get("/clients")["results"]]

    def revoke_client(self, client_id: str, *, reason: str) -> ApiClient:
        """Shut a client or key out, for good."""
        path = f"/clients/{quote(client_id, safe='')}/revoke"
        return ApiClient.model_validate(self._ingests.post(path, {"reason": reason}))


def _bag(space: str, external_identifier: str) -> str:
    return f"/bags/{quote(space, safe='')}/{quote(external_identifier)}"
