"""The PostgreSQL supervisor, with servers of its own."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from local_stack.servers.errors import ServerDidNotStart
from local_stack.servers.postgres import GivenPostgres, Postgres, open_postgres
from local_stack.servers.postgres_address import PostgresAddress


@pytest.fixture
def server() -> Iterator[Postgres]:
    with Postgres(durable=False) as postgres:
        yield postgres


def eventually(true: Callable[[], bool], *, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def ended(pid: int) -> bool:
    """Gone, or only waiting to be collected by init."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_committed_row_outlives_kill_nine_of_the_postmaster(server: Postgres) -> None:
    dsn = server.create_database("kept")
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS a")
    server.kill()
    server.restart()
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT a FROM t").fetchall() == [(7,)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop to somebody else")
def test_root_runs_it_as_nobody_and_leaves_the_folders_above_as_they_are() -> None:
    modes = {folder: stat.S_IMODE(Path(folder).stat().st_mode) for folder in ("/", "/tmp", sys.prefix, "/root")}
    with Postgres(durable=False) as server:
        assert owner_of(server.pid) == owner_of_nobody()
        assert {folder: stat.S_IMODE(Path(folder).stat().st_mode) for folder in modes} == modes


def owner_of_nobody() -> int:
    import pwd

    return pwd.getpwnam("nobody").pw_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop to somebody else")
def test_a_directory_that_nobody_can_reach_keeps_its_mode_and_the_data_go_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "postgres", durable=False)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert server.data_directory.parent.parent == Path("/var/tmp")
    assert str(server.data_directory.parent) in capsys.readouterr().out
    server.data_directory.parent.rmdir()


def test_a_given_directory_keeps_the_data_and_the_password_and_a_stale_lock_is_no_obstacle(place: Path) -> None:
    with Postgres(place, durable=False) as first:
        first.create_database("kept")
        url = first.dsn("kept")
    (place / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{place / 'data'}\n")
    with Postgres(place, durable=False, port=int(url.rpartition(":")[2].split("/")[0])) as second:
        assert second.dsn("kept") == url
        assert PostgresAddress(url).answers()


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can reach (pytest's own are closed)."""
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="backfill-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


_OWNER = """
import time
from local_stack.servers.postgres import Postgres
server = Postgres(durable=False).start()
print(server.pid, server.data_directory.parent, flush=True)
time.sleep(600)
"""


def test_a_killed_owner_leaves_no_server_behind() -> None:
    import shutil

    owner = subprocess.Popen([sys.executable, "-c", _OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid, _, place = owner.stdout.readline().strip().partition(" ")
    assert not ended(int(pid))
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    gone = eventually(lambda: ended(int(pid)))
    shutil.rmtree(place)
    assert gone


def test_a_server_that_cannot_start_says_why_with_the_end_of_its_log(server: Postgres) -> None:
    port = int(server.dsn().rpartition(":")[2].split("/")[0])
    with pytest.raises(ServerDidNotStart, match="Address already in use"), Postgres(port=port, durable=False):
        pytest.fail("two servers cannot share a port")


def test_a_given_server_is_used_instead_and_never_stopped(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKFILL_DATABASE_URL", server.dsn())
    with open_postgres() as given:
        assert isinstance(given, GivenPostgres)
        given.create_database("theirs")
    assert server.address.answers()


def test_a_clone_of_a_template_has_its_tables(postgres: PostgresAddress, empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE TABLE t ()")
    clone = f"clone-{os.getpid()}"
    with psycopg.connect(postgres.create_database(clone, template=empty_database.rpartition("/")[2])) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    postgres.drop_database(clone)
    assert found == [("t",)]
