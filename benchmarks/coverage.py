"""The reports over a large register: the matrix, pages of what is missing at any depth, and all of it as CSV.

`python -m benchmarks.coverage [--bags 1000000]`: makes a ledger of so many bag versions and four locations (one has
all, one 70 %, one nothing, one is being filled), starts the bag register as a process of its own and asks it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from benchmarks.api.cpu import seconds_of_tree

from common.ledger.migrations import upgrade
from local_stack.servers.child import start_child
from local_stack.servers.ports import answers, free_port
from local_stack.servers.postgres import Postgres

_PLACES = """
[locations.archive]
provider = "local"
bucket = "{folder}"
"""
_BAGS = """
INSERT INTO bag_versions (space, external_identifier, version, created_date, info, checksum_algorithm, file_count,
    bytes, pins, files_key, files_sha256)
SELECT 'space-' || n %% 20, 'b' || lpad(n::text, 8, '0'), 1, now(), '{}', 'sha256', n %% 400, n %% 400 * 1000000, '{}',
    'k', 's'
FROM generate_series(%s::bigint, %s) n
"""
_COPIES = """
INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role)
SELECT id, %s, %s, %s FROM bag_versions WHERE id BETWEEN %s AND %s AND id %% 10 < %s
"""
_CLASSES = """
INSERT INTO copy_classes (bag_version_id, location_id, classes, seen_at)
SELECT bag_version_id, location_id, CASE location_id
    WHEN 'archive' THEN jsonb_build_object('GLACIER', jsonb_build_array(9, 900), 'STANDARD', jsonb_build_array(4, 40))
    ELSE jsonb_build_object('Cool', jsonb_build_array(13, 940)) END, now() - interval '1 day' * (bag_version_id %% 365)
FROM bag_locations WHERE bag_version_id BETWEEN %s AND %s AND bag_version_id %% 10 < 9
"""
_REPLICAS = """
WITH begun AS (
    INSERT INTO ingests (id, ingest_type, space, external_identifier, version, bag_version_id, source_id,
        destination_id, status)
    SELECT gen_random_uuid(), 'backfill', space, external_identifier, version, id, 'archive', 'filling', 'processing'
    FROM bag_versions WHERE id BETWEEN %s AND %s AND id %% 100 < 5
    RETURNING id, bag_version_id
)
INSERT INTO replicas (bag_version_id, location_id, source_id, ingest_id, lane, state, error_code)
SELECT bag_version_id, 'filling', 'archive', id, 'backfill',
    (ARRAY['planning', 'transferring', 'aggregating', 'registering', 'failed'])[bag_version_id %% 5 + 1],
    CASE WHEN bag_version_id %% 5 = 4 THEN 'source_vanished' END
FROM begun
"""
_BATCH = 20_000
_TIMES = 60
_PLACES_ASKED = ("azure", "empty", "filling")
_BY = ("location", "space")


def make_ledger(dsn: str, *, bags: int, say: Callable[[str], None], cpu: Callable[[], float]) -> None:
    """Four locations; what each has is in the module's docstring."""
    upgrade(dsn)
    begun, before = time.monotonic(), cpu()
    with psycopg.connect(dsn) as connection:
        for place in ("archive", "azure", "empty", "filling"):
            connection.execute("INSERT INTO locations (id, provider, bucket) VALUES (%s, 'local', %s)", [place, place])
        connection.commit()
        for first in range(1, bags + 1, _BATCH):
            part = (first, min(first + _BATCH - 1, bags))
            connection.execute(_BAGS, part)
            connection.execute(_COPIES, ("archive", "E1", "primary", *part, 10))
            connection.execute(_COPIES, ("azure", "E3", "replica", *part, 7))
            connection.execute(_CLASSES, part)
            connection.execute(_REPLICAS, part)
            connection.commit()
        connection.autocommit = True
        took, used = time.monotonic() - begun, cpu() - before
        say(f"{bags:,} bag versions at 4 locations written in {took:.0f} s; CPU s of the ledger: {used:.0f}")
        connection.execute("VACUUM ANALYZE")


class Register:
    """The bag register as a process of its own, with its memory watched."""

    def __init__(self, dsn: str, folder: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        places = folder / "locations.toml"
        places.write_text(_PLACES.format(folder="archive"))
        environment = {
            **os.environ,
            "BACKFILL_DATABASE_URL": dsn,
            "BACKFILL_LOCATIONS": str(places),
            "BACKFILL_RECORDS": str(folder / "records"),
            "BACKFILL_EVIDENCE_CHECKPOINTS": str(folder / "checkpoints"),
            "BACKFILL_DIGESTS": str(folder / "digests"),
            "BACKFILL_HTTP_PORT": str(port),
            "BACKFILL_AUTH": "off",
            "BACKFILL_LOG_LEVEL": "WARNING",
        }
        self._child = start_child(
            "bag_register", [sys.executable, "-m", "bag_register"], log=folder / "log", env=environment
        )
        self._child.wait_until(lambda: answers(port), seconds=240)
        self.pid = self._child.pid
        self.peak = 0
        self._stop = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            status = Path(f"/proc/{self._child.pid}/status").read_text()
            resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
            self.peak = max(self.peak, int(resident.split()[1]) >> 10)

    def stop(self) -> None:
        self._stop.set()
        self._child.stop()


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processes that answer: on a machine that does other things their CPU says more than the clock."""

    register: int
    ledger: int

    def seconds(self) -> tuple[float, float]:
        return seconds_of_tree(self.register), seconds_of_tree(self.ledger)


def p95(ask: Callable[[int], None], *, times: int) -> float:
    """Milliseconds."""
    taken = []
    for number in range(times):
        begun = time.perf_counter()
        ask(number)
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[int(times * 0.95)] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bags", type=int, default=1_000_000)
    bags: int = parser.parse_args().bags
    with tempfile.TemporaryDirectory(prefix="backfill-bench-") as room, Postgres(durable=False) as server:
        make_ledger(server.address.url, bags=bags, say=_say, cpu=lambda: seconds_of_tree(server.pid))
        register = Register(server.address.url, Path(room))
        try:
            failed = not _measure(register, bags, Cpu(register=register.pid, ledger=server.pid))
        finally:
            register.stop()
    sys.exit(failed)


def _measure(register: Register, bags: int, cpu: Cpu) -> bool:
    with httpx.Client(base_url=register.address, timeout=120, trust_env=False) as http:

        def get(path: str) -> None:
            http.get(path).raise_for_status()

        def missing(place: str) -> Callable[[int], None]:
            return lambda n: get(f"/reports/unbackfilled?location={place}{deep(n) if n else ''}")

        def deep(number: int) -> str:
            return f"&after=space-{number % 20}/b{number * bags // 60:08}/v1"

        def page(name: str, ask: Callable[[int], None], most: float) -> bool:
            ask(0)  # the connection, and what is compiled once
            before = cpu.seconds()
            measured = p95(ask, times=_TIMES)
            used = [f"{(now - then) / _TIMES * 1000:.0f}" for then, now in zip(before, cpu.seconds(), strict=True)]
            return _bar(f"{name}, p95 ms", measured, most, f"CPU ms of register and ledger: {' + '.join(used)}")

        bars = [
            page("coverage matrix", lambda _: get("/reports/coverage"), 200),
            *(page(f"storage classes by {by}", lambda _, by=by: get(f"/reports/cold?by={by}"), 200) for by in _BY),
            *(page(f"page of what is missing at {place}", missing(place), 100) for place in _PLACES_ASKED),
            page(
                "page of what failed",
                lambda n: get(f"/reports/unbackfilled?location=filling&state=failed{deep(n)}"),
                100,
            ),
        ]
        begun, lines, before = time.monotonic(), 0, cpu.seconds()
        with http.stream("GET", "/reports/unbackfilled?location=empty&format=csv") as answer:
            for block in answer.iter_bytes():
                lines += block.count(b"\n")
        taken = time.monotonic() - begun
        used = [f"{now - then:.1f}" for then, now in zip(before, cpu.seconds(), strict=True)]
        told = f"CPU s of register and ledger: {' + '.join(used)}"
        bars.append(_bar(f"CSV of {lines - 1:,} lines, s", taken, 30 * bags / 1_000_000, told))
        bars.append(_bar("peak memory of the register, MiB", register.peak, 150))
        return all(bars) and lines == bags + 1


def _bar(name: str, measured: float, most: float, told: str = "") -> bool:
    passed = measured <= most
    _say(f"{'passed' if passed else 'MISSED'}  {name}: {measured:.0f} (at most {most:.0f}){told and '; '}{told}")
    return passed


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
