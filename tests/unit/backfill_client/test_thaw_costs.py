"""`backfill thaw estimate` and `thaw show`, against the live API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Engine, update
from typer.testing import Result

from backfill_client.session import Exit
from common.ledger.engine import transaction
from common.ledger.tables import ingests
from common.ledger.thawing.asking import Bill, record
from common.thawing.budget import Budget
from common.thawing.prices import read_prices
from common.thawing.pricing import Pricing
from unit.backfill_client.deployment import backfill
from unit.ingests_api.builders import COLD, a_bag, an_app, serving, wish

GIB = 2**30
PRICING = Pricing(
    book=read_prices(),
    regions={COLD.id: "us-east-1"},
    budgets={COLD.id: Budget(requests_per_day=4_000)},
    archived={COLD.id: "GLACIER"},
)


class Api:
    """One bag of 100 GiB in 10,000 files, frozen, behind a server."""

    def __init__(self, engine: Engine, client: object) -> None:
        self.engine, self.client = engine, client
        a_bag(engine, file_count=10_000, bytes=100 * GIB)

    def cli(self, *arguments: str) -> Result:
        return backfill("--api", str(self.client.base_url).rstrip("/"), *arguments)  # type: ignore[attr-defined]

    def spent(self) -> tuple[str, str]:
        """An ingest of a campaign that has asked for some of it; their ids."""
        post = self.client.post  # type: ignore[attr-defined]
        wanted = {"destination": {"id": "azure"}, "selection": {"missing": {}}, "name": "c"}
        campaign, ingest = post("/backfills", json=wanted).json()["id"], post("/ingests", json=wish("b1")).json()["id"]
        bill = Bill("GLACIER", "Bulk", 2, False, 4_000, 40 * GIB, Decimal("0.0613"), "USD")
        with transaction(self.engine) as connection:
            connection.execute(update(ingests).values(campaign_id=UUID(campaign)))
            record(connection, kind="segment", row_id=1, ingest_id=UUID(ingest), location="cold", bills=[bill])
        return ingest, campaign


@pytest.fixture
def api(engine: Engine, quiet: None) -> Iterator[Api]:
    with serving(an_app(engine, frozen={COLD: "GLACIER"}, pricing=PRICING)) as client:
        yield Api(engine, client)


def words(told: Result) -> str:
    """What was said, whatever the widths of its columns."""
    assert told.exit_code == 0, told.output
    return " ".join(told.stdout.split())


def test_an_estimate_shows_what_each_tier_costs_and_takes_and_what_it_is_beyond(api: Api) -> None:
    told = words(api.cli("thaw", "estimate", "cold", "--to", "azure", "--tier", "Standard"))

    assert "Bags 1 Objects 10,000 Bytes 107.4 GB" in told
    assert "Standard 1.73 USD 1.00 0.50 0.23 5:00:00" in told
    assert "Bulk 0.23 USD 0.00 0.00 0.23 12:00:00" in told
    assert "at least 3 days" in told
    assert "In all, by the first tier 10.73 USD" in told


def test_an_estimate_as_json_is_what_the_api_said(api: Api) -> None:
    told = json.loads(api.cli("thaw", "estimate", "cold", "--bag", "digitised/b1", "-o", "json").stdout)

    assert (told["objects"], told["cost"]["requests"], told["cost"]["thawing"][0]["tier"]) == (10_000, 10_000, "Bulk")


def test_an_unknown_location_is_refused_with_those_there_are(api: Api) -> None:
    told = api.cli("thaw", "estimate", "nowhere")

    assert told.exit_code == Exit.REFUSED
    assert "valid values are: azure, cold" in told.stderr


def test_what_an_ingest_and_its_campaign_have_spent_is_shown_beside_the_estimate(api: Api) -> None:
    ingest, campaign = api.spent()

    of_ingest, of_campaign = (
        words(api.cli("thaw", "show", ingest)),
        words(api.cli("thaw", "show", "--campaign", campaign)),
    )

    assert "Verified 0 % (0 of 10,000)" in of_ingest
    assert "Estimated 0.23 USD for thawing Spent 0.06 USD" in of_ingest
    assert "GLACIER Bulk 2 restored 4000 42.9 GB 0.06" in of_ingest
    assert "Spent 0.06 USD" in of_campaign
    assert "Verified" not in of_campaign


@pytest.mark.parametrize("words_", [(), ("a", "--campaign", "b")])
def test_show_wants_either_an_ingest_or_a_campaign(words_: tuple[str, ...]) -> None:
    told = backfill("thaw", "show", *words_)

    assert (told.exit_code, "name an ingest, or a campaign with --campaign" in told.stderr) == (2, True)
