"""Streams of events over HTTP: what is told, from where, and how they end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Engine, update

from common.domain.bag import BagVersion
from common.ledger.campaigns import events as campaign_history
from common.ledger.engine import transaction
from common.ledger.tables import ingests
from unit.ingests_api.builders import a_bag, an_app, fail, serving, wish
from unit.ingests_api.streams import LIVELY, listening, says

OPEN = ("open", {"type": "StreamOpened"})
NOBODY = UUID("9b2f7c1e-0000-4000-8000-000000000000")
FAILED = ("ingest", "Planning failed - an object is gone")


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with serving(an_app(engine, rhythm=LIVELY)) as client:
        yield client


def an_ingest(client: httpx.Client, engine: Engine, name: str = "b1") -> str:
    a_bag(engine, BagVersion.of("digitised", name, 1))
    return str(client.post("/ingests", json=wish(name)).raise_for_status().json()["id"])


def a_campaign(client: httpx.Client, engine: Engine, *ingest_ids: str) -> str:
    """One that these ingests belong to."""
    request = {"destination": {"id": "spare"}, "selection": {"missing": {"space": "digitised"}}}
    found = str(client.post("/backfills", json=request).raise_for_status().json()["id"])
    with transaction(engine) as connection:
        connection.execute(
            update(ingests).where(ingests.c.id.in_(map(UUID, ingest_ids))).values(campaign_id=UUID(found))
        )
    return found


def test_an_ingests_stream_tells_its_history_and_ends_with_it(client: httpx.Client, engine: Engine) -> None:
    ingest, other = an_ingest(client, engine), an_ingest(client, engine, "b2")
    says(engine, ingest, "planning started")
    with listening(client, f"/ingests/{ingest}/events") as stream:
        before = stream.several(2)
        says(engine, other, "somebody else's")
        says(engine, ingest, "copying started", "copying succeeded")
        during = stream.several(2)
        fail(engine, ingest)
        after = stream.rest()

    assert before == [OPEN, ("ingest", "Planning started")]
    assert during == [("ingest", "Copying started"), ("ingest", "Copying succeeded")]
    assert after == [FAILED, ("end", "finished")]
    assert stream.answer.headers["content-type"].startswith("text/event-stream")
    assert stream.answer.headers["cache-control"] == "no-store, no-transform"


def test_an_event_says_what_it_is_about(client: httpx.Client, engine: Engine) -> None:
    ingest = an_ingest(client, engine)
    campaign = a_campaign(client, engine, ingest)
    fail(engine, ingest)
    text = client.get(f"/ingests/{ingest}/events").text

    assert text.startswith(": listening\nretry: 3000\n\n")
    told = next(line for line in text.splitlines() if line.startswith("data: "))
    document = json.loads(told.removeprefix("data: "))
    assert document.pop("createdDate").endswith("Z")
    assert document == {
        "type": "IngestEvent",
        "description": "Planning failed - an object is gone",
        "detail": {"code": "source_vanished", "reason": "gone"},
        "ingestId": ingest,
        "space": "digitised",
        "externalIdentifier": "b1",
        "version": "v1",
        "destination": "azure",
        "status": {"id": "failed", "type": "Status"},
        "backfillId": campaign,
    }


def test_who_comes_again_hears_what_they_missed_and_nothing_twice(client: httpx.Client, engine: Engine) -> None:
    ingest = an_ingest(client, engine)
    with listening(client, "/ingests/events") as stream:
        first = stream.next()
        says(engine, ingest, "one", "two")
        heard = stream.next()
        place = stream.last_id  # before "two", as far as this listener knows
    says(engine, ingest, "three")
    with listening(client, "/ingests/events", after=place) as stream:
        missed = stream.several(3)
        says(engine, ingest, "four")
        new = stream.next()
    with listening(client, f"/ingests/events?after={place}") as stream:
        by_address = stream.several(4)

    assert (first, heard) == (OPEN, ("ingest", "One"))
    assert missed == [OPEN, ("ingest", "Two"), ("ingest", "Three")]
    assert (new, by_address) == (("ingest", "Four"), [*missed, ("ingest", "Four")])


def test_who_is_new_to_everything_hears_what_happens_from_now_on(client: httpx.Client, engine: Engine) -> None:
    ingest = an_ingest(client, engine)
    says(engine, ingest, "long ago")
    with listening(client, "/ingests/events") as stream:
        opened = stream.next()
        says(engine, ingest, "just now")
        assert (opened, stream.next()) == (OPEN, ("ingest", "Just now"))


def test_a_campaigns_stream_tells_of_itself_and_its_ingests(client: httpx.Client, engine: Engine) -> None:
    mine, other = an_ingest(client, engine), an_ingest(client, engine, "b2")
    campaign = a_campaign(client, engine, mine)
    with listening(client, f"/backfills/{campaign}/events") as stream:
        opened = stream.next()
        says(engine, other, "of no campaign")
        says(engine, mine, "of this campaign")
        sentence = stream.next()
        with transaction(engine) as connection:
            campaign_history.add(connection, UUID(campaign), "Paused", actor="ada")
        paused = stream.next()
        place = stream.last_id
    says(engine, mine, "meanwhile")
    with listening(client, f"/backfills/{campaign}/events", after=place) as stream:
        again = stream.several(2)

    assert (opened, sentence, paused) == (OPEN, ("ingest", "Of this campaign"), ("campaign", "Paused"))
    assert again == [OPEN, ("ingest", "Meanwhile")]


def test_who_has_heard_a_finished_ingest_to_its_end_need_not_come_again(client: httpx.Client, engine: Engine) -> None:
    ingest = an_ingest(client, engine)
    says(engine, ingest, "planning started")
    fail(engine, ingest)
    with listening(client, f"/ingests/{ingest}/events") as stream:
        whole = stream.rest()
    again = client.get(f"/ingests/{ingest}/events", headers={"Last-Event-ID": stream.last_id})
    half = client.get(f"/ingests/{ingest}/events", headers={"Last-Event-ID": "1.0"}).text

    assert whole == [("ingest", "Planning started"), FAILED, ("end", "finished")]
    assert (again.status_code, again.content) == (204, b"")
    assert ("Planning started" in half, "Planning failed" in half) == (False, True)


@pytest.mark.parametrize(
    ("path", "headers", "status", "told"),
    [
        (f"/ingests/{NOBODY}/events", {}, 404, "not found"),
        ("/ingests/nonsense/events", {}, 404, "Ingest nonsense not found"),
        (f"/backfills/{NOBODY}/events", {}, 404, "not found"),
        ("/ingests/events", {"Last-Event-ID": "yesterday"}, 400, 'got "yesterday", must be the id of an event'),
    ],
)
def test_what_cannot_be_listened_to_is_said(
    client: httpx.Client, path: str, headers: dict[str, str], status: int, told: str
) -> None:
    answer = client.get(path, headers=headers)

    assert (answer.status_code, told in answer.json()["description"]) == (status, True)
