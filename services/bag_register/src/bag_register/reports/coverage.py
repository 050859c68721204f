"""GET /reports/coverage: every space at every location, by state, held against what is required."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from bag_register.reports.unbackfilled import name_of
from bag_register.surroundings import Surroundings
from common.domain.coverage import Amount, CopyState, Health, Place, health
from common.ledger.coverage.counting import Matrix, matrix
from common.ledger.engine import snapshot
from common.web.answers import instant
from common.web.auth import Permission, needs


def add_routes(app: FastAPI, around: Surroundings) -> None:
    """GET /reports/coverage."""

    def coverage(space: str | None = None) -> JSONResponse:
        with snapshot(around.engine) as connection:
            counted = matrix(connection, space=space)
        return JSONResponse(coverage_document(counted, at=datetime.now(UTC)))

    app.get(
        "/reports/coverage",
        summary="How many bag versions of each space every location has, lacks or works on, and the health of each",
        dependencies=[needs(Permission.BAGS_READ)],
    )(coverage)


def coverage_document(counted: Matrix, *, at: datetime) -> dict[str, Any]:
    """The matrix as the wire has it."""
    places = {space: list(of_space) for space, of_space in groupby(counted.places, key=lambda place: place.space)}
    spaces = [_space(counted, space, places.get(space, [])) for space in sorted(counted.bags)]
    worst = [space["health"] for space in spaces]
    return {
        "type": "CoverageReport",
        "date": instant(at),
        "health": next((state.value for state in reversed(Health) if state.value in worst), Health.HEALTHY.value),
        **_amount(sum(counted.bags.values(), Amount())),
        "atRisk": sum(counted.at_risk.values()),
        "locations": _locations(counted.places),
        "spaces": spaces,
    }


def _space(counted: Matrix, space: str, places: list[Place]) -> dict[str, Any]:
    at_risk = counted.at_risk.get(space, 0)
    return {
        "id": space,
        "type": "Space",
        "health": health(places, at_risk=at_risk).value,
        **_amount(counted.bags[space]),
        "atRisk": at_risk,
        "locations": [
            {
                "id": place.location,
                "type": "Location",
                "required": place.required,
                "states": _states(place.states),
            }
            for place in places
        ],
    }


def _locations(places: tuple[Place, ...]) -> list[dict[str, Any]]:
    """Each location over all spaces."""
    sums: dict[str, dict[CopyState, Amount]] = {}
    for place in places:
        states = sums.setdefault(place.location, {})
        for state, amount in place.states.items():
            states[state] = states.get(state, Amount()) + amount
    return [{"id": location, "type": "Location", "states": _states(sums[location])} for location in sorted(sums)]


def _states(states: dict[CopyState, Amount]) -> dict[str, Any]:
    return {name_of(state): _amount(states[state]) for state in CopyState if state in states}


def _amount(amount: Amount) -> dict[str, int]:
    return {"bagVersions": amount.bags, "files": amount.files, "bytes": amount.bytes}
