"""RabbitMQ from the machine's package, with everything private: node name, ports, cookie, data, epmd."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import amqp

from local_stack.servers.child import Child, start_child
from local_stack.servers.errors import ServerNotInstalled
from local_stack.servers.lifetime import Server
from local_stack.servers.places import Place, give_to, service_user, within_reach
from local_stack.servers.ports import answers, free_port

_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class RabbitAddress:
    """A broker and who may log in."""

    url: str
    """amqp://user:password@127.0.0.1:port//"""


class RabbitMQ(Server):
    """One RabbitMQ node on loopback. `directory` keeps queues between runs; without it they go away with the broker.

    As root it runs as `nobody`; a `directory` that nobody cannot reach is replaced by one below /var/tmp.
    """

    def __init__(self, directory: Path | None = None, *, port: int | None = None, log: Path | None = None) -> None:
        self._user = service_user()
        self._place = Place(within_reach(directory, user=self._user, name="rabbitmq"), name="rabbitmq")
        self._home = self._place.path / "node"
        self._log = log or self._place.path / "rabbitmq.log"
        self._port = port or free_port()
        self._epmd_port, self._distribution_port = free_port(), free_port()
        self._name = f"backfill-{self._port}@localhost"
        self._epmd: Child | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._port}//"

    @property
    def address(self) -> RabbitAddress:
        return RabbitAddress(self.url)

    def start(self) -> Self:
        """Start epmd and the node, and return when one can log in. Raises ServerNotInstalled."""
        if why := missing():
            raise ServerNotInstalled(why)
        give_to(self._home, self._user)
        self._write_cookie()
        if self._epmd is None or not self._epmd.running:
            self._epmd = self._launch("epmd", [_epmd(), "-port", str(self._epmd_port), "-address", "127.0.0.1"])
            self._epmd.wait_until(lambda: answers(self._epmd_port), seconds=_READY_SECONDS)
        self._child = self._launch("RabbitMQ", [_SERVER])
        self._child.wait_until(self._ready, seconds=_READY_SECONDS)
        return self

    def stop(self) -> None:
        for child in (self._child, self._epmd):
            if child is not None:
                child.stop(signal.SIGTERM, seconds=30)
        self._place.clear()

    def kill(self) -> None:
        """kill -9 of the broker."""
        assert self._child is not None, "the broker was not started"
        self._child.kill()

    def restart(self) -> Self:
        """Start again on the same data and ports, after `kill` or in place of a shutdown."""
        if self._child is not None:
            self._child.stop(signal.SIGTERM, seconds=30)
        return self.start()

    def _launch(self, name: str, command: list[str | Path]) -> Child:
        return start_child(name, command, log=self._log, env=self._environment(), cwd=self._home, user=self._user)

    def _environment(self) -> dict[str, str]:
        home = self._home
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self._name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(home / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "enabled_plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false",
            # One process that is the node itself, instead of a shell in front of it that a signal would orphan.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _write_cookie(self) -> None:
        cookie = self._home / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(secrets.token_hex(20), encoding="ascii")
            if self._user is not None:
                shutil.chown(cookie, self._user)
            cookie.chmod(0o400)

    def _ready(self) -> bool:
        if not answers(self._port):
            return False
        try:
            connection = amqp.Connection(f"127.0.0.1:{self._port}", userid="guest", password="guest", connect_timeout=5)
            connection.connect()
            connection.close()
        except (OSError, amqp.exceptions.AMQPError):
            return False
        return True


def missing() -> str | None:
    """None where RabbitMQ can be started, else the reason and the remedy."""
    if not _SERVER.exists() or _find_epmd() is None:
        return "RabbitMQ was not found: apt-get install --no-install-recommends rabbitmq-server"
    return None


def _find_epmd() -> str | None:
    return shutil.which("epmd") or shutil.which("epmd", path="/usr/lib/erlang/bin")


def _epmd() -> str:
    found = _find_epmd()
    assert found is not None, "`missing` has looked for it"
    return found
