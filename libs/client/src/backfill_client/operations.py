"""What people do to ingests and dead letters: their models, and the calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from backfill_client.models import Answer, Ingest, Location, NamedBag, WorkError, Wrapped
from backfill_client.transport import Transport


class IngestLine(Answer):
    """An ingest as a list has it: without history and progress."""

    id: str
    status: Wrapped
    space: Wrapped
    bag: NamedBag
    destination: Location
    error: WorkError | None = None
    retry_of: str | None = None
    has_stalled: bool = False
    created_date: datetime
    last_modified_date: datetime | None = None

    @property
    def name(self) -> str:
        """The bag version, such as "digitised/b12345/v2"."""
        return f"{self.space}/{self.bag.info.external_identifier}/{self.bag.info.version}"


class Restores(Answer):
    """Restore requests that a store accepted."""

    tier: str
    days: int | None = None
    objects: int
    bytes: int


class Copied(Answer):
    files: int
    bytes: int


class Spent(Answer):
    """What an ingest had asked of the stores when it was ended; nothing takes it back."""

    restores: list[Restores]
    copied: Copied
    copying: Copied
    """Of what was being copied, any part may lie at the destination."""
    verified: Copied


class Ended(Ingest):
    """An ingest that was ended by hand."""

    spent: Spent


class Action(Answer):
    """What somebody did, and why."""

    description: str
    actor: str
    reason: str
    created_date: datetime


class DeadLetter(Answer):
    """What was given up, until a person has decided about it."""

    id: str
    status: Wrapped
    """open, redriven or discarded."""
    stage: str | None = None
    queue: str
    code: str
    reason: str
    attempts: int
    ingest_id: str | None = None
    import_id: str | None = None
    body: str
    redriven_as: str | None = None
    redriven_as_import: str | None = None
    created_date: datetime
    resolved_date: datetime | None = None
    actions: list[Action] = Field(default_factory=list)


class Operations:
    """Ingests as those see them who look after all of them."""

    def __init__(self, transport: Transport) -> None:
        self._http = transport

    def ingests(self, *, limit: int | None = None, **wanted: str | None) -> Iterator[IngestLine]:
        """Ingests by date, page after page, `limit` at most.

        `wanted`: bag, space, status (also "stalled"), destination, code, created_after, created_before, sort.
        """
        yield from map(IngestLine.model_validate, self._http.pages("/ingests", _wire(wanted), limit))

    def cancel(self, ingest_id: str, *, reason: str) -> Ended:
        return Ended.model_validate(self._act("ingests", ingest_id, "cancel", reason))

    def fail(self, ingest_id: str, *, reason: str) -> Ended:
        """The manual way out, where an ingest will not come right."""
        return Ended.model_validate(self._act("ingests", ingest_id, "fail", reason))

    def retry(self, ingest_id: str, *, reason: str) -> Ingest:
        """The ingest that goes on with the work: a new one for one that failed."""
        return Ingest.model_validate(
            self._http.create(f"/ingests/{quote(ingest_id, safe='')}/retry", {"reason": reason})
        )

    def speed_up(self, ingest_id: str, *, tier: str, reason: str) -> Ingest:
        """Thaw by a faster tier from now on, also what is on its way: Standard or Expedited."""
        body = {"tier": tier, "reason": reason}
        return Ingest.model_validate(self._http.post(f"/ingests/{quote(ingest_id, safe='')}/speed-up", body))

    def dead_letters(self, *, limit: int | None = None, **wanted: str | None) -> Iterator[DeadLetter]:
        """Dead letters, the newest first, `limit` at most. `wanted`: stage, code, ingest, open ("true", "false")."""
        yield from map(DeadLetter.model_validate, self._http.pages("/dead-letters", _wire(wanted), limit))

    def dead_letter(self, letter_id: str) -> DeadLetter:
        return DeadLetter.model_validate(self._http.get(f"/dead-letters/{quote(letter_id, safe='')}"))

    def redrive(self, letter_id: str, *, reason: str) -> DeadLetter:
        """Have its work done again, by a new ingest or import."""
        return DeadLetter.model_validate(self._act("dead-letters", letter_id, "redrive", reason))

    def discard(self, letter_id: str, *, reason: str) -> DeadLetter:
        """Let its work be."""
        return DeadLetter.model_validate(self._act("dead-letters", letter_id, "discard", reason))

    def _act(self, kind: str, thing: str, action: str, reason: str) -> Any:
        return self._http.post(f"/{kind}/{quote(thing, safe='')}/{action}", {"reason": reason})


def _wire(wanted: Mapping[str, str | None]) -> dict[str, str | None]:
    names = {"created_after": "createdAfter", "created_before": "createdBefore"}
    return {names.get(name, name): value for name, value in wanted.items()}
