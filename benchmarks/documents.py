"""The storage manifest of a large bag: first byte, whole document, pages, 304, and what the process needs for it.

`python -m benchmarks.documents [--files 1000000]`: registers a bag of so many files, starts the bag register as a
process of its own and asks it as a client does.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
from benchmarks.coverage import Register

from bag_register.file_lists import FileLists, Kept
from common.adapters.objects.configuration import LocationConfig
from common.adapters.objects.registry import open_store
from common.domain.fixity import Algorithm
from common.domain.location import LocationId, Provider
from common.domain.storage_manifest import ListedFile
from common.ledger.migrations import upgrade
from local_stack.servers.postgres import Postgres

_MEMORY, _FIRST_BYTE, _PAGE = 200, 200, 1000
_BAG = """
INSERT INTO bag_versions (space, external_identifier, version, created_date, info, checksum_algorithm, file_count,
    bytes, pins, files_key, files_sha256)
VALUES ('digitised', 'large', 1, now(), '{}', 'sha256', %s, %s, '{}', %s, %s)
"""
_COPY = """
INSERT INTO bag_locations (bag_version_id, location_id, evidence_class, role)
SELECT id, 'archive', 'E1', 'primary' FROM bag_versions
"""


def files(number: int) -> Iterator[ListedFile]:
    """As a digitised newspaper has them."""
    for n in range(number):
        name = f"data/reel-{n // 1000:04}/page-{n:08}.jp2"
        digest = hashlib.sha256(name.encode()).hexdigest()
        yield ListedFile(name, f"v1/{name}", 1_000_000 + n, {Algorithm.SHA256: digest}, tag=n >= number - 4)


def register_bag(dsn: str, folder: Path, number: int) -> Kept:
    """The bag in the ledger, its list in the directory where the register looks for it."""
    upgrade(dsn)
    records = folder / "records"
    records.mkdir()
    store = open_store(LocationConfig(id=LocationId("records"), provider=Provider.LOCAL, bucket=str(records)))
    kept = FileLists(store=store).keep(files(number))
    with psycopg.connect(dsn) as connection:
        connection.execute("INSERT INTO locations (id, provider, bucket) VALUES ('archive', 'local', 'archive')")
        connection.execute(_BAG, (kept.files, kept.bytes, kept.key, kept.sha256))
        connection.execute(_COPY)
    return kept


@dataclass(frozen=True)
class Answered:
    """One answer."""

    first: float
    """Milliseconds until the first byte of the body."""
    whole: float
    """Seconds."""
    bytes: int
    tag: str


def whole_document(http: httpx.Client) -> Answered:
    """Read as it comes, and forgotten."""
    begun, first, length = time.perf_counter(), 0.0, 0
    with http.stream("GET", "/bags/digitised/large", headers={"Accept-Encoding": "identity"}) as answer:
        for block in answer.raise_for_status().iter_raw():
            first = first or time.perf_counter() - begun
            length += len(block)
        return Answered(first * 1000, time.perf_counter() - begun, length, answer.headers["ETag"])


def pages(http: httpx.Client, number: int) -> tuple[int, list[float]]:
    """Every page, one after the other: files, and milliseconds of each."""
    taken, found, after = list[float](), 0, 0
    while found < number:
        begun = time.perf_counter()
        page = http.get(f"/bags/digitised/large?filesAfter={after}&filesLimit={_PAGE}").raise_for_status().json()
        taken.append((time.perf_counter() - begun) * 1000)
        found += len(page["manifest"]["files"]) + len(page["tagManifest"]["files"])
        if "next" not in page:
            break
        after = page["next"]["filesAfter"]
    return found, taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1_000_000)
    number: int = parser.parse_args().files
    with tempfile.TemporaryDirectory(prefix="backfill-bench-") as room, Postgres(durable=False) as server:
        begun = time.monotonic()
        kept = register_bag(server.address.url, Path(room), number)
        _say(f"{number:,} files, {kept.bytes:,} bytes, kept in {time.monotonic() - begun:.0f} s")
        register = Register(server.address.url, Path(room))
        try:
            with httpx.Client(base_url=register.address, timeout=300, trust_env=False) as http:
                passed = _measure(http, register, number)
        finally:
            register.stop()
    sys.exit(not passed)


def _measure(http: httpx.Client, register: Register, number: int) -> bool:
    http.get("/locations").raise_for_status()
    _say(f"the process before: {register.peak} MiB")
    cold, warm = whole_document(http), whole_document(http)
    _say(f"whole document: {warm.bytes / 1e6:,.0f} MB in {warm.whole:.1f} s")
    tag = {"If-None-Match": warm.tag}
    begun = time.perf_counter()
    unchanged = [http.get("/bags/digitised/large", headers=tag).status_code for _ in range(20)]
    each = (time.perf_counter() - begun) * 1000 / 20
    found, taken = pages(http, number)
    ordered = sorted(taken)
    deep = time.perf_counter()
    http.get(f"/bags/digitised/large?filesAfter={number * 9 // 10 + 1}&filesLimit=10").raise_for_status()
    _say(f"a page at nine tenths that nobody came to before: {(time.perf_counter() - deep) * 1000:.0f} ms")
    _say(f"{len(taken)} pages of {_PAGE:,} files: median {ordered[len(ordered) // 2]:.1f} ms, first {taken[0]:.0f} ms")
    return all(
        [
            _bar("first byte of the first request, ms", cold.first, _FIRST_BYTE),
            _bar("first byte, ms", warm.first, _FIRST_BYTE),
            _bar("304, ms", each, 50),
            _bar("page, p95 ms", ordered[int(len(ordered) * 0.95)], 200),
            _bar("peak memory of the register, MiB", register.peak, _MEMORY),
            unchanged == [304] * 20,
            found == number,
        ]
    )


def _bar(name: str, measured: float, most: float) -> bool:
    passed = measured <= most
    _say(f"{'passed' if passed else 'MISSED'}  {name}: {measured:.0f} (at most {most:.0f})")
    return passed


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
