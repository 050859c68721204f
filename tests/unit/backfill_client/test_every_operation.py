"""Whatever the APIs can do, the client can."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from backfill_client.asking import Wish
from backfill_client.client import BackfillClient
from backfill_client.errors import NotFound

OPENAPI = Path(__file__).resolve().parents[3] / "docs/reference/openapi"
WITHOUT = {
    "POST /oauth2/token": "credentials fetch their tokens by themselves",
    "GET /metrics": "monitoring reads it, in a form of its own",
    "GET /fixity/policies": "GET /reports/fixity has them too, with their copies counted",
}
ID = "7f1c0e9a"
CALLS: dict[str, Callable[[BackfillClient], Any]] = {
    "GET /clients": lambda client: client.get_clients(),
    "POST /clients": lambda client: client.create_client("me", scopes=["operate"]),
    "POST /clients/{client_id}/revoke": lambda client: client.revoke_client(ID, reason="gone"),
    "POST /backfills": lambda client: client.campaigns.start({}),
    "GET /backfills": lambda client: client.campaigns.page(),
    "GET /backfills/{campaign_id}": lambda client: client.campaigns.get(ID),
    "PATCH /backfills/{campaign_id}": lambda client: client.campaigns.change(ID, {"priority": 1}),
    "GET /backfills/{campaign_id}/failures": lambda client: next(client.campaigns.failures(ID)),
    "GET /backfills/{campaign_id}/events": lambda client: next(client.streams.campaign(ID)),
    "GET /backfills/{campaign_id}/thawing": lambda client: client.thaws.of_campaign(ID),
    "POST /backfills/{campaign_id}/pause": lambda client: client.campaigns.pause(ID),
    "POST /backfills/{campaign_id}/resume": lambda client: client.campaigns.resume(ID),
    "POST /backfills/{campaign_id}/cancel": lambda client: client.campaigns.cancel(ID),
    "POST /backfills/{campaign_id}/retry": lambda client: client.campaigns.retry(ID),
    "POST /ingests": lambda client: client.asking.create(Wish(space="digitised", external_identifier="b1")),
    "GET /ingests": lambda client: next(client.operations.ingests()),
    "GET /ingests/events": lambda client: next(client.streams.everything()),
    "GET /ingests/{ingest_id}": lambda client: client.get_ingest(ID),
    "GET /ingests/{ingest_id}/callbacks": lambda client: client.asking.callbacks(ID),
    "GET /ingests/{ingest_id}/events": lambda client: next(client.streams.ingest(ID)),
    "GET /ingests/{ingest_id}/evidence": lambda client: next(client.ingest_evidence(ID)),
    "GET /ingests/{ingest_id}/thawing": lambda client: client.thaws.of_ingest(ID),
    "POST /ingests/{ingest_id}/callback/replay": lambda client: client.asking.replay(ID),
    "POST /ingests/{ingest_id}/cancel": lambda client: client.operations.cancel(ID, reason="no"),
    "POST /ingests/{ingest_id}/fail": lambda client: client.operations.fail(ID, reason="no"),
    "POST /ingests/{ingest_id}/retry": lambda client: client.operations.retry(ID, reason="again"),
    "POST /ingests/{ingest_id}/speed-up": lambda client: client.operations.speed_up(ID, tier="Bulk", reason="now"),
    "GET /requirements": lambda client: client.requirements.every(),
    "POST /requirements": lambda client: client.requirements.state("azure"),
    "DELETE /requirements/{requirement_id}": lambda client: client.requirements.take_back(7),
    "GET /dead-letters": lambda client: next(client.operations.dead_letters()),
    "GET /dead-letters/{letter_id}": lambda client: client.operations.dead_letter(ID),
    "POST /dead-letters/{letter_id}/redrive": lambda client: client.operations.redrive(ID, reason="again"),
    "POST /dead-letters/{letter_id}/discard": lambda client: client.operations.discard(ID, reason="no"),
    "GET /thaws/estimate": lambda client: client.thaws.estimate("cold"),
    "POST /imports": lambda client: client.start_import("cold"),
    "GET /imports/{import_id}": lambda client: client.get_import(ID),
    "GET /bags": lambda client: next(client.bags()),
    "GET /bags/{rest}": lambda client: client.get_bag("digitised", "b1"),
    "GET /locations": lambda client: client.get_locations(),
    "GET /reports/unbackfilled": lambda client: client.reports.unbackfilled_page("azure"),
    "GET /reports/coverage": lambda client: client.reports.coverage(),
    "GET /reports/cold": lambda client: client.reports.cold(),
    "GET /reports/digest": lambda client: client.reports.digest(),
    "GET /reports/uploads": lambda client: next(client.reports.uploads("azure")),
    "GET /reports/evidence": lambda client: next(client.evidence.export("digitised")),
    "GET /evidence/chain": lambda client: client.evidence.chain(),
    "POST /evidence/checkpoints": lambda client: client.evidence.checkpoint(),
    "POST /checks": lambda client: client.fixity.check("digitised", "b1", location="azure"),
    "GET /checks/{check_id}": lambda client: client.fixity.get_check(ID),
    "POST /fixity/policies": lambda client: client.fixity.state_policy("azure", every_days=90),
    "DELETE /fixity/policies/{policy_id}": lambda client: client.fixity.take_back_policy(7),
    "GET /reports/fixity": lambda client: client.fixity.policies(),
    "GET /reports/fixity/copies": lambda client: next(client.fixity.copies()),
}


class Listening(ThreadingHTTPServer):
    """Writes down what it is asked for, and has nothing."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Nothing)
        self.asked: list[tuple[str, bool]] = []
        """Method and path, and whether there was a key."""


class _Nothing(BaseHTTPRequestHandler):
    server: Listening

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        asked = f"{self.command} {urlsplit(self.path).path}"
        self.server.asked.append((asked, "Idempotency-Key" in self.headers))
        self.send_response(404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *_: object) -> None:
        """No word on standard error."""


@pytest.fixture
def listening() -> Iterator[Listening]:
    with Listening() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def operations() -> dict[str, bool]:
    """Every operation, and whether it takes a key."""
    return {
        f"{method.upper()} {path}": any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", []))
        for file in OPENAPI.glob("*.json")
        for path, each in json.loads(file.read_text()).get("paths").items()
        for method, operation in each.items()
    }


def test_there_is_a_method_for_every_operation() -> None:
    assert operations().keys() - WITHOUT.keys() == CALLS.keys()


def test_each_method_asks_for_its_operation_with_a_key_where_one_is_taken(listening: Listening) -> None:
    address = f"http://127.0.0.1:{listening.server_port}"
    with BackfillClient(address, sleep=lambda _: None) as client:
        for call in CALLS.values():
            with pytest.raises(NotFound):
                call(client)
    fits = [
        re.fullmatch(re.sub(r"\{rest\}", ".+", re.sub(r"\{(?!rest)\w+\}", "[^/]+", name)), asked) is not None
        for name, (asked, _) in zip(CALLS, listening.asked, strict=True)
    ]
    assert [name for name, fitting in zip(CALLS, fits, strict=True) if not fitting] == []
    keyed = {name for name, (_, key) in zip(CALLS, listening.asked, strict=True) if key}
    assert keyed == {name for name, takes in operations().items() if takes}
