"""Callbacks over HTTP and a real ledger: owed when the ingest finishes, sent by the schedule, logged, replayed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from standardwebhooks import Webhook

from common.domain.bag import BagVersion
from common.ledger.asking_tables import callback_attempts, callbacks
from common.ledger.callbacks import take_due
from common.ledger.engine import transaction
from common.ledger.tables import bag_versions, ingests
from ingests_api.callback_addresses import allowed_hosts
from ingests_api.callback_schedule import SCHEDULE, judge
from ingests_api.notifier import LEASE, Notifier, Sender, deliver
from ingests_api.sending import Reply, post
from unit.ingests_api import receivers
from unit.ingests_api.builders import AZURE, a_bag, an_app, fail, registered_at, rows, serving, wish
from unit.ingests_api.receivers import Receiver, receiving, status

SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
OLD_SECRET = "whsec_" + "b2xkIG9sZCBvbGQgb2xkIG9sZCBvbGQh"


def a_sender(receiver: Receiver, **more: Any) -> Sender:
    given = {
        "post": partial(post, allowed=allowed_hosts(receiver.host), deadline=5),
        "secrets": (SECRET,),
        "clock": lambda: datetime.now(UTC),
        "worker": "test",
    }
    return Sender(**{**given, **more})


def look(engine: Engine, sender: Sender) -> int:
    """Deliver what is due now; how many there were."""
    with transaction(engine) as connection:
        owed = take_due(connection, worker=sender.worker, lease=LEASE, at_most=100)
    for one in owed:
        deliver(engine, sender, one)
    return len(owed)


@contextmanager
def asking(engine: Engine, receiver: Receiver) -> Iterator[httpx.Client]:
    """The API over a ledger with one bag."""
    app = an_app(engine, callbacks=allowed_hosts(receiver.host))
    a_bag(engine)
    with serving(app) as client:
        yield client


def ask(client: httpx.Client, receiver: Receiver, *, path: str = "") -> str:
    answer = client.post("/ingests", json=wish(callback={"url": receiver.url + path}))
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


def later(engine: Engine, time: timedelta) -> None:
    """For the ledger's dates of callbacks, time passes."""
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE callbacks SET due_at = due_at - :t, lease_until = lease_until - :t"), {"t": time}
        )


def test_the_ingest_is_posted_as_get_answers_it_when_it_has_finished(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        ingest_id = ask(client, receiver)
        too_early = look(engine, a_sender(receiver))
        fail(engine, ingest_id)
        read = client.get(f"/ingests/{ingest_id}").json()
        sent = look(engine, a_sender(receiver))
        after = client.get(f"/ingests/{ingest_id}").json()

    ((headers, body),) = receiver.requests
    assert (too_early, sent) == (0, 1)
    assert json.loads(body) == read
    assert read["callback"] == {
        "url": receiver.url,
        "status": {"id": "pending", "type": "Status"},
        "type": "Callback",
    }
    assert headers["content-type"] == "application/json"
    assert after["callback"]["status"]["id"] == "succeeded"
    assert after["events"][-1]["description"] == "Callback fulfilled"


def test_a_receiver_can_verify_it_also_while_secrets_change(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        fail(engine, ask(client, receiver))
        look(engine, a_sender(receiver, secrets=(SECRET, OLD_SECRET)))

    ((headers, body),) = receiver.requests
    (row,) = rows(engine, callbacks)
    assert headers["webhook-id"] == str(row["message_id"])
    assert Webhook(SECRET).verify(body, headers) == Webhook(OLD_SECRET).verify(body, headers) == json.loads(body)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + "b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhl").verify(body, headers)


def test_without_secrets_it_is_sent_without_a_signature(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        fail(engine, ask(client, receiver))
        look(engine, a_sender(receiver, secrets=()))

    assert [name for name in receiver.requests[0][0] if name.startswith("webhook-")] == [
        "webhook-id",
        "webhook-timestamp",
    ]


def test_the_callback_of_an_ingest_with_nothing_to_do_is_due_at_once(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        registered_at(engine, rows(engine, bag_versions)[0]["id"], AZURE)
        ingest_id = ask(client, receiver)
        look(engine, a_sender(receiver))

    assert json.loads(receiver.requests[0][1])["status"]["id"] == "succeeded"
    assert [row["callback_status"] for row in rows(engine, ingests)] == ["succeeded"]
    assert json.loads(receiver.requests[0][1])["id"] == ingest_id


def test_it_is_not_owed_before_the_end_is_committed(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        ingest_id = ask(client, receiver)
        with pytest.raises(ZeroDivisionError), transaction(engine) as connection:
            connection.execute(
                text("UPDATE ingests SET status = 'failed', finished_at = now() WHERE id = :id"), {"id": ingest_id}
            )
            _ = 1 / 0
        assert look(engine, a_sender(receiver)) == 0
    assert [row["state"] for row in rows(engine, callbacks)] == ["waiting"]


def test_the_schedule_covers_three_days_and_then_it_has_failed(engine: Engine) -> None:
    waited = []
    with receiving(status(503, "Service Unavailable", body=b"later")) as receiver, asking(engine, receiver) as client:
        ingest_id = ask(client, receiver)
        fail(engine, ingest_id)
        for pause in SCHEDULE:
            later(engine, pause - timedelta(seconds=2))
            early = look(engine, a_sender(receiver)) if pause > timedelta(seconds=2) else 0
            later(engine, timedelta(seconds=2))
            waited.append((early, look(engine, a_sender(receiver))))
        later(engine, timedelta(days=30))
        nothing_more = look(engine, a_sender(receiver))
        document = client.get(f"/ingests/{ingest_id}").json()
        (log,) = client.get(f"/ingests/{ingest_id}/callbacks").json()["results"]

    assert waited == [(0, 1)] * 10
    assert sum(SCHEDULE, timedelta(0)) > timedelta(days=3)
    assert (nothing_more, len({headers["webhook-id"] for headers, _ in receiver.requests})) == (0, 1)
    assert document["callback"]["status"]["id"] == "failed"
    assert [event["description"] for event in document["events"]][-2:] == [
        "Callback retrying - got 503 Service Unavailable",
        f"Callback failed for: {ingest_id}, got 503 Service Unavailable!",
    ]
    assert (log["status"]["id"], log["lastError"]) == ("failed", "got 503 Service Unavailable")
    assert (log["lastErrorCode"], {a["code"] for a in log["attempts"]}) == ("callback_rejected", {"callback_rejected"})
    assert "nextAttempt" not in log
    assert [(a["number"], a["httpStatus"], a["answer"]) for a in log["attempts"]] == [
        (n, 503, "later") for n in range(1, 11)
    ]


def test_a_receiver_that_recovers_is_reached(engine: Engine) -> None:
    answers = [status(500, "Oops"), receivers.slam, status(204, "No Content")]
    with receiving(*answers) as receiver, asking(engine, receiver) as client:
        ingest_id = ask(client, receiver)
        fail(engine, ingest_id)
        for _ in range(3):
            look(engine, a_sender(receiver))
            later(engine, timedelta(hours=1))
        (log,) = client.get(f"/ingests/{ingest_id}/callbacks").json()["results"]

    assert [a.get("httpStatus") for a in log["attempts"]] == [500, None, 204]
    assert log["attempts"][1]["error"] == "the connection failed (RemoteDisconnected)"
    assert [a.get("code") for a in log["attempts"]] == ["callback_rejected", "callback_connection_failed", None]
    assert log["status"]["id"] == "succeeded"


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(410, "got 410 Gone"), "failed"),
        (Reply(None, "refused", hopeless=True), "failed"),
        (Reply(401, "got 401 Unauthorized"), "pending"),
        (Reply(403, "got 403 Forbidden"), "pending"),
        (Reply(302, "got 302 Found"), "pending"),
        (Reply(199, "got 199"), "pending"),
        (Reply(299), "succeeded"),
    ],
)
def test_what_an_answer_means(reply: Reply, state: str) -> None:
    assert judge(attempt=1, status=reply.status, hopeless=reply.hopeless).state == state


def test_credentials_that_have_expired_show_on_the_ingest(engine: Engine) -> None:
    with receiving(status(401, "Unauthorized")) as receiver, asking(engine, receiver) as client:
        ingest_id = ask(client, receiver)
        fail(engine, ingest_id)
        look(engine, a_sender(receiver))
        events = client.get(f"/ingests/{ingest_id}").json()["events"]

    assert events[-1]["description"] == "Callback retrying - got 401 Unauthorized"


def test_replay_sends_the_same_message_again_from_the_beginning(engine: Engine) -> None:
    with receiving(status(410, "Gone"), status(200)) as receiver, asking(engine, receiver) as client:
        ingest_id = ask(client, receiver)
        fail(engine, ingest_id)
        look(engine, a_sender(receiver))
        answer = client.post(f"/ingests/{ingest_id}/callback/replay")
        again = client.post(f"/ingests/{ingest_id}/callback/replay")
        pending = client.get(f"/ingests/{ingest_id}").json()["callback"]["status"]["id"]
        look(engine, a_sender(receiver))
        (log,) = client.get(f"/ingests/{ingest_id}/callbacks").json()["results"]

    assert (answer.status_code, again.status_code, pending) == (202, 409, "pending")
    assert "on its way" in again.json()["description"]
    assert [(a["round"], a["number"], a["httpStatus"]) for a in log["attempts"]] == [(1, 1, 410), (2, 1, 200)]
    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1
    assert log["status"]["id"] == "succeeded"


def test_replay_of_what_was_never_asked_for_or_is_not_over_says_so(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        plain = client.post("/ingests", json=wish()).json()["id"]
        other = ask(client, receiver)
        answers = [
            client.post(f"/ingests/{plain}/callback/replay"),
            client.post(f"/ingests/{uuid4()}/callback/replay"),
            client.get(f"/ingests/{uuid4()}/callbacks"),
        ]

    assert [answer.status_code for answer in answers] == [409, 404, 404]
    assert other == plain
    assert "not finished" in answers[0].json()["description"]


def test_who_asks_for_what_runs_already_is_called_back_too(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        ids = {ask(client, receiver, path=path) for path in ("?a", "?b", "?a")}
        (ingest_id,) = ids
        fail(engine, ingest_id)
        sent = look(engine, a_sender(receiver))
        log = client.get(f"/ingests/{ingest_id}/callbacks").json()["results"]

    assert (sent, [one["url"][-1] for one in log]) == (2, ["a", "b"])
    assert {one["status"]["id"] for one in log} == {"succeeded"}


def test_who_asks_while_the_ingest_ends_is_called_back_whoever_comes_first(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        for number in range(10):
            ingest_id = client.post("/ingests", json=wish()).json()["id"]
            with ThreadPoolExecutor(2) as pool:
                asked = pool.submit(ask, client, receiver, path=f"?{number}")
                pool.submit(fail, engine, ingest_id)
            if asked.result() != ingest_id:  # the other had ended: this is a new one
                fail(engine, asked.result())
        look(engine, a_sender(receiver))

    assert {row["state"] for row in rows(engine, callbacks)} == {"succeeded"}
    assert len(receiver.requests) == 10


def test_two_notifiers_never_send_the_same_at_once(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        fail(engine, ask(client, receiver))
        with transaction(engine) as first, transaction(engine) as second:
            counts = [len(take_due(c, worker="w", lease=LEASE, at_most=9)) for c in (first, second)]

    assert counts == [1, 0]


def test_a_notifier_that_died_is_followed_by_another_and_cannot_settle_any_more(engine: Engine) -> None:
    with receiving(status(500, "Oops")) as receiver, asking(engine, receiver) as client:
        fail(engine, ask(client, receiver))
        with transaction(engine) as connection:
            (held,) = take_due(connection, worker="paused", lease=LEASE, at_most=1)
        meanwhile = look(engine, a_sender(receiver))
        later(engine, LEASE)
        followed = look(engine, a_sender(receiver))
        deliver(engine, a_sender(receiver, post=lambda url, body, headers: Reply(200)), held)

    (row,) = rows(engine, callbacks)
    assert (meanwhile, followed, row["state"], row["attempts"]) == (0, 1, "pending", 2)
    assert [(a["worker"], a["status"]) for a in rows(engine, callback_attempts)] == [("test", 500), ("paused", 200)]


def test_a_callback_whose_notifiers_always_die_ends_as_failed(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        fail(engine, ask(client, receiver))
        with transaction(engine) as connection:
            connection.execute(text("UPDATE callbacks SET attempts = 10, fence = 10"))
        look(engine, a_sender(receiver))

    (row,) = rows(engine, callbacks)
    assert (row["state"], receiver.requests) == ("failed", [])


def test_one_slow_host_does_not_hold_up_the_others(engine: Engine) -> None:
    with receiving(receivers.hang) as slow, receiving() as quick:
        app = an_app(engine, callbacks=allowed_hosts(f"{slow.host},{quick.host}"))
        with serving(app) as client:
            for number in range(8):
                a_bag(engine, BagVersion.of("digitised", f"b{number}", 1))
                target = quick if number == 7 else slow
                fail(
                    engine, client.post("/ingests", json=wish(f"b{number}", callback={"url": target.url})).json()["id"]
                )
        sender = a_sender(slow, post=partial(post, allowed=allowed_hosts(f"{slow.host},{quick.host}"), deadline=30))
        notifier, over = Notifier(engine=engine, sender=sender, at_once=4, idle=0.02), threading.Event()
        running = threading.Thread(target=notifier.run, args=[over])
        running.start()
        reached = quick.arrived.wait(10)
        # Both were sent before, but the last may still be on its way.
        assert all(slow.each.acquire(timeout=10) for _ in range(2))
        waiting = len(slow.requests)
        over.set()
        slow.over.set()
        running.join(20)

    assert (reached, waiting) == (True, 2)


def test_the_log_only_grows_and_what_a_callback_is_about_stays(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        fail(engine, ask(client, receiver))
        look(engine, a_sender(receiver))
    for statement in (
        "UPDATE callback_attempts SET status = 200",
        "DELETE FROM callback_attempts",
        "DELETE FROM callbacks",
        "UPDATE callbacks SET url = 'https://elsewhere.example'",
        "UPDATE callbacks SET message_id = gen_random_uuid()",
        "UPDATE callbacks SET fence = fence - 1",
    ):
        with pytest.raises(DBAPIError, match=r"refused|cannot change|never shrink"), transaction(engine) as connection:
            connection.execute(text(statement))


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.org/x", "http is for hosts in BACKFILL_CALLBACK_HOSTS only"),
        ("https://169.254.169.254/latest", "no public address"),
        ("https://me:pw@example.org/", "must not carry a user name"),
        ("https://example.org:22/", "use 443 or 8443"),
        ("https://example.org/" + "a" * 2000, "longer than 2000"),
        ("example.org", "absolute http or https address"),
    ],
)
def test_an_address_that_would_be_refused_is_refused_with_the_request(
    client: httpx.Client, engine: Engine, url: str, why: str
) -> None:
    a_bag(engine)
    answer = client.post("/ingests", json=wish(callback={"url": url}))

    assert answer.status_code == 400
    assert re.search(f"Invalid value at .callback.url: .*{re.escape(why)}", answer.json()["description"])
    assert rows(engine, ingests) == []


def test_secrets_in_addresses_stay_out_of_logs(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with receiving(receivers.slam, receivers.hang, status(200)) as receiver, asking(engine, receiver) as client:
        fail(engine, ask(client, receiver, path="/s3cr3t-path?token=s3cr3t"))
        for _ in range(3):
            look(engine, a_sender(receiver, post=partial(post, allowed=allowed_hosts(receiver.host), deadline=0.3)))
            later(engine, timedelta(hours=1))

    printed = capsys.readouterr()
    assert "callback" in printed.out + printed.err
    assert "s3cr3t" not in printed.out + printed.err
    assert all("s3cr3t" not in str(row["error"]) for row in rows(engine, callback_attempts))


def the_receiver_of_the_how_to() -> Any:
    """`ingest_of`, as the page has it."""
    page = Path(__file__).parents[3] / "docs" / "how-to" / "receive-callbacks.md"
    found = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    (code,) = (each for each in found if "def ingest_of" in each)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["ingest_of"]


def test_the_code_of_the_how_to_tells_callbacks_from_forgeries(engine: Engine) -> None:
    with receiving() as receiver, asking(engine, receiver) as client:
        ingest_id = ask(client, receiver)
        fail(engine, ingest_id)
        look(engine, a_sender(receiver))

    ingest_of, ((headers, body),) = the_receiver_of_the_how_to(), receiver.requests
    assert ingest_of(body, headers, SECRET)["id"] == ingest_id
    assert ingest_of(body.replace(b"failed", b"succeeded"), headers, SECRET) is None
    assert ingest_of(body, headers | {"webhook-timestamp": "1700000000"}, SECRET) is None


def test_the_schedule_of_the_how_to_is_the_one_that_is_kept() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "receive-callbacks.md").read_text("utf-8")
    (line,) = re.findall(r"^\| after the one before \| (.*) \|$", page, re.MULTILINE)
    units = {"s": "seconds", "min": "minutes", "h": "hours"}
    told = [timedelta(**{units[u]: int(n)}) for n, u in re.findall(r"(\d+) (s|min|h)", line)]

    assert [timedelta(0), *told] == list(SCHEDULE)
