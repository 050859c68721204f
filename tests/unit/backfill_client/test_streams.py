"""Listening with the client: streams that end are gone on with, and where there are none it polls."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest
from sqlalchemy import Engine

from backfill_client import ApiUnreachable, BackfillClient, NotFound
from backfill_client.streams import _events
from ingests_api.streaming.streams import Rhythm
from unit.backfill_client.deployment import backfill
from unit.ingests_api.builders import a_bag, an_app, fail, serving, wish
from unit.ingests_api.streams import says

SHORT = Rhythm(look_every=0.05, heartbeat=0.1, life=0.3)
"""Streams that end all the time."""


@contextmanager
def an_api(engine: Engine, *, listeners: int = 10) -> Iterator[tuple[str, str]]:
    """Its address, and an ingest."""
    with serving(an_app(engine, rhythm=SHORT, listeners=listeners)) as http:
        a_bag(engine)
        yield str(http.base_url), http.post("/ingests", json=wish()).raise_for_status().json()["id"]


def later(engine: Engine, ingest: str, number: int) -> threading.Thread:
    """Somebody who says so much, a sentence at a time, and gives the ingest up."""

    def work() -> None:
        for n in range(number):
            says(engine, ingest, f"sentence {n}")
            threading.Event().wait(0.1)
        fail(engine, ingest)

    worker = threading.Thread(target=work)
    worker.start()
    return worker


def test_a_stream_that_ends_again_and_again_is_heard_as_one(engine: Engine, quiet: None) -> None:
    pauses: list[float] = []
    with an_api(engine) as (address, ingest), BackfillClient(address, sleep=pauses.append) as client:
        worker = later(engine, ingest, 8)
        told = [(news.description, news.about) for news in client.streams.ingest(ingest)]
        worker.join()

    sentences = [f"Sentence {n}" for n in range(8)]
    assert told == [(each, "digitised/b1/v1") for each in (*sentences, "Planning failed - an object is gone")]
    assert set(pauses) == {3.0}  # as the API asked for


def test_who_was_there_before_goes_on_where_they_were(engine: Engine, quiet: None) -> None:
    with an_api(engine) as (address, ingest), BackfillClient(address) as client:
        says(engine, ingest, "one", "two")
        (first,) = islice(client.streams.ingest(ingest), 1)
        (second,) = islice(client.streams.everything(after=first.id), 1)

    assert (first.description, second.description, second.status) == ("One", "Two", "accepted")


@pytest.mark.parametrize("listeners", [10, 0], ids=["with streams", "without"])
def test_an_ingest_is_watched_to_its_end_with_and_without_streams(engine: Engine, quiet: None, listeners: int) -> None:
    with (
        an_api(engine, listeners=listeners) as (address, ingest),
        BackfillClient(address, sleep=lambda _: None) as client,
    ):
        worker = later(engine, ingest, 3)
        watched = list(client.watch_ingest(ingest, every=0))
        worker.join()

    numbers = [len(each.events) for each in watched]
    assert numbers == sorted(numbers)
    assert (watched[-1].status, numbers[-1]) == ("failed", 4)


def test_what_cannot_be_listened_to_is_an_error(engine: Engine, quiet: None) -> None:
    with an_api(engine, listeners=0) as (address, _), BackfillClient(address, sleep=lambda _: None) as client:
        with pytest.raises(ApiUnreachable, match="503"):
            next(client.streams.everything())
        with pytest.raises(NotFound):
            next(client.streams.campaign("9b2f7c1e-0000-4000-8000-000000000000"))


def test_the_command_line_tells_events_a_line_each(engine: Engine, quiet: None) -> None:
    with an_api(engine) as (address, ingest):
        says(engine, ingest, "planning started")
        fail(engine, ingest)
        table = backfill("--api", address, "events", "--ingest", ingest).output
        lines = backfill("--api", address, "events", "--ingest", ingest, "-o", "json").output.splitlines()
        rows = backfill("--api", address, "events", "--ingest", ingest, "-o", "csv").output.splitlines()

    assert [line.split("UTC  ")[1] for line in table.splitlines()] == [
        "digitised/b1/v1  Planning started",
        "digitised/b1/v1  Planning failed - an object is gone",
    ]
    assert [json.loads(line)["description"] for line in lines] == [
        "Planning started",
        "Planning failed - an object is gone",
    ]
    assert (rows[0], len(rows)) == ("id,when,about,destination,status,event", 3)


def test_the_command_line_ends_after_as_many_events_as_it_was_told(engine: Engine, quiet: None) -> None:
    with an_api(engine) as (address, ingest):
        says(engine, ingest, "one", "two", "three")
        told = backfill("--api", address, "-o", "json", "events", "--after", "0.0", "--limit", "2").output.splitlines()

    assert [json.loads(line)["description"] for line in told] == ["One", "Two"]


def test_lines_are_read_as_the_standard_says() -> None:
    text = ': a comment\n\nevent: ingest\ndata: {\ndata:"a"}\nid: 7.1\n\n:\nretry: 10\n\nignored\n\n'
    assert list(_events(text.split("\n"))) == [
        {},
        {"event": "ingest", "data": '{\n"a"}', "id": "7.1"},
        {},
        {"retry": "10"},
        {"ignored": ""},
    ]
