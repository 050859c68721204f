"""What thawing would cost, what it has cost, and when it will be over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import Engine, select, update

from common.domain.bag import BagVersion
from common.ledger.engine import transaction
from common.ledger.tables import ingests, replicas
from common.ledger.thawing.admitting import Need, note
from common.ledger.thawing.asking import Bill, record
from common.ledger.thawing.tables import thaw_admissions
from common.ports import Tier
from common.thawing.budget import Budget
from common.thawing.prices import read_prices
from common.thawing.pricing import Pricing
from common.thawing.tiers import span
from unit.ingests_api.builders import AZURE, COLD, a_bag, an_app, serving, wish

GIB = 2**30
B1, B2, OTHER = (BagVersion.of(*name) for name in (("digitised", "b1", 1), ("digitised", "b2", 1), ("born", "b3", 1)))
PRICING = Pricing(
    book=read_prices(),
    regions={COLD.id: "us-east-1", AZURE.id: None},
    budgets={COLD.id: Budget(requests_per_day=4_000, cost_per_month=Decimal("0.10"))},
    archived={COLD.id: "GLACIER"},
    tier=Tier.BULK,
    days=3,
)


@pytest.fixture
def priced(engine: Engine) -> Iterator[httpx.Client]:
    with serving(an_app(engine, frozen={COLD: "GLACIER"}, pricing=PRICING)) as client:
        yield client


def bags(engine: Engine) -> None:
    a_bag(engine, B1, file_count=10_000, bytes=100 * GIB)
    a_bag(engine, B2, file_count=100, bytes=GIB)
    a_bag(engine, OTHER, file_count=1, bytes=GIB)


def told(client: httpx.Client, address: str, **parameters: Any) -> dict[str, Any]:
    answer = client.get(address, params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_bag_is_estimated_by_tier_with_what_it_would_exceed(priced: httpx.Client, engine: Engine) -> None:
    bags(engine)

    found = told(priced, "/thaws/estimate", location="cold", bag="digitised/b1", to="azure")

    assert {name: found[name] for name in ("bags", "objects", "bytes")} == {
        "bags": 1,
        "objects": 10_000,
        "bytes": 100 * GIB,
    }
    assert found["cost"] == {
        "type": "Cost",
        "currency": "USD",
        "total": "9.23",
        "region": "us-east-1",
        "restoredDays": 3,
        "requests": 10_000,
        "thawing": [
            {
                "tier": "Bulk",
                "total": "0.23",
                "retrieval": "0.00",
                "requests": "0.00",
                "readableCopies": "0.23",
                "withinSeconds": 43_200,
                "exceeds": [
                    "10,000 requests at 4,000 a day: at least 3 days",
                    "0.23 USD at 0.10 a month: at least 3 months",
                ],
            },
            {
                "tier": "Expedited",
                "total": "103.23",
                "retrieval": "3.00",
                "requests": "100.00",
                "readableCopies": "0.23",
                "withinSeconds": 300,
                "exceeds": [
                    "10,000 requests at 4,000 a day: at least 3 days",
                    "103.23 USD at 0.10 a month: at least 1,033 months",
                ],
            },
            {
                "tier": "Standard",
                "total": "1.73",
                "retrieval": "1.00",
                "requests": "0.50",
                "readableCopies": "0.23",
                "withinSeconds": 18_000,
                "exceeds": [
                    "10,000 requests at 4,000 a day: at least 3 days",
                    "1.73 USD at 0.10 a month: at least 18 months",
                ],
            },
        ],
        "reading": "0.004050",
        "egress": "9.00",
        "unverified": [],
        "unknown": [],
    }


@pytest.mark.parametrize(
    ("asked", "bags_and_objects"),
    [
        ({}, (3, 10_101)),
        ({"space": "digitised"}, (2, 10_100)),
        ({"bag": "born/b3/v1"}, (1, 1)),
        ({"space": "x"}, (0, 0)),
    ],
)
def test_a_whole_location_a_space_or_a_bag_can_be_asked_about(
    priced: httpx.Client, engine: Engine, asked: dict[str, str], bags_and_objects: tuple[int, int]
) -> None:
    bags(engine)

    found = told(priced, "/thaws/estimate", location="cold", **asked)

    assert (found["bags"], found["objects"]) == bags_and_objects


def test_a_dry_run_tells_the_cost_of_what_it_would_create(priced: httpx.Client, engine: Engine) -> None:
    bags(engine)

    answer = priced.post("/ingests", params={"dryRun": "true"}, json=wish("b1", options={"tier": "Standard"})).json()

    assert (answer["cost"]["total"], answer["cost"]["requests"]) == ("10.73", 10_000)
    assert answer["results"][0]["cost"]["thawing"][0]["tier"] == "Standard"


def test_what_lies_in_an_unknown_class_is_not_guessed(engine: Engine) -> None:
    with serving(an_app(engine, pricing=Pricing(book=read_prices()))) as client:
        bags(engine)
        found = told(client, "/thaws/estimate", location="cold")

    assert (found["cost"], found["costReason"][:46]) == (None, "This service may not look into the source. Set")


@pytest.mark.parametrize("parameters", [{}, {"location": "nowhere"}, {"location": "cold", "bag": "b1"}])
def test_what_cannot_be_asked_about_is_refused(priced: httpx.Client, parameters: dict[str, str]) -> None:
    assert priced.get("/thaws/estimate", params=parameters).status_code == 400


def test_an_ingest_shows_what_it_has_cost_beside_the_estimate(priced: httpx.Client, engine: Engine) -> None:
    bags(engine)
    ingest_id = priced.post("/ingests", json=wish("b1")).json()["id"]
    bill = Bill("GLACIER", "Bulk", 2, False, 4_000, 40 * GIB, Decimal("0.0613"), "USD")
    with transaction(engine) as connection:
        replica = connection.execute(select(replicas.c.id)).scalar_one()
        record(
            connection, kind="replica", row_id=replica, ingest_id=UUID(ingest_id), location="cold", bills=[bill, bill]
        )

    found = told(priced, f"/ingests/{ingest_id}/thawing")

    assert found["actual"] == {
        "type": "Thawing",
        "costs": [{"currency": "USD", "total": "0.12"}],
        "complete": True,
        "restores": [
            {
                "storageClass": "GLACIER",
                "tier": "Bulk",
                "days": 2,
                "extension": False,
                "objects": 8_000,
                "bytes": 80 * GIB,
                "cost": "0.12",
            }
        ],
    }
    assert found["progress"]["percent"] == 0
    assert (found["waiting"], found["expectedDate"]) == (None, None)


def test_an_ingest_that_thaws_tells_itself_when_it_can_be_read(priced: httpx.Client, engine: Engine) -> None:
    bags(engine)
    ingest_id = priced.post("/ingests", json=wish("b1")).json()["id"]
    before = told(priced, f"/ingests/{ingest_id}")
    with transaction(engine) as connection:
        replica = connection.execute(select(replicas.c.id)).scalar_one()
        need = Need("replica", replica, UUID(ingest_id), 4, GIB, Decimal(0), span("GLACIER", Tier.BULK))
        note(connection, need, location="cold")
        asked = connection.execute(select(thaw_admissions.c.admitted_at)).scalar_one()

    thawing = told(priced, f"/ingests/{ingest_id}")["thawing"]

    until = datetime.fromisoformat(thawing.pop("expectedDate"))
    assert (thawing, until) == ({"parts": 1, "waiting": 0}, asked + timedelta(hours=12))
    assert "thawing" not in before


def test_a_campaign_sums_what_its_ingests_have_cost(priced: httpx.Client, engine: Engine) -> None:
    bags(engine)
    campaign = priced.post(
        "/backfills", json={"destination": {"id": "azure"}, "selection": {"missing": {}}, "name": "c"}
    ).json()["id"]
    ingest_id = priced.post("/ingests", json=wish("b2")).json()["id"]
    bill = Bill("GLACIER", "Bulk", 2, False, 1, 1, Decimal("1.5"), "USD", priced=False)
    with transaction(engine) as connection:
        connection.execute(update(ingests).values(campaign_id=UUID(campaign)))
        record(connection, kind="segment", row_id=1, ingest_id=UUID(ingest_id), location="cold", bills=[bill])

    actual = told(priced, f"/backfills/{campaign}/thawing")["actual"]

    assert (actual["costs"], actual["complete"]) == ([{"currency": "USD", "total": "1.50"}], False)


def test_what_there_is_not_has_no_thawing(priced: httpx.Client) -> None:
    answers = [priced.get(f"/{kind}/{uuid4()}/thawing").status_code for kind in ("ingests", "backfills")]

    assert answers == [404, 404]
