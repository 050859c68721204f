"""Which service answers a path."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local_stack.gateway import OF_INGESTS

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize(("service", "passed_on"), [("ingests_api", True), ("bag_register", False)])
def test_every_path_of_a_service_is_passed_on_to_it(service: str, passed_on: bool) -> None:
    paths = json.loads((DOCS / "reference" / "openapi" / f"{service}.json").read_text("utf-8"))["paths"]

    assert {path for path in paths if path.startswith(OF_INGESTS) is not passed_on} == set()


@pytest.mark.parametrize("page", ["operations.md", "reference/http-api.md"])
def test_operators_are_told_every_beginning(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")

    assert [each for each in OF_INGESTS if not each.startswith("/docs/") and f"`{each}`" not in text] == []
