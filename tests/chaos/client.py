"""A client of the API that writes down what it is told, and takes no answer for an answer."""

from __future__ import annotations

import time
from typing import Any, Literal

import httpx

from chaos.history import Call, History
from local_stack.demo.making import Recipe
from local_stack.settings import DESTINATION

_TIMEOUT = 8.0


class Client:
    """One thread's. Every method answers None where no useful answer came; then it may have worked or not."""

    def __init__(self, api: str, *, token: str, history: History) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=api, timeout=_TIMEOUT, trust_env=False, headers=headers)
        self._history = history
        self.refused: list[str] = []
        """Answers that say that the request itself is wrong; there should be none."""

    def answers(self) -> bool:
        """Whether both services behind the gateway do: one knows no such ingest, the other no such bag."""
        paths = ("/ingests/00000000-0000-0000-0000-000000000000", "/bags/no/such")
        try:
            return all(self._http.get(path).status_code == 404 for path in paths)
        except httpx.TransportError:
            return False

    def close(self) -> None:
        self._http.close()

    def ask(self, recipe: Recipe) -> dict[str, Any] | None:
        """POST /ingests."""
        body = {
            "type": "Ingest",
            "ingestType": {"id": "backfill", "type": "IngestType"},
            "space": {"id": recipe.space, "type": "Space"},
            "bag": {
                "info": {"externalIdentifier": recipe.external_identifier, "version": f"v{recipe.version}"},
                "type": "Bag",
            },
            "destination": {"id": DESTINATION},
        }
        return self._about_ingest("ask", recipe, "POST", "/ingests", json=body)

    def ingest(self, recipe: Recipe, ingest_id: str) -> dict[str, Any] | None:
        """GET /ingests/{id}."""
        return self._about_ingest("read ingest", recipe, "GET", f"/ingests/{ingest_id}")

    def locations(self, recipe: Recipe) -> frozenset[str] | None:
        """GET /bags/{bag}: the providers and buckets that its record names."""
        began = time.monotonic()
        answer = self._call("GET", f"/bags/{recipe.name}", params={"version": f"v{recipe.version}"})
        if answer is None:
            return None
        document = answer.json()
        places = [document["location"], *document["replicaLocations"]]
        found = frozenset(f"{place['provider']['id']}:{place['bucket']}" for place in places)
        self._note(Call(began, time.monotonic(), "read bag", _name(recipe), locations=found))
        return found

    def start_import(self, prefix: str) -> str | None:
        """POST /imports; the import's address."""
        answer = self._call("POST", "/imports", json={"location": {"id": "cold"}, "prefix": prefix})
        return None if answer is None else answer.headers["Location"]

    def read_import(self, address: str) -> dict[str, Any] | None:
        answer = self._call("GET", address)
        found: dict[str, Any] | None = None if answer is None else answer.json()
        return found

    def _about_ingest(
        self, what: Literal["ask", "read ingest"], recipe: Recipe, method: str, path: str, **more: Any
    ) -> dict[str, Any] | None:
        began = time.monotonic()
        answer = self._call(method, path, **more)
        if answer is None:
            return None
        ingest: dict[str, Any] = answer.json()
        self._note(
            Call(
                began,
                time.monotonic(),
                what,
                _name(recipe),
                ingest=ingest["id"],
                created=answer.status_code == 201,
                status=ingest["status"]["id"],
                code=ingest.get("error", {}).get("code", ""),
                events=tuple(event["description"] for event in ingest["events"]),
            )
        )
        return ingest

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        try:
            answer = self._http.request(method, path, **more)
        except httpx.TransportError:
            self._history.unanswered += 1
            return None
        if answer.status_code < 300:
            return answer
        self._history.unanswered += 1
        if answer.status_code < 500:
            self.refused.append(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return None

    def _note(self, call: Call) -> None:
        self._history.calls.append(call)


def _name(recipe: Recipe) -> str:
    return f"{recipe.name} v{recipe.version}"
