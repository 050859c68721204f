"""What is measured, one bar after the other."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from benchmarks.api import asks
from benchmarks.api.listening import Heard, listen
from benchmarks.api.load import Answered, Ask, load
from benchmarks.api.process import Service

_CLIENTS = 16
_CREATORS = 8
"""A request that creates takes several times as long as one that reads: so many keep a process busy, and more only
stand in line."""
_LISTENERS = 200
"""As many as BACKFILL_LISTENERS allows."""
_SPOKEN = 10
"""Events that are committed together."""
_MOST_MEMORY = 250
"""MiB."""


@dataclass(frozen=True)
class Bar:
    """One promise, and what was measured."""

    name: str
    wanted: str
    measured: str
    passed: bool
    values: Mapping[str, float] = field(default_factory=dict)
    """By the names of the bars of `make bench`."""

    @property
    def line(self) -> str:
        return f"{'passed' if self.passed else 'MISSED'}  {self.name}: {self.measured} (wanted: {self.wanted})"


@dataclass(frozen=True)
class Size:
    """How much there is, and how long to look at it."""

    ingests: int
    bags: int
    campaign: int
    seconds: float


class Scenes:
    """Measures one process of the API over a large ledger, as four callers see it."""

    def __init__(self, api: Service, tokens: list[str], size: Size) -> None:
        self._api = api
        self._tokens = tokens
        self._size = size

    def get(self) -> Iterator[Bar]:
        load(self._api.port, self._reading, tokens=self._tokens, clients=_CLIENTS, seconds=2)
        bar = self._rate("GET /ingests/{id}", self._reading, wanted=1000)
        before = self._api.cpu()
        probes = load(self._api.port, asks.always("/livez"), tokens=self._tokens, clients=_CLIENTS, seconds=3)
        # A probe goes through the same server and application: what it costs says how fast the machine is just now.
        share = _each(before, self._api, probes)[0] / bar.values["get/cpu"]
        yield replace(bar, values={**bar.values, "get/cpu/probe": share})

    def post(self) -> Iterator[Bar]:
        numbers = itertools.count(1)
        yield self._rate("POST /ingests", lambda: asks.creating(numbers), wanted=250, clients=_CREATORS)

    def listeners(self) -> Iterator[Bar]:
        """As many as a process takes, to all that happens."""
        wanted = {"tokens": self._tokens, "rounds": 20, "each": _SPOKEN}
        alone = self._heard(1, **wanted)
        memory = self._api.memory
        found, cpu, ledgers = self._heard(_LISTENERS, **wanted)
        told = found.events * _LISTENERS
        rate = f"{found.events} events to {_LISTENERS} listeners, p95 {1000 * found.p95:.0f} ms after the commit"
        each = f"{1000 * cpu / told:.3f} ms of the API to tell one of one"
        each += f" ({1000 * alone[1] / found.events:.2f} where one listens)"
        grown = f"{(self._api.memory - memory) * 1024 / _LISTENERS:.0f} KiB a listener"
        shown = f"{rate}; CPU: {each}, {1000 * ledgers / found.events:.2f} ms of PostgreSQL an event; {grown}"
        yield Bar("GET /ingests/events", "p95 < 1 s", shown, found.p95 < 1, {"listeners/p95": 1000 * found.p95})

    def _heard(self, listeners: int, **wanted: Any) -> tuple[Heard, float, float]:
        """With the CPU of the API and of PostgreSQL, seconds."""
        before = self._api.cpu()
        found = listen(self._api.port, self._api.dsn, listeners=listeners, **wanted)
        ours, ledgers = (now - then for then, now in zip(before, self._api.cpu(), strict=True))
        return found, ours, ledgers

    def lists(self) -> Iterator[Bar]:
        for query in asks.INGEST_LISTS:
            yield self._list(self._api, f"/ingests?{query}", asks.ingest_pages(query, ingests=self._size.ingests))
        for address in ("/backfills?limit=100", "/dead-letters?limit=100"):
            yield self._list(self._api, address, asks.always(address))

    def bags(self, register: Service) -> Iterator[Bar]:
        """The lists of the other half of the API, and the longest answer that there is."""
        for address in asks.BAG_LISTS:
            yield self._list(register, address, asks.bag_pages(address, bags=self._size.bags))
        begun, sent = time.monotonic(), 0
        with self._client(register) as client, client.stream("GET", "/bags?format=csv&space=space-3") as answer:
            for block in answer.raise_for_status().iter_bytes():
                sent += len(block)
        measured = f"{sent / 1e6:.0f} MB in {time.monotonic() - begun:.0f} s"
        yield Bar("a list of bags as CSV", "all of a space", measured, sent > self._size.bags)
        yield _memory(register, "the bag register")

    def campaign(self) -> Iterator[Bar]:
        """Created in the background while somebody keeps reading."""
        most = self._size.campaign
        request = {"destination": {"id": "azure"}, "selection": {"missing": {"most": most}}, "order": "registered"}
        with self._client(self._api) as client:
            begun = time.monotonic()
            address = client.post("/backfills", json=request).raise_for_status().headers["Location"]
            waits = []
            while client.get(address).json()["state"]["id"] != "running":
                read = load(self._api.port, self._reading, tokens=self._tokens[1:], clients=1, seconds=0.2)
                waits.append(read.p95)
                # A caller that reads without a pause would come to its limit within the minute.
                time.sleep(0.5)
            took = time.monotonic() - begun
        scaled = took * 260_000 / most
        yield Bar(
            "a campaign is created",
            "260,000 in < 120 s",
            f"{took:.0f} s for {most:,}; 95 % of the reads meanwhile within {1000 * max(waits, default=0):.0f} ms",
            scaled < 120,
            {"campaign/seconds": scaled},
        )
        failures = f"{httpx.URL(address).path}/failures?limit=100"
        yield self._list(self._api, "/backfills/{id}/failures", asks.always(failures))

    def memory(self) -> Iterator[Bar]:
        yield _memory(self._api, "the API")

    def _reading(self) -> Iterator[Ask]:
        return asks.reading(self._size.ingests)

    def _client(self, service: Service) -> httpx.Client:
        authorization = {"Authorization": f"Bearer {self._tokens[0]}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{service.port}", timeout=300, headers=authorization)

    def _rate(self, name: str, asked: Callable[[], Iterator[Ask]], *, wanted: int, clients: int = _CLIENTS) -> Bar:
        before = self._api.cpu()
        found = load(self._api.port, asked, tokens=self._tokens, clients=clients, seconds=self._size.seconds)
        ours, ledgers = _each(before, self._api, found)
        short = name.partition(" ")[0].lower()
        rate = f"{found.per_second:.0f}/s, p50 {1000 * found.p50:.1f} ms, p95 {1000 * found.p95:.1f} ms"
        return Bar(
            name,
            f">= {wanted}/s, p95 < 60 ms",
            f"{rate}; CPU a request: {ours:.2f} ms of the API, {ledgers:.2f} ms of PostgreSQL",
            found.per_second >= wanted and found.p95 < 0.06,
            {f"{short}/rate": found.per_second, f"{short}/p95": 1000 * found.p95, f"{short}/cpu": ours},
        )

    def _list(self, service: Service, name: str, pages: Callable[[], Iterator[Ask]]) -> Bar:
        before = service.cpu()
        found = load(service.port, pages, tokens=self._tokens, clients=1, seconds=self._size.seconds / 5)
        shown = f"p95 {1000 * found.p95:.1f} ms, worst {1000 * found.worst:.0f} ms of {found.requests} pages"
        shown += "; CPU a page: {:.1f} ms of the API, {:.1f} ms of PostgreSQL".format(*_each(before, service, found))
        return Bar(f"GET {name}", "p95 < 60 ms", shown, found.p95 < 0.06, {"lists/p95": 1000 * found.p95})


def _each(before: tuple[float, float], service: Service, found: Answered) -> list[float]:
    """Milliseconds of CPU that a request took, of the service and of PostgreSQL with all that ran meanwhile."""
    return [1000 * (now - then) / found.requests for then, now in zip(before, service.cpu(), strict=True)]


def _memory(service: Service, name: str) -> Bar:
    peak = service.peak
    return Bar(f"memory of {name}", f"< {_MOST_MEMORY} MiB", f"{peak:.0f} MiB", peak < _MOST_MEMORY, {"rss": peak})
