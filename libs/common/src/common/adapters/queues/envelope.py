"""kombu's virtual transports (pgmq, SQS) wrap a body in a JSON envelope. Anybody can put anything in a queue.

kombu raises KeyError, AttributeError or binascii.Error for a row that is not its envelope, and the row then comes back
at every visibility timeout. So a foreign message is made an envelope around its own bytes, which the caller sets aside.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any
from uuid import uuid4


def opened(payload: object) -> dict[str, Any]:
    """An envelope that kombu can read. The tag is new: two deliveries of one message must not share it."""
    body = _our_body(payload)
    if body is None:
        return _around(_raw(payload))
    assert isinstance(payload, dict)
    message_id = payload["properties"].get("message_id")
    return _around(body, message_id=message_id if isinstance(message_id, str) else "")


def _our_body(payload: object) -> bytes | None:
    """The bytes inside the envelope; None where it is not one."""
    if not isinstance(payload, dict) or not isinstance(payload.get("properties"), dict):
        return None
    body = payload.get("body")
    if not isinstance(body, str) or payload["properties"].get("body_encoding") != "base64":
        return None
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return None


def _raw(payload: object) -> bytes:
    if isinstance(payload, bytes):
        return payload
    return json.dumps(payload, ensure_ascii=False).encode(errors="surrogatepass")


def _around(body: bytes, *, message_id: str = "") -> dict[str, Any]:
    return {
        "body": base64.b64encode(body).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {},
        "properties": {
            "body_encoding": "base64",
            "message_id": message_id,
            "delivery_tag": str(uuid4()),
            "delivery_info": {},
        },
    }
