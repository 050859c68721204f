"""The local stack with faults between its parts: every wire from a service to a store, ledger or broker is ours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from urllib.parse import urlsplit, urlunsplit

from chaos.pipe import Pipe
from chaos.proxy import Proxy
from chaos.rules import STORM, Rules
from chaos.tally import Touched, Writes
from chaos.wires import Wire, Wires
from local_stack.servers.postgres import Postgres
from local_stack.servers.rabbitmq import RabbitMQ
from local_stack.settings import AzurePlace, S3Place
from local_stack.stack import Say, Stack, StackOptions

LEASE = 4.0
"""Seconds."""

SETTINGS = {
    "BACKFILL_LEASE": f"PT{LEASE:.0f}S",
    "BACKFILL_HINT_AGAIN": "PT3S",
    "BACKFILL_BACK_OFF": "PT0.5S",
    "BACKFILL_ATTEMPTS": "6",
    "BACKFILL_STOP_WITHIN": "PT5S",
    "BACKFILL_SEGMENT_FILES": "4",
    "BACKFILL_THAW_DAYS": "3650",
}
"""Everything is as in production, but shorter: leases, back-off, and segments, so that one bag has several.

Restored copies outlive the run: simulated days pass in seconds, but the S3 server's Date header tells the real time, by
which a copy that expired within minutes would look as if its restore had only just been asked for.
"""

_READ_TIMEOUT = 5.0
_THAW_RATIO = 36000
"""Ten simulated hours a second: the restore of 12 hours takes 1.2 s."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What makes a run: see `ChaosStack`."""

    options: StackOptions
    seed: int
    rabbitmq: RabbitMQ | None = None
    """None: pgmq, in the ledger's own database."""


class ChaosStack(Stack):
    """Services are told the addresses of proxies and pipes; the harness itself asks the servers directly."""

    def __init__(self, wiring: Wiring, wires: Wires, *, say: Say) -> None:
        settings = SETTINGS | wiring.options.settings
        super().__init__(replace(wiring.options, settings=settings, copies=2, ratio=_THAW_RATIO), say=say)
        if not isinstance(self.postgres, Postgres):
            raise SystemExit("chaos crashes its database: unset BACKFILL_DATABASE_URL, so that it has one of its own")
        self.database: Postgres = self.postgres
        self.rabbitmq = wiring.rabbitmq
        self.wires = wires
        self.writes = Writes()
        self.touched = Touched()
        self._random = Random(wiring.seed)
        self.rules: dict[str, Rules] = {}
        self.lines: dict[str, Wire] = {}
        """What can become a black hole, by name."""
        self._ports: dict[str, int] = {}

    def _start_servers(self) -> None:
        super()._start_servers()
        if self.rabbitmq is not None:
            self._say("RabbitMQ")
            self.rabbitmq.start()
            self._lay("broker", Pipe(upstream_port=_port(self.rabbitmq.url)))
        self._lay("ledger", Pipe(upstream_port=_port(self.dsn)))
        self._lay("source", self._proxy("source", self.s3.endpoint))
        self._lay("destination", self._proxy("destination", self.azurite.endpoint))

    def _proxy(self, name: str, endpoint: str) -> Proxy:
        self.rules[name] = Rules(STORM, random=Random(self._random.getrandbits(64)))
        watch = self.writes.note if name == "destination" else self.touched.note
        return Proxy(upstream_port=_port(endpoint), rules=self.rules[name], watch=watch)

    def _lay(self, name: str, wire: Wire) -> None:
        self.lines[name] = wire
        self._ports[name] = self.wires.listen(wire)

    @property
    def ledger(self) -> str:
        return _at(self.dsn, self._ports["ledger"])

    @property
    def broker(self) -> str | None:
        return None if self.rabbitmq is None else _at(self.rabbitmq.url, self._ports["broker"])

    @property
    def source(self) -> S3Place:
        place = super().source
        return replace(place, endpoint=_at(place.endpoint, self._ports["source"]), read_timeout=_READ_TIMEOUT)

    @property
    def destination(self) -> AzurePlace:
        place = super().destination
        return replace(place, endpoint=_at(place.endpoint, self._ports["destination"]), read_timeout=_READ_TIMEOUT)

    def calm(self) -> None:
        """No more faults on any wire."""
        for rules in self.rules.values():
            rules.calm()
        for line in self.lines.values():
            self.wires.clear(line)

    def stop(self) -> None:
        super().stop()
        if self.rabbitmq is not None:
            self.rabbitmq.stop()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None, url
    return port


def _at(url: str, port: int) -> str:
    """The same URL on another port of this machine."""
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))
