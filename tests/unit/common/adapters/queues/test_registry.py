"""Which URLs are brokers, and what is said of the others."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from common.adapters.queues.memory import MemoryCourier
from common.adapters.queues.registry import as_dsn, open_courier, shown
from common.errors import BrokerUnavailable, ConfigurationError
from local_stack.servers.certificates import make_certificate


@pytest.mark.parametrize("scheme", ["redis", "rediss", "sqla", "sqlalchemy", "filesystem"])
def test_brokers_that_lose_messages_are_refused_by_name(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"'{scheme}://host:1/0' is refused: .* loses it"):
        open_courier(f"{scheme}://user:secret@host:1/0")


@pytest.mark.parametrize("url", ["kafka://host", "host=localhost dbname=x", "", "mongodb://host"])
def test_an_unknown_broker_is_refused_with_those_that_are_known(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must begin with pgmq://, postgresql://, amqp://"):
        open_courier(url)


def test_memory_urls_open_a_courier_of_that_broker() -> None:
    first, second = open_courier("memory://registry-test"), open_courier("memory://registry-test")
    first.declare(["work"])
    first.publish(queue="work", body=b"{}", message_id="1")

    assert isinstance(second, MemoryCourier)
    assert second.depths(["work"]) == {"work": 1}


def test_prefixes_keep_deployments_apart() -> None:
    one, two = open_courier("memory://shared", prefix="one_"), open_courier("memory://shared", prefix="two_")
    one.declare(["work"])
    two.declare(["work"])

    one.publish(queue="work", body=b"{}", message_id="1")

    assert (one.depths(["work"]), two.depths(["work"])) == ({"work": 1}, {"work": 0})


@pytest.mark.parametrize("queue", ["Work", "wo-rk", "9work", "w" * 48, "", "wörk", "work\n"])
def test_a_queue_name_that_some_broker_could_not_hold_is_refused_by_all(queue: str) -> None:
    with pytest.raises(ConfigurationError, match="at most 47 characters"):
        open_courier("memory://names").declare([queue])


@pytest.mark.parametrize("scheme", ["amqp", "postgresql", "pgmq"])
def test_a_broker_that_does_not_answer_is_unavailable(scheme: str) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody_listens.getsockname()[1]}/x"

        with pytest.raises(BrokerUnavailable, match=f"{scheme}://{address}: cannot connect") as caught:
            open_courier(f"{scheme}://user:secret@{address}")

    assert "secret" not in str(caught.value)


def test_an_sqs_server_that_does_not_answer_is_unavailable() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        courier = open_courier(f"sqs://key:secret@127.0.0.1:{nobody_listens.getsockname()[1]}/?region=eu-west-1")

        with pytest.raises(BrokerUnavailable, match="cannot declare work"):
            courier.declare(["work"])


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        certificate = make_certificate(tmp_path / "server.pem")
        threading.Thread(target=_shake_hands, args=(listener, certificate), daemon=True).start()

        with pytest.raises(BrokerUnavailable, match="certificate verify failed"):
            open_courier(f"amqps://user:secret@127.0.0.1:{listener.getsockname()[1]}/")


def _shake_hands(listener: socket.socket, certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    connection, _ = listener.accept()
    try:
        context.wrap_socket(connection, server_side=True).close()
    except OSError:
        connection.close()


@pytest.mark.parametrize("scheme", ["pgmq", "postgresql", "postgres", "postgresql+psycopg"])
def test_every_way_to_write_a_postgresql_url_is_the_same_dsn(scheme: str) -> None:
    assert as_dsn(f"{scheme}://u:p%40w@h:5/db?sslmode=require") == "postgresql://u:p%40w@h:5/db?sslmode=require"


def test_shown_urls_have_no_secrets() -> None:
    assert shown("amqp://user:p%40ss@host:5672/vhost?x=secret") == "amqp://host:5672/vhost"
