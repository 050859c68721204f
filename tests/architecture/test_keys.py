"""Whatever creates something takes an Idempotency-Key, so that a request whose answer got lost can be sent again."""

from __future__ import annotations

import json
from pathlib import Path

OPENAPI = Path(__file__).resolve().parents[2] / "docs/reference/openapi"
WITHOUT = {
    "POST /clients": "its answer has a secret, which is kept nowhere and so cannot be told again",
    "POST /evidence/checkpoints": "it seals what is there; asked twice, the second finds nothing to seal",
    "POST /ingests/{ingest_id}/callback/replay": "it is asked for to have something sent once more; 409 on its way",
}
"""What answers 201 or 202 and takes none, and why."""


def test_what_creates_takes_a_key_or_says_why_not() -> None:
    documents = [json.loads(path.read_text()) for path in OPENAPI.glob("*.json")]
    creating = {
        f"POST {path}": "Idempotency-Key" in [each["name"] for each in operations["post"].get("parameters", [])]
        for document in documents
        for path, operations in document["paths"].items()
        if "post" in operations and {"201", "202"} & operations["post"]["responses"].keys()
    }
    assert {name for name, takes in creating.items() if not takes} == WITHOUT.keys()
    assert len(creating) - len(WITHOUT) == 7
