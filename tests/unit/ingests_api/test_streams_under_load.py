"""Streams of events when somebody is slow, leaves, or there are too many; and when the server stops."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from sqlalchemy import Engine, text

from common.web.serving import HttpServer
from ingests_api.streaming.streams import Rhythm
from unit.ingests_api.builders import a_bag, an_app, serving, wish
from unit.ingests_api.streams import LIVELY, listening


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with serving(an_app(engine, rhythm=LIVELY, listeners=3)) as client:
        yield client


@pytest.fixture
def ingest(client: httpx.Client, engine: Engine) -> str:
    a_bag(engine)
    return str(client.post("/ingests", json=wish()).raise_for_status().json()["id"])


def test_those_who_are_too_many_are_told_to_come_later(client: httpx.Client, ingest: str) -> None:
    with ExitStack() as others:
        streams = [others.enter_context(listening(client, "/ingests/events")) for _ in range(3)]
        assert [stream.next() for stream in streams] == [("open", {"type": "StreamOpened"})] * 3
        refused = client.get("/ingests/events", headers={"Accept": "application/problem+json"}, timeout=3)
        other_requests = client.get(f"/ingests/{ingest}").status_code
    admitted = eventually(lambda: admits(client))

    problem = refused.json()
    assert (refused.status_code, problem["code"], refused.headers["retry-after"]) == (503, "too_many_listeners", "10")
    assert problem["type"] == "urn:backfill:problem:too_many_listeners"
    assert (other_requests, admitted) == (200, True)


def test_nobody_reads_the_ledger_when_nobody_listens(client: httpx.Client, engine: Engine, ingest: str) -> None:
    with listening(client, "/ingests/events") as stream:
        stream.next()
        busy = feed_statements(engine)
        assert eventually(lambda: feed_statements(engine) > busy)
    assert eventually(lambda: quiet(engine))


def test_a_slow_listener_is_given_up_with_a_word_and_can_go_on(
    client: httpx.Client, engine: Engine, ingest: str
) -> None:
    """It takes nothing while much is said; another one is told everything meanwhile."""
    number = 2_500
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect((client.base_url.host, client.base_url.port))
    slow.sendall(b"GET /ingests/events HTTP/1.1\r\nHost: x\r\n\r\n")
    first = slow.recv(4096)
    while b"StreamOpened" not in first:
        first += slow.recv(4096)
    with listening(client, "/ingests/events") as quick:
        quick.next()
        flood(engine, ingest, number)
        heard = quick.several(number)
    taken = b""
    slow.settimeout(10)
    while chunk := slow.recv(1 << 20):
        taken += chunk
        if b"listener_too_slow" in taken:
            break
    slow.close()
    place = [line[4:] for line in taken.decode(errors="replace").splitlines() if line.startswith("id: ")][-1]
    told = int(place.split(".")[0])
    with listening(client, "/ingests/events", after=place) as again:
        again.next()
        missed = again.several(number - told)

    assert heard[-1][1].startswith(f"Sentence {number}.")
    assert b"listener_too_slow" in taken
    assert 0 < told < number
    numbers = [int(sentence.split()[1].strip(".")) for _, sentence in missed]
    assert numbers == [*range(told + 1, number + 1)]


def test_a_quiet_stream_is_kept_alive_by_comments(engine: Engine) -> None:
    with (
        serving(an_app(engine, rhythm=Rhythm(look_every=0.05, heartbeat=0.1))) as client,
        client.stream("GET", "/ingests/events") as answer,
    ):
        lines = answer.iter_lines()
        beats = [line for line in (next(lines) for _ in range(12)) if line == ": nothing new"]
    assert len(beats) >= 2


def test_a_stream_ends_after_a_while_so_that_credentials_are_looked_at_again(engine: Engine) -> None:
    rhythm = Rhythm(look_every=0.05, heartbeat=0.1, life=0.3)
    with serving(an_app(engine, rhythm=rhythm)) as client, listening(client, "/ingests/events") as stream:
        assert stream.rest()[-1] == ("end", "stream_renewal")


def test_streams_end_with_a_word_when_the_server_stops(engine: Engine) -> None:
    server = HttpServer(an_app(engine, rhythm=LIVELY), host="127.0.0.1", port=0)
    with server, httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        with listening(client, "/ingests/events") as stream:
            stream.next()
            began = time.monotonic()
            stopping = threading.Thread(target=server.__exit__, args=(None, None, None))
            stopping.start()
            rest = stream.rest()
        stopping.join(10)
        assert (rest, time.monotonic() - began < 3) == ([("end", "stopping")], True)


def flood(engine: Engine, ingest: str, number: int) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ingest_events (ingest_id, description)"
                " SELECT CAST(:ingest AS uuid), 'Sentence ' || n || repeat('.', 4000)"
                " FROM generate_series(1, :number) AS n"
            ),
            {"ingest": ingest, "number": number},
        )


def feed_statements(engine: Engine) -> int:
    """Of this database; the count of scans that looking at a history takes."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        found = connection.execute(
            text("SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'campaign_events'")
        )
        return int(found.scalar_one())


def quiet(engine: Engine) -> bool:
    before = feed_statements(engine)
    time.sleep(1.2)  # statistics are written once a second
    return feed_statements(engine) == before


def admits(client: httpx.Client) -> bool:
    with client.stream("GET", "/ingests/events") as answer:
        return answer.status_code == 200


def eventually(true: object, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if true():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False
