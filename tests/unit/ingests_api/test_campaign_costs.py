"""What a campaign would cost, before it is begun: source by source, in a number of statements that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from common.domain.bag import BagVersion
from common.thawing.budget import Budget
from common.thawing.prices import read_prices
from common.thawing.pricing import NO_CLASSES, Pricing
from unit.ingests_api.builders import AZURE, COLD, SPARE, a_bag, an_app, registered_at, serving

GIB = 2**30
PRICING = Pricing(
    book=read_prices(),
    regions={COLD.id: "us-east-1"},
    budgets={COLD.id: Budget(requests_per_day=150, cost_per_month=Decimal("0.01"))},
    archived={COLD.id: "GLACIER"},
)


@pytest.fixture
def priced(engine: Engine) -> Iterator[httpx.Client]:
    with serving(an_app(engine, frozen={COLD: "GLACIER"}, warm=[SPARE], pricing=PRICING)) as client:
        yield client


def bags(engine: Engine, *numbers: int) -> list[int]:
    """Of 1 GiB in 100 files each."""
    return [a_bag(engine, BagVersion.of("digitised", f"b{one}", 1), file_count=100, bytes=GIB) for one in numbers]


def previewed(client: httpx.Client, selection: dict[str, Any]) -> dict[str, Any]:
    wanted = {"destination": {"id": "azure"}, "selection": selection}
    answer = client.post("/backfills?dryRun=true", json=wanted)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_campaign_is_estimated_by_class_and_tier_with_what_it_would_exceed(
    priced: httpx.Client, engine: Engine
) -> None:
    bags(engine, 1, 2)

    told = previewed(priced, {"missing": {}})

    bulk, *others = told["cost"]["thawing"]
    assert (told["cost"]["requests"], told["cost"]["egress"]) == (200, "0.18")
    assert bulk == {
        "tier": "Bulk",
        "total": "0.004600",
        "retrieval": "0.00",
        "requests": "0.00",
        "readableCopies": "0.004600",
        "withinSeconds": 43_200,
        "exceeds": ["200 requests at 150 a day: at least 2 days"],
    }
    assert [one["tier"] for one in others] == ["Expedited", "Standard"]
    assert others[1]["exceeds"][1] == "0.03 USD at 0.01 a month: at least 4 months"
    (source,) = told["sources"]
    assert source["classes"] == {"GLACIER": {"objects": 200, "bytes": 2 * GIB}}
    assert (source["classesEstimated"], source["cost"]) == (True, told["cost"])


def test_what_can_be_read_elsewhere_without_a_thaw_is_not_thawed_in_the_estimate_either(
    priced: httpx.Client, engine: Engine
) -> None:
    registered_at(engine, bags(engine, 1, 2)[0], SPARE)

    told = previewed(priced, {"missing": {}})

    found = {one["location"]["id"]: (one["bags"], one["objects"]) for one in told["sources"]}
    assert found == {"cold": (1, 100), "spare": (1, 100)}
    assert (told["cost"]["requests"], told["cost"]["thawing"][0]["tier"]) == (100, "Bulk")


def test_listed_bags_that_are_there_already_cost_nothing(priced: httpx.Client, engine: Engine) -> None:
    registered_at(engine, bags(engine, 1, 2)[0], AZURE)

    told = previewed(priced, {"bags": ["digitised/b1", "digitised/b2"]})

    assert [(one["bags"], one["bytes"]) for one in told["sources"]] == [(1, GIB)]


def test_only_as_many_as_the_campaign_takes_are_estimated(priced: httpx.Client, engine: Engine) -> None:
    bags(engine, 1, 2, 3)

    assert previewed(priced, {"missing": {"most": 2}})["cost"]["requests"] == 200


def test_what_lies_in_an_unknown_class_is_said_to_be_unknown(engine: Engine) -> None:
    with serving(an_app(engine, pricing=Pricing(book=read_prices()))) as client:
        bags(engine, 1)
        told = previewed(client, {"missing": {}})

    (source,) = told["sources"]
    assert (told["cost"], told["costReason"], source["classes"]) == (None, NO_CLASSES, None)


def test_more_bags_take_no_more_statements(priced: httpx.Client, engine: Engine) -> None:
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *facts: said.append(facts[2]))
    numbers = []
    for some in (range(1, 3), range(3, 23)):
        bags(engine, *some)
        said.clear()
        previewed(priced, {"missing": {}})
        numbers.append(len(said))

    assert numbers[0] == numbers[1]
