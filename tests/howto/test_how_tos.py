"""Every block of every how-to is run, in order, against both APIs; what cannot be run here says so to its reader."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, insert, literal, select

from common.domain.bag import BagVersion
from common.domain.location import LocationId
from common.ledger.dead_letter_tables import dead_letters
from common.ledger.engine import transaction
from common.ledger.tables import bag_locations, bag_versions, imports
from common.web.auth import everyone
from common.web.serving import HttpServer
from howto.blocks import HOW_TOS, Block, blocks, kept
from ingests_api.api import make_app
from ingests_api.choosing import Offer
from ingests_api.surroundings import Surroundings
from local_stack.servers.ports import free_port
from local_stack.servers.postgres_address import PostgresAddress
from unit.bag_register.builders import Register, a_bag
from unit.bag_register.ledgers import a_ledger
from unit.ingests_api.builders import fail, wish

NOT_RUN: dict[str, list[str]] = json.loads(Path(__file__).with_name("not_run.json").read_text("utf-8"))
"""By page, why blocks are not run. Each reason stands in its block too."""
PAGES = sorted(HOW_TOS.glob("*.md"))
RUN = [page for page in PAGES if any(block.excuse is None for block in blocks(page))]
BODY = '{"replica_id":1,"type":"ReplicaRequested"}'
_MARK = "=== block {} ==="


@pytest.fixture(scope="module")
def environment(
    postgres: PostgresAddress, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Both APIs behind one address, over a ledger with something in it; and what the pages call their things."""
    folder = tmp_path_factory.mktemp("reader")
    with a_ledger(postgres, migrated_template) as engine:
        register = Register(engine)
        locations = {id: config.location for id, config in register.stores.configs.items()}
        offer = Offer(locations=locations, writable=frozenset({LocationId("azure")}))
        app = make_app(
            Surroundings(engine=engine, offer=offer, new_id=uuid4, guard=everyone(), wake_relay=lambda: None)
        )
        with (
            register.serving() as bags,
            HttpServer(app, host="127.0.0.1", port=0) as ingests,
            a_gateway(ingests=f"http://127.0.0.1:{ingests.port}", register=str(bags.base_url).rstrip("/")) as api,
        ):
            things = seeded(register, engine, api, folder)
            ended = threading.Event()
            worker = threading.Thread(target=importing, args=[register, ended])
            worker.start()
            yield {
                **{name: value for name, value in os.environ.items() if not name.startswith("BACKFILL_")},
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "NO_COLOR": "1",
                "HOME": str(folder),
                "API": api,
                "BACKFILL_API": api,
                "TOKEN": "of-nobody",
                **things,
            }
            ended.set()
            worker.join()


def importing(register: Register, until: threading.Event) -> None:
    """The worker that imports need; nothing else works here."""
    while not until.wait(0.1):
        for row in register.rows(imports):
            if row["state"] == "walking":
                register.work(row["id"])


@contextmanager
def a_gateway(*, ingests: str, register: str) -> Iterator[str]:
    """The one address of the local stack, which is what the pages call $API."""
    port = free_port()
    command = [sys.executable, "-m", "local_stack.gateway", "--port", str(port), "--ingests", ingests]
    process = subprocess.Popen([*command, "--register", register], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not reachable(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def reachable(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def seeded(register: Register, engine: Engine, api: str, folder: Path) -> dict[str, str]:
    """Bags, one of them copied; an ingest that runs, one that failed, a campaign, an import and dead letters."""
    for name in ("b10000001", "b10000002", "b10000003", "b10000004", "b10000005", "b12345"):
        register.put(BagVersion.of("digitised", name, 1), a_bag({"a.txt": b"hello"}, identifier=name))
    register.adopt()
    (folder / "request.json").write_text(json.dumps(wish("b10000004")))
    with httpx.Client(base_url=api, timeout=30) as http:

        def made(path: str, document: object) -> str:
            answer = http.post(path, json=document).raise_for_status()
            return str(answer.json()["id"])

        running, failed = made("/ingests", wish("b10000002")), made("/ingests", wish("b10000003"))
        stuck = made("/ingests", wish("b10000005"))
        fail(engine, failed)
        campaign = made("/backfills", {"destination": {"id": "azure"}, "selection": {"bags": ["digitised/b12345"]}})
        reader = http.post("/clients", json={"name": "reader", "scopes": ["bags:read"]}).raise_for_status().json()
        key = (
            http.post("/clients", json={"kind": "key", "name": "key", "scopes": ["bags:read"]})
            .raise_for_status()
            .json()
        )
        lost = made("/clients", {"name": "lost", "scopes": ["bags:read"]})
    with transaction(engine) as connection:
        copied = select(bag_versions.c.id, literal("azure"), literal("E3"), literal("replica")).where(
            bag_versions.c.external_identifier == "b12345"
        )
        columns = ["bag_version_id", "location_id", "evidence_class", "role"]
        connection.execute(insert(bag_locations).from_select(columns, copied))
        letters = [
            connection.execute(
                insert(dead_letters)
                .values(
                    queue="bag_warmer_planning_backfill",
                    code="not_a_hint",
                    reason="sent by a newer release",
                    attempts=1,
                    body=BODY,
                )
                .returning(dead_letters.c.id)
            ).scalar_one()
            for _ in range(2)
        ]
    return {
        "INGEST": running,
        "FAILED": failed,
        "STUCK": stuck,
        "IMPORT": str(register.rows(imports)[0]["id"]),
        "CAMPAIGN": campaign,
        "LETTER": str(letters[0]),
        "OTHER_LETTER": str(letters[1]),
        "CLIENT_ID": reader["id"],
        "CLIENT_SECRET": reader["secret"],
        "KEY": key["secret"],
        "LOST_ID": lost,
        "FOLDER": str(folder),
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_what_a_page_tells_to_run_runs_and_says_what_it_promises(page: Path, environment: dict[str, str]) -> None:
    runnable = [block for block in blocks(page) if block.excuse is None]
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script(runnable)],
        cwd=environment["FOLDER"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, f"{page.name}: {ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    said = said_by(ran.stdout, runnable)
    broken = [(block.line, line) for block in runnable for line in block.promises if not kept(line, said[block.line])]
    assert broken == []


def test_what_is_not_run_is_known_and_says_why() -> None:
    found = {page.name: [block.excuse for block in blocks(page) if block.excuse] for page in PAGES}

    assert {name: excuses for name, excuses in found.items() if excuses} == NOT_RUN


def script(runnable: list[Block]) -> str:
    return "\n".join(f"echo '{_MARK.format(block.line)}'\n{block.script}" for block in runnable)


def said_by(output: str, runnable: list[Block]) -> dict[int, str]:
    said, rest = {}, output
    for block in reversed(runnable):
        rest, _, said[block.line] = rest.partition(_MARK.format(block.line))
    return said
