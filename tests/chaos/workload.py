"""A client that keeps asking for backfills, follows each to its end, and asks again for those that failed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chaos.bags import waves
from chaos.client import Client
from chaos.history import FINAL
from local_stack.demo.making import Recipe
from local_stack.demo.seeding import seed as put_down
from local_stack.stack import BUCKET, Stack

_OPEN = 16
"""Ingests that run at the same time."""
_ROUND = 0.5
"""Seconds between two looks at all that is open."""
_TRIES = 3
"""How often a bag is asked for while faults last; after that, in the calm."""


@dataclass(slots=True)
class Wish:
    """A bag that somebody wants to have backfilled."""

    recipe: Recipe
    ingest: str | None = None
    """The last one that was accepted."""
    status: str = ""
    code: str = ""
    asked: int = 0

    @property
    def done(self) -> bool:
        return self.status in FINAL


@dataclass(slots=True)
class Wave:
    """Bags that are imported together."""

    wishes: list[Wish]
    address: str | None = None
    """Of the running import."""
    imported: bool = False
    imports: list[dict[str, Any]] = field(default_factory=list)
    """How each import of it ended."""

    @property
    def prefix(self) -> str:
        return f"{self.wishes[0].recipe.space}/"


class Workload:
    """`run` until `stop`; then `finish` what is left, in the calm."""

    def __init__(self, stack: Stack, client: Client, *, seed: int) -> None:
        self.waves: list[Wave] = []
        self.stopping = threading.Event()
        self.under_way = threading.Event()
        """Enough ingests run for blows to hit something."""
        self.ends: Counter[str] = Counter()
        """Ingests by how they ended: "succeeded", or the error's code."""
        self._client = client
        self._stack = stack
        self._more = waves(seed=seed)
        self._s3 = stack.s3_client()
        self._control = stack.s3.control()

    @property
    def wishes(self) -> list[Wish]:
        return [wish for wave in self.waves for wish in wave.wishes]

    @property
    def open(self) -> list[Wish]:
        """Those with an ingest whose end was not seen yet."""
        return [wish for wish in self.wishes if wish.ingest is not None and not wish.done]

    @property
    def waits(self) -> bool:
        """Whether there is an ingest or import whose end was not seen yet."""
        return bool(self.open) or any(wave.address is not None for wave in self.waves)

    def run(self) -> None:
        """Keep the stack busy until `stopping` is set."""
        while not self.stopping.wait(_ROUND):
            self.follow()
            for wish in self._wanting():
                if len(self.open) >= _OPEN or self.stopping.is_set():
                    break
                self._ask(wish)
            if len(self.open) >= _OPEN // 4:
                self.under_way.set()
            waiting = sum(1 for _ in self._wanting()) + sum(len(w.wishes) for w in self.waves if not w.imported)
            if len(self.open) + waiting < _OPEN:
                self._put_down_wave()

    def ask_again(self) -> None:
        """In the calm: import what is not imported, ask for whatever has not succeeded."""
        for wave in self.waves:
            if not wave.imported and wave.address is None:
                wave.address = self._client.start_import(wave.prefix)
        for wish in (wish for wave in self.waves if wave.imported for wish in wave.wishes):
            if wish.ingest is None or (wish.status == "failed" and not rightly_failed(wish)):
                self._ask(wish)

    @property
    def unfinished(self) -> list[Wish]:
        """What has come to no right end yet."""
        return [wish for wish in self.wishes if wish.status != "succeeded" and not rightly_failed(wish)]

    def _wanting(self) -> Iterator[Wish]:
        for wave in self.waves:
            for wish in wave.wishes if wave.imported else []:
                again = wish.status == "failed" and wish.asked < _TRIES and not rightly_failed(wish)
                if wish.ingest is None or again:
                    yield wish

    def _ask(self, wish: Wish) -> None:
        answer = self._client.ask(wish.recipe)
        if answer is not None:
            wish.asked += answer["id"] != wish.ingest
            wish.ingest, wish.status, wish.code = answer["id"], answer["status"]["id"], ""
            if wish.done:  # it was there already
                self.ends["succeeded"] += 1

    def follow(self) -> None:
        """Look once more at everything that is open."""
        for wave in self.waves:
            self._follow_import(wave)
        for wish in self.open:
            assert wish.ingest is not None
            answer = self._client.ingest(wish.recipe, wish.ingest)
            if answer is None:
                continue
            wish.status, wish.code = answer["status"]["id"], answer.get("error", {}).get("code", "")
            if wish.done:
                self.ends[wish.code or wish.status] += 1
                self._client.locations(wish.recipe)

    def _follow_import(self, wave: Wave) -> None:
        if wave.imported:
            return
        if wave.address is None:
            wave.address = None if self.stopping.is_set() else self._client.start_import(wave.prefix)
            return
        found = self._client.read_import(wave.address)
        if found is None or found["state"] == "walking":
            return
        wave.imports.append(found)
        known = found["counts"]["registered"] + found["counts"]["known"]
        wave.imported = found["state"] == "finished" and known == len(wave.wishes)
        wave.address = None

    def _put_down_wave(self) -> None:
        recipes = next(self._more)
        for recipe in recipes:
            put_down(recipe, s3=self._s3, bucket=BUCKET, control=self._control)
        self.waves.append(Wave([Wish(recipe) for recipe in recipes]))


def rightly_failed(wish: Wish) -> bool:
    """The source itself is damaged, and that is what the ingest says."""
    return wish.recipe.corrupt is not None and wish.code == "source_digest_mismatch"
