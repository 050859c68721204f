"""Runs one server for one test run, and ends it with the run: `keeper.py KIND NAME DIRECTORY CONTROLLER_PID`."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
import select
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

_REPOSITORY = Path(__file__).resolve().parents[2]


def make(kind: str, log: Path) -> Any:
    """The server of a kind, not started."""
    from local_stack.servers import azurite, cold_s3, postgres, rabbitmq, seaweedfs

    if kind == "azurite":
        azurite.ensure_azurite(_REPOSITORY)
        return azurite.Azurite(repository=_REPOSITORY, log=log)
    makers: dict[str, Any] = {
        "postgres": lambda: postgres.open_postgres(log=log, durable=False),
        "s3": lambda: cold_s3.ColdS3(log=log, ratio=0),
        "seaweedfs": lambda: seaweedfs.SeaweedFS(log=log),
        "rabbitmq": lambda: rabbitmq.RabbitMQ(log=log),
    }
    return makers[kind]()


def main(kind: str, name: str, directory: Path, controller: int) -> None:
    pid = (directory / f"{name}.pid").open("w", encoding="utf-8")
    fcntl.flock(pid, fcntl.LOCK_EX)
    pid.write(str(os.getpid()))
    pid.flush()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = None
    try:
        server = make(kind, directory / f"{name}.log")
        server.start()
        _publish(directory / f"{name}.json", dataclasses.asdict(server.address))
        _outlast(controller)
        shutil.rmtree(directory, ignore_errors=True)  # nobody else is left to do it
    except Exception as error:
        (directory / f"{name}.error").write_text(f"{type(error).__name__}: {error}", encoding="utf-8")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if server is not None:
            server.stop()


def _publish(path: Path, address: dict[str, Any]) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(address), encoding="utf-8")
    draft.rename(path)


def _outlast(controller: int) -> None:
    """Return when the controller is gone."""
    try:
        handle = os.pidfd_open(controller)
    except ProcessLookupError:
        return
    except AttributeError:
        _poll(controller)
        return
    select.select([handle], [], [])


def _poll(controller: int) -> None:
    """Where the system has no handles on processes."""
    while True:
        try:
            os.kill(controller, 0)
        except ProcessLookupError:
            return
        time.sleep(0.5)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
