"""The Idempotency-Key header: the same key gets the same answer, whatever happened in between."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import Connection

from common.ledger import idempotency
from common.ledger.idempotency import Kept, OtherRequest
from common.web.answers import Refused
from common.web.auth import caller

HEADER = "Idempotency-Key"
_LONGEST = 255


TAKES_KEY: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "description": "The same key gets the same answer",
            "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST},
            "example": "b12345-v2-azure",
        }
    ]
}
"""What the OpenAPI document says of a route that answers once for a key (`openapi_extra`)."""


def key_of(request: Request) -> str | None:
    """The key, if there is one: dry runs look at it too. Raises Refused for what is none."""
    key = request.headers.get(HEADER)
    if key is not None and (not 1 <= len(key) <= _LONGEST or not key.isascii() or not key.isprintable()):
        raise Refused(400, f"Invalid value at {HEADER}: must be 1 to {_LONGEST} printable ASCII characters.")
    return key


def answered_once(
    connection: Connection, request: Request, body: Any, work: Callable[[], Kept], *, at: str | None = None
) -> Response:
    """What `work` answers; or, where the caller's key had an answer before, that one, and no work.

    A key stands for one request: its method, its path (`at`, where several paths mean the same) and its body.
    All in the caller's transaction: where `work` raises, nothing is kept and the key may be used again.
    Raises Refused for a key that is none, or that was used for another request.
    """
    key = key_of(request)
    if key is None:
        return response_of(work())
    who = caller(request).id
    try:
        kept = idempotency.begin(connection, caller=who, key=key, request_sha256=_digest(request, at, body))
    except OtherRequest:
        raise Refused(
            422,
            f"Invalid value at {HEADER}: this key was used for another request. Send the same request with it, "
            "or a new key.",
        ) from None
    if kept is not None:
        return response_of(kept, replayed=True)
    answer = work()
    idempotency.keep(connection, caller=who, key=key, answer=answer)
    return response_of(answer)


def _digest(request: Request, at: str | None, body: Any) -> str:
    """Of what the request means: key order and white space are nothing."""
    meaning = [request.method, at or request.url.path.strip("/"), body]
    return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()


def kept_document(status: int, document: Any, *, location: str | None = None) -> Kept:
    """A document as it is answered, now and again."""
    return Kept(status, location, json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def response_of(answer: Kept, *, replayed: bool = False) -> Response:
    """The answer as it is sent."""
    headers = {"Location": answer.location} if answer.location else {}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, status_code=answer.status, headers=headers, media_type="application/json")
