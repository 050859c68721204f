"""The daily digest: one a day, whatever happens, with what waits for somebody on top."""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime

import httpx
import pytest
from sqlalchemy import insert, select, text, update

from bag_register.digest import rendering
from bag_register.digest.delivering import Deliverer
from bag_register.digest.webhook import post_to
from common.adapters.objects.memory import MemoryBucket, MemoryStore
from common.domain.coverage import Amount, CopyState, Place
from common.errors import AccessDenied, TransientError
from common.ledger.coverage.counting import Matrix
from common.ledger.digests import Digest
from common.ledger.engine import transaction
from common.ledger.tables import dead_letters
from common.ledger.upkeep_tables import digests
from unit.bag_register.builders import Register
from unit.bag_register.test_reports import a_register_with_every_state
from unit.ingests_api.receivers import receiving, status


def written(store: MemoryStore) -> dict[str, str]:
    found = {}
    for listed in store.list(prefix=""):
        with store.read(key=listed.key) as body:
            found[listed.key] = b"".join(body).decode()
    return found


def a_deliverer(register: Register, store: MemoryStore, **given: object) -> Deliverer:
    return Deliverer(engine=register.engine, store=store, hour=0, **({"post": None} | given))  # type: ignore[arg-type]


def test_a_digest_is_written_once_a_day_even_when_nothing_happened(register: Register) -> None:
    store = MemoryStore(MemoryBucket())
    writers = [threading.Thread(target=a_deliverer(register, store).chore) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    a_deliverer(register, store).chore()

    pages = written(store)
    assert sorted(key.rpartition(".")[2] for key in pages) == ["html", "md"]
    assert all("Nothing needs attention." in page for page in pages.values())
    with transaction(register.engine) as connection:
        assert connection.execute(select(digests.c.delivered_at.is_not(None))).scalars().all() == [True]


def test_what_waits_for_somebody_is_on_top(register: Register, client: httpx.Client) -> None:
    a_register_with_every_state(register)
    with transaction(register.engine) as connection:
        connection.execute(
            insert(dead_letters).values(queue="q", body="{}", code="not_restorable", reason="it is gone", attempts=3)
        )
    told = client.get("/reports/digest").json()
    page = client.get("/reports/digest?format=md").text
    html = client.get("/reports/digest?format=html")

    assert told["attention"] == [
        "40 bag versions at risk (fewer than two copies, or none read back)",
        "1 dead letter that nobody has decided about",
    ]
    assert (told["coverage"]["bagVersions"], told["overdueCopies"]) == (40, 0)
    assert "| digitised | AT RISK | azure |" in page
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert "<td>AT RISK</td>" in html.text


@pytest.mark.parametrize(
    ("number", "told", "done"),
    [
        (
            1,
            [
                "1 damaged copy",
                "1 bag version at risk (fewer than two copies, or none read back)",
                "1 dead letter that nobody has decided about",
                "1 copy that stands still",
                "1 ingest that failed",
                "1 copy that could not be read again",
                "1 copy overdue to be read again",
            ],
            "1 ingest succeeded, 1 failed, 1 is running.",
        ),
        (
            1200,
            [
                "1,200 damaged copies",
                "1,200 bag versions at risk (fewer than two copies, or none read back)",
                "1,200 dead letters that nobody has decided about",
                "1,200 copies that stand still",
                "1,200 ingests that failed",
                "1,200 copies that could not be read again",
                "1,200 copies overdue to be read again",
            ],
            "1,200 ingests succeeded, 1,200 failed, 1,200 are running.",
        ),
    ],
)
def test_one_of_a_thing_is_not_called_many(number: int, told: list[str], done: str) -> None:
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    damaged = Place("digitised", "azure", required=True, states={CopyState.DAMAGED: Amount(number)})
    found = Digest(
        since=moment,
        until=moment,
        succeeded=number,
        failed={"source_vanished": number},
        running=number,
        stalled=number,
        dead_letters=number,
        campaigns=("azure-2026",),
        checks={"failed": number},
        overdue=number,
        matrix=Matrix((damaged,), {"digitised": Amount(number)}, {"digitised": number}),
    )
    sentences = [f"Needs attention: {'; '.join(told)}.", done, "Campaign that runs: azure-2026."]

    assert rendering.document(found)["attention"] == told
    for page in (rendering.markdown(found), rendering.html(found)):
        assert [sentence for sentence in sentences if sentence not in page] == []


def test_a_webhook_that_is_down_gets_it_when_it_is_up_again(register: Register) -> None:
    store, taken = MemoryStore(MemoryBucket()), []

    def down(_data: bytes) -> None:
        raise TransientError("the webhook is down")

    a_deliverer(register, store, post=down).chore()
    with transaction(register.engine) as connection:
        connection.execute(update(digests).values(claimed_until=text("now() - interval '1 second'")))
    a_deliverer(register, store, post=taken.append).chore()
    a_deliverer(register, store, post=taken.append).chore()

    assert (len(taken), len(written(store))) == (1, 2)


def test_a_webhook_is_told_in_json() -> None:
    with receiving() as receiver:
        post_to(receiver.url, b'{"text": "all is well"}')
        assert receiver.requests[0][1] == b'{"text": "all is well"}'
    with pytest.raises(TransientError, match="cannot be reached"):
        post_to(receiver.url, b"{}")


def test_a_webhook_is_the_address_that_was_configured_and_no_other() -> None:
    with receiving() as elsewhere:
        moved = status(302, "Found", headers=f"Location: {elsewhere.url}\r\n")
        with receiving(moved) as receiver, pytest.raises(TransientError, match="answered 302"):
            post_to(receiver.url, b"{}")
        assert elsewhere.requests == []


def test_what_is_no_http_is_told_as_a_failure() -> None:
    def noise(connection: socket.socket, _over: threading.Event) -> None:
        connection.sendall(b"what?\r\n\r\n")

    with receiving(noise) as receiver, pytest.raises(TransientError, match="cannot be reached"):
        post_to(receiver.url, b"{}")


def test_a_store_that_lets_nobody_in_costs_no_digest(register: Register) -> None:
    store = MemoryStore(MemoryBucket())

    def refused(_data: bytes) -> None:
        raise AccessDenied("nobody may")

    a_deliverer(register, store, post=refused).chore()
    with transaction(register.engine) as connection:
        assert connection.execute(select(digests.c.delivered_at)).scalars().all() == [None]
