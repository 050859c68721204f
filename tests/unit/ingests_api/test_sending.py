"""A callback goes to an address that somebody else chose, and reads an answer that somebody else wrote."""

from __future__ import annotations

import re
import socket
import time
from typing import Any

import pytest

from ingests_api import sending
from ingests_api.callback_addresses import ONLY_PUBLIC, Allowed, allowed_hosts, shown
from ingests_api.sending import Reply
from unit.ingests_api import receivers
from unit.ingests_api.receivers import Receiver, receiving, status


def post(receiver: Receiver, *, deadline: float = 5) -> Reply:
    return sending.post(receiver.url, body=b"{}", headers={}, allowed=allowed_hosts(receiver.host), deadline=deadline)


def test_what_is_sent_arrives_and_2xx_is_success() -> None:
    with receiving(status(202, "Accepted", body=b"thanks")) as receiver:
        reply = sending.post(
            receiver.url + "?key=1", body=b'{"a":1}', headers={"X-Mine": "1"}, allowed=allowed_hosts(receiver.host)
        )

    ((headers, body),) = receiver.requests
    assert (reply, body, headers["x-mine"]) == (Reply(202, None, "thanks"), b'{"a":1}', "1")


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (status(500, "Oops", body=b"why"), Reply(500, "got 500 Oops", "why", code="callback_rejected")),
        (status(404, "Not Found"), Reply(404, "got 404 Not Found", code="callback_rejected")),
        (receivers.garbage, Reply(None, "the connection failed (BadStatusLine)", code="callback_connection_failed")),
        (receivers.slam, Reply(None, "the connection failed (RemoteDisconnected)", code="callback_connection_failed")),
        (
            receivers.endless_headers,
            Reply(None, "the connection failed (HTTPException)", code="callback_connection_failed"),
        ),
    ],
    ids=["500", "404", "garbage", "hangs up", "endless headers"],
)
def test_anything_else_is_an_error_in_a_few_words(answer: Any, reply: Reply) -> None:
    with receiving(answer) as receiver:
        assert post(receiver) == reply


@pytest.mark.parametrize("answer", [receivers.hang, receivers.drip_headers], ids=["hangs", "drips"])
def test_a_server_that_takes_its_time_is_left_when_the_time_is_up(answer: Any) -> None:
    with receiving(answer) as receiver:
        started = time.monotonic()
        reply = post(receiver, deadline=0.5)
        seconds = time.monotonic() - started

    assert reply == Reply(None, "no answer within 0.5 s", code="callback_timeout")
    assert seconds < 3


def test_a_handshake_that_does_not_come_is_not_waited_for() -> None:
    with receiving(receivers.hang) as receiver:
        url = f"https://127.0.0.1:{receiver.port}/"
        reply = sending.post(url, body=b"", headers={}, allowed=allowed_hosts(url), deadline=0.5)

    assert reply == Reply(None, "no answer within 0.5 s", code="callback_timeout")


def test_a_body_that_drips_is_left_too_but_the_status_was_the_answer() -> None:
    with receiving(receivers.drip_body) as receiver:
        started = time.monotonic()
        reply = post(receiver, deadline=0.5)

    assert (reply.status, reply.error, set(reply.body)) == (200, None, {"z"})
    assert time.monotonic() - started < 3


def test_of_an_endless_body_only_the_beginning_is_read() -> None:
    with receiving(receivers.endless) as receiver:
        reply = post(receiver, deadline=30)

    assert (reply.status, len(reply.body)) == (500, sending.MOST_KEPT)


def test_nothing_is_decompressed() -> None:
    with receiving(receivers.gzip_bomb) as receiver:
        reply = post(receiver)

    assert (reply.status, reply.error) == (500, "got 500 Oops")
    assert re.fullmatch(r"\(29\d\d\d bytes, compressed\)", reply.body)


def test_a_redirect_is_not_followed() -> None:
    with receiving() as metadata, receiving(receivers.redirect(metadata.url)) as receiver:
        reply = sending.post(
            receiver.url, body=b"", headers={}, allowed=allowed_hosts(f"{receiver.host},{metadata.host}")
        )

    assert reply == Reply(307, "got 307 Temporary Redirect; redirects are not followed", code="callback_redirected")
    assert metadata.requests == []


TRICKS = [
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://0x7f000001/",
    "https://127.1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[64:ff9b::a9fe:a9fe]/",
    "https://[2002:a9fe:a9fe::]/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://anything.localhost/",
    "https://user@example.org/",
    "https://example.org@127.0.0.1/",
    "https://example.org\\@127.0.0.1/",
    "http://example.org/",
    "https://example.org:22/",
    "ftp://example.org/",
    "https:///nowhere",
    "https://example.org:99999/",
    "https://example.org/#top",
    "https://exämple.org/",
]


@pytest.mark.parametrize("url", TRICKS)
def test_an_address_that_is_not_public_is_never_called(url: str) -> None:
    reply = sending.post(url, body=b"", headers={}, allowed=ONLY_PUBLIC, deadline=1)

    assert (reply.status, reply.hopeless) == (None, True)
    assert reply.code in ("callback_address_refused", "callback_address_not_public")


@pytest.fixture
def rebinding(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name server of rebind.example: what it says first, second, …; the last for ever."""
    answers: list[str] = []
    asked = socket.getaddrinfo

    def answer(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host != "rebind.example":
            return asked(host, port, *rest, **more)
        address = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return answers


def test_a_name_is_refused_for_the_address_it_stands_for(rebinding: list[str]) -> None:
    rebinding.append("169.254.169.254")

    reply = sending.post("https://rebind.example/", body=b"", headers={}, allowed=ONLY_PUBLIC, deadline=1)

    told = "the host's address is not public, or one that is never called"
    assert reply == Reply(None, told, hopeless=True, code="callback_address_not_public")


def test_a_name_that_changes_its_mind_is_held_to_the_address_that_was_checked(rebinding: list[str]) -> None:
    with receiving() as receiver:
        rebinding += ["127.0.0.1", "169.254.169.254"]
        url = f"http://rebind.example:{receiver.port}/hook"
        reply = sending.post(
            url, body=b"", headers={}, allowed=allowed_hosts(f"http://rebind.example:{receiver.port}"), deadline=2
        )

    ((headers, _),) = receiver.requests
    assert (reply.status, headers["host"].partition(":")[0]) == (200, "rebind.example")


def test_even_a_host_that_is_vouched_for_may_not_be_the_metadata_service(rebinding: list[str]) -> None:
    rebinding.append("169.254.169.254")

    reply = sending.post(
        "http://rebind.example/", body=b"", headers={}, allowed=allowed_hosts("http://rebind.example"), deadline=1
    )

    assert reply.hopeless


def test_a_name_that_nobody_knows_may_be_known_later() -> None:
    reply = sending.post("https://nothing.invalid/?secret=1", body=b"", headers={}, allowed=ONLY_PUBLIC, deadline=2)

    assert reply == Reply(None, "the host's name cannot be resolved", code="callback_host_unknown")


def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("HTTP_PROXY", proxy.host)
        monkeypatch.setenv("http_proxy", proxy.host)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        reply = post(receiver)

    assert (reply.status, len(receiver.requests), proxy.requests) == (200, 1, [])


@pytest.mark.parametrize(
    "url", ["https://example.org/x?y=1", "https://example.org:8443/", "https://[2606:4700::1111]/", "https://1.1.1.1/"]
)
def test_public_addresses_may_be_called(url: str) -> None:
    assert ONLY_PUBLIC.fault(url) is None


def test_a_host_is_vouched_for_with_scheme_and_port() -> None:
    allowed = allowed_hosts("https://repository.lan:9443, http://10.0.0.5:8080")

    assert [allowed.fault(url) is None for url in (
        "https://repository.lan:9443/a", "https://REPOSITORY.lan:9443/a", "http://10.0.0.5:8080/", "http://10.0.0.5/",
        "http://repository.lan:9443/", "https://10.0.0.5/",
    )] == [True, True, True, False, False, False]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["repository.lan", "https://a.lan/path", "ftp://a.lan", "https://u:p@a.lan", "https://"]
)
def test_a_setting_that_is_no_list_of_hosts_is_told_to_the_operator(text: str) -> None:
    with pytest.raises(Exception, match="BACKFILL_CALLBACK_HOSTS"):
        allowed_hosts(text)


def test_logs_show_no_more_than_scheme_and_host() -> None:
    assert shown("https://user:pw@example.org:8443/secret/path?token=1#x") == "https://example.org:8443"


def test_nothing_is_vouched_for_by_default() -> None:
    assert Allowed() == allowed_hosts("")
