"""Reading JSON requests, with faults told the way existing clients know them."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from fastapi import Request

from common.web.answers import Refused

MAX_BYTES = 1 << 20
_SHOWN = 6
"""How much of a malformed document is quoted."""


async def json_body(request: Request) -> Any:
    """The request's JSON document. Raises Refused: 415, 413 or 400."""
    declared = request.headers.get("content-type", "")
    if declared.partition(";")[0].strip().lower() != "application/json":
        shown = declared or "application/octet-stream"
        raise Refused(415, f"The request's Content-Type [{shown}] is not supported. Expected:\napplication/json")
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MAX_BYTES:
            raise Refused(413, f"The request is larger than {MAX_BYTES} bytes.")
    return parsed(bytes(body))


def parsed(body: bytes) -> Any:
    """The JSON document that `body` is. Raises Refused, 400."""
    try:
        document = json.loads(body.decode("utf-8"), parse_constant=_no_constant)
        if b"\\ud" in body.lower():
            # Half of a surrogate pair is no text: neither the ledger nor an answer could hold it.
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        return document
    except UnicodeEncodeError:
        raise _malformed("a string has half of a surrogate pair") from None
    except UnicodeDecodeError as error:
        raise _malformed(f"the text is not UTF-8 (byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        raise _malformed(_where(error)) from None
    except RecursionError:
        raise _malformed("the document is nested too deeply") from None
    except ValueError as error:
        raise _malformed(str(error)) from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _where(error: json.JSONDecodeError) -> str:
    said = "expected json value" if error.msg == "Expecting value" else error.msg[:1].lower() + error.msg[1:]
    rest = error.doc[error.pos :]
    got = "eof" if not rest else f"'{rest[:_SHOWN]}{'...' if len(rest) > _SHOWN else ''}'"
    return f"{said} got {got} (line {error.lineno}, column {error.colno})"


def _malformed(what: str) -> Refused:
    return Refused(400, f"The request content was malformed:\n{what}")
