"""POST /ingests: what a request comes to, carried out once, or only told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from common.ledger.accepting import Asked
from common.ledger.bags import BagRecord, find_bags
from common.ledger.engine import transaction
from common.ledger.idempotency import Kept
from common.ledger.ingests import IngestRecord, find_ingest
from common.ledger.requesting import Answer, request_backfills, standing
from common.ledger.wishes import Wish
from common.web.answers import Refused, base_url
from common.web.auth import caller
from common.web.bodies import json_body
from common.web.fields import Invalid
from common.web.idempotency import HEADER, answered_once, kept_document, key_of, response_of
from ingests_api.choosing import choose_all
from ingests_api.documents import ingest_document
from ingests_api.gathering import Gathered
from ingests_api.meaning import every_bag, named, unknown
from ingests_api.options import check_deadline
from ingests_api.previewing import preview_document
from ingests_api.request import Wanted, parse
from ingests_api.surroundings import Surroundings

MOST_AT_ONCE = 200
"""Ingests of one request; more are a campaign."""


@dataclass(frozen=True, slots=True, eq=False)
class _Asking:
    """A request that was read; each is another, whatever it asks for."""

    wanted: Wanted
    who: str
    base: str
    """Of the addresses in its answer."""


class Creating:
    """Answers for POST /ingests."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._gathered = Gathered(self._together)

    async def asked(
        self,
        request: Request,
        body: Annotated[Any, Depends(json_body)],
        dry_run: Annotated[bool, Query(alias="dryRun")] = False,
    ) -> Response:
        """Raises Refused and Invalid, having changed nothing.

        Who asks for one ingest shares a transaction with those who ask at the same time. Several ingests take one of
        their own, and so does a key, which waits for the request that had it first.
        """
        key_of(request)
        asking = self._read(request, body)
        if dry_run:
            return await run_in_threadpool(self._preview, asking)
        if asking.wanted.several or HEADER in request.headers:
            return await run_in_threadpool(self._alone, request, body, asking)
        kept = await self._gathered.find(asking)
        assert kept is not None
        return response_of(kept)

    def _read(self, request: Request, body: Any) -> _Asking:
        wanted = parse(body)
        check_deadline(wanted.options.deadline, now=datetime.now(UTC))
        if wanted.callback_url and (fault := self._around.callbacks.fault(wanted.callback_url)):
            raise Invalid(f'Invalid value at .callback.url: got "{wanted.callback_url}", but {fault}.')
        return _Asking(wanted, caller(request).id, base_url(self._around.public_url, request))

    def _preview(self, asking: _Asking) -> Response:
        with transaction(self._around.engine) as connection:
            found = [(wish, standing(connection, wish)) for wish in self._wishes(connection, asking.wanted)]
        offer = self._around.offer
        return JSONResponse(preview_document(found, frozen=offer.frozen, pricing=offer.pricing))

    def _alone(self, request: Request, body: Any, asking: _Asking) -> Response:
        with transaction(self._around.engine) as connection:
            answer = answered_once(
                connection, request, body, lambda: self._carried_out(connection, asking), at="ingests"
            )
        self._around.wake_relay()
        return answer

    def _carried_out(self, connection: Connection, asking: _Asking) -> Kept:
        wishes = self._wishes(connection, asking.wanted)
        answers = request_backfills(connection, [self._named(wish, asking) for wish in wishes])
        found = [_found(connection, answer) for answer in answers]
        if not asking.wanted.several:
            return _one(asking, found[0], created=answers[0].created)
        return _several(found, created=sum(answer.created for answer in answers))

    def _together(self, asking: Sequence[_Asking]) -> Mapping[_Asking, Kept | Exception]:
        """One transaction for all of them; who asks for what cannot be is told so, and does not hinder the others."""
        with transaction(self._around.engine) as connection:
            bags = find_bags(connection, [named(one.wanted) for one in asking])
            wishes = {one: self._wish(connection, one.wanted, bag) for one, bag in zip(asking, bags, strict=True)}
            good = {one: wish for one, wish in wishes.items() if isinstance(wish, Wish)}
            answers = request_backfills(connection, [self._named(wish, one) for one, wish in good.items()])
            told = {
                one: _one(one, _found(connection, answer), created=answer.created)
                for one, answer in zip(good, answers, strict=True)
            }
        self._around.wake_relay()
        return {one: wish for one, wish in wishes.items() if isinstance(wish, Exception)} | told

    def _wish(self, connection: Connection, wanted: Wanted, bag: BagRecord | None) -> Wish | Exception:
        try:
            return choose_all(wanted, bags=[bag or unknown(connection, wanted)], offer=self._around.offer)[0]
        except (Invalid, Refused) as error:
            return error

    def _wishes(self, connection: Connection, wanted: Wanted) -> list[Wish]:
        wishes = choose_all(wanted, bags=every_bag(connection, wanted), offer=self._around.offer)
        if len(wishes) > MOST_AT_ONCE:
            raise Invalid(
                f"The request comes to {len(wishes)} ingests, and {MOST_AT_ONCE} can be asked for at once. "
                "Start a campaign: POST /backfills."
            )
        # They are answered by version and destination, whatever order the request names them in.
        return sorted(wishes, key=lambda wish: (wish.bag.bag.version, wish.destination.id))

    def _named(self, wish: Wish, asking: _Asking) -> Asked:
        return Asked(wish, self._around.new_id(), asking.who)


def _found(connection: Connection, answer: Answer) -> IngestRecord:
    ingest = answer.begun or find_ingest(connection, answer.ingest_id)
    assert ingest is not None
    return ingest


def _one(asking: _Asking, ingest: IngestRecord, *, created: bool) -> Kept:
    # 200 says that nothing was created. The storage service never answers so: its own Python client, which raises
    # for anything but 201, learns in this way that it asked twice.
    address = f"{asking.base}/ingests/{ingest.id}"
    return kept_document(201 if created else 200, ingest_document(ingest), location=address)


def _several(found: Sequence[IngestRecord], *, created: int) -> Kept:
    document = {
        "type": "ResultList",
        "created": created,
        "running": len(found) - created,
        "results": [ingest_document(one) for one in found],
    }
    return kept_document(201 if created else 200, document)
