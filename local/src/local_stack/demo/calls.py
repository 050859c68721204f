"""The demo as a user of the HTTP API."""

from __future__ import annotations

import time
from typing import Any

import httpx

from local_stack.demo.making import Recipe


class Api:
    """Plain HTTP, as a workflow system would do it, with an access token where the stack asks for one."""

    def __init__(self, base: str, *, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=base, timeout=30, trust_env=False, headers=headers)

    def import_bags(self, location: str, *, patience: float = 120) -> dict[str, Any]:
        """Adopt the bags that lie at a location; returns when it is done."""
        started = self._http.post("/imports", json={"location": {"id": location}}).raise_for_status()
        deadline = time.monotonic() + patience
        while True:
            found: dict[str, Any] = self._http.get(started.headers["Location"]).raise_for_status().json()
            if found["state"] != "walking":
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"the import is still {found['state']} after {patience:.0f} s")
            time.sleep(0.1)

    def missing(self, location: str) -> dict[str, Any]:
        """The report of bags that are not at a location."""
        answer = self._http.get("/reports/unbackfilled", params={"location": location}).raise_for_status()
        report: dict[str, Any] = answer.json()
        return report

    def backfill(self, recipe: Recipe, *, destination: str) -> dict[str, Any]:
        """POST /ingests for one bag version."""
        answer = self._http.post("/ingests", json=self.request(recipe, destination=destination))
        created: dict[str, Any] = answer.raise_for_status().json()
        return created

    def request(self, recipe: Recipe, *, destination: str) -> dict[str, Any]:
        """What is posted."""
        return {
            "type": "Ingest",
            "ingestType": {"id": "backfill", "type": "IngestType"},
            "space": {"id": recipe.space, "type": "Space"},
            "bag": {
                "info": {"externalIdentifier": recipe.external_identifier, "version": f"v{recipe.version}"},
                "type": "Bag",
            },
            "destination": {"id": destination},
        }

    def ingest(self, ingest_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get(f"/ingests/{ingest_id}").raise_for_status().json()
        return found

    def bag(self, recipe: Recipe) -> dict[str, Any]:
        answer = self._http.get(f"/bags/{recipe.name}", params={"version": f"v{recipe.version}"}).raise_for_status()
        bag: dict[str, Any] = answer.json()
        return bag
