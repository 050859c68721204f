"""POST /ingests: what a request comes to, carried out once, or only told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from common.ledger import actions
from common.ledger.bags import BagRecord, find_bag, find_versions
from common.ledger.engine import transaction
from common.ledger.idempotency import Kept
from common.ledger.ingests import IngestRecord, find_ingest
from common.ledger.requesting import Wish, request_backfill, standing
from common.web.answers import Refused, base_url
from common.web.auth import caller
from common.web.fields import Invalid
from ingests_api.choosing import choose_all
from ingests_api.documents import ingest_document
from ingests_api.idempotency import answered_once
from ingests_api.options import check_deadline
from ingests_api.previewing import preview_document
from ingests_api.request import Wanted, parse
from ingests_api.surroundings import Surroundings

_MOST_NAMED = 20
MOST_AT_ONCE = 200
"""Ingests of one request; more are a campaign."""


def create(around: Surroundings, request: Request, body: Any, *, dry_run: bool) -> Response:
    """Raises Refused and Invalid, having changed nothing."""
    wanted = parse(body)
    check_deadline(wanted.options.deadline, now=datetime.now(UTC))
    _check_callback(around, wanted)
    with transaction(around.engine) as connection:
        if dry_run:
            return JSONResponse(_preview(around, connection, wanted))
        answer = answered_once(connection, request, body, lambda: _carried_out(around, connection, request, wanted))
    around.wake_relay()
    return answer


def _preview(around: Surroundings, connection: Connection, wanted: Wanted) -> dict[str, Any]:
    wishes = _wishes(around, connection, wanted)
    found = [(wish, standing(connection, wish)) for wish in wishes]
    return preview_document(found, frozen=around.offer.frozen, pricing=around.offer.pricing)


def _carried_out(around: Surroundings, connection: Connection, request: Request, wanted: Wanted) -> Kept:
    wishes = _wishes(around, connection, wanted)
    # Several requests lock their rows in one order, whatever order they name them in.
    wishes.sort(key=lambda wish: (wish.bag.bag.version, wish.destination.id))
    answers = [request_backfill(connection, wish=wish, ingest_id=around.new_id()) for wish in wishes]
    for one in answers:
        if one.created:
            subject = f"ingest:{one.ingest_id}"
            actions.record(connection, who=caller(request).id, what="ingest requested", subject=subject)
    found = [answer.begun or _found(connection, answer.ingest_id) for answer in answers]
    created = sum(answer.created for answer in answers)
    if not wanted.several:
        # 200 says that nothing was created. The storage service never answers so: its own Python client, which raises
        # for anything but 201, learns in this way that it asked twice.
        address = f"{base_url(around.public_url, request)}/ingests/{found[0].id}"
        return Kept(201 if created else 200, address, _text(ingest_document(found[0])))
    document = {
        "type": "ResultList",
        "created": created,
        "running": len(answers) - created,
        "results": [ingest_document(one) for one in found],
    }
    return Kept(201 if created else 200, None, _text(document))


def _found(connection: Connection, ingest_id: Any) -> IngestRecord:
    ingest = find_ingest(connection, ingest_id)
    assert ingest is not None
    return ingest


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _wishes(around: Surroundings, connection: Connection, wanted: Wanted) -> list[Wish]:
    wishes = choose_all(wanted, bags=_bags(connection, wanted), offer=around.offer)
    if len(wishes) > MOST_AT_ONCE:
        raise Invalid(
            f"The request comes to {len(wishes)} ingests, and {MOST_AT_ONCE} can be asked for at once. "
            "Start a campaign: POST /backfills."
        )
    return wishes


def _check_callback(around: Surroundings, wanted: Wanted) -> None:
    if wanted.callback_url and (fault := around.callbacks.fault(wanted.callback_url)):
        raise Invalid(f'Invalid value at .callback.url: got "{wanted.callback_url}", but {fault}.')


def _bags(connection: Connection, wanted: Wanted) -> list[BagRecord]:
    """The version that is meant; or all of them, the oldest first, since later ones may need files of earlier ones."""
    if not wanted.every_version:
        return [_bag(connection, wanted)]
    found = find_versions(connection, space=wanted.space, external_identifier=wanted.external_identifier)
    versions = sorted(version for version, _ in found)
    return [_bag(connection, wanted, version) for version in versions] or [_bag(connection, wanted)]


def _bag(connection: Connection, wanted: Wanted, version: Any = None) -> BagRecord:
    space, identifier = wanted.space, wanted.external_identifier
    found = find_bag(connection, space=space, external_identifier=identifier, version=version or wanted.version)
    if found:
        return found
    name = f"{space}/{identifier}"
    versions = [str(v) for v, _ in find_versions(connection, space=space, external_identifier=identifier)]
    if versions:
        listed = ", ".join(versions[:_MOST_NAMED])
        raise Refused(404, f"Bag {name} has no version {wanted.version}. Registered versions: {listed}.")
    raise Refused(
        404,
        f"Bag {name} is not registered. Check .space.id and .bag.info.externalIdentifier, "
        "or import the location that holds it: POST /imports to the bag register.",
    )
