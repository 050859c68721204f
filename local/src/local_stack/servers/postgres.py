"""PostgreSQL, supervised by us: a given server, else one of our own from the best programs at hand.

As root the server runs as `nobody`, in a directory that is given to nobody; no user is created and no other
folder's mode is changed. The server is a direct child: a killed owner leaves none behind.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

from local_stack.servers.child import Child, start_child
from local_stack.servers.errors import ServerDidNotStart
from local_stack.servers.lifetime import Server
from local_stack.servers.places import Place, give_file_to, give_to, primary_group, service_user, within_reach
from local_stack.servers.ports import free_port
from local_stack.servers.postgres_address import PostgresAddress
from local_stack.servers.postgres_programs import find_programs

DATABASE_URL = "BACKFILL_DATABASE_URL"
_USER = "backfill"
_READY_SECONDS = 60.0


class Postgres(Server):
    """One PostgreSQL server on loopback, its password known only to its owner.

    `directory` keeps the data between runs; without it they go away with the server.
    `durable=False` turns fsync off: a crash of the machine may lose data, a crash of the server may not.
    """

    def __init__(
        self, directory: Path | None = None, *, port: int | None = None, log: Path | None = None, durable: bool = True
    ) -> None:
        self._user = service_user()
        self._place = Place(within_reach(directory, user=self._user, name="postgres"), name="postgres")
        self._data = self._place.path / "data"
        self._log = log or self._place.path / "postgres.log"
        self._port = port or free_port()
        self._durable = durable
        self._child: Child | None = None
        self._password = ""

    @property
    def address(self) -> PostgresAddress:
        return PostgresAddress.local(port=self._port, user=_USER, password=self._password)

    @property
    def data_directory(self) -> Path:
        return self._data

    @property
    def pid(self) -> int:
        """The postmaster's. Raises where the server was not started."""
        assert self._child is not None, "the server was not started"
        return self._child.pid

    def dsn(self, database: str = "postgres") -> str:
        return self.address.dsn(database)

    def create_database(self, name: str, *, template: str | None = None) -> str:
        return self.address.create_database(name, template=template)

    def start(self) -> Self:
        """Make the data directory if it is missing, start, and return when one can log in."""
        self._programs = find_programs(for_other_user=self._user is not None)
        self._initialise()
        _clear_stale_lock(self._data)
        self._child = self._launch()
        self._child.wait_until(self.address.answers, seconds=_READY_SECONDS)
        return self

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, committed data are on disk."""
        if self._child is not None:
            self._child.stop(signal.SIGINT)
        self._place.clear()

    def kill(self) -> None:
        """kill -9 of the postmaster."""
        assert self._child is not None, "the server was not started"
        self._child.kill()

    def crash(self) -> None:
        """Immediate stop (`pg_ctl stop -m immediate`): sessions are cut, nothing is written, recovery follows."""
        assert self._child is not None, "the server was not started"
        self._child.stop(signal.SIGQUIT)

    def restart(self) -> Self:
        """Start again on the same data and port, after `kill`, `crash` or in place of a shutdown."""
        if self._child is not None and self._child.running:
            self._child.stop(signal.SIGINT)
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                return self.start()
            except ServerDidNotStart as error:
                # Backends of a killed postmaster notice within moments; until then they hold its shared memory.
                if "still in use" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _initialise(self) -> None:
        kept = self._place.path / "password"
        if kept.exists() and (self._data / "PG_VERSION").exists():
            self._password = kept.read_text(encoding="utf-8")
            return
        self._password = secrets.token_urlsafe(18)
        kept.touch(mode=0o600)
        kept.write_text(self._password, encoding="utf-8")
        give_file_to(kept, self._user)
        give_to(self._data, self._user)
        self._initdb(kept)

    def _initdb(self, password: Path) -> None:
        command: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            self._data,
            "-U",
            _USER,
            "-E",
            "UTF8",
            "--locale=C",
        ]
        command += ["-A", "scram-sha-256", f"--pwfile={password}", *([] if self._durable else ["--no-sync"])]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            user=self._user,
            group=primary_group(self._user),
            extra_groups=[] if self._user else None,
            cwd=self._data,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(self._data, ignore_errors=True)
            raise ServerDidNotStart(f"initdb failed in {self._data}:\n{done.stdout.decode(errors='replace')}")

    def _launch(self) -> Child:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
        }
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return start_child(
            "PostgreSQL",
            [self._programs / "postgres", "-D", self._data, *options],
            log=self._log,
            cwd=self._data,
            user=self._user,
            on_owner_death=signal.SIGINT,
        )


class GivenPostgres(Server):
    """A server that somebody else runs, by its DSN; `start` and `stop` only look at it."""

    def __init__(self, url: str) -> None:
        self.address = PostgresAddress(url)

    def dsn(self, database: str = "postgres") -> str:
        return self.address.dsn(database)

    def create_database(self, name: str, *, template: str | None = None) -> str:
        return self.address.create_database(name, template=template)

    def start(self) -> Self:
        if not self.address.answers():
            raise ServerDidNotStart(
                f"{DATABASE_URL} names a server that one cannot log in to: check its address and password."
            )
        return self

    def stop(self) -> None:
        """It is not ours."""


def open_postgres(
    directory: Path | None = None, *, port: int | None = None, log: Path | None = None, durable: bool = True
) -> Postgres | GivenPostgres:
    """The server that BACKFILL_DATABASE_URL names, else one of our own; not started yet."""
    given = os.environ.get(DATABASE_URL)
    return GivenPostgres(given) if given else Postgres(directory, port=port, log=log, durable=durable)


def _clear_stale_lock(data: Path) -> None:
    """Remove postmaster.pid where the process it names is none of this directory's servers.

    PostgreSQL would believe a zombie, or a stranger that was given the same process id.
    """
    lock = data / "postmaster.pid"
    deadline = time.monotonic() + 10
    while lock.exists() and (pid := lock.read_text(encoding="utf-8").split("\n", 1)[0].strip()):
        if not _serves(pid, data):
            lock.unlink(missing_ok=True)
        elif time.monotonic() > deadline:
            raise ServerDidNotStart(f"{data} is in use by the PostgreSQL server with process id {pid}. Stop it first.")
        else:
            time.sleep(0.1)


def _serves(pid: str, data: Path) -> bool:
    proc = Path("/proc") / pid
    if not proc.parent.joinpath("self").exists():
        return False  # no /proc: PostgreSQL judges alone
    try:
        words = proc.joinpath("cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return str(data).encode() in words
