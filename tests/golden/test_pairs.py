"""Requests and answers as existing clients know them: each file of pairs/ is one of each.

Dates, ids, secrets and addresses are replaced by names in angle brackets. The order of fields counts, and of headers
those that the file names. BACKFILL_GOLDEN=write fills in the answers: read them before you keep them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from golden.stage import Stage, staged
from servers.handles import S3Server
from servers.ledgers import Ledgers
from unit.bag_register.ledgers import a_ledger

PAIRS = sorted(Path(__file__).with_name("pairs").glob("*.json"))


@pytest.fixture(scope="module")
def stage(ledgers: Ledgers, s3_server: S3Server) -> Iterator[Stage]:
    with a_ledger(ledgers) as engine, staged(engine, s3_server) as stage:
        yield stage


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_the_answer_is_the_one_that_is_known(stage: Stage, path: Path) -> None:
    pair = json.loads(path.read_text("utf-8"))
    known = pair.get("response", {})
    answered = _told(stage, stage.answer(pair["request"]), headers=known.get("headers", {"Content-Type": ""}))
    if os.environ.get("BACKFILL_GOLDEN") == "write":
        path.write_text(json.dumps(pair | {"response": answered}, indent=2, ensure_ascii=False) + "\n", "utf-8")

    assert json.dumps(answered, indent=1) == json.dumps(known, indent=1)


def _told(stage: Stage, answer: httpx.Response, *, headers: dict[str, str]) -> dict[str, Any]:
    text = stage.normal(answer.text)
    form = "body" if "json" in answer.headers.get("content-type", "") else "text"
    return {
        "status": answer.status_code,
        "headers": {name: stage.normal(answer.headers.get(name, "(none)")) for name in headers},
        form: json.loads(text) if form == "body" else text,
    }
