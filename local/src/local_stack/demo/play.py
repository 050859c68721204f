"""The demo, from the first report to the independent check."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from local_stack.access import token
from local_stack.demo.bags import recipes
from local_stack.demo.calls import Api
from local_stack.demo.check import Finding, check
from local_stack.demo.making import Recipe
from local_stack.demo.screen import Screen
from local_stack.demo.seeding import freeze_tag_files, seed
from local_stack.settings import DESTINATION, SOURCE
from local_stack.stack import BUCKET, CONTAINER, Stack


@dataclass(slots=True)
class Play:
    """One run of the demo on a running stack."""

    stack: Stack
    screen: Screen
    film_bytes: int = 200_000_000
    small_files: int = 1000
    patience: float = 300
    """Seconds that the backfills may take."""
    recipes: list[Recipe] = field(default_factory=list)

    def run(self) -> bool:
        """True if every bag that could arrive did, by the independent check, and the corrupt one was refused."""
        self.screen.say(f"  client id and secret: {self.stack.credentials}")
        api = Api(self.stack.api, token=token(self.stack.credentials))
        self._seed()
        self._import(api)
        self._missing(api, "Which bags are not in Azure yet?")
        ingests = self._post(api)
        ended = self._watch(api, ingests)
        self._histories(ended)
        self._missing(api, "Which bags are not in Azure now?")
        self._register(api)
        return self._corrupt(ended) & self._check(ended)

    def _seed(self) -> None:
        self.recipes = recipes(bucket=BUCKET, film_bytes=self.film_bytes, small_files=self.small_files)
        seed_all(self.recipes, stack=self.stack, screen=self.screen)

    def _import(self, api: Api) -> None:
        self.screen.heading(f'Adopting them: POST /imports {{"location": {{"id": "{SOURCE}"}}}}')
        found = api.import_bags(SOURCE)
        self.screen.say(", ".join(f"{number} {what}" for what, number in found["counts"].items()))
        for problem in found["problems"]:
            self.screen.say(f"  {problem['severity']}: {problem['bag']}: {problem['message']}")
        client = self.stack.s3_client()
        for recipe in self.recipes:
            if recipe.frozen_tags:
                number = freeze_tag_files(recipe, s3=client, bucket=BUCKET)
                told = f"a lifecycle rule moves its {number} tag files, manifests included, to {recipe.frozen_tags}"
                self.screen.say(f"{recipe.name}: {told}")

    def _missing(self, api: Api, question: str) -> None:
        self.screen.heading(f"{question} GET /reports/unbackfilled?location={DESTINATION}")
        report = api.missing(DESTINATION)
        rows = [_missing_row(bag) for bag in report["results"]]
        self.screen.table(("bag", "state", "files", "size", "why"), rows)
        if not rows:
            self.screen.say("none")

    def _post(self, api: Api) -> list[str]:
        self.screen.heading("Backfilling them: POST /ingests")
        ids = []
        for recipe in self.recipes:
            ingest = api.backfill(recipe, destination=DESTINATION)
            self.screen.say(f"  201  {recipe.name} v{recipe.version}  ->  /ingests/{ingest['id']}")
            ids.append(ingest["id"])
        return ids

    def _watch(self, api: Api, ids: list[str]) -> list[dict[str, Any]]:
        self.screen.heading("Watching: GET /ingests/{id}")
        control = self.stack.s3.control()
        deadline = time.monotonic() + self.patience
        try:
            while True:
                ingests = [api.ingest(ingest_id) for ingest_id in ids]
                self.screen.progress(ingests, clock=f"{control.now():%Y-%m-%d %H:%M}")
                if all(ingest["status"]["id"] in ("succeeded", "failed") for ingest in ingests):
                    return ingests
                if time.monotonic() > deadline:
                    self.screen.say(f"not all ingests ended within {self.patience:.0f} s; logs: {self.stack.logs}")
                    return ingests
                time.sleep(0.4)
        finally:
            self.screen.end_progress()
            control.close()

    def _histories(self, ingests: list[dict[str, Any]]) -> None:
        self.screen.heading("What happened")
        for ingest in ingests:
            self.screen.history(ingest)

    def _register(self, api: Api) -> None:
        recipe = self.recipes[0]
        self.screen.heading(f"The bag's record: GET /bags/{recipe.name}")
        bag = api.bag(recipe)
        for place in [bag["location"], *bag["replicaLocations"]]:
            self.screen.say(f"  {place['provider']['id']:20} {place['bucket']}/{place['path']}")

    def _corrupt(self, ingests: list[dict[str, Any]]) -> bool:
        """The corrupt bag must have failed, and for the right reason; every other must have succeeded."""
        self.screen.heading("The corrupt bag")
        right = True
        for recipe, ingest in zip(self.recipes, ingests, strict=True):
            status = ingest["status"]["id"]
            wanted = "failed" if recipe.corrupt else "succeeded"
            right &= status == wanted
            if status != wanted:
                self.screen.say(f"  {recipe.name} v{recipe.version} is {status}, expected {wanted}")
            if recipe.corrupt:
                code = ingest.get("error", {}).get("code")
                right &= code == "source_digest_mismatch"
                self.screen.say(f"  {recipe.name}: {status} with code {code}; nothing of it was registered")
                self.screen.say(f"  {ingest['events'][-1]['description']}")
        return right

    def _check(self, ingests: list[dict[str, Any]]) -> bool:
        self.screen.heading("An independent check: Azure's SDK and hashlib read everything again")
        arrived = [r for r in self.recipes if not r.corrupt]
        container = self.stack.blob_service().get_container_client(CONTAINER)
        findings, strangers = check(container, arrived)
        corrupt = tuple(r.root for r in self.recipes if r.corrupt)
        unasked = [name for name in strangers if not name.startswith(corrupt)]
        self.screen.table(("bag", "blobs", "size", "found"), [_finding_row(finding) for finding in findings])
        for name in unasked:
            self.screen.say(f"  unexpected blob: {name}")
        good = not unasked and not any(finding.faults for finding in findings) and len(ingests) == len(self.recipes)
        self.screen.say("The independent check agrees." if good else "THE INDEPENDENT CHECK DISAGREES.")
        return good


def seed_all(bags: list[Recipe], *, stack: Stack, screen: Screen) -> None:
    """Put the bags into the source store, and tell what they are."""
    screen.heading(f"Seeding {len(bags)} bag versions into S3")
    client, control = stack.s3_client(), stack.s3.control()
    rows = []
    for recipe in bags:
        objects, octets = seed(recipe, s3=client, bucket=BUCKET, control=control)
        frozen = recipe.archive_tier or recipe.payload_class
        rows.append((f"{recipe.name} v{recipe.version}", str(objects), _size(octets), frozen, recipe.story))
    control.close()
    screen.table(("bag", "objects", "size", "storage class", ""), rows)


def _missing_row(bag: dict[str, Any]) -> tuple[str, ...]:
    name = f"{bag['space']}/{bag['externalIdentifier']} {bag['version']}"
    why = bag.get("code") or bag.get("stage") or ""
    return name, str(bag["state"]), str(bag["files"]), _size(bag["bytes"]), str(why)


def _finding_row(finding: Finding) -> tuple[str, ...]:
    name = f"{finding.recipe.name} v{finding.recipe.version}"
    return name, str(finding.files), _size(finding.bytes), "; ".join(finding.faults) or "as it was made"


def _size(octets: int) -> str:
    return f"{octets / 1e6:,.1f} MB"
