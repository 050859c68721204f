"""POST and GET on one API process, every list at every depth, and a campaign, over a large ledger. Prints bars."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import md5
from pathlib import Path
from uuid import UUID

import httpx
from benchmarks.api.cpu import seconds_of_tree
from benchmarks.api.ledger import make_ledger
from benchmarks.api.load import Ask, load

from local_stack.servers.child import start_child
from local_stack.servers.ports import answers, free_port
from local_stack.servers.postgres import Postgres

OUT = Path(__file__).resolve().parents[1] / "out"
_CLIENTS = 16


@dataclass(frozen=True)
class Bar:
    """One promise, and what was measured."""

    name: str
    wanted: str
    measured: str
    passed: bool
    values: Mapping[str, float]
    """By the names of the bars of `make bench`."""


class Api:
    """The API as a process of its own, with its memory and CPU watched, and the CPU of its database."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        self.port = free_port()
        self._database = server.pid
        places = folder / "locations.toml"
        places.write_text(_PLACES.format(folder=folder))
        environment = {
            **os.environ,
            "BACKFILL_DATABASE_URL": server.address.url,
            "BACKFILL_LOCATIONS": str(places),
            "BACKFILL_HTTP_PORT": str(self.port),
            "BACKFILL_AUTH": "off",
            # One caller here is many elsewhere; they are counted all the same.
            "BACKFILL_RATE_LIMIT": "100000000",
            "BACKFILL_LOG_LEVEL": "WARNING",
            "BACKFILL_DESTINATIONS": "azure",
        }
        self._child = start_child(
            "ingests_api", [sys.executable, "-m", "ingests_api"], log=folder / "api.log", env=environment
        )
        self._child.wait_until(lambda: answers(self.port), seconds=60)
        self.peak = 0
        self._stop = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            status = Path(f"/proc/{self._child.pid}/status").read_text()
            resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
            self.peak = max(self.peak, int(resident.split()[1]) << 10)

    def cpu(self) -> tuple[float, float]:
        """Seconds that the API and PostgreSQL have used until now."""
        return seconds_of_tree(self._child.pid), seconds_of_tree(self._database)

    def stop(self) -> None:
        self._stop.set()
        self._child.stop()


_PLACES = """
[locations.archive]
provider = "amazon-s3"
bucket = "archive"
title = "Glacier"

[locations.azure]
provider = "azure-blob-storage"
account_name = "benchmark"
account_key = "YmVuY2htYXJr"
bucket = "replicas"
title = "Azure"

[locations.second]
provider = "azure-blob-storage"
account_name = "benchmark"
account_key = "YmVuY2htYXJr"
bucket = "second"
title = "Second"
"""


def reading(ingests: int) -> Iterator[Ask]:
    """Ingests drawn at random."""
    while True:
        number = random.randint(1, ingests)
        name = UUID(md5(f"ingest{number}second".encode(), usedforsecurity=False).hexdigest())
        yield Ask("GET", f"/ingests/{name}")


def creating(numbers: Iterator[int]) -> Iterator[Ask]:
    """Each bag version is asked for once."""
    for number in numbers:
        body = {
            "type": "Ingest",
            "ingestType": {"id": "backfill"},
            "space": {"id": f"space-{number % 10}"},
            "bag": {"info": {"externalIdentifier": f"b{number:08}"}},
            "destination": {"id": "azure"},
        }
        yield Ask("POST", "/ingests", (201,), json.dumps(body).encode())


_FILTERS = (
    "",
    "status=failed",
    "space=space-3",
    "destination=second",
    "code=source_changed",
    "createdAfter=2020-01-01T00:00:00Z",
    "space=space-0&status=failed",
)


def pages(port: int, query: str, *, deep: int) -> Callable[[], Iterator[Ask]]:
    """The first page, and pages up to `deep` pages behind it."""
    seen = [f"/ingests?limit=100&{query}"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        while len(seen) < deep:
            following = client.get(seen[-1]).json().get("next")
            if following is None:
                break
            seen.append(f"/ingests?limit=100&{query}&after={following}")
    return lambda: (Ask("GET", random.choice(seen)) for _ in itertools.count())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ingests", type=int, default=1_000_000)
    parser.add_argument("--campaign", type=int, default=260_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", default="get,post,lists,campaign")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON, and with status 0")
    given = parser.parse_args()
    only = given.only.split(",")
    with tempfile.TemporaryDirectory(prefix="backfill-api-") as folder, Postgres() as server:
        begun = time.monotonic()
        bags = max(given.ingests, given.campaign + 100_000)
        make_ledger(server.address.url, bags=bags, ingests=given.ingests)
        print(
            f"a ledger of {given.ingests:,} ingests and {5 * given.ingests:,} events: {time.monotonic() - begun:.0f} s",
            flush=True,
        )
        api = Api(server, Path(folder))
        try:
            bars = list(measure(api, given, only))
        except RuntimeError:
            print((Path(folder) / "api.log").read_text()[-4000:], file=sys.stderr)
            raise
        finally:
            api.stop()
    OUT.mkdir(exist_ok=True)
    (OUT / "api.json").write_text(json.dumps([asdict(bar) for bar in bars], indent=2))
    if given.json:
        print(json.dumps({"measures": _measures(bars), "lines": [f"{bar.name}: {bar.measured}" for bar in bars]}))
        return 0
    return 0 if all(bar.passed for bar in bars) else 1


def _measures(bars: list[Bar]) -> dict[str, float]:
    """Of several by one name the worst."""
    worst: dict[str, float] = {}
    for name, value in (item for bar in bars for item in bar.values.items()):
        worst[name] = max(value, worst.get(name, value))
    return worst


def measure(api: Api, given: argparse.Namespace, only: list[str]) -> Iterator[Bar]:
    if "get" in only:
        load(api.port, lambda: reading(given.ingests), clients=_CLIENTS, seconds=2)
        yield told(_rate("GET /ingests/{id}", api, lambda: reading(given.ingests), seconds=given.seconds, wanted=1000))
    if "post" in only:
        numbers = itertools.count(1)
        yield told(_rate("POST /ingests", api, lambda: creating(numbers), seconds=given.seconds, wanted=250))
    if "lists" in only:
        for query in _FILTERS:
            asked = load(api.port, pages(api.port, query, deep=50), clients=1, seconds=given.seconds / 3)
            name = f"GET /ingests?{query or 'limit=100'}"
            yield told(
                Bar(
                    name,
                    "p95 < 60 ms",
                    f"p95 {asked.p95 * 1000:.1f} ms over {asked.requests} pages",
                    asked.p95 < 0.06,
                    {"lists/p95": 1000 * asked.p95},
                )
            )
    if "campaign" in only:
        yield told(campaign(api, given.campaign))
    yield told(
        Bar(
            "memory of the API",
            "< 250 MiB",
            f"{api.peak / 2**20:.0f} MiB",
            api.peak < 250 << 20,
            {"rss": api.peak / 2**20},
        )
    )


def _rate(name: str, api: Api, asks: Callable[[], Iterator[Ask]], *, seconds: float, wanted: int) -> Bar:
    before = api.cpu()
    asked = load(api.port, asks, clients=_CLIENTS, seconds=seconds)
    ours, ledgers = (1000 * (after - then) / asked.requests for then, after in zip(before, api.cpu(), strict=True))
    short = name.partition(" ")[0].lower()
    rate = f"{asked.per_second:.0f}/s, p50 {asked.p50 * 1000:.1f} ms, p95 {asked.p95 * 1000:.1f} ms"
    cost = f"CPU a request: {ours:.2f} ms of the API, {ledgers:.2f} ms of PostgreSQL"
    return Bar(
        name,
        f">= {wanted}/s, p95 < 60 ms",
        f"{rate}; {cost}",
        asked.per_second >= wanted and asked.p95 < 0.06,
        {f"{short}/rate": asked.per_second, f"{short}/p95": 1000 * asked.p95},
    )


def campaign(api: Api, most: int) -> Bar:
    """Created in the background while somebody keeps reading."""
    with httpx.Client(base_url=f"http://127.0.0.1:{api.port}", timeout=120) as client:
        request = {"destination": {"id": "azure"}, "selection": {"missing": {"most": most}}, "order": "registered"}
        begun, slowest = time.monotonic(), 0.0
        address = client.post("/backfills", json=request).raise_for_status().headers["Location"]
        while True:
            asked = time.monotonic()
            state = client.get(address).json()["state"]["id"]
            slowest = max(slowest, time.monotonic() - asked)
            if state == "running":
                break
            time.sleep(0.2)
        took = time.monotonic() - begun
    measured = f"{took:.0f} s for {most:,}; the slowest read meanwhile took {slowest * 1000:.0f} ms"
    scaled = took * 260_000 / most
    return Bar("a campaign is created", "260,000 in < 120 s", measured, scaled < 120, {"campaign/seconds": scaled})


def told(bar: Bar) -> Bar:
    print(f"{'passed' if bar.passed else 'MISSED'}  {bar.name}: {bar.measured} (wanted: {bar.wanted})", flush=True)
    return bar


if __name__ == "__main__":
    sys.exit(main())
