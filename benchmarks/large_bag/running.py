"""The services over the null server, and what became of the bag."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
from benchmarks.api.cpu import seconds_of_tree
from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.null_server import NullServer, compile_null_server
from benchmarks.large_bag.bags import BAG, Payload, write_bag

from backfill_replicator.parts import plan
from common.ports import Limits
from local_stack.demo.calls import Api
from local_stack.settings import DESTINATION, SERVICES, SOURCE, S3Place
from local_stack.stack import Stack, StackOptions

REPOSITORY = Path(__file__).resolve().parents[2]
_USUAL = {
    "BACKFILL_AUTH": "off",
    "BACKFILL_LEASE": "PT60S",
    "BACKFILL_HINT_AGAIN": "PT60S",
    "BACKFILL_HOUSEKEEPING_PERIOD": "PT5S",
}
"""Patient, as services are where nobody says otherwise, and not as a stack that one watches."""
_FILES_OF = """
SELECT count(*), coalesce(sum(file_count) FILTER (WHERE state IN ('verifying', 'verified')), 0),
    coalesce(sum(file_count) FILTER (WHERE state = 'verified'), 0), coalesce(sum(file_count), 0)
FROM segments
"""
_S3 = Limits(max_single_put=5 << 30, min_part=5 << 20, max_part=5 << 30, max_parts=10_000, max_object=50 << 40)
_EVERY, _TOLD_EVERY = 1.0, 30.0


class LargeBagStack(Stack):
    """The local stack with both ends on the null server."""

    def __init__(self, options: StackOptions, server: NullServer) -> None:
        super().__init__(options, say=say)
        self._server = server

    def _start_servers(self) -> None:
        self.postgres.start()
        self.dsn = self.postgres.address.ensure_database(self._options.database)

    @property
    def source(self) -> S3Place:
        return self._place("src")

    @property
    def destination(self) -> S3Place:  # type: ignore[override]
        return self._place("dst")

    def _place(self, bucket: str) -> S3Place:
        store = self._server.store("s3", bucket)
        return S3Place(store.endpoint, store.account, store.secret, "us-east-1", bucket)

    def peaks(self) -> dict[str, int]:
        """MiB that each service has held at most until now."""
        return {name: _peak(self.services[name].pid) for name in SERVICES}

    def cpu(self) -> dict[str, float]:
        """Seconds that each service and PostgreSQL have used until now."""
        used = {name: seconds_of_tree(self.services[name].pid) for name in SERVICES}
        return used | {"postgresql": seconds_of_tree(self.postgres.pid)}


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    most = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return -(-int(most.split()[1]) // 1024)


def measure(room: Path, payload: Payload, *, patience: float) -> dict[str, Any]:
    """What each step took (seconds) and each process (MiB, seconds of CPU). Raises CannotMeasure without gcc."""
    program = compile_null_server(room)
    if program is None:
        raise CannotMeasure("a large bag needs the null server, which needs gcc; install gcc")
    write_bag(room / "src" / BAG.root, payload)
    (room / "dst").mkdir()
    options = StackOptions(room / "stack", REPOSITORY, durable=False, settings=_USUAL)
    server = NullServer(program, room, log=room / "null_server.log", made_up=payload.small)
    with server, LargeBagStack(options, server) as stack:
        return _Run(stack, server, payload, patience).through()


@dataclass(slots=True)
class _Run:
    stack: LargeBagStack
    server: NullServer
    payload: Payload
    patience: float
    seconds: dict[str, float] = field(default_factory=dict)
    """From the request on, when each step had ended; copying and verifying overlap."""
    requests: Counter[str] = field(default_factory=Counter)

    def through(self) -> dict[str, Any]:
        api, idle, used = Api(self.stack.api), self.stack.peaks(), self.stack.cpu()
        say(f"before anything: {idle}")
        self._import(api)
        importing = self.stack.cpu()["bag_register"] - used["bag_register"]
        self.server.take_counts()
        facts, document = self._backfill(api), 0
        if "registered" in self.seconds:
            began = time.perf_counter()
            document = sum(map(len, _document(self.stack.api)))
            self.seconds["document"] = time.perf_counter() - began
        told = {"cpu_importing": importing, "document_bytes": document, "rss_before": idle}
        took = {"seconds": self.seconds, "requests": dict(self.requests)}
        return {**facts, **took, **told, "rss": self.stack.peaks(), "cpu": self.stack.cpu()}

    def _import(self, api: Api) -> None:
        began = time.perf_counter()
        found = api.import_bags(SOURCE, patience=self.patience)
        if found["counts"]["registered"] != 1:
            sys.exit(f"the import ended with {found}")
        self.seconds["import"] = time.perf_counter() - began
        say(f"imported in {self.seconds['import']:.0f} s: {self.stack.peaks()}")

    def _backfill(self, api: Api) -> dict[str, Any]:
        """{"files", "segments", "sent" (bytes of parts), "cpu_planning" (seconds of the bag warmer)}"""
        before, planning = self.stack.cpu()["bag_warmer"], 0.0
        began = told = time.perf_counter()
        ingest = api.backfill(BAG, destination=DESTINATION)["id"]
        with psycopg.connect(self.stack.dsn, autocommit=True) as ledger:
            while True:
                facts, status, now = self._look(ledger), api.ingest(ingest), time.perf_counter()
                registered = status["status"]["id"] == "succeeded"
                for step in self._ended(facts, registered=registered):
                    self.seconds.setdefault(step, now - began)
                planning = planning or (self.stack.cpu()["bag_warmer"] - before if facts["segments"] else 0.0)
                if registered or "half" in self.seconds:
                    return {**facts, "cpu_planning": planning}
                if status["status"]["id"] == "failed" or now - began > self.patience:
                    sys.exit(f"after {now - began:.0f} s: {status['events'][-1]}, logs: {self.stack.logs}")
                if now - told > _TOLD_EVERY:
                    told = now
                    say(f"{now - began:.0f} s: {facts}; {self.stack.peaks()}")
                time.sleep(_EVERY)

    def _look(self, ledger: psycopg.Connection[Any]) -> dict[str, int]:
        segments, copied, verified, files = map(int, ledger.execute(_FILES_OF).fetchone() or (0, 0, 0, 0))
        self.requests.update(self.server.take_counts())
        part = plan(max(self.payload.large), _S3).part_size if self.payload.large else 0
        sent = self.requests["PUT"] * part
        return {"segments": segments, "files": files, "copied": copied, "verified": verified, "sent": sent}

    def _ended(self, facts: dict[str, int], *, registered: bool) -> Iterator[str]:
        if facts["segments"]:
            yield "planned"
            yield from (step for step in ("copied", "verified") if facts[step] == facts["files"])
        if registered:
            yield "registered"
        if facts["sent"] >= self.payload.stops_at:
            yield "half"


def _document(api: str) -> Iterator[bytes]:
    with httpx.stream("GET", f"{api}/bags/{BAG.name}", timeout=300, headers={"Accept-Encoding": "identity"}) as answer:
        yield from answer.raise_for_status().iter_raw()


def say(text: str) -> None:
    """Told while it runs, beside the JSON."""
    print(text, file=sys.stderr, flush=True)
