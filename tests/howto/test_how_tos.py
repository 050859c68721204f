"""Every how-to is followed in each way that it shows, block by block, against both APIs."""

from __future__ import annotations

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

from common.domain.location import LocationId
from common.ledger.tables import imports
from common.web.auth import everyone
from common.web.serving import HttpServer
from howto.blocks import HOW_TOS, Block, Way, blocks, kept
from howto.seeds import a_campaign, a_reader, a_register
from ingests_api.api import make_app
from ingests_api.choosing import Offer
from ingests_api.streaming.streams import Rhythm
from ingests_api.surroundings import Surroundings
from local_stack.servers.ports import free_port
from servers.ledgers import Ledgers
from unit.bag_register.builders import Register, in_memory
from unit.bag_register.ledgers import a_ledger

BRIEF = Rhythm(heartbeat=0.1, life=0)
"""Streams that end as soon as there is nothing more to say: the reader's curl does not."""
LOCATIONS = {"cold": "", "azure": "bags/", "inventories": "", "exports": ""}
_MARK = "=== block {} ==="


def followed(page: Path, way: Way) -> list[Block]:
    """The blocks that a reader of this way runs; what is no request belongs to the way in its language."""
    shell = Way.COMMAND_LINE if any(Way.COMMAND_LINE in block.ways for block in blocks(page)) else Way.CURL
    ways = [(block, block.ways or {Way.PYTHON if block.language == "python" else shell}) for block in blocks(page)]
    return [block for block, shown in ways if way in shown and block.excuse is None]


READINGS = [(page, way) for page in sorted(HOW_TOS.glob("*.md")) for way in Way if followed(page, way)]


@pytest.fixture(scope="module")
def environments(ledgers: Ledgers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Way, dict[str, str]]]:
    """Both APIs behind one address, and for the reader of each way what the pages call their things."""
    with a_ledger(ledgers) as engine:
        register = Register(engine, [in_memory(name, prefix) for name, prefix in LOCATIONS.items()])
        places = {id: config.location for id, config in register.stores.configs.items()}
        around = Surroundings(
            engine=engine,
            offer=Offer(locations=places, writable=frozenset({LocationId("azure")})),
            new_id=uuid4,
            guard=everyone(),
            wake_relay=lambda: None,
            rhythm=BRIEF,
        )
        with (
            register.serving() as bags,
            HttpServer(make_app(around), host="127.0.0.1", port=0) as ingests,
            a_gateway(ingests=f"http://127.0.0.1:{ingests.port}", register=str(bags.base_url).rstrip("/")) as api,
            httpx.Client(base_url=api, timeout=30) as http,
        ):
            a_register(register, [way.name.lower() for way in Way], http)
            general = {name: value for name, value in os.environ.items() if not name.startswith("BACKFILL_")} | {
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "NO_COLOR": "1",
                "API": api,
                "BACKFILL_API": api,
                "TOKEN": "of-nobody",
                "BACKFILL_DATABASE_URL": engine.url.render_as_string(hide_password=False),
            }
            found: dict[Way, dict[str, str]] = {}
            for way in Way:
                folder = tmp_path_factory.mktemp(way.name.lower())
                own = a_reader(way.name.lower(), register=register, http=http, folder=folder)
                found[way] = general | own | {"HOME": str(folder)}
            for own in found.values():
                own["CAMPAIGN"] = a_campaign(http)
            with importing(register):
                yield found


@contextmanager
def importing(register: Register) -> Iterator[None]:
    """The worker that imports need; nothing else works here."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.1):
            for row in register.rows(imports):
                if row["state"] == "walking":
                    register.work(row["id"])

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        ended.set()
        worker.join()


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


@pytest.mark.slow
@pytest.mark.parametrize(("page", "way"), READINGS, ids=[f"{page.stem}-{way.name.lower()}" for page, way in READINGS])
def test_what_a_page_tells_to_run_runs_and_says_what_it_promises(
    page: Path, way: Way, environments: dict[Way, dict[str, str]]
) -> None:
    runnable = followed(page, way)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script(runnable)],
        cwd=environments[way]["FOLDER"],
        env=environments[way],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert ran.returncode == 0, f"{page.name}: {ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    said = said_by(ran.stdout, runnable)
    broken = [(block.line, line) for block in runnable for line in block.promises if not kept(line, said[block.line])]
    assert broken == []


def script(runnable: list[Block]) -> str:
    return "\n".join(f"echo '{_MARK.format(block.line)}'\n{block.script}" for block in runnable)


def said_by(output: str, runnable: list[Block]) -> dict[int, str]:
    said, rest = {}, output
    for block in reversed(runnable):
        rest, _, said[block.line] = rest.partition(_MARK.format(block.line))
    return said
