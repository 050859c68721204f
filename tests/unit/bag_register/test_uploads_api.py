"""The report of unfinished uploads."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
from sqlalchemy import Engine

from common.domain.location import Location, LocationId, Provider
from common.ledger import uploads
from common.ledger.engine import transaction
from common.ledger.locations import announce
from common.ledger.uploads import Owner
from common.ports import PendingUpload

AZURE = Location(LocationId("azure"), Provider.AZURE_BLOB, "replicas")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def test_unfinished_uploads_are_told_in_pages(client: httpx.Client, engine: Engine) -> None:
    first, second = PendingUpload("a", "1", BEGAN), PendingUpload("a", "2", BEGAN)
    with transaction(engine) as connection:
        announce(connection, AZURE)
        uploads.seen(connection, AZURE, [(first, Owner.ABANDONED), (second, Owner.UNKNOWN)])
        uploads.aborted(connection, AZURE, first)

    page = client.get("/reports/uploads", params={"location": "azure", "limit": 1}).json()
    rest = client.get("/reports/uploads", params={"location": "azure"} | page["next"]).json()

    assert page["results"][0].pop("abortedDate")
    assert page == {
        "type": "UploadsReport",
        "location": {"id": "azure", "type": "Location"},
        "results": [
            {
                "path": "a",
                "uploadId": "1",
                "owner": "abandoned",
                "since": "2026-01-01T00:00:00.000000Z",
                "type": "UnfinishedUpload",
            }
        ],
        "next": {"after": "a", "afterUpload": "1"},
    }
    assert [item["uploadId"] for item in rest["results"]] == ["2"]
    assert "next" not in rest


def test_a_location_that_nobody_knows_has_no_report(client: httpx.Client) -> None:
    assert client.get("/reports/uploads", params={"location": "nowhere"}).status_code == 400
