"""The HTTP API for evidence: what the verifier found at the destination, file by file."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote
from uuid import UUID

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse

from common.ledger.engine import transaction
from common.ledger.ingests import exists
from common.ledger.proofs import Proof, Tally, Which, proofs, tally
from common.web.answers import Refused, instant
from common.web.auth import Permission, needs
from ingests_api.surroundings import Surroundings

UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MOST = 1000


def add_evidence(app: FastAPI, around: Surroundings) -> None:
    """GET /ingests/{id}/evidence. To be added before the route that takes any address below /ingests."""

    def read(
        ingest_id: str,
        which: Which = Which.ALL,
        after: str | None = None,
        limit: int = Query(default=100, ge=1, le=_MOST),
    ) -> JSONResponse:
        return _read(around, ingest_id, which=which, after=after, limit=limit)

    app.get(
        "/ingests/{ingest_id}/evidence",
        summary="What was expected, what was read back and when, for every file; or for the bad or doubted ones",
        dependencies=[needs(Permission.INGESTS_READ)],
    )(read)


def _read(around: Surroundings, ingest_id: str, *, which: Which, after: str | None, limit: int) -> JSONResponse:
    found = UUID(ingest_id) if UUID_PATTERN.fullmatch(ingest_id) else None
    with transaction(around.engine) as connection:
        if found is None or not exists(connection, found):
            raise Refused(404, f"Ingest {quote(ingest_id)} not found")
        totals = tally(connection, ingest_id=found)
        page = proofs(connection, ingest_id=found, which=which, after=after, limit=limit + 1)
    document = {
        "type": "Evidence",
        "ingest": ingest_id,
        "totals": tally_document(totals),
        "results": [proof_document(proof) for proof in page[:limit]],
    }
    return JSONResponse(document | ({"next": page[limit - 1].key} if len(page) > limit else {}))


def tally_document(totals: Tally) -> dict[str, int]:
    return {"match": totals.match, "bad": totals.bad, "doubted": totals.doubted}


def proof_document(proof: Proof) -> dict[str, Any]:
    """One file's evidence as the wire has it; what there is nothing to say about is left out."""
    document = {
        "name": proof.path,
        "path": proof.key,
        "outcome": proof.outcome,
        "evidenceClass": proof.evidence_class,
        "expected": dict(proof.expected),
        "measured": dict(proof.measured),
        "size": proof.bytes,
        "etag": proof.etag,
        "versionId": proof.version_id,
        "reason": proof.reason or None,
        "reads": proof.reads,
        "doubts": list(proof.doubts) or None,
        "startedDate": instant(proof.started_at),
        "endedDate": instant(proof.ended_at),
        "worker": proof.worker,
        "build": proof.build,
        "attempt": proof.attempt,
        "type": "FileEvidence",
    }
    return {name: value for name, value in document.items() if value is not None}
