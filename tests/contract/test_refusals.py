"""Whoever may not do something hears so, from every route, in the form that the service's document promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from common.web.auth import Permission
from contract.live import SERVICES, authorization
from servers.ledgers import Ledgers
from unit.bag_register.ledgers import a_ledger

FORMS = ("application/json", "application/problem+json")
VALUES = {"ingest_id": "00000000-0000-4000-8000-000000000000", "campaign_id": "00000000-0000-4000-8000-000000000000"}
Operation = tuple[str, str, Permission, dict[str, Any]]
"""Method, path, the scope that it needs, and its answers by status."""


@pytest.fixture(scope="module", params=SERVICES)
def service(
    request: pytest.FixtureRequest, ledgers: Ledgers
) -> Iterator[tuple[httpx.Client, dict[Permission, dict[str, str]]]]:
    """A client that says nothing of who it is; and for each scope the header of one who has all the others."""
    with a_ledger(ledgers) as engine, SERVICES[request.param](engine) as client:
        del client.headers["Authorization"]
        yield client, {scope: authorization(set(Permission) - {scope}) for scope in Permission}


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Those that need a scope."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for one in operation.get("security", [])[:1]:
                ((scope,),) = one.values()
                yield method.upper(), filled(path, operation), Permission(scope), operation["responses"]


def filled(path: str, operation: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", VALUES.get(parameter["name"], "1"))
    return path


def promised(document: dict[str, Any], responses: dict[str, Any], answer: httpx.Response) -> dict[str, Any]:
    """The schema of the answer's body, which can be looked up in the document."""
    form = answer.headers["content-type"].partition(";")[0]
    response = responses[str(answer.status_code)]
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return {**response["content"][form]["schema"], "components": document["components"]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("who", "status"), [("nobody", 401), ("with a token that is none", 401), ("without the scope", 403)]
)
def test_every_route_refuses_in_the_form_that_its_document_promises(
    service: tuple[httpx.Client, dict[Permission, dict[str, str]]], form: str, who: str, status: int
) -> None:
    client, lacking = service
    document = client.get("/openapi.json").json()
    asked = list(operations(document))

    for method, path, scope, responses in asked:
        headers = {"nobody": {}, "without the scope": lacking[scope]}.get(who, {"Authorization": "Bearer a.b.c"})
        answer = client.request(method, path, headers={"Accept": form, **headers})
        assert (answer.status_code, answer.headers["content-type"]) == (status, form), f"{method} {path}"
        faults = jsonschema_rs.Draft202012Validator(promised(document, responses, answer)).iter_errors(answer.json())
        assert list(faults) == [], f"{method} {path}"
    assert len(asked) > 15
