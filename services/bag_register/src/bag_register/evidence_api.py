"""The HTTP API for the chain of evidence."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from bag_register.surroundings import Surroundings
from common.ledger import actions
from common.ledger.engine import transaction
from common.ledger.evidence import checkpoints, sealing
from common.ledger.evidence.checkpoints import Checkpoint
from common.web.answers import instant
from common.web.auth import Permission, caller, needs


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /evidence/chain and POST /evidence/checkpoints."""

    def chain() -> JSONResponse:
        return JSONResponse(_chain(around))

    def checkpoint(request: Request) -> JSONResponse:
        with transaction(around.engine) as connection:
            actions.record(
                connection, who=caller(request).id, what="evidence checkpoint requested", subject="evidence:chain"
            )
        if around.sealer:
            around.sealer.checkpoint()
        return JSONResponse(_chain(around), status_code=201)

    app.get(
        "/evidence/chain",
        summary="How many rows of evidence and human actions are sealed, and the last checkpoint",
        dependencies=[needs(Permission.BAGS_READ)],
    )(chain)
    app.post(
        "/evidence/checkpoints",
        status_code=201,
        summary="Seal everything now, and take a checkpoint to the second place",
        dependencies=[needs(Permission.OPERATE)],
    )(checkpoint)


def _chain(around: Surroundings) -> dict[str, Any]:
    with transaction(around.engine) as connection:
        head, last = sealing.head(connection), checkpoints.latest(connection)
    document: dict[str, Any] = {"type": "EvidenceChain", "sealed": head.seq, "hash": head.hash.hex()}
    return document | ({"lastCheckpoint": _checkpoint(last)} if last else {})


def _checkpoint(one: Checkpoint) -> dict[str, Any]:
    document = {
        "type": "EvidenceCheckpoint",
        "sealed": one.seq,
        "hash": one.hash,
        "createdDate": instant(one.created_at),
        "writtenDate": instant(one.written_at) if one.written_at else None,
    }
    return {name: value for name, value in document.items() if value is not None}
