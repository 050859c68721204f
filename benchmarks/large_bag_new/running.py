"""A bag of a million files through the real services: `python -m benchmarks.large_bag [--files 1000000]`.

The null server makes the files up (each holds its own path), compares what is put with them and keeps one bit of each.
The bag is imported, planned, thawed (which finds nothing frozen), copied, verified, aggregated, registered and read
as a document, by the six services with their usual settings over PostgreSQL. Prints JSON: what each step took, and of
each process the peak memory (MiB) and the CPU (seconds). Tells how far it is on standard error.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
from benchmarks.api.cpu import seconds_of_tree
from benchmarks.dataplane.errors import CannotMeasure
from benchmarks.dataplane.null_server import NullServer, compile_null_server

from local_stack.demo.calls import Api
from local_stack.demo.making import Recipe
from local_stack.settings import DESTINATION, SERVICES, SOURCE, S3Place
from local_stack.stack import Stack, StackOptions

REPOSITORY = Path(__file__).resolve().parents[1]
BAG = Recipe("bench", "million", 1, payload={})
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
_EVERY, _PAGE = 2.0, 1000


def path(number: int) -> str:
    """Of a payload file in the bag; `made_up.h` says the same."""
    return f"data/{number // 1000:04d}/page-{number:07d}.jp2"


def write_tag_files(bag: Path, files: int) -> None:
    """What describes the bag, below its directory; the payload is made up as it is asked for."""
    bag.mkdir(parents=True)
    octets = 0
    with (bag / "manifest-sha256.txt").open("wb") as manifest:
        for first in range(0, files, _PAGE):
            paths = [path(number).encode() for number in range(first, min(first + _PAGE, files))]
            octets += sum(map(len, paths))
            manifest.write(b"".join(b"%s  %s\n" % (hashlib.sha256(one).hexdigest().encode(), one) for one in paths))
    info = f"External-Identifier: million\nPayload-Oxum: {octets}.{files}\nBagging-Date: 2019-08-15\n"
    (bag / "bag-info.txt").write_text(info)
    (bag / "bagit.txt").write_text("BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    lines = [f"{_sha256_of(file)}  {file.name}\n" for file in sorted(bag.iterdir())]
    (bag / "tagmanifest-sha256.txt").write_text("".join(lines))


def _sha256_of(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


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


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--patience", type=float, default=7200, help="seconds after which it gives up")
    given = parser.parse_args()
    shared = Path("/dev/shm")
    room = Path(tempfile.mkdtemp(prefix="backfill-large-bag-", dir=shared if shared.is_dir() else None))
    room.chmod(0o711)
    try:
        print(json.dumps(measure(room, files=given.files, patience=given.patience)))
    finally:
        shutil.rmtree(room, ignore_errors=True)


def measure(room: Path, *, files: int, patience: float) -> dict[str, Any]:
    """What each step took (seconds) and each process (MiB, seconds of CPU). Raises CannotMeasure without gcc."""
    program = compile_null_server(room)
    if program is None:
        raise CannotMeasure("a large bag needs the null server, which needs gcc; install gcc")
    write_tag_files(room / "src" / BAG.root, files)
    (room / "dst").mkdir()
    options = StackOptions(room / "stack", REPOSITORY, durable=False, settings=_USUAL)
    server = NullServer(program, room, log=room / "null_server.log", made_up=files)
    with server, LargeBagStack(options, server) as stack:
        return {"files": files, **_through(stack, server, patience=patience)}


def _through(stack: LargeBagStack, server: NullServer, *, patience: float) -> dict[str, Any]:
    api, seconds = Api(stack.api), dict[str, float]()
    idle = stack.peaks()
    say(f"before anything: {idle}")
    began = time.perf_counter()
    found = api.import_bags(SOURCE, patience=patience)
    if found["counts"]["registered"] != 1:
        sys.exit(f"the import ended with {found}")
    seconds["import"] = time.perf_counter() - began
    say(f"imported in {seconds['import']:.0f} s: {stack.peaks()}")
    server.take_counts()
    segments = _backfilled(stack, api, seconds, patience=patience)
    requests = server.take_counts()
    began = time.perf_counter()
    document = sum(map(len, _document(stack.api)))
    seconds["document"] = time.perf_counter() - began
    return {
        "segments": segments,
        "seconds": seconds,
        "requests": requests,
        "document_bytes": document,
        "rss_before": idle,
        "rss": stack.peaks(),
        "cpu": stack.cpu(),
    }


def _backfilled(stack: LargeBagStack, api: Api, seconds: dict[str, float], *, patience: float) -> int:
    """Its segments; enters seconds since the request at which each step had ended. Copying and verifying overlap."""
    began = told = time.perf_counter()
    ingest = api.backfill(BAG, destination=DESTINATION)["id"]
    with psycopg.connect(stack.dsn, autocommit=True) as ledger:
        while True:
            segments, copied, verified, planned = ledger.execute(_FILES_OF).fetchone() or (0, 0, 0, 0)
            status, now = api.ingest(ingest), time.perf_counter()
            ended = {
                "planned": segments,
                "copied": segments and copied == planned,
                "verified": segments and verified == planned,
                "registered": status["status"]["id"] == "succeeded",
            }
            seconds |= {step: now - began for step, done in ended.items() if done and step not in seconds}
            if ended["registered"]:
                return int(segments)
            if status["status"]["id"] == "failed" or now - began > patience:
                sys.exit(f"after {now - began:.0f} s: {status['status']}, {status['events'][-1]}, logs: {stack.logs}")
            if now - told > 30:
                told = now
                say(f"{now - began:.0f} s: {copied:,} copied, {verified:,} verified of {planned:,}; {stack.peaks()}")
            time.sleep(_EVERY)


def _document(api: str) -> Iterator[bytes]:
    with httpx.stream("GET", f"{api}/bags/{BAG.name}", timeout=300, headers={"Accept-Encoding": "identity"}) as answer:
        yield from answer.raise_for_status().iter_raw()


def say(text: str) -> None:
    """Told while it runs, beside the JSON."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
