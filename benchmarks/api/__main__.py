"""POST and GET on one API process, every list at every depth, and a campaign, over a large ledger. Prints bars."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks.api.callers import tokens_of_callers
from benchmarks.api.ledger import make_ledger
from benchmarks.api.process import Service
from benchmarks.api.scenes import Bar, Scenes, Size

from local_stack.servers.postgres import Postgres

OUT = Path(__file__).resolve().parents[1] / "out"
_SCENES = "get,post,listeners,lists,bags,campaign"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ingests", type=int, default=1_000_000)
    parser.add_argument("--campaign", type=int, default=260_000)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--only", default=_SCENES, help="scenes, with commas between")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON, and with status 0")
    given = parser.parse_args()
    size = Size(
        ingests=given.ingests,
        bags=max(given.ingests, given.campaign + 100_000),
        campaign=given.campaign,
        seconds=given.seconds,
    )
    bars = measure(size, given.only.split(","))
    OUT.mkdir(exist_ok=True)
    (OUT / "api.json").write_text(json.dumps([asdict(bar) for bar in bars], indent=2))
    if given.json:
        print(json.dumps({"measures": _measures(bars), "lines": [f"{bar.name}: {bar.measured}" for bar in bars]}))
        return 0
    return 0 if all(bar.passed for bar in bars) else 1


def measure(size: Size, only: list[str]) -> list[Bar]:
    """Every bar of the scenes, printed as soon as it is known."""
    bars = []
    with tempfile.TemporaryDirectory(prefix="backfill-api-") as folder, Postgres() as server, ExitStack() as running:
        begun = time.monotonic()
        make_ledger(server.address.url, bags=size.bags, ingests=size.ingests)
        took = time.monotonic() - begun
        print(f"a ledger of {size.ingests:,} ingests and {5 * size.ingests:,} events: {took:.0f} s", flush=True)

        def started(name: str) -> Service:
            service = Service(name, server, Path(folder))
            running.callback(service.stop)
            return service

        api = started("ingests_api")
        scenes = Scenes(api, tokens_of_callers(server.address.url, api.port), size)
        register = started("bag_register") if "bags" in only else None
        try:
            for bar in _asked(scenes, only, register):
                print(bar.line, flush=True)
                bars.append(bar)
        except RuntimeError:
            print(api.told(), file=sys.stderr)
            raise
    return bars


def _asked(scenes: Scenes, only: list[str], register: Service | None) -> Iterator[Bar]:
    if "get" in only:
        yield from scenes.get()
    if "post" in only:
        yield from scenes.post()
    if "listeners" in only:
        yield from scenes.listeners()
    if "lists" in only:
        yield from scenes.lists()
    if register is not None:
        yield from scenes.bags(register)
    if "campaign" in only:
        yield from scenes.campaign()
    yield from scenes.memory()


def _measures(bars: list[Bar]) -> dict[str, float]:
    """Of several by one name the worst."""
    worst: dict[str, float] = {}
    for name, value in (item for bar in bars for item in bar.values.items()):
        worst[name] = max(value, worst.get(name, value))
    return worst


if __name__ == "__main__":
    sys.exit(main())
